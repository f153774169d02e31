#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "call/chain_metrics.hpp"
#include "call/audio_tap.hpp"
#include "call/keypad.hpp"
#include "call/ended_event.hpp"
#include "call/machine.hpp"
#include "call/masking.hpp"
#include "call/media_clock.hpp"
#include "call/tool_builtins.hpp"
#include "call/tool_runner.hpp"
#include "call/telemetry_log.hpp"
#include "call/trace_log.hpp"
#include "call/speech_cache.hpp"
#include "config/host_config.hpp"
#include "media/audio_history.hpp"
#include "media/beep_detector.hpp"
#include "media/dtmf.hpp"
#include "media/echo_detector.hpp"
#include "media/frame_cutter.hpp"
#include "media/playout_queue.hpp"
#include "media/recording.hpp"
#include "media/reorder_window.hpp"
#include "media/speech_detector.hpp"
#include "media/vad.hpp"
#include "media/waiting_tone.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"
#include "plugin_host/adapters/ports.hpp"
#include "plugin_host/plugin_host.hpp"
#include "store/call_store.hpp"
#include "call/transfer.hpp"
#include "call/transfer_text.hpp"

namespace jackfield::call {

/// What happened to a call, for services, the command line and logs: call.started, call.answered, call.turn, call.ended.
struct CallEvent {
    std::string name;
    std::string tenant;
    std::string call;
    std::string json; ///< object
};

struct CallMetrics {
    observe::Gauge active;
    observe::Counter started;
    observe::Counter refused;
    observe::Counter ended;
    ChainMetrics chains;
    observe::Counter packets_dropped; ///< media the carrier's plugin did not take
    observe::Counter stt_dropped;
    ToolMetrics tools;
    observe::Histogram reply_seconds;
};

/// What a call needs of its host. Outlives every call.
struct CallEnvironment {
    plugin_host::PluginHost& plugins;
    store::CallStore& store;
    media::RecordingWriter& recordings;
    observe::Logger log;
    CallMetrics metrics;
    std::function<void(const CallEvent&)> publish;
    std::function<MediaClock&(unsigned shard)> media_clock;
    std::shared_ptr<SpeechCache> speech_cache = {}; ///< null: every greeting is synthesised anew
    std::function<void(CallTelemetry)> telemetry = {}; ///< gets what calls with CallSetup::telemetry leave
};

/// Another agent of the tenant, with what it works with.
struct OtherAgent {
    config::AgentConfig agent;
    std::vector<std::shared_ptr<plugin_host::Instance>> stt;
    std::vector<std::shared_ptr<plugin_host::Instance>> llm;
    std::vector<std::shared_ptr<plugin_host::Instance>> tts;
    std::vector<plugin_host::OfferedTool> tools;
};

/// What this call is: made by the router, immutable afterwards.
struct CallSetup {
    store::CallRow row;
    config::AgentConfig agent;
    std::string time_zone;
    std::shared_ptr<plugin_host::Instance> telephony;
    std::vector<std::shared_ptr<plugin_host::Instance>> stt;
    std::vector<std::shared_ptr<plugin_host::Instance>> llm;
    std::vector<std::shared_ptr<plugin_host::Instance>> tts;
    std::vector<plugin_host::OfferedTool> tools; ///< besides the host's own
    std::string recording_path; ///< empty: not recorded
    bool telemetry = false;          ///< its tenant sends traces somewhere
    bool telemetry_contents = false; ///< and what was said with them
    // What a call may come to need, by the names of its tenant's configuration. On the call's shard.
    std::function<std::optional<OtherAgent>(const std::string& name)> find_agent = {};
    std::function<std::shared_ptr<plugin_host::Instance>(const std::string& name)> find_provider = {};
    std::function<Music(const std::filesystem::path& file)> find_music = {};
    /// For a second leg: null when the tenant has as many as it may.
    std::function<std::shared_ptr<void>()> take_line = {};
    std::shared_ptr<void> line = {}; ///< this call's own, until it is gone
};

/// The driver of one call: carries out what its Machine decides, on one shard, with the plugins' streams and the media room. Everything
/// about the call happens on that shard.
class Call final : public plugin_host::OpSink, public MediaClient {
  public:
    /// `on_gone` runs once, on the shard, when nothing of the call is left: delete it then.
    Call(CallEnvironment& environment, runtime::Shard& shard, CallSetup setup, std::function<void(Call&)> on_gone);
    ~Call() override;

