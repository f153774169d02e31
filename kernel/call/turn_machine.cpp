// The caller's turns: when one begins, what was understood of it, and when it is over.

#include "call/machine.hpp"

#include <jackfield/llm.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "call/machine_parts.hpp"
#include "call/words.hpp"

namespace jackfield::call {
namespace {

using base::Milliseconds;
using base::MonoTime;

constexpr int stuck_without_words = 3; // times stuck_turn: a recogniser without partials must not cut a long sentence

}  // namespace

Milliseconds Machine::endpoint_wait() const { return endpointing_.wait(slot_).time; }

Actions Machine::on_speech_start(MonoTime now, MonoTime began) {
    Actions out;
    voiced_ = {};
    if (answer_) answer_->on_speech_start(began);
    if (!active_ || over_ || end_) return out;
    drop_draft(now, "the caller went on", out);
    if (user_ && !user_->speaking) endpointing_.on_pause(std::chrono::duration_cast<Milliseconds>(began - user_->last_voiced), slot_);
    if (reply_ && reply_->audible) {
        // Whether this is an interruption is decided by on_voice; the recogniser listens already.
        if (!user_) user_ = UserTurn{.began = began, .last_voiced = now};
        user_->speaking = true;
        return out;
    }
    if (can_resume()) {
        // The caller goes on before the answer was heard: the turn was closed too early. Its words come back and stand before the next;
        // keys stay what they were, and of words that nobody understood nothing comes back.
        if (closed_turn_ && messages_.back().flags == 0) {
            carried_ = messages_.back().content;
            endpointing_.on_pause(std::chrono::duration_cast<Milliseconds>(began - closed_turn_->times.user_ended), JF_SLOT_NONE);
        } else if (messages_.back().flags == 0) {
            carried_ = messages_.back().content;
        }
        if (messages_.back().flags & JF_MESSAGE_DTMF) {
            commit_user(out);
        } else {
            carried_began_ = closed_turn_ ? closed_turn_->times.user_began : MonoTime{};
            closed_turn_.reset();
            messages_.pop_back();
        }
        decisions_.note(now, Decision::resumed, ms_of(now - (reply_->times.endpoint == MonoTime{} ? reply_->began : reply_->times.endpoint)));
        cut_reply(now, "resumed", out);
    } else if (reply_ && !reply_->greeting && !messages_.empty() && (tools_.waiting() || messages_.back().role == Role::tool)) {
        // While a tool runs, or its answer is put into words: what the caller says now is a turn of its own, and the tool runs on.
        commit_user(out);
        cut_reply(now, "resumed", out);
    }
    if (!reply_) settle(out);
    if (!user_) user_ = UserTurn{.began = began, .last_voiced = now};
    user_->speaking = true;
    if (user_->ticket != 0) {
        // More speech follows: the answer that is due to the old FINALIZE is the turn's first part and no longer its end.
        user_->earlier_tickets.push_back(std::exchange(user_->ticket, 0));
        user_->earlier_partial = user_->partial;
    }
    return out;
}

/// A reply is on its way, nothing of it was heard, and it answers the caller's words and nothing else.
bool Machine::can_resume() const {
    return reply_ && !reply_->audible && !reply_->greeting && !reply_->consent && !pending_tools_ && !tools_.waiting() && !messages_.empty() && messages_.back().role == Role::user;
}

Actions Machine::on_speech_stop(MonoTime now, MonoTime last_voiced) {
    Actions out;
    noisy_ = false;
    if (answer_) answer_->on_speech_stop(last_voiced);
    if (!active_ || over_) return out;
    if (user_) {
        user_->speaking = false;
        user_->last_voiced = last_voiced;
        user_->stopped = now;
    }
    if (barge_in_) {
        // Quiet before it was confirmed: a cough, a "mhm". If it stays quiet, speaking goes on from the sample where it was.
        barge_in_->resume_at = last_voiced + agent_.turn.resume_after;
        resume_speaking(now, out);
    } else if (user_ && reply_ && reply_->audible) {
        user_.reset();
        out.push_back(act::DiscardStt{});
    }
    if (!reply_) quiet_since_ = now;
    if (user_ && !reply_)
        decisions_.note(now, Decision::endpoint_wait, endpoint_wait().count(), endpointing_.mean_pause().count(), endpointing_.wait(slot_).why);
    speculate(now, out);
    return out;
}

Actions Machine::on_partial(MonoTime now, std::string_view text) {
    Actions out;
    if (!active_ || over_) return out;
    if (answer_ && answer_decided(now, answer_->on_words(now, text), out)) return out;
    if (user_ && user_->partial != text) {
        user_->partial = text;
        user_->last_word = now;
        user_->words = true;
        decisions_.note(now, Decision::partial, count_meaningful_words(language_, text), 0, shown(text));
        speculate(now, out);
    }
    // Words of a stretch too short to be the caller's, on a line with an echo, are the agent's own.
    if (interruptible(now) && user_ && (!echo_line_ || voiced_ >= barge_in_after())) {
        const int words = count_meaningful_words(language_, text);
        const char* rule = is_stop_phrase(language_, text) ? "barge_in_stop_word" : words >= agent_.turn.barge_in_words ? "barge_in_words" : nullptr;
        if (rule) {
            decisions_.note(now, Decision::barge_in, 0, words, rule);
            confirm_barge_in(now, rule, out);
        }
    }
    return out;
}

Actions Machine::on_final(MonoTime now, std::uint64_t ticket, std::string_view text, float confidence) {
    Actions out;
    if (!active_ || over_ || !user_) return out;
    if (answer_ && answer_decided(now, answer_->on_words(now, text), out)) return out;
    decisions_.note(now, Decision::final_text, confidence < 0 ? -1 : std::lround(confidence * 1000), static_cast<std::int64_t>(ticket), shown(text));
    // Finals that come by themselves (ticket 0) are what a continuous recogniser sends; they join what was said.
    if (ticket == 0) {
        if (endpointing_.provider_decides()) {
            user_->partial = text; // its end of turn brings all of it
            return out;
        }
        if (!carried_.empty() && !text.empty()) carried_ += ' ';
        carried_ += text;
        user_->partial.clear(); // it has become these words
        user_->words = true;
        return out;
    }
    if (std::erase(user_->earlier_tickets, ticket) > 0) {
        if (!carried_.empty() && !text.empty()) carried_ += ' ';
        carried_ += text;
        if (user_->partial == user_->earlier_partial) user_->partial.clear();
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
    decisions_.note(now, Decision::no_match, 0, static_cast<std::int64_t>(ticket), shown(nearest));
    user_times_.final_text = now;
    if (!carried_.empty()) close_user_turn(now, "", 0, -1, out);
    else close_user_turn(now, std::string(nearest), JF_MESSAGE_NO_MATCH, -1, out);
    return out;
}

Actions Machine::on_stt_failed(MonoTime now) {
    Actions out;
    if (!active_ || over_) return out;
    const bool waiting = user_ && user_->ticket;
    if (feed_next_recogniser(now, out)) return out;
    out.push_back(act::NextProvider{act::NextProvider::stt});
    out.push_back(act::OpenStt{user_ && !waiting});
    if (waiting) {
        const std::string heard = user_->partial;
        close_user_turn(now, heard, heard.empty() ? JF_MESSAGE_NO_MATCH : 0, -1, out);
    }
    return out;
}

/// The caller's words must not be lost with their recogniser: the next one hears the turn from its beginning and, when it is over, has as long
/// as the dead-air bound allows. Once a turn; false: what is known has to do.
bool Machine::feed_next_recogniser(MonoTime now, Actions& out) {
    if (!user_ || !user_->ticket || user_->fed_again) return false;
    user_->fed_again = true;
    user_->ticket = next_ticket_++;
    user_->final_due = now + std::min(final_wait_, agent_.turn.dead_air);
    out.push_back(act::NextProvider{act::NextProvider::stt});
    out.push_back(act::OpenStt{true});
    out.push_back(act::FinalizeStt{user_->ticket});
    return true;
}

/// No sign of life of the recogniser: the next takes over, and what this one let be known counts.
void Machine::abandon_stt(MonoTime now, Actions& out) {
    if (agent_.stt.size() > 1 && feed_next_recogniser(now, out)) return;
    if (agent_.stt.size() > 1) {
        out.push_back(act::NextProvider{act::NextProvider::stt});
        out.push_back(act::OpenStt{});
    }
    const std::string heard = user_->partial;
    user_times_.final_text = now; // nothing came, but it was the recogniser that was waited for, not the model
    close_user_turn(now, heard, heard.empty() ? JF_MESSAGE_NO_MATCH : 0, -1, out);
}

Actions Machine::on_turn_end(MonoTime now, std::string_view text, float confidence) {
    Actions out;
    if (reply_ && reply_->audible) out = on_partial(now, text);
    // Said over the agent and not enough to interrupt it.
    if (!active_ || over_ || end_ || (reply_ && reply_->audible)) return out;
    if (!user_) user_ = UserTurn{.began = now, .last_voiced = now};
    user_->speaking = false;
    user_->finalized = now;
    user_->rule = "turn_end";
    user_times_.final_text = now;
    close_user_turn(now, std::string(text), 0, confidence, out);
    return out;
}

Actions Machine::on_eager_turn_end(MonoTime now, std::string_view text) {
    Actions out = on_partial(now, text);
    if (!active_ || over_ || !user_) return out;
    const bool speaking = std::exchange(user_->speaking, false);
    speculate(now, out);
    if (user_) user_->speaking = speaking;
    return out;
}

Actions Machine::on_turn_resumed(MonoTime now) {
    Actions out;
    if (active_ && !over_) drop_draft(now, "the caller went on", out);
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
    user_->final_due = now + final_wait_;
    user_->rule = rule;
    // A wait beyond the usual (digits are dictated, the recogniser decides) was meant to be one: it is no silence of ours.
    dead_air_.owe(std::max(user_->last_voiced, now - agent_.turn.endpoint));
    dead_air_.set_can_fill(false);
    decisions_.note(now, Decision::endpoint, ms_of(now - user_->last_voiced), static_cast<std::int64_t>(user_->ticket), rule);
    out.push_back(act::FinalizeStt{user_->ticket});
}

std::string Machine::words_so_far() const {
    if (carried_.empty() || user_->partial.empty()) return carried_ + user_->partial;
    return carried_ + " " + user_->partial;
}

void Machine::close_user_turn(MonoTime now, std::string text, std::uint32_t flags, float confidence, Actions& out) {
    TurnRecord record;
    record.rule = user_ && !user_->rule.empty() ? user_->rule : "endpoint";
    record.times = user_times_;
    if (user_) {
        record.times.user_began = user_->began;
        record.times.user_ended = user_->last_voiced;
        record.times.speech_stop = user_->speaking ? MonoTime{} : user_->stopped;
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
    if (!dead_air_.owed()) dead_air_.owe(record.times.user_ended != MonoTime{} ? record.times.user_ended : now);
    if (draft_ && (flags != 0 || !same_words(draft_->words, text))) drop_draft(now, "understood differently", out);
    // In the order in which they were heard: what the agent said until here stands before the caller's turn.
    if (reply_) cut_reply(now, "replaced", out);
    commit_user(out);
    keep_keys(now, keypad_.take(), "dtmf", out);
    record.role = Role::user;
    record.text = text;
    record.flags = flags;
    record.confidence = confidence;
    record.masked = recording_paused();
    if (take_consent_words(now, record, out)) return;
    if (tools_.waiting() && (flags & JF_MESSAGE_NO_MATCH)) {
        // A noise while the caller waits for a tool: the answer that they are owed is the one to what they asked before.
        out.push_back(act::Commit{std::move(record)});
        start_reply(now, out);
        return;
    }
    ChatMessage message;
    message.role = Role::user;
    message.flags = flags;
    message.masked = record.masked;
    message.content = std::move(text);
    messages_.push_back(std::move(message));
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

/// A turn that gets no answer.
void Machine::keep_user_words(MonoTime now, std::string text, const char* rule, Actions& out) {
    ChatMessage message;
    message.content = text;
    message.masked = recording_paused();
    messages_.push_back(std::move(message));
    TurnRecord record;
    record.text = std::move(text);
    record.masked = recording_paused();
    record.rule = rule;
    record.times.user_began = carried_began_ != MonoTime{} ? carried_began_ : user_ ? user_->began : now;
    record.times.user_ended = user_ ? user_->last_voiced : now;
    record.times.ended = now;
    carried_began_ = {};
    out.push_back(act::Commit{std::move(record)});
}

}  // namespace jackfield::call
