// The machine of a call: who speaks for it, when it is asked, and how it ends. Each of its other subjects has a file beside this one.

#include "call/machine.hpp"

#include <jackfield/llm.h>
#include <jackfield/telephony.h>

#include <algorithm>
#include <utility>

#include "call/machine_parts.hpp"
#include "call/phrases.hpp"

namespace jackfield::call {
namespace {

using base::Milliseconds;
using base::MonoTime;

}  // namespace

Machine::Machine(config::AgentConfig agent, Milliseconds stt_final_wait)
    : endpointing_(agent.turn), dead_air_(agent.turn) {
    set_agent(std::move(agent), stt_final_wait);
}

/// Everything that depends on who speaks; what was said stays.
void Machine::set_agent(config::AgentConfig agent, Milliseconds stt_final_wait) {
    agent_ = std::move(agent);
    keypad_ = Keypad(agent_.keypad);
    language_ = language_of(agent_.language, agent_.stop_words, agent_.backchannels);
    final_wait_ = stt_final_wait;
    chunker_ = ClauseChunker(chunker_options(agent_));
    endpointing_ = Endpointing(agent_.turn);
    dead_air_ = DeadAir(agent_.turn);
    fillers_ = agent_.fillers;
    const Phrases& phrases = phrases_of(agent_.language);
    if (fillers_.empty()) fillers_.assign(phrases.fillers.begin(), phrases.fillers.end());
    if (agent_.not_understood.empty()) agent_.not_understood = phrases.not_understood;
    if (agent_.apology.empty()) agent_.apology = agent_.on_failure.empty() ? phrases.apology : phrases.apology_transfer;
    if (agent_.turn.final_wait.count() >= 0) final_wait_ = agent_.turn.final_wait;
}

Actions Machine::on_answered(MonoTime now) {
    Actions out;
    active_ = true;
    answered_ = quiet_since_ = now;
    out.push_back(act::OpenStt{});
    out.push_back(act::Prewarm{});
    if (answer_) answer_->start(now);
    if (!ask_consent(now, out)) begin_conversation(now, out);
    return out;
}

/// Nothing is owed to the caller any more: it was given, or it is their turn.
void Machine::settle(Actions& out) {
    dead_air_.settle();
    if (std::exchange(tone_, false)) out.push_back(act::WaitingTone{false});
}

/// Nothing but the end follows: no deadline, no event starts anything any more while the carrier takes its time.
void Machine::hang_up(std::uint32_t cause, std::string reason, Actions& out) {
    active_ = held_ = handed_over_ = false;
    settle(out);
    out.push_back(act::HangUp{cause, std::move(reason)});
}

void Machine::end_after_speech(Actions& out) {
    if (!end_->transfer_to.empty() || !end_->hand_off_to.empty()) {
        handed_over_ = true;
        active_ = false;
        settle(out);
        if (std::exchange(user_, std::nullopt)) out.push_back(act::DiscardStt{});
        if (end_->transfer_to.empty()) out.push_back(act::HandOff{end_->hand_off_to});
        else out.push_back(act::Transfer{end_->transfer_to, end_->summary});
    } else hang_up(end_->reason == "hang_up" || end_->reason == "machine_message" ? JF_CAUSE_NORMAL : JF_CAUSE_FAILED, end_->reason, out);
}

Actions Machine::on_ended(MonoTime now) {
    Actions out;
    if (over_) return out;
    if (reply_) cut_reply(now, "ended", out);
    commit_user(out);
    keep_keys(now, keypad_.take(), "ended", out);
    std::string said = std::exchange(carried_, {});
    if (user_ && !user_->partial.empty()) said += (said.empty() ? "" : " ") + user_->partial;
    if (!said.empty()) keep_user_words(now, std::move(said), "ended", out);
    over_ = true;
    active_ = false;
    user_.reset();
    return out;
}

std::optional<MonoTime> Machine::next_deadline() const {
    if (!over_ && joined_) return std::nullopt;
    if (!over_ && away()) return answered_ + agent_.turn.max_call;
    if (!active_ || over_) return std::nullopt;
    MonoTime next = answered_ + agent_.turn.max_call;
    const auto earlier = [&](MonoTime t) { next = std::min(next, t); };
    if (user_ && !reply_) {
        if (user_->ticket) earlier(user_->final_due);
        else if (!user_->speaking) earlier(user_->last_voiced + endpoint_wait());
        else earlier(stuck_at());
    }
    if (barge_in_ && barge_in_->resume_at) earlier(*barge_in_->resume_at);
    if (const auto due = dead_air_.next_deadline()) earlier(*due);
    if (const auto due = tool_filler_at()) earlier(*due);
    if (answer_) {
        if (const auto due = answer_->next_deadline()) earlier(*due);
        if (waits_for_machine()) earlier(answer_->message_at());
    }
    if (const auto due = keypad_.next_deadline(); due && !(user_ && user_->speaking)) earlier(*due);
    if (reply_ && reply_->generating) {
        earlier(std::max(reply_->began, reply_->last_token) + agent_.turn.llm_timeout);
        if (const auto due = chunker_.next_deadline(); due && !reply_->spoken_text) earlier(*due);
    }
    if (asking_ == Asking::waiting && !user_ && !reply_) {
        earlier(asked_ + agent_.consent.wait);
    } else if (!reply_ && !user_ && !waits_for_machine()) {
        if (!end_ && nudges_ < agent_.turn.nudges && keypad_.empty()) earlier(quiet_since_ + nudge_after());
        earlier(quiet_since_ + agent_.turn.hang_up_after_silence);
    }
    return next;
}

Actions Machine::on_time(MonoTime now) {
    Actions out;
    if (over_ || joined_ || !(active_ || away())) return out;
    if (now - answered_ >= agent_.turn.max_call) {
        hang_up(JF_CAUSE_NORMAL, "max_call", out);
        return out;
    }
    if (!active_) return out;
    serve_answer(now, out);
    if (!active_) return out;
    resume_speaking(now, out);
    if (user_ && !reply_) {
        if (user_->ticket && now >= user_->final_due) {
            decisions_.note(now, Decision::timer, ms_of(now - user_->finalized), 0, "stt_final_wait");
            abandon_stt(now, out);
            return out;
        }
        if (!user_->ticket && !user_->speaking && now - user_->last_voiced >= endpoint_wait()) {
            finalize(now, "endpoint", out);
            return out;
        }
        if (!user_->ticket && user_->speaking && now >= stuck_at()) {
            noisy_ = true;
            decisions_.note(now, Decision::stuck, user_->last_word == MonoTime{} ? -1 : ms_of(now - user_->last_word));
            finalize(now, "stuck", out);
            return out;
        }
    }
    if (!(user_ && user_->speaking)) {
        if (auto entry = keypad_.on_time(now)) {
            decisions_.note(now, Decision::timer, ms_of(now - keypad_.last_key()), 0, "digit_pause");
            take_digits(now, std::move(*entry), "dtmf_pause", out);
            return out;
        }
    }
    if (reply_ && reply_->generating) {
        // No first token, or one that no other follows: both leave the caller in silence.
        if (now - std::max(reply_->began, reply_->last_token) >= agent_.turn.llm_timeout) {
            decisions_.note(now, Decision::timer, ms_of(now - std::max(reply_->began, reply_->last_token)), 0, "llm_timeout");
            out.push_back(act::CancelGeneration{});
            for (Action& action : on_generation_failed(now, reply_->id)) out.push_back(std::move(action));
            return out;
        }
        if (!reply_->spoken_text) speak_chunks(chunker_.poll(now), out);
    }
    serve_dead_air(now, out);
    if (asking_ == Asking::waiting && !user_ && !reply_) {
        if (now - asked_ >= agent_.consent.wait) answer_consent(now, false, out);
        return out;
    }
    if (!reply_ && !user_ && !waits_for_machine()) {
        if (now - quiet_since_ >= agent_.turn.hang_up_after_silence) {
            hang_up(JF_CAUSE_NORMAL, "silence", out);
        } else if (!end_ && nudges_ < agent_.turn.nudges && keypad_.empty() && now - quiet_since_ >= nudge_after()) {
            ++nudges_;
            decisions_.note(now, Decision::nudge, nudges_, ms_of(now - quiet_since_));
            user_ = UserTurn{.began = now, .last_voiced = now, .speaking = false};
            user_->rule = "silence";
            user_->finalized = now;
            close_user_turn(now, "", JF_MESSAGE_SILENCE, -1, out);
        }
    }
    return out;
}

}  // namespace jackfield::call