    /// An incoming leg whose op exists: stores it, then answers.
    void accept(jf_op leg, std::string leg_state);
    /// Places the call: stores it, then dials.
    void place(std::string to, std::string from, base::Milliseconds ring_timeout);
    /// Ends it from outside (drain, operator).
    void hang_up(std::uint32_t cause, std::string reason);

    const store::CallRow& row() const { return row_; }
    /// What has been decided since the last turn that was stored, as JSON: {"number" of that turn, "decisions"}.
    /// On the shard.
    std::string why_json();
    /// The ladder so far: SIP messages, ops, events. On the shard.
    std::string trace_json() const { return trace_.json(); }
    /// A copy of what both sides say from now on, until somebody abandons it; null before the answer. While the recording is paused, or the caller
    /// has refused it, there is silence in it. `who` is for the audit line. On the shard.
    std::shared_ptr<AudioTap> listen(const std::string& who, const char* what);
    /// As it was made; never changes, so any thread may read it.
    const store::CallRow& setup_row() const { return setup_.row; }
    runtime::Shard& shard() const { return shard_; }

    void on_event(jf_op op, const jf_event& event) override;
    void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) override;
    void on_media_tick(base::MonoTime now, std::uint64_t skipped) override;

  private:
    enum class StreamKind { stt, llm, prewarm, tts };
    struct OwnedHints {
        std::uint32_t slot = 0;
        std::string grammar;
        std::vector<std::string> phrases;
        std::vector<std::string> keywords;
        std::uint32_t min_digits = 0;
        std::uint32_t max_digits = 0;

