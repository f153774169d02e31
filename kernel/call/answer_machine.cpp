// What the machine of a call does when an answering machine took the call.

#include <jackfield/llm.h>
#include <jackfield/telephony.h>

#include "call/machine.hpp"

namespace jackfield::call {

using base::MonoTime;

void Machine::detect_answer() {
    const std::vector<std::string>& own = agent_.amd.phrases;
    answer_.emplace(agent_.amd, own.empty() ? machine_phrases(agent_.language) : own);
}

bool Machine::waits_for_machine() const { return answer_ && answer_->is_machine() && !message_said_; }

Actions Machine::on_beep(MonoTime now) {
    Actions out;
    if (!answer_ || !active_ || over_) return out;
    answer_decided(now, answer_->on_beep(now), out);
    serve_answer(now, out);
    return out;
}

Actions Machine::on_carrier_detection(MonoTime now, AnsweredBy by) {
    Actions out;
    if (!answer_ || !active_ || over_) return out;
    answer_decided(now, answer_->on_carrier(by), out);
    return out;
}

/// What is due: a verdict, or the message once the machine listens.
void Machine::serve_answer(MonoTime now, Actions& out) {
    if (!answer_) return;
    answer_decided(now, answer_->on_time(now), out);
    if (!active_) return;
    if (waits_for_machine() && answer_->ready_for_message(now)) {
        message_said_ = true;
        decisions_.note(now, Decision::note, 0, 0, "leaving the message");
        say(now, agent_.amd.message, out).locked = true;
    }
    if (answer_->over(now)) answer_.reset();
}

/// True when the caller is none: nothing else of the event counts.
bool Machine::answer_decided(MonoTime now, const std::optional<AnswerVerdict>& verdict, Actions& out) {
    if (!verdict) return false;
    decisions_.note(now, Decision::note, static_cast<std::int64_t>(verdict->by), 0, std::string("answered by ") + name_of(verdict->by));
    out.push_back(act::AnsweredBy{verdict->by, verdict->rule});
    if (verdict->by != AnsweredBy::machine) return false;
    // What was begun for a person is taken back; of what was said stays what a machine may have recorded.
    drop_draft(now, "a machine answered", out);
    if (reply_) cut_reply(now, "machine", out);
    commit_user(out);
    settle(out);
    user_.reset();
    barge_in_.reset();
    carried_.clear();
    asking_ = Asking::no;
    out.push_back(act::DiscardStt{});
    if (agent_.amd.on_machine == config::OnMachine::hang_up) {
        hang_up(JF_CAUSE_NORMAL, "machine", out);
        return true;
    }
    end_ = EndOfCall{};
    end_->hang_up = true;
    end_->reason = "machine_message";
    quiet_since_ = now;
    return true;
}

}  // namespace jackfield::call
