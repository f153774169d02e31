#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "call/answer_detection.hpp"
#include "call/clause_chunker.hpp"
#include "call/dead_air.hpp"
#include "call/decision_log.hpp"
#include "call/keypad.hpp"
#include "call/language.hpp"
#include "call/tool_calls.hpp"
#include "call/endpointing.hpp"
#include "config/host_config.hpp"

namespace jackfield::call {

enum class Role : std::uint8_t { user, assistant, tool };

/// One message of the conversation as the model sees it: what was said and, of the agent's, what was heard.
struct ChatMessage {
    Role role = Role::user;
    std::uint32_t flags = 0; ///< JF_MESSAGE_*
    bool masked = false;     ///< stands in no transcript
    std::string content;
    std::string tool_call_id;
    std::string tool_name; ///< assistant: the call it made, one per message
    std::string tool_arguments;
};

/// What the turn-taking decided, for the record of the turn. All on the host's clock; zero where it did not happen.
struct TurnTimes {
    base::MonoTime user_began;
    base::MonoTime user_ended;     ///< last voiced sample
    base::MonoTime speech_stop;    ///< the detector was sure of that
    base::MonoTime endpoint;       ///< the turn was closed
    base::MonoTime final_text;     ///< STT answered
    base::MonoTime first_token;
    base::MonoTime first_text;     ///< enough of them for the voice
    base::MonoTime first_speech;   ///< TTS gave its first audio
    base::MonoTime first_sent;     ///< the first agent sample left
    base::MonoTime ended;
};

/// A finished turn of either side.
struct TurnRecord {
    Role role = Role::user;
    std::string text;          ///< of the agent's: what was heard
    std::string unheard;       ///< what an interruption cut off
    bool interrupted = false;
    std::string rule;          ///< which rule closed or cut the turn: endpoint, stuck, dtmf, silence, barge_in_voice, barge_in_words
    float confidence = -1;
    std::uint32_t flags = 0;   ///< JF_MESSAGE_*
    bool masked = false;       ///< it stands in no transcript: the recording was paused
    TurnTimes times;
};

namespace act {
struct OpenStt {                                 ///< at the answer, and again after its failure
    bool feed_turn = false;                      ///< it gets the caller's current turn from its beginning, then what follows
};
struct FinalizeStt { std::uint64_t ticket; };
struct DiscardStt {};
struct Listen {};                                ///< feed the recogniser from now on: the detector will not say when speech begins
struct Generate {                                ///< start the model on the conversation so far
    std::uint64_t reply;
    std::optional<std::string> provisional = {}; ///< and on this as the caller's words, though their turn is not over
    std::string said = {};                       ///< and on this as what was said of this very reply when its model broke
};
struct Adopt { std::uint64_t reply; };           ///< the reply that was begun on provisional words is the one: its hints count
struct CancelGeneration {};
struct Prewarm {};
struct Speak {                                   ///< text of reply `reply`; the first opens the voice
    std::uint64_t reply;
    std::string text;
};
struct EndSpeech { std::uint64_t reply; };       ///< no more text for this reply
struct SpeakOn {                                 ///< the voice broke: the next one speaks the reply's text from this byte on
    std::uint64_t reply;
    std::uint64_t from;
};
struct StopSpeech {};                            ///< drop what is queued and close the voice
struct Duck {};                                  ///< pause, or quieter, until it is decided whether the caller interrupts
struct Unduck {};
struct WaitingTone { bool on; };                 ///< heard while nothing else is
struct Commit { TurnRecord turn; };
struct HangUp { std::uint32_t cause; std::string reason; };
struct Transfer {
    std::string name;                            ///< an entry of `transfer`; on_transfer_failed() or the call's end follows
    std::string summary;                         ///< what the model says of the call, for the person
};
struct HandOff { std::string to; };              ///< another agent of the tenant; take_over() or on_hand_off_failed() follows
struct Consent { bool granted; };                ///< the announcement was heard and agreed to, or refused
struct NextProvider { enum Kind { stt, llm, tts } kind; }; ///< the chain's next takes over
struct AnsweredBy {                              ///< the verdict on who answered; one for a machine may follow one for a person
    call::AnsweredBy by;
    const char* rule;
};
struct SendDigits { std::string digits; };       ///< keys for the far end; w is half a second
struct RunTool {                                 ///< a provider's function; on_tool_result() follows, whatever becomes of the reply
    std::uint64_t reply;
    std::uint32_t index;
    std::string name;
    std::string arguments;
};
}  // namespace act

using Action = std::variant<act::OpenStt, act::FinalizeStt, act::DiscardStt, act::Listen, act::Generate, act::CancelGeneration,
                            act::Prewarm, act::Speak, act::EndSpeech, act::SpeakOn, act::StopSpeech, act::Duck, act::Unduck, act::Adopt, act::WaitingTone,
                            act::Commit, act::HangUp, act::Transfer, act::HandOff, act::Consent, act::NextProvider, act::AnsweredBy, act::SendDigits, act::RunTool>;
using Actions = std::vector<Action>;

/// How far the caller has heard the reply that is being spoken.
struct HeardText {
    std::uint64_t bytes = 0;
    bool finished = false;
    /// What of it is still to be played, known when the voice has given all of it.
    std::optional<base::Milliseconds> left = {};
};

/// The turn-taking of one call: a state machine fed with events and time, answering actions. It knows no socket, no thread and no audio;
/// the driver (Call) carries its actions out.
class Machine {
  public:
    Machine(config::AgentConfig agent, base::Milliseconds stt_final_wait);