        void take(const jf_hints& hints);
        /// Borrows from this and from the arrays.
        jf_hints abi(std::vector<jf_str>& phrase_array, std::vector<jf_str>& keyword_array) const;
    };
    /// One provider's stream of this call. Lives until its op has completed, though the call may have moved on to another.
    struct Stream final : public plugin_host::OpSink {
        Stream(Call& call, StreamKind stream_kind, std::uint64_t stream_reply) : owner(call), kind(stream_kind), reply(stream_reply) {}
        void on_event(jf_op op, const jf_event& event) override;
        void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) override;
        Call& owner;
        StreamKind kind;
        std::uint64_t reply;
        jf_op op = JF_NO_OP;
        plugin_host::Instance* instance = nullptr;
        std::shared_ptr<plugin_host::Instance> keep;
        bool served = false; ///< it gave what it is there for: its health knows
        std::size_t chain_index = 0;
        base::MonoTime asked;    ///< for what it is there for
        std::uint64_t ticket = 0; ///< recogniser: of the FINALIZE that is out
        std::optional<OwnedHints> hints; ///< model: held back until it is clear whose answer counts
        // Voice: bytes of the reply's text.
        std::uint64_t text_from = 0; ///< where its own text begins
        std::uint64_t text_sent = 0;
        bool has_all_text = false;   ///< it owes nothing but audio and its completion
        base::MonoTime owes_since;   ///< its last sign of life, or the first text
    };

    static base::Milliseconds final_wait_of(const CallSetup& setup);
    base::MonoTime now() const { return shard_.now(); }
    base::UtcTime utc_now() const;
    void answer();
    void on_answered(const jf_format& format);
    void await_end();
    bool line_rests();
    void on_leg_gone(jf_status status, const jf_event* last, const jf_error* error);
    void close_streams();
    void finish_when_quiet();
    void publish(const char* name, const std::function<void(base::JsonWriter&)>& more = {});

    // Media.
    void on_caller_frame(const jf_frame& frame);
    void drain_caller();
    void hear(media::SamplePos position, std::span<const std::uint8_t> codes);
    void hear_frame(media::SamplePos position, std::span<const std::uint8_t> codes);
    void hear_nothing();
    void prepare_ears();
    bool is_own_voice();
    void on_speech_stop(const media::SpeechEvent& edge);
    void begin_listening(media::SamplePos from);
    void push_stt(media::SamplePos position, std::span<const std::uint8_t> codes);
    bool give_stt(media::SamplePos position, std::span<const std::uint8_t> codes);
    void feed_stt();
    base::MonoTime time_of(media::SamplePos position) const;

    // Actions.
    void run(Actions actions);
    void perform(Action& action);
    void open_stt(bool feed_turn);
    void send_hints();
    void finalize_stt(std::uint64_t ticket);
    void send_finalize(std::uint64_t ticket);
    void on_stt_answer(Stream& stream, std::uint64_t ticket);
    void generate(std::uint64_t reply, bool prewarm, std::optional<std::string> provisional = {}, std::string said = {});
    void ask_model(Stream& stream, bool prewarm);
    void adopt(std::uint64_t reply);
    void use_hints(std::uint64_t reply, const OwnedHints& hints);
    void speak(const act::Speak& action);
    void end_speech(std::uint64_t reply);
    void speak_on(std::uint64_t reply, std::uint64_t from);
    void begin_speech(std::uint64_t reply);
    void drop_voices();
    Stream* add_voice(std::size_t index, std::uint64_t from);
    bool open_voice(std::uint64_t from);
    void send_text(Stream& voice);
    bool owes_words(const Stream& voice) const;
    void arm_voice_deadline();
    void on_voice_deadline();
    void voice_is_gone(bool well);
    void on_voice_audio(Stream& voice, const jf_event& event, const jf_frame& frame);
    void queue_speech(std::span<const std::uint8_t> codes, std::uint64_t text_end);
    void refill_playout();
    void end_of_audio();
    void arm_voice_hedge();
    void hedge_voice();
    bool is_fixed(std::string_view text) const;
    SpeechCache::Key cache_key() const;
    bool play_cached();
    void feed_cached();
    void keep_captured();
    void finish_speaking();
    void stop_speech();
    void commit(const TurnRecord& turn);
    std::vector<TranscriptLine> transcript() const;
    std::string why_of(const TurnRecord& turn);
    void trace_message(const jf_signalling& message);
    void trace_event(const char* name, std::int64_t number = 0, std::string text = {});
    void trace_op(TraceEntry::Kind kind, const Stream& stream, jf_status status = JF_OK, const jf_error* error = nullptr);
    void begin_telemetry();
    void send_telemetry();
    void trace_leg(TraceEntry::Kind kind, jf_status status = JF_OK, const jf_error* error = nullptr);
    void store_trace();
    void tap(media::RecordingSide side, media::SamplePos at, std::span<const std::uint8_t> codes);
    void note_provider(StreamKind kind, const plugin_host::Instance& instance);

    // Hold, transfer, hand-off, consent (call_transfer.cpp).
    void on_hold(bool held);
    void hold_caller(bool held);
    void close_ears();
    void open_ears();
    void publish_transfer(std::string_view state, std::string_view why);
    void transfer(const act::Transfer& action);
    void refer(const config::TransferConfig& target);
    void stop_referring();
    void on_transferred(const jf_event& event);
    void on_refer_received(const std::string& to);
    void transfer_joined();
    void ask_release();
    void on_released(const jf_event& event);
    void stop_releasing();
    void transfer_failed(const std::string& why);
    void transfer_left();
    bool play_transfer(std::span<std::uint8_t, media::packet_samples> codes);
    void hand_off(const std::string& to);
    void start_recording();
    void on_consent(bool granted);
    void record(media::RecordingSide side, media::SamplePos at, std::span<const std::uint8_t> codes);

    using Chain = std::vector<std::shared_ptr<plugin_host::Instance>>;
    const Chain& chain_of(ChainKind kind) const;
    void next_provider(act::NextProvider::Kind kind);
    std::optional<std::size_t> standby_of(const Chain& chain, std::size_t index) const;
    void lose_race(Stream*& loser);
    void arm_model_hedge();
    void hedge_model();
    void on_model_output(Stream& model);
    void promote_model();
    void drop_models();
    std::optional<base::MonoTime> next_chain_deadline() const;
    void serve_chain_deadlines();
    const std::shared_ptr<plugin_host::Instance>& choose(const Chain& chain, std::size_t& index) const;
    void update_timer();
    void note_heard();

    // Keys (call_keys.cpp).
    void choose_key_sources();
    void on_key(char key, bool from_tone);
    /// A key sounds in this packet: it is not speech, and nobody is to recognise it.
    bool hear_keys(std::span<const std::int16_t> pcm);
    void send_digits(const std::string& digits);
    /// A packet of the tones that stand for keys, where the carrier has no other way; false when none are to be sent.
    bool next_tones(std::span<std::uint8_t> codes);

    // Who answered (call_keys.cpp).
    void on_answered_by(AnsweredBy by, const char* rule);
    void hear_beep(std::span<const std::int16_t> pcm);

    // Tools (call_tools.cpp).
    ToolRunner::Context tool_context();
    void offer_tools();
    void run_tool(const act::RunTool& action);
    std::vector<jf_tool> tools_for_model(const std::vector<BuiltInTool>& texts) const;

    // Stream events.
    void on_stream_event(Stream& stream, const jf_event& event);
    void on_stream_done(Stream& stream, jf_status status, const jf_error* error);
    Stream* open_stream(StreamKind kind, const std::shared_ptr<plugin_host::Instance>& instance, std::uint64_t reply);
    void drop_stream(Stream*& stream);

    CallEnvironment& env_;
    runtime::Shard& shard_;
    std::function<void(Call&)> on_gone_;
    store::CallRow row_;
    CallSetup setup_;
    observe::Logger log_;
    plugin_host::TelephonyPort telephony_;
    jf_op leg_ = JF_NO_OP;
    Machine machine_;
    ToolRunner tool_runner_;

    bool answered_ = false;
    bool ending_ = false;  ///< hangup was sent
    bool leg_gone_ = false;
    bool closing_ = false; ///< the final record is being written
    bool closed_ = false;
    std::string end_reason_;
    std::string ended_by_;
    int pending_writes_ = 0;
    base::MonoTime answered_at_;
    runtime::TimerId timer_ = 0;
    std::optional<base::MonoTime> timer_at_;
    runtime::TimerId ring_timer_ = 0;

    // Caller side.
    media::G711Law law_ = media::G711Law::mu;
    jf_quality quality_{};  // what the leg's plugin measured, last; struct_size 0: nothing
    media::G711Law wire_law_ = media::G711Law::mu; // what the leg takes since the last FORMAT; law_ stays that of the first answer
    media::ReorderWindow reorder_;
    std::unique_ptr<media::AudioHistory> history_;
    std::unique_ptr<media::Vad> vad_;
    media::SpeechDetector detector_;
    std::unique_ptr<media::EchoDetector> echo_; ///< none: this agent doesn't look for echoes
    bool echo_told_ = false;
    media::FrameCutter cutter_;
    std::unique_ptr<media::DtmfDetector> tones_; ///< none: keys come as events only
    DtmfSources key_sources_;
    bool key_events_ = true; ///< the far end tells its keys as events
    media::BeepDetector beeps_;
    std::string keys_out_; ///< to be sent as tones, with the one that sounds in front
    media::DtmfGenerator tone_out_;
    std::size_t tone_pause_ = 0; ///< samples
    media::SamplePos caller_end_ = 0;
    base::MonoTime caller_end_at_;
    media::SamplePos heard_to_ = 0; ///< where the detector stands
    std::optional<media::SamplePos> caller_offset_; ///< caller position 0 on the recording's time line
    bool listening_ = false;
    media::SamplePos stt_pushed_to_ = 0;
    std::optional<media::SamplePos> turn_from_; ///< where the caller's current turn begins, with its pre-roll
    std::optional<media::SamplePos> feed_at_;   ///< a recogniser is being given the turn again, and stands here
    std::optional<std::uint64_t> finalize_after_feed_; ///< or when the recogniser has room for it

    // Agent side.
    std::unique_ptr<media::PlayoutQueue> playout_;
    std::vector<std::uint8_t> overflow_;
    media::WaitingTone waiting_tone_;
    media::SamplePos agent_position_ = 0;
    std::uint64_t playing_reply_ = 0;
    bool first_sent_reported_ = false;
    std::uint64_t credit_owed_ = 0;
    /// What is to be spoken in the reply in hand, whichever voices do it.
    struct Speech {
        std::uint64_t reply = 0;
        std::string text;
        std::vector<std::uint64_t> parts; ///< where each piece ends
        bool complete = false;            ///< no more text comes
        bool ended = false;               ///< no more audio comes
        std::uint64_t spoken = 0;         ///< there is audio of the text up to this byte
    };
    Speech speech_;
    std::deque<std::pair<std::size_t, std::uint64_t>> overflow_tags_; ///< up to this byte of overflow_, text up to this one
    std::optional<base::MonoTime> voice_deadline_;
    std::optional<base::MonoTime> voice_hedge_at_;
    base::MonoTime dry_at_; ///< what is queued has been played by then
    int line_rests_ = 0; ///< packets of silence, since some were refused
    std::optional<SpokenAudio> capture_; ///< of a fixed text, for the cache
    std::shared_ptr<const SpokenAudio> cached_; ///< being played
    std::size_t cached_at_ = 0;
    std::size_t cached_tag_ = 0;
    std::shared_ptr<media::Recording> recording_;
    bool recording_paused_ = false;
    bool consent_refused_ = false;

    // Whom the caller is with, or will be.
    std::vector<std::unique_ptr<Transfer>> transfer_legs_; ///< also such as failed and are still being ended
    Transfer* transfer_ = nullptr;
    std::string transfer_name_;
    std::string transfer_mode_;
    bool referring_ = false;
    /// The carrier has been asked to connect the caller with the person of `transfer_`, without us.
    enum class Releasing { no, asked, person_gone } releasing_ = Releasing::no;
    bool caller_held_ = false;
    runtime::TimerId refer_timer_ = 0;
    runtime::TimerId end_timer_ = 0;
    std::optional<HoldSound> refer_sound_;

    // Streams.
    std::vector<std::unique_ptr<Stream>> streams_;
    Stream* stt_ = nullptr;
    Stream* llm_ = nullptr;
    Stream* tts_ = nullptr;
    Stream* llm_standby_ = nullptr; ///< started beside a slow one; the first output decides
    Stream* tts_standby_ = nullptr;
    std::optional<base::MonoTime> model_hedge_at_;
    std::optional<base::MonoTime> model_abandon_at_; ///< of the first, while a standby is being asked too
    // What the model in hand is asked beyond the conversation so far; its standby is asked the same.
    std::optional<std::string> model_provisional_;
    std::string model_said_;
    std::size_t stt_index_ = 0;
    std::size_t llm_index_ = 0;
    std::size_t tts_index_ = 0;
    const jf_stt_v1* stt_table_ = nullptr;
    bool stt_linear_ = false; ///< the recogniser hears L16 where the line has G.711
    bool stt_wants_all_ = false;
    int stt_restarts_ = 0;
    OwnedHints hints_;
    std::optional<OwnedHints> draft_hints_; ///< of a reply whose turn is not over: sent when it is adopted
    std::int64_t turn_number_ = 0;
    Masking masking_;
    TraceLog trace_;
    TelemetryLog telemetry_;
    base::MonoTime telemetry_zero_{};
    std::vector<std::shared_ptr<AudioTap>> taps_;
    enum class TraceStored { no, writing, yes } trace_stored_ = TraceStored::no;
    base::MonoTime told_until_; ///< what was decided since then is in no stored turn yet
    std::array<const plugin_host::Instance*, 3> last_provider_ = {}; ///< noted last, of stt, llm, tts
    int performing_ = 0; ///< depth of run(): the timer is set once, at the end
};

}  // namespace jackfield::call
