// What interrupts the agent, and what only makes it hold its breath.

#include "call/machine.hpp"

#include <algorithm>

#include "call/machine_parts.hpp"

namespace jackfield::call {
namespace {

using base::Milliseconds;
using base::MonoTime;

constexpr Milliseconds decision_deadline{500}; // voice-behaviour.md: decided so long after the duck at the latest

}  // namespace

bool Machine::interruptible(MonoTime now) const {
    if (!reply_ || !reply_->audible) return false;
    if (end_ || reply_->locked) return false; // its last words are a goodbye, its first ones the law's: let them out
    return !reply_->greeting || now - reply_->audible_since >= agent_.turn.greeting_protected;
}

/// The first and the last moments of the agent's turn: who says "yes" or "mhm" there doesn't want the floor.
bool Machine::backchannel_guard(MonoTime now) const {
    return now - reply_->audible_since < agent_.turn.backchannel_guard || (heard_.left && *heard_.left < agent_.turn.backchannel_guard);
}

/// On a line that gives the agent's voice back it takes more to be sure that it is the caller's.
Milliseconds Machine::barge_in_after() const {
    const config::TurnOptions& turn = agent_.turn;
    return echo_line_ ? std::max(turn.barge_in, std::min(turn.barge_in_echo, turn.barge_in_confirm)) : turn.barge_in;
}

Actions Machine::on_voice(MonoTime now, Milliseconds voiced) {
    Actions out;
    voiced_ = voiced;
    if (!active_ || over_) return out;
    if (user_) user_->last_voiced = now;
    if (noisy_ || !interruptible(now)) {
        if (reply_ && reply_->audible && voiced >= barge_in_after())
            decisions_.note(now, Decision::held_back, voiced.count(), 0, noisy_ ? "noise" : end_ ? "goodbye" : "greeting");
        return out;
    }
    if (barge_in_ && barge_in_->resume_at) {
        // Voice again before the agent went on: one more try, with a decision of its own.
        barge_in_->resume_at.reset();
        barge_in_->since = now;
    }
    if (voiced >= agent_.turn.barge_in_confirm || (barge_in_ && now - barge_in_->since >= decision_deadline)) {
        decisions_.note(now, Decision::barge_in, voiced.count(), 0, "barge_in_voice");
        confirm_barge_in(now, "barge_in_voice", out);
        return out;
    }
    if (barge_in_ || voiced < barge_in_after()) return out;
    if (backchannel_guard(now)) {
        decisions_.note(now, Decision::held_back, voiced.count(), 0, "backchannel_guard");
        return out;
    }
    decisions_.note(now, Decision::duck, voiced.count(), static_cast<std::int64_t>(reply_->id));
    barge_in_ = BargeIn{now};
    out.push_back(act::Duck{});
    return out;
}

void Machine::confirm_barge_in(MonoTime now, const char* rule, Actions& out) {
    barge_in_.reset();
    if (!user_) user_ = UserTurn{.began = now, .last_voiced = now};
    cut_reply(now, rule, out);
}

/// What was taken for an interruption was none, and it stayed quiet since.
void Machine::resume_speaking(MonoTime now, Actions& out) {
    if (!barge_in_ || !barge_in_->resume_at || now < *barge_in_->resume_at) return;
    decisions_.note(now, Decision::barge_in_resume, ms_of(now - barge_in_->since),
                    ms_of(now - *barge_in_->resume_at + agent_.turn.resume_after));
    barge_in_.reset();
    user_.reset();
    out.push_back(act::Unduck{});
    out.push_back(act::DiscardStt{});
}

}  // namespace jackfield::call