    // Each returns what to do now, in order.
    Actions on_answered(base::MonoTime now);
    /// The detector is sure that the caller speaks; `began` is the first voiced sample.
    Actions on_speech_start(base::MonoTime now, base::MonoTime began);
    /// Voice gathered so far in the current stretch, called per frame while there is some.
    Actions on_voice(base::MonoTime now, base::Milliseconds voiced);
    /// The line gives the agent's own voice back. None of it is passed to on_voice(), as far as anybody can tell.
    void on_echo() { echo_line_ = true; }
    Actions on_speech_stop(base::MonoTime now, base::MonoTime last_voiced);
    Actions on_partial(base::MonoTime now, std::string_view text);
    /// The recogniser's own view of the turn, where it has one: over; probably over; not over after all.
    Actions on_turn_end(base::MonoTime now, std::string_view text, float confidence);
    Actions on_eager_turn_end(base::MonoTime now, std::string_view text);
    Actions on_turn_resumed(base::MonoTime now);
    void set_provider_detects_turns(bool detects) { endpointing_.set_provider_decides(detects); }
    Actions on_final(base::MonoTime now, std::uint64_t ticket, std::string_view text, float confidence);
    Actions on_no_match(base::MonoTime now, std::uint64_t ticket, std::string_view nearest);
    Actions on_stt_failed(base::MonoTime now);
    Actions on_token(base::MonoTime now, std::uint64_t reply, std::string_view text);
    Actions on_tool_call(base::MonoTime now, std::uint64_t reply, std::string_view id, std::string_view name,
                         std::string_view arguments);
    /// The functions that the agent's model may call besides the host's own. Before the call is answered, and at a hand-off.
    void offer_tools(std::vector<std::string> names) { tools_.offer(std::move(names)); }
    /// What act::RunTool came to, as the model gets it.
    Actions on_tool_result(base::MonoTime now, std::uint64_t reply, std::uint32_t index, std::string_view content);
    /// The tool has said what the caller may be told while it runs.
    void on_tool_progress(std::uint64_t reply, std::uint32_t index, std::string_view text) { tools_.progress(reply, index, text); }
    Actions on_generated(base::MonoTime now, std::uint64_t reply);
    Actions on_generation_failed(base::MonoTime now, std::uint64_t reply);
    /// What the model expects next, and of digits how many at the most (0 unknown).
    void on_slot(std::uint32_t slot, std::uint32_t most_digits = 0);
    /// Text of the reply was given to the voice.
    void on_text_spoken(base::MonoTime now, std::uint64_t reply);
    Actions on_first_speech(base::MonoTime now, std::uint64_t reply);
    /// The first sample of the reply was sent, and again when it goes on after on_dry().
    Actions on_first_sent(base::MonoTime now);
    /// All that the voice has given so far was played, and the reply isn't over.
    Actions on_dry(base::MonoTime now);
    /// `spoken`: bytes of the reply's text whose audio there is, heard or about to be.
    Actions on_voice_failed(base::MonoTime now, std::uint64_t reply, std::uint64_t spoken = 0);
    /// Another model was asked too: the reply's patience begins anew.
    void on_standby(base::MonoTime now, std::uint64_t reply);
    /// Everything of the reply has been sent.
    Actions on_spoken(base::MonoTime now, std::uint64_t reply);
    Actions on_dtmf(base::MonoTime now, char digit);
    /// The host placed this call: find out whether a machine answers it. Before on_answered().
    void detect_answer();
    /// A beep is of interest still.
    bool listens_for_beep() const { return answer_.has_value(); }
    Actions on_beep(base::MonoTime now);
    Actions on_carrier_detection(base::MonoTime now, AnsweredBy by);
    /// The far end holds the call: the agent neither speaks nor listens, and only the call's greatest length counts.
    Actions on_hold(base::MonoTime now, bool held);
    /// What act::Transfer began came to nothing: the conversation goes on, and the model is told why.
    Actions on_transfer_failed(base::MonoTime now, std::string_view why);
    /// The caller talks to the person: how long is theirs, and the transfer's, to say.
    void on_joined() { joined_ = handed_over_; }
    /// Another agent goes on with the conversation.
    Actions take_over(base::MonoTime now, config::AgentConfig agent, base::Milliseconds stt_final_wait);
    Actions on_hand_off_failed(base::MonoTime now);
    /// The far end is gone; the driver ends everything, the machine closes its turns.
    Actions on_ended(base::MonoTime now);
    Actions on_time(base::MonoTime now);

