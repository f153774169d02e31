#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "call/machine.hpp"
#include "call/media_clock.hpp"
#include "config/host_config.hpp"
#include "media/audio_history.hpp"
#include "media/frame_cutter.hpp"
#include "media/playout_queue.hpp"
#include "media/recording.hpp"
#include "media/reorder_window.hpp"
#include "media/speech_detector.hpp"
#include "media/vad.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"
#include "plugin_host/adapters/ports.hpp"
#include "plugin_host/plugin_host.hpp"
#include "store/call_store.hpp"

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
    observe::Counter failovers;
    observe::Counter packets_dropped; ///< media the carrier's plugin did not take
    observe::Counter stt_dropped;
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
    std::string recording_path; ///< empty: not recorded
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
    /// As it was made; never changes, so any thread may read it.
    const store::CallRow& setup_row() const { return setup_.row; }
    runtime::Shard& shard() const { return shard_; }

    void on_event(jf_op op, const jf_event& event) override;
    void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) override;
    void on_media_tick(base::MonoTime now, std::uint64_t skipped) override;

  private:
    enum class StreamKind { stt, llm, prewarm, tts };
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
        bool served = false; ///< it gave what it is there for: its breaker knows
    };
    struct OwnedHints {
        std::uint32_t slot = 0;
        std::string grammar;
        std::vector<std::string> phrases;
        std::vector<std::string> keywords;

        void take(const jf_hints& hints);
        /// Borrows from this and from the arrays.
        jf_hints abi(std::vector<jf_str>& phrase_array, std::vector<jf_str>& keyword_array) const;
    };

    base::MonoTime now() const { return shard_.now(); }
    base::UtcTime utc_now() const;
    void answer();
    void on_answered(const jf_format& format);
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
    void on_speech_stop(media::SamplePos at);
    void begin_listening(media::SamplePos from);
    void push_stt(media::SamplePos position, std::span<const std::uint8_t> codes);
    base::MonoTime time_of(media::SamplePos position) const;

    // Actions.
    void run(Actions actions);
    void perform(Action& action);
    void open_stt();
    void send_hints();
    void finalize_stt(std::uint64_t ticket);
    void generate(std::uint64_t reply, bool prewarm);
    void speak(const act::Speak& action);
    void end_speech(std::uint64_t reply);
    bool open_voice(std::uint64_t reply);
    void send_pending_text();
    void arm_voice_deadline();
    void finish_speaking();
    void stop_speech();
    void commit(const TurnRecord& turn);
    void transfer(const std::string& to);
    using Chain = std::vector<std::shared_ptr<plugin_host::Instance>>;
    void next_provider(act::NextProvider::Kind kind);
    const std::shared_ptr<plugin_host::Instance>& choose(const Chain& chain, std::size_t& index) const;
    void update_timer();
    void note_heard();

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
    media::ReorderWindow reorder_;
    std::unique_ptr<media::AudioHistory> history_;
    std::unique_ptr<media::Vad> vad_;
    media::SpeechDetector detector_;
    media::FrameCutter cutter_;
    media::SamplePos caller_end_ = 0;
    base::MonoTime caller_end_at_;
    media::SamplePos heard_to_ = 0; ///< where the detector stands
    std::optional<media::SamplePos> caller_offset_; ///< caller position 0 on the recording's time line
    bool listening_ = false;
    media::SamplePos stt_pushed_to_ = 0;

    // Agent side.
    std::unique_ptr<media::PlayoutQueue> playout_;
    std::vector<std::uint8_t> overflow_;
    media::SamplePos agent_position_ = 0;
    std::uint64_t playing_reply_ = 0;
    bool first_sent_reported_ = false;
    std::uint64_t credit_owed_ = 0;
    std::deque<std::pair<std::string, bool>> pending_text_; ///< text, last
    std::optional<base::MonoTime> voice_deadline_;
    bool voice_broke_ = false; ///< it ended with an error after the caller had heard some of it
    bool voice_has_all_text_ = false; ///< the voice owes nothing but audio and its completion
    std::shared_ptr<media::Recording> recording_;

    // Streams.
    std::vector<std::unique_ptr<Stream>> streams_;
    Stream* stt_ = nullptr;
    Stream* llm_ = nullptr;
    Stream* tts_ = nullptr;
    std::size_t stt_index_ = 0;
    std::size_t llm_index_ = 0;
    std::size_t tts_index_ = 0;
    const jf_stt_v1* stt_table_ = nullptr;
    bool stt_wants_all_ = false;
    int stt_restarts_ = 0;
    OwnedHints hints_;
    std::int64_t turn_number_ = 0;
    int performing_ = 0; ///< depth of run(): the timer is set once, at the end
};

}  // namespace jackfield::call
