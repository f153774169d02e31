// The caller's keys.

#include "call/machine.hpp"

#include <jackfield/llm.h>

#include <utility>

namespace jackfield::call {
namespace {

using base::Milliseconds;
using base::MonoTime;

}  // namespace

Actions Machine::on_dtmf(MonoTime now, char digit) {
    Actions out;
    if (!active_ || over_) return out;
    quiet_since_ = now;
    if (end_) {
        // The goodbye is being said: what is pressed now is kept and changes nothing.
        if (auto entry = keypad_.press(now, digit)) keep_keys(now, std::move(*entry), "dtmf", out);
        return out;
    }
    if (takes_consent_key(now, digit, out)) return out;
    drop_draft(now, "keys", out);
    if (reply_ && interruptible(now)) {
        barge_in_.reset();
        cut_reply(now, "barge_in_dtmf", out);
    }
    if (user_) {
        user_.reset();
        out.push_back(act::DiscardStt{});
    }
    auto entry = keypad_.press(now, digit);
    decisions_.note(now, Decision::dtmf, static_cast<std::int64_t>(entry ? entry->size() : keypad_.size()));
    if (entry) take_digits(now, std::move(*entry), "dtmf", out);
    return out;
}

/// Somebody who is asked for digits has them at hand or not: they may be asked again sooner.
Milliseconds Machine::nudge_after() const {
    const bool digits = keypad_.expects_digits() && agent_.keypad.first_digit.count() > 0;
    return digits ? agent_.keypad.first_digit : agent_.turn.nudge_after;
}

void Machine::on_slot(std::uint32_t slot, std::uint32_t most_digits) {
    slot_ = slot;
    keypad_.expect(slot == JF_SLOT_DIGITS, most_digits);
}

void Machine::take_digits(MonoTime now, std::string text, const char* rule, Actions& out) {
    // Words that were to go on when the caller took to the keys are a turn of their own.
    if (!carried_.empty()) keep_user_words(now, std::exchange(carried_, {}), "dtmf", out);
    user_ = UserTurn{.began = keypad_.last_key(), .last_voiced = keypad_.last_key(), .speaking = false};
    user_->finalized = now;
    user_->rule = rule;
    user_times_ = {};
    user_times_.final_text = now;
    close_user_turn(now, std::move(text), JF_MESSAGE_DTMF, 1, out);
}

/// Keys that no entry was made of: a turn that gets no answer.
void Machine::keep_keys(MonoTime now, std::string keys, const char* rule, Actions& out) {
    if (keys.empty()) return;
    commit_user(out); // in the order in which they came
    ChatMessage message;
    message.flags = JF_MESSAGE_DTMF;
    message.masked = recording_paused();
    message.content = std::move(keys);
    TurnRecord record;
    record.text = message.content;
    record.flags = message.flags;
    record.masked = message.masked;
    record.rule = rule;
    record.times.user_began = record.times.user_ended = keypad_.last_key();
    record.times.ended = now;
    messages_.push_back(std::move(message));
    out.push_back(act::Commit{std::move(record)});
}

}  // namespace jackfield::call
