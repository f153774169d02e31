#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "call/clause_chunker.hpp"
#include "config/host_config.hpp"

namespace jackfield::call {

enum class Role : std::uint8_t { user, assistant, tool };

/// One message of the conversation as the model sees it: what was said and, of the agent's, what was heard.
struct ChatMessage {
    Role role = Role::user;
    std::uint32_t flags = 0; ///< JF_MESSAGE_*
    std::string content;
    std::string tool_call_id;
    std::string tool_name; ///< assistant: the call it made, one per message
    std::string tool_arguments;
};

/// What the turn-taking decided, for the record of the turn. All on the host's clock; zero where it did not happen.
struct TurnTimes {
    base::MonoTime user_began;
    base::MonoTime user_ended;     ///< last voiced sample
    base::MonoTime endpoint;       ///< the turn was closed
    base::MonoTime final_text;     ///< STT answered
    base::MonoTime first_token;
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
    TurnTimes times;
};

namespace act {
struct OpenStt {};                               ///< at the answer, and again after its failure
struct FinalizeStt { std::uint64_t ticket; };
struct DiscardStt {};
struct Listen {};                                ///< feed the recogniser from now on: the detector will not say when speech begins
struct Generate {                                ///< start the model on the conversation so far
    std::uint64_t reply;
};
struct CancelGeneration {};
struct Prewarm {};
struct Speak {                                   ///< text of reply `reply`; the first opens the voice
    std::uint64_t reply;
    std::string text;
};
struct EndSpeech { std::uint64_t reply; };       ///< no more text for this reply
struct StopSpeech {};                            ///< drop what is queued and close the voice
struct Duck {};
struct Unduck {};
struct Commit { TurnRecord turn; };
struct HangUp { std::uint32_t cause; std::string reason; };
struct Transfer { std::string to; };
struct NextProvider { enum Kind { stt, llm, tts } kind; }; ///< the chain's next takes over
}  // namespace act

using Action = std::variant<act::OpenStt, act::FinalizeStt, act::DiscardStt, act::Listen, act::Generate, act::CancelGeneration,
                            act::Prewarm, act::Speak, act::EndSpeech, act::StopSpeech, act::Duck, act::Unduck,
                            act::Commit, act::HangUp, act::Transfer, act::NextProvider>;
using Actions = std::vector<Action>;

/// How far the caller has heard the reply that is being spoken.
struct HeardText {
    std::uint64_t bytes = 0;
    bool finished = false;
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
    Actions on_speech_stop(base::MonoTime now, base::MonoTime last_voiced);
    Actions on_partial(base::MonoTime now, std::string_view text);
    Actions on_final(base::MonoTime now, std::uint64_t ticket, std::string_view text, float confidence);
    Actions on_no_match(base::MonoTime now, std::uint64_t ticket, std::string_view nearest);
    Actions on_stt_failed(base::MonoTime now);
    Actions on_token(base::MonoTime now, std::uint64_t reply, std::string_view text);
    Actions on_tool_call(base::MonoTime now, std::uint64_t reply, std::string_view id, std::string_view name,
                         std::string_view arguments);
    Actions on_generated(base::MonoTime now, std::uint64_t reply);
    Actions on_generation_failed(base::MonoTime now, std::uint64_t reply);
    void on_slot(std::uint32_t slot) { slot_ = slot; }
    Actions on_first_speech(base::MonoTime now, std::uint64_t reply);
    /// The first sample of the reply was sent.
    Actions on_first_sent(base::MonoTime now);
    Actions on_voice_failed(base::MonoTime now, std::uint64_t reply);
    /// Everything of the reply has been sent.
    Actions on_spoken(base::MonoTime now, std::uint64_t reply);
    Actions on_dtmf(base::MonoTime now, char digit);
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
    std::uint64_t current_reply() const { return reply_ ? reply_->id : 0; }

  private:
    struct Reply {
        std::uint64_t id = 0;
        std::string text;            ///< given to the voice so far
        bool greeting = false;
        bool generating = false;
        bool spoken_text = false;    ///< some text went to the voice
        bool audible = false;
        bool text_complete = false;
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
        std::uint64_t ticket = 0;     ///< of the FINALIZE that is out, 0 none
        base::MonoTime finalized = {};
        std::string partial = {};
        base::MonoTime last_word = {}; ///< when `partial` last changed
        std::string rule = {};
    };
    struct BargeIn {
        base::MonoTime since;
        bool ducked = false;
    };
    struct EndOfCall {
        bool hang_up = false;
        std::string transfer_to;
        std::string reason;
    };

    base::Milliseconds endpoint_wait() const;
    base::MonoTime stuck_at() const;
    bool can_resume() const;
    void finalize(base::MonoTime now, const char* rule, Actions& out);
    void commit_user(Actions& out);
    void keep_user_words(base::MonoTime now, std::string text, const char* rule, Actions& out);
    bool interruptible(base::MonoTime now) const;
    void start_reply(base::MonoTime now, Actions& out);
    void close_user_turn(base::MonoTime now, std::string text, std::uint32_t flags, float confidence, Actions& out);
    void finish_reply(base::MonoTime now, Actions& out);
    void cut_reply(base::MonoTime now, const char* rule, Actions& out);
    void confirm_barge_in(base::MonoTime now, const char* rule, Actions& out);
    void speak_chunks(std::vector<std::string> chunks, Actions& out);
    void flush_digits(base::MonoTime now, const char* rule, Actions& out);
    void end_after_speech(Actions& out);
    void give_up(const char* reason, Actions& out);
    void hang_up(std::uint32_t cause, std::string reason, Actions& out);

    config::AgentConfig agent_;
    base::Milliseconds final_wait_;
    std::vector<ChatMessage> messages_;
    std::optional<Reply> reply_;
    std::optional<UserTurn> user_;
    std::optional<BargeIn> barge_in_;
    std::optional<EndOfCall> end_;
    ClauseChunker chunker_;
    HeardText heard_;
    std::string carried_;              ///< words of a turn that was closed too early, to stand before the next ones
    base::MonoTime carried_began_;
    /// The caller's turn until its answer is heard: if they go on before, it was not over and is no turn of its own.
    std::optional<TurnRecord> closed_turn_;
    bool noisy_ = false;               ///< what the detector calls speech may be none: it interrupts nothing until it stops
    TurnTimes user_times_;
    std::string digits_;
    base::MonoTime last_digit_;
    std::uint32_t slot_ = 0;
    std::uint64_t next_reply_ = 1;
    std::uint64_t next_ticket_ = 1;
    base::MonoTime answered_;
    base::MonoTime quiet_since_;       ///< nobody speaks since
    int nudges_ = 0;
    int tool_rounds_ = 0;
    bool pending_tools_ = false;
    int llm_failures_ = 0;
    bool apologised_ = false;
    bool active_ = false;
    bool over_ = false;
};

}  // namespace jackfield::call