    /// When on_time() wants to be called next, if nothing else happens.
    std::optional<base::MonoTime> next_deadline() const;
    /// The driver tells it before every event that can cut the agent's speech.
    void set_heard(HeardText heard) { heard_ = heard; }

    const std::vector<ChatMessage>& messages() const { return messages_; }
    bool agent_speaking() const { return reply_ && reply_->audible; }
    /// The caller's audio matters now (STT is fed while the caller speaks).
    bool user_turn_open() const { return user_.has_value(); }
    bool over() const { return over_; }
    /// The caller is on hold or with somebody else: nothing they say is for the agent.
    bool away() const { return held_ || handed_over_; }
    /// Silence is to be recorded: a tool said so, or the caller is asked for digits.
    bool recording_paused() const;
    std::uint64_t current_reply() const { return reply_ ? reply_->id : 0; }
    /// A reply to words that may still change: nothing of it reaches the caller yet.
    bool is_draft(std::uint64_t reply) const { return draft_ && draft_->reply == reply; }
    /// What was decided and why. The driver adds what only it sees: where in the samples speech began, which provider took over.
    DecisionLog& decisions() { return decisions_; }

  private:
    struct Reply {
        std::uint64_t id = 0;
        std::string text;            ///< given to the voice so far
        bool greeting = false;
        bool consent = false;        ///< the announcement that comes before everything
        bool locked = false;         ///< nothing interrupts it
        bool generating = false;
        bool spoken_text = false;    ///< some text of the answer itself went to the voice; fillers don't count
        bool dry = false;            ///< what was spoken so far has been heard, and more is to come
        bool audible = false;
        bool text_complete = false;
        bool more_due = false;       ///< a model broke in the middle of it
        std::size_t empty_answers = 0; ///< models that had nothing to say
        base::MonoTime began;
        base::MonoTime last_token;
        base::MonoTime audible_since;
        TurnTimes times;
        std::uint32_t voice_failures = 0;
    };
    struct UserTurn {
        base::MonoTime began;
        base::MonoTime last_voiced;
        bool speaking = true;
        base::MonoTime stopped = {};  ///< the detector said so; zero while it hears voice
        std::uint64_t ticket = 0;     ///< of the FINALIZE that is out, 0 none
        base::MonoTime finalized = {};
        base::MonoTime final_due = {}; ///< what is known then has to do
        bool fed_again = false;        ///< another recogniser was given the whole turn; once
        std::string partial = {};
        base::MonoTime last_word = {}; ///< when `partial` last changed
        std::string rule = {};
        std::vector<std::uint64_t> earlier_tickets = {}; ///< FINALIZEs that the caller spoke on after: their answers are part of the turn
        std::string earlier_partial = {};                ///< what was known then
        bool words = false;            ///< the recogniser has let some be known
        int drafts = 0;                ///< answers that were begun before the end was sure
    };
    struct BargeIn {
        base::MonoTime since;
        std::optional<base::MonoTime> resume_at = {}; ///< quiet again before it was confirmed
    };
    /// An answer that is being made while the end of the caller's turn is still open.
    struct Draft {
        struct Piece {
            std::string text;
            std::optional<ChatMessage> tool; ///< its call, not made before the draft is adopted
        };
        std::uint64_t reply = 0;
        std::string words; ///< it answers these
        base::MonoTime began;
        std::vector<Piece> pieces;
        bool complete = false;
    };
    struct EndOfCall {
        bool hang_up = false;
        std::string transfer_to;     ///< a name of `transfer`
        std::string reason;
        std::string hand_off_to = {};
        std::string tool_call = {};  ///< its id, when a tool asked for it
        std::string summary = {};
    };
    enum class Asking : std::uint8_t { no, announcing, waiting };

