#include "call/machine.hpp"

#include <jackfield/llm.h>
#include <jackfield/telephony.h>

#include <algorithm>

#include "call/words.hpp"

namespace jackfield::call {
namespace {

using base::Milliseconds;
using base::MonoTime;

constexpr int most_tool_rounds = 3;
constexpr int most_llm_failures = 3;
constexpr Milliseconds digit_pause{3000};      // between keys of one entry (Telnyx and Twilio gather default to 3-5 s)
constexpr int stuck_without_words = 3;         // times stuck_turn: a recogniser without partials must not cut a long sentence
constexpr Milliseconds decision_deadline{500}; // voice-behaviour.md: decided so long after the duck at the latest
constexpr const char* apology = "I am sorry, something went wrong on my side. Please call again.";

ClauseChunkerOptions chunker_options(const config::AgentConfig& agent) {
    ClauseChunkerOptions options;
    options.first_chars = static_cast<std::size_t>(std::max(agent.turn.first_flush_chars, 1));
    options.first_wait = agent.turn.first_flush;
    return options;
}

bool allows(const config::AgentConfig& agent, std::string_view tool) {
    return std::find(agent.tools.begin(), agent.tools.end(), tool) != agent.tools.end();
}

}  // namespace

Machine::Machine(config::AgentConfig agent, Milliseconds stt_final_wait)
    : agent_(std::move(agent)), final_wait_(stt_final_wait), chunker_(chunker_options(agent_)) {
    if (agent_.turn.final_wait.count() >= 0) final_wait_ = agent_.turn.final_wait;
}

Actions Machine::on_answered(MonoTime now) {
    Actions out;
    active_ = true;
    answered_ = quiet_since_ = now;
    out.push_back(act::OpenStt{});
    out.push_back(act::Prewarm{});
    if (agent_.greeting.empty()) {
        start_reply(now, out);
        return out;
    }
    Reply reply;
    reply.id = next_reply_++;
    reply.greeting = true;
    reply.began = now;
    reply.text = agent_.greeting;
    reply.spoken_text = reply.text_complete = true;
    reply_ = reply;
    out.push_back(act::Speak{reply.id, agent_.greeting});
    out.push_back(act::EndSpeech{reply.id});
    return out;
}

bool Machine::interruptible(MonoTime now) const {
    if (!reply_ || !reply_->audible) return false;
    if (end_) return false; // its last words are a goodbye: let them out
    return !reply_->greeting || now - reply_->audible_since >= agent_.turn.greeting_protected;
}

Milliseconds Machine::endpoint_wait() const {
    return slot_ == JF_SLOT_DIGITS || slot_ == JF_SLOT_EMAIL ? agent_.turn.dictation_endpoint : agent_.turn.endpoint;
}

Actions Machine::on_speech_start(MonoTime now, MonoTime began) {
    Actions out;
    if (!active_ || over_ || end_) return out;
    if (reply_ && reply_->audible) {
        // Whether this is an interruption is decided by on_voice; the recogniser listens already.
        if (!user_) user_ = UserTurn{.began = began, .last_voiced = now};
        user_->speaking = true;
        return out;
    }
    if (can_resume()) {
        // The caller goes on before the answer was heard: the turn was closed too early. Its words come back and stand before the next;
        // keys stay what they were, and of words that nobody understood nothing comes back.
        if (messages_.back().flags == 0) carried_ = messages_.back().content;
        if (messages_.back().flags & JF_MESSAGE_DTMF) {
            commit_user(out);
        } else {
            carried_began_ = closed_turn_ ? closed_turn_->times.user_began : MonoTime{};
            closed_turn_.reset();
            messages_.pop_back();
        }
        cut_reply(now, "resumed", out);
    }
    if (!user_) user_ = UserTurn{.began = began, .last_voiced = now};
    user_->speaking = true;
    if (user_->ticket != 0) user_->ticket = 0; // the answer to the old FINALIZE is stale: more speech follows
    return out;
}

/// A reply is on its way, nothing of it was heard, and it answers the caller's words and nothing else.
bool Machine::can_resume() const {
    return reply_ && !reply_->audible && !reply_->greeting && !pending_tools_ && !messages_.empty() && messages_.back().role == Role::user;
}

Actions Machine::on_voice(MonoTime now, Milliseconds voiced) {
    Actions out;
    if (!active_ || over_) return out;
    if (user_) user_->last_voiced = now;
    if (noisy_ || !interruptible(now)) return out;
    if (!barge_in_ && voiced >= agent_.turn.barge_in) {
        barge_in_ = BargeIn{now, true};
        out.push_back(act::Duck{});
    }
    if (barge_in_ && (voiced >= agent_.turn.barge_in_confirm || now - barge_in_->since >= decision_deadline))
        confirm_barge_in(now, "barge_in_voice", out);
    return out;
}

void Machine::confirm_barge_in(MonoTime now, const char* rule, Actions& out) {
    barge_in_.reset();
    if (!user_) user_ = UserTurn{.began = now, .last_voiced = now};
    cut_reply(now, rule, out);
}

Actions Machine::on_speech_stop(MonoTime now, MonoTime last_voiced) {
    Actions out;
    noisy_ = false;
    if (!active_ || over_) return out;
    if (user_) {
        user_->speaking = false;
        user_->last_voiced = last_voiced;
    }
    if (barge_in_) {
        // Quiet before it was confirmed: a cough, a "mhm". Speaking goes on from the sample where it was.
        barge_in_.reset();
        user_.reset();
        out.push_back(act::Unduck{});
        out.push_back(act::DiscardStt{});
    } else if (user_ && reply_ && reply_->audible) {
        user_.reset();
        out.push_back(act::DiscardStt{});
    }
    if (!reply_) quiet_since_ = now;
    return out;
}

Actions Machine::on_partial(MonoTime now, std::string_view text) {
    Actions out;
    if (!active_ || over_) return out;
    if (user_ && user_->partial != text) {
        user_->partial = text;
        user_->last_word = now;
    }
    if (interruptible(now) && user_) {
        if (is_stop_phrase(text)) confirm_barge_in(now, "barge_in_stop_word", out);
        else if (count_meaningful_words(text) >= agent_.turn.barge_in_words) confirm_barge_in(now, "barge_in_words", out);
    }
    return out;
}

Actions Machine::on_final(MonoTime now, std::uint64_t ticket, std::string_view text, float confidence) {
    Actions out;
    if (!active_ || over_ || !user_) return out;
    // Finals that come by themselves (ticket 0) are what a continuous recogniser sends; they join what was said.
    if (ticket == 0) {
        if (!carried_.empty() && !text.empty()) carried_ += ' ';
        carried_ += text;
        return out;
    }
    if (ticket != user_->ticket) return out;
    user_times_.final_text = now;
    close_user_turn(now, std::string(text), 0, confidence, out);
    return out;
}

Actions Machine::on_no_match(MonoTime now, std::uint64_t ticket, std::string_view nearest) {
    Actions out;
    if (!active_ || over_ || !user_ || ticket != user_->ticket) return out;
    user_times_.final_text = now;
    if (!carried_.empty()) close_user_turn(now, "", 0, -1, out);
    else close_user_turn(now, std::string(nearest), JF_MESSAGE_NO_MATCH, -1, out);
    return out;
}

Actions Machine::on_stt_failed(MonoTime now) {
    Actions out;
    if (!active_ || over_) return out;
    out.push_back(act::NextProvider{act::NextProvider::stt});
    out.push_back(act::OpenStt{});
    if (user_ && user_->ticket) {
        const std::string heard = user_->partial;
        close_user_turn(now, heard, heard.empty() ? JF_MESSAGE_NO_MATCH : 0, -1, out);
    }
    return out;
}

void Machine::close_user_turn(MonoTime now, std::string text, std::uint32_t flags, float confidence, Actions& out) {
    TurnRecord record;
    record.rule = user_ && !user_->rule.empty() ? user_->rule : "endpoint";
    record.times = user_times_;
    if (user_) {
        record.times.user_began = user_->began;
        record.times.user_ended = user_->last_voiced;
        record.times.endpoint = user_->finalized;
    }
    record.times.ended = now;
    user_.reset();
    user_times_ = record.times;
    if (!carried_.empty()) {
        text = text.empty() ? carried_ : carried_ + " " + text;
        carried_.clear();
        if (carried_began_ != MonoTime{}) record.times.user_began = carried_began_;
        // What was said before was understood, whatever came behind it.
        flags &= ~JF_MESSAGE_NO_MATCH;
    }
    carried_began_ = {};
    if (text.empty() && flags == 0) flags = JF_MESSAGE_NO_MATCH;
    if (!(flags & (JF_MESSAGE_DTMF | JF_MESSAGE_SILENCE))) digits_.clear();
    // In the order in which they were heard: what the agent said until here stands before the caller's turn.
    if (reply_) cut_reply(now, "replaced", out);
    commit_user(out);
    ChatMessage message;
    message.role = Role::user;
    message.flags = flags;
    message.content = text;
    messages_.push_back(message);
    record.role = Role::user;
    record.text = std::move(text);
    record.flags = flags;
    record.confidence = confidence;
    closed_turn_ = std::move(record);
    if (!(flags & JF_MESSAGE_SILENCE)) nudges_ = 0;
    tool_rounds_ = 0;
    start_reply(now, out);
}

/// The caller's turn is final now: its answer is heard, or something else follows it.
void Machine::commit_user(Actions& out) {
    if (!closed_turn_) return;
    out.push_back(act::Commit{std::move(*closed_turn_)});
    closed_turn_.reset();
}

void Machine::start_reply(MonoTime now, Actions& out) {
    Reply reply;
    reply.id = next_reply_++;
    reply.generating = true;
    reply.began = now;
    reply.times = user_times_;
    reply.times.first_token = reply.times.first_speech = reply.times.first_sent = {};
    user_times_ = {};
    reply_ = reply;
    heard_ = {};
    chunker_ = ClauseChunker(chunker_options(agent_));
    slot_ = JF_SLOT_NONE;
    out.push_back(act::Generate{reply.id});
}

void Machine::speak_chunks(std::vector<std::string> chunks, Actions& out) {
    for (std::string& chunk : chunks) {
        if (chunk.empty()) continue;
        // After a tool's answer the model begins a new sentence, and knows nothing of the one before.
        if (!reply_->text.empty() && reply_->text.back() != ' ' && chunk.front() != ' ') chunk.insert(0, 1, ' ');
        reply_->text += chunk;
        reply_->spoken_text = true;
        out.push_back(act::Speak{reply_->id, std::move(chunk)});
    }
}

Actions Machine::on_token(MonoTime now, std::uint64_t reply, std::string_view text) {
    Actions out;
    if (!reply_ || reply_->id != reply || over_) return out;
    if (reply_->times.first_token == MonoTime{}) reply_->times.first_token = now;
    reply_->last_token = now;
    speak_chunks(chunker_.feed(text, now), out);
    return out;
}

Actions Machine::on_tool_call(MonoTime now, std::uint64_t reply, std::string_view id, std::string_view name,
                              std::string_view arguments) {
    Actions out;
    if (!reply_ || reply_->id != reply || over_) return out;
    reply_->last_token = now;
    ChatMessage call;
    call.role = Role::assistant;
    call.tool_call_id = id;
    call.tool_name = name;
    call.tool_arguments = arguments;
    if (name == "hang_up" && allows(agent_, name)) {
        end_ = EndOfCall{true, {}, "hang_up"};
        messages_.push_back(std::move(call));
        return out;
    }
    std::string refusal;
    if (name == "transfer" && allows(agent_, name)) {
        const std::string to = transfer_target(arguments);
        const auto found = agent_.transfer.find(to);
        if (found != agent_.transfer.end()) {
            end_ = EndOfCall{false, found->second, "transfer"};
            messages_.push_back(std::move(call));
            return out;
        }
        refusal = R"({"error":"there is nobody of that name to transfer to"})";
    } else {
        refusal = R"({"error":"this tool is not available"})";
    }
    messages_.push_back(std::move(call));
    ChatMessage result;
    result.role = Role::tool;
    result.tool_call_id = id;
    result.content = refusal;
    messages_.push_back(std::move(result));
    pending_tools_ = true;
    return out;
}

Actions Machine::on_generated(MonoTime now, std::uint64_t reply) {
    Actions out;
    if (!reply_ || reply_->id != reply || over_) return out;
    speak_chunks(chunker_.flush(), out);
    reply_->generating = false;
    llm_failures_ = 0;
    if (pending_tools_ && tool_rounds_ < most_tool_rounds) {
        ++tool_rounds_;
        pending_tools_ = false;
        reply_->generating = true;
        reply_->began = now;
        out.push_back(act::Generate{reply_->id});
        return out;
    }
    pending_tools_ = false;
    reply_->text_complete = true;
    if (reply_->spoken_text) {
        out.push_back(act::EndSpeech{reply_->id});
        return out;
    }
    // Nothing to say: silence is an answer too, unless the call was to end.
    finish_reply(now, out);
    return out;
}

Actions Machine::on_generation_failed(MonoTime now, std::uint64_t reply) {
    Actions out;
    if (!reply_ || reply_->id != reply || over_) return out;
    if (reply_->spoken_text) {
        // Something was said already: let it stand rather than say it twice.
        speak_chunks(chunker_.flush(), out);
        reply_->generating = false;
        reply_->text_complete = true;
        out.push_back(act::EndSpeech{reply_->id});
        return out;
    }
    if (++llm_failures_ >= most_llm_failures) {
        give_up("llm_failed", out);
        return out;
    }
    reply_->began = now;
    out.push_back(act::NextProvider{act::NextProvider::llm});
    out.push_back(act::Generate{reply_->id});
    return out;
}

/// Nothing but the end follows: no deadline, no event starts anything any more while the carrier takes its time.
void Machine::hang_up(std::uint32_t cause, std::string reason, Actions& out) {
    active_ = false;
    out.push_back(act::HangUp{cause, std::move(reason)});
}

void Machine::give_up(const char* reason, Actions& out) {
    end_ = EndOfCall{true, {}, reason};
    if (apologised_ || !reply_) {
        hang_up(JF_CAUSE_FAILED, reason, out);
        return;
    }
    apologised_ = true;
    reply_->generating = false;
    reply_->text_complete = true;
    speak_chunks({apology}, out);
    out.push_back(act::EndSpeech{reply_->id});
}

Actions Machine::on_first_speech(MonoTime now, std::uint64_t reply) {
    if (reply_ && reply_->id == reply && reply_->times.first_speech == MonoTime{}) reply_->times.first_speech = now;
    return {};
}

Actions Machine::on_first_sent(MonoTime now) {
    Actions out;
    if (!reply_ || reply_->audible) return out;
    reply_->audible = true;
    reply_->audible_since = now;
    if (reply_->times.first_sent == MonoTime{}) reply_->times.first_sent = now;
    commit_user(out);
    return out;
}

Actions Machine::on_voice_failed(MonoTime now, std::uint64_t reply) {
    Actions out;
    if (!reply_ || reply_->id != reply || over_) return out;
    if (reply_->audible) {
        // Half a sentence has been heard: it stands, and the next reply has another voice.
        cut_reply(now, "voice_failed", out);
        quiet_since_ = now;
        out.push_back(act::NextProvider{act::NextProvider::tts});
        if (end_) end_after_speech(out);
        return out;
    }
    if (++reply_->voice_failures > 2) {
        hang_up(JF_CAUSE_FAILED, "tts_failed", out);
        return out;
    }
    out.push_back(act::NextProvider{act::NextProvider::tts});
    out.push_back(act::StopSpeech{});
    const std::string again = reply_->text;
    if (!again.empty()) out.push_back(act::Speak{reply_->id, again});
    if (reply_->text_complete) out.push_back(act::EndSpeech{reply_->id});
    return out;
}

Actions Machine::on_spoken(MonoTime now, std::uint64_t reply) {
    Actions out;
    if (!reply_ || reply_->id != reply || over_) return out;
    finish_reply(now, out);
    return out;
}

void Machine::finish_reply(MonoTime now, Actions& out) {
    Reply done = std::move(*reply_);
    reply_.reset();
    if (barge_in_) {
        barge_in_.reset();
        out.push_back(act::Unduck{});
    }
    quiet_since_ = now;
    commit_user(out);
    if (!done.text.empty()) {
        ChatMessage message;
        message.role = Role::assistant;
        message.content = done.text;
        messages_.push_back(message);
        TurnRecord record;
        record.role = Role::assistant;
        record.text = done.text;
        record.rule = done.greeting ? "greeting" : "reply";
        record.times = done.times;
        record.times.ended = now;
        out.push_back(act::Commit{std::move(record)});
    }
    if (end_) return end_after_speech(out);
    if (!noisy_) return;
    // In steady noise the detector never says that the caller begins: whatever comes now may be theirs.
    user_ = UserTurn{.began = now, .last_voiced = now};
    out.push_back(act::Listen{});
}

void Machine::end_after_speech(Actions& out) {
    if (!end_->transfer_to.empty()) out.push_back(act::Transfer{end_->transfer_to});
    else hang_up(end_->reason == "hang_up" ? JF_CAUSE_NORMAL : JF_CAUSE_FAILED, end_->reason, out);
}

/// Ends the reply where it is. What the caller heard of it stays in the conversation, the rest is kept apart.
void Machine::cut_reply(MonoTime now, const char* rule, Actions& out) {
    Reply cut = std::move(*reply_);
    reply_.reset();
    if (cut.generating) out.push_back(act::CancelGeneration{});
    out.push_back(act::StopSpeech{});
    out.push_back(act::Unduck{});
    pending_tools_ = false;
    if (!cut.audible) return;
    const std::size_t heard = heard_.finished ? cut.text.size() : cut_at_word(cut.text, heard_.bytes);
    ChatMessage message;
    message.role = Role::assistant;
    message.content = cut.text.substr(0, heard);
    message.flags = heard < cut.text.size() ? JF_MESSAGE_INTERRUPTED : 0;
    messages_.push_back(message);
    TurnRecord record;
    record.role = Role::assistant;
    record.text = message.content;
    record.unheard = cut.text.substr(heard);
    record.interrupted = true;
    record.rule = rule;
    record.flags = message.flags;
    record.times = cut.times;
    record.times.ended = now;
    out.push_back(act::Commit{std::move(record)});
}

Actions Machine::on_dtmf(MonoTime now, char digit) {
    Actions out;
    if (!active_ || over_ || end_) return out;
    if (reply_ && interruptible(now)) {
        barge_in_.reset();
        cut_reply(now, "barge_in_dtmf", out);
    }
    if (user_) {
        user_.reset();
        out.push_back(act::DiscardStt{});
    }
    digits_ += digit;
    last_digit_ = now;
    // Outside of dictation one key is a choice of its own; # ends an entry.
    if (digit == '#' || slot_ != JF_SLOT_DIGITS) flush_digits(now, "dtmf", out);
    return out;
}

void Machine::flush_digits(MonoTime now, const char* rule, Actions& out) {
    std::string text;
    text.swap(digits_);
    // Words that were to go on when the caller took to the keys are a turn of their own.
    if (!carried_.empty()) keep_user_words(now, std::exchange(carried_, {}), "dtmf", out);
    user_ = UserTurn{.began = last_digit_, .last_voiced = last_digit_, .speaking = false};
    user_->finalized = now;
    user_->rule = rule;
    user_times_ = {};
    user_times_.final_text = now;
    close_user_turn(now, text, JF_MESSAGE_DTMF, 1, out);
}

/// A turn that gets no answer.
void Machine::keep_user_words(MonoTime now, std::string text, const char* rule, Actions& out) {
    ChatMessage message;
    message.content = text;
    messages_.push_back(std::move(message));
    TurnRecord record;
    record.text = std::move(text);
    record.rule = rule;
    record.times.user_began = carried_began_ != MonoTime{} ? carried_began_ : user_ ? user_->began : now;
    record.times.user_ended = user_ ? user_->last_voiced : now;
    record.times.ended = now;
    carried_began_ = {};
    out.push_back(act::Commit{std::move(record)});
}

Actions Machine::on_ended(MonoTime now) {
    Actions out;
    if (over_) return out;
    if (reply_) cut_reply(now, "ended", out);
    commit_user(out);
    std::string said = std::exchange(carried_, {});
    if (user_ && !user_->partial.empty()) said += (said.empty() ? "" : " ") + user_->partial;
    if (!said.empty()) keep_user_words(now, std::move(said), "ended", out);
    over_ = true;
    active_ = false;
    user_.reset();
    return out;
}

/// When a turn that no quiet ends is answered anyway: steady noise, a television, a detector that is wrong.
MonoTime Machine::stuck_at() const {
    if (user_->last_word != MonoTime{}) return user_->last_word + agent_.turn.stuck_turn;
    return user_->began + agent_.turn.stuck_turn * stuck_without_words;
}

void Machine::finalize(MonoTime now, const char* rule, Actions& out) {
    user_->ticket = next_ticket_++;
    user_->finalized = now;
    user_->rule = rule;
    out.push_back(act::FinalizeStt{user_->ticket});
}

std::optional<MonoTime> Machine::next_deadline() const {
    if (!active_ || over_) return std::nullopt;
    MonoTime next = answered_ + agent_.turn.max_call;
    const auto earlier = [&](MonoTime t) { next = std::min(next, t); };
    if (user_ && !reply_) {
        if (user_->ticket) earlier(user_->finalized + final_wait_);
        else if (!user_->speaking) earlier(user_->last_voiced + endpoint_wait());
        else earlier(stuck_at());
    }
    if (!digits_.empty() && !(user_ && user_->speaking)) earlier(last_digit_ + digit_pause);
    if (reply_ && reply_->generating) {
        earlier(std::max(reply_->began, reply_->last_token) + agent_.turn.llm_timeout);
        if (const auto due = chunker_.next_deadline(); due && !reply_->spoken_text) earlier(*due);
    }
    if (!reply_ && !user_) {
        if (!end_ && nudges_ < agent_.turn.nudges) earlier(quiet_since_ + agent_.turn.nudge_after);
        earlier(quiet_since_ + agent_.turn.hang_up_after_silence);
    }
    return next;
}

Actions Machine::on_time(MonoTime now) {
    Actions out;
    if (!active_ || over_) return out;
    if (now - answered_ >= agent_.turn.max_call) {
        hang_up(JF_CAUSE_NORMAL, "max_call", out);
        return out;
    }
    if (user_ && !reply_) {
        if (user_->ticket && now - user_->finalized >= final_wait_) {
            // No sign of life: the next recogniser takes over, and what this one let be known counts.
            if (agent_.stt.size() > 1) {
                out.push_back(act::NextProvider{act::NextProvider::stt});
                out.push_back(act::OpenStt{});
            }
            const std::string heard = user_->partial;
            close_user_turn(now, heard, heard.empty() ? JF_MESSAGE_NO_MATCH : 0, -1, out);
            return out;
        }
        if (!user_->ticket && !user_->speaking && now - user_->last_voiced >= endpoint_wait()) {
            finalize(now, "endpoint", out);
            return out;
        }
        if (!user_->ticket && user_->speaking && now >= stuck_at()) {
            noisy_ = true;
            finalize(now, "stuck", out);
            return out;
        }
    }
    if (!digits_.empty() && !(user_ && user_->speaking) && now - last_digit_ >= digit_pause) {
        flush_digits(now, "dtmf_pause", out);
        return out;
    }
    if (reply_ && reply_->generating) {
        // No first token, or one that no other follows: both leave the caller in silence.
        if (now - std::max(reply_->began, reply_->last_token) >= agent_.turn.llm_timeout) {
            out.push_back(act::CancelGeneration{});
            for (Action& action : on_generation_failed(now, reply_->id)) out.push_back(std::move(action));
            return out;
        }
        if (!reply_->spoken_text) speak_chunks(chunker_.poll(now), out);
    }
    if (!reply_ && !user_) {
        if (now - quiet_since_ >= agent_.turn.hang_up_after_silence) {
            hang_up(JF_CAUSE_NORMAL, "silence", out);
        } else if (!end_ && nudges_ < agent_.turn.nudges && now - quiet_since_ >= agent_.turn.nudge_after) {
            ++nudges_;
            user_ = UserTurn{.began = now, .last_voiced = now, .speaking = false};
            user_->rule = "silence";
            user_->finalized = now;
            close_user_turn(now, "", JF_MESSAGE_SILENCE, -1, out);
        }
    }
    return out;
}

}  // namespace jackfield::call