    base::Milliseconds endpoint_wait() const;
    base::Milliseconds nudge_after() const;
    base::MonoTime stuck_at() const;
    bool can_resume() const;
    void finalize(base::MonoTime now, const char* rule, Actions& out);
    bool feed_next_recogniser(base::MonoTime now, Actions& out);
    bool lacks_words() const;
    void on_no_words(base::MonoTime now, Actions& out);
    void on_broken_off(base::MonoTime now, Actions& out);
    void ask_next_model(base::MonoTime now, Actions& out);
    base::Milliseconds barge_in_after() const;
    void commit_user(Actions& out);
    void keep_user_words(base::MonoTime now, std::string text, const char* rule, Actions& out);
    bool interruptible(base::MonoTime now) const;
    bool backchannel_guard(base::MonoTime now) const;
    void settle(Actions& out);
    void resume_speaking(base::MonoTime now, Actions& out);
    void abandon_stt(base::MonoTime now, Actions& out);
    bool waits_for_machine() const;
    void serve_answer(base::MonoTime now, Actions& out);
    bool answer_decided(base::MonoTime now, const std::optional<AnswerVerdict>& verdict, Actions& out);
    void say_filler(base::MonoTime now, Actions& out);
    std::optional<base::MonoTime> tool_filler_at() const;
    void go_on_after_tools(base::MonoTime now, Actions& out);
    void speculate(base::MonoTime now, Actions& out);
    void drop_draft(base::MonoTime now, const char* why, Actions& out);
    void adopt_draft(base::MonoTime now, Actions& out);
    void serve_dead_air(base::MonoTime now, Actions& out);
    std::string words_so_far() const;
    void start_reply(base::MonoTime now, Actions& out);
    void keep_keys(base::MonoTime now, std::string keys, const char* rule, Actions& out);
    void close_user_turn(base::MonoTime now, std::string text, std::uint32_t flags, float confidence, Actions& out);
    void finish_reply(base::MonoTime now, Actions& out);
    void cut_reply(base::MonoTime now, const char* rule, Actions& out);
    void confirm_barge_in(base::MonoTime now, const char* rule, Actions& out);
    void speak_chunks(std::vector<std::string> chunks, Actions& out);
    void take_digits(base::MonoTime now, std::string text, const char* rule, Actions& out);
    void end_after_speech(Actions& out);
    void give_up(base::MonoTime now, const char* reason, Actions& out);
    void hang_up(std::uint32_t cause, std::string reason, Actions& out);
    void set_agent(config::AgentConfig agent, base::Milliseconds stt_final_wait);
    std::string_view shown(std::string_view words) const;
    void begin_conversation(base::MonoTime now, Actions& out);
    Reply& say(base::MonoTime now, std::string text, Actions& out);
    bool ask_consent(base::MonoTime now, Actions& out);
    void consent_asked(base::MonoTime now, bool whole, Actions& out);
    void answer_consent(base::MonoTime now, bool granted, Actions& out);
    bool takes_consent_key(base::MonoTime now, char digit, Actions& out);
    bool take_consent_words(base::MonoTime now, TurnRecord& record, Actions& out);
    bool begin_departure(std::string_view name, std::string_view id, std::string_view arguments);
    std::string switch_recording(std::string_view name);
    void finish_departure(std::string result);

    config::AgentConfig agent_;
    Language language_; ///< with the agent's own lists
    base::Milliseconds final_wait_;
    std::vector<ChatMessage> messages_;
    std::optional<Reply> reply_;
    std::optional<UserTurn> user_;
    std::optional<BargeIn> barge_in_;
    std::optional<EndOfCall> end_;
    DecisionLog decisions_;
    ClauseChunker chunker_;
    Endpointing endpointing_;
    DeadAir dead_air_;
    std::optional<Draft> draft_;
    std::vector<std::string> fillers_;
    bool tone_ = false;
    HeardText heard_;
    std::string carried_;              ///< words of a turn that was closed too early, to stand before the next ones
    base::MonoTime carried_began_;
    /// The caller's turn until its answer is heard: if they go on before, it was not over and is no turn of its own.
    std::optional<TurnRecord> closed_turn_;
    bool noisy_ = false;               ///< what the detector calls speech may be none: it interrupts nothing until it stops
    TurnTimes user_times_;
    Keypad keypad_;
    std::uint32_t slot_ = 0;
    std::uint64_t next_reply_ = 1;
    std::uint64_t next_ticket_ = 1;
    base::MonoTime answered_;
    base::MonoTime quiet_since_;       ///< nobody speaks since
    int nudges_ = 0;
    int tool_rounds_ = 0;
    bool held_ = false;
    bool handed_over_ = false;         ///< a transfer or a hand-off is under way, or the caller is with somebody else
    bool joined_ = false;
    bool answer_owed_ = false;         ///< hold began before anything of the answer was heard
    bool recording_paused_ = false;    ///< by a tool
    Asking asking_ = Asking::no;       ///< for consent
    base::MonoTime asked_;
    char early_key_ = 0;               ///< pressed while nothing could interrupt the announcement
    bool pending_tools_ = false;
    std::optional<AnswerDetection> answer_; ///< as long as it isn't known who answered
    bool message_said_ = false;        ///< to a machine
    ToolCalls tools_;                  ///< those that providers run
    int llm_failures_ = 0;
    int turns_without_words_ = 0;      ///< in a row, of which no model knew an answer
    bool echo_line_ = false;
    base::Milliseconds voiced_{0};     ///< in the caller's current or last stretch of speech
    bool apologised_ = false;
    bool active_ = false;
    bool over_ = false;
};

}  // namespace jackfield::call
