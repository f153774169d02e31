// The turns of a call that leaves its agent for a while or for good: hold, transfer, another agent; and the consent that comes before all.

#include <jackfield/llm.h>
#include <jackfield/telephony.h>

#include <algorithm>

#include "base/json.hpp"
#include "call/language.hpp"
#include "call/machine.hpp"
#include "call/words.hpp"

namespace jackfield::call {
namespace {

using base::Milliseconds;
using base::MonoTime;

std::string member_of(std::string_view arguments, const char* name) {
    const auto document = base::JsonDocument::parse(arguments);
    return document ? std::string(document->root()[name].text_or("")) : std::string();
}

std::string error_result(std::string_view why) {
    base::JsonWriter json;
    json.begin_object().member("error", why).end_object();
    return json.take();
}

}  // namespace

// ---- fixed words

/// A reply whose words are known: it asks no model.
Machine::Reply& Machine::say(MonoTime now, std::string text, Actions& out) {
    Reply reply;
    reply.id = next_reply_++;
    reply.began = now;
    reply.text = std::move(text);
    reply.spoken_text = reply.text_complete = true;
    heard_ = {};
    reply_ = std::move(reply);
    out.push_back(act::Speak{reply_->id, reply_->text});
    out.push_back(act::EndSpeech{reply_->id});
    return *reply_;
}

void Machine::begin_conversation(MonoTime now, Actions& out) {
    if (agent_.greeting.empty()) return start_reply(now, out);
    say(now, agent_.greeting, out).greeting = true;
}

// ---- consent

/// False when nothing has to be said before the conversation.
bool Machine::ask_consent(MonoTime now, Actions& out) {
    if (agent_.consent.text.empty()) return false;
    asking_ = Asking::announcing;
    early_key_ = 0;
    Reply& announcement = say(now, agent_.consent.text, out);
    announcement.consent = true;
    announcement.locked = agent_.consent.locked;
    return true;
}

/// The announcement is over. `whole` false: it was cut, which only an unlocked one, a hold or the call's end can do.
void Machine::consent_asked(MonoTime now, bool whole, Actions& out) {
    if (agent_.consent.require == config::ConsentBy::nothing) {
        asking_ = Asking::no;
        out.push_back(act::Consent{true});
        if (whole) begin_conversation(now, out);
        return;
    }
    asking_ = Asking::waiting;
    asked_ = now;
    if (whole && early_key_ != 0) answer_consent(now, agent_.consent.accept_key[0] == early_key_, out);
}

void Machine::answer_consent(MonoTime now, bool granted, Actions& out) {
    asking_ = Asking::no;
    out.push_back(act::Consent{granted});
    if (granted) return begin_conversation(now, out);
    if (agent_.consent.refusal_ends_call) end_ = EndOfCall{true, {}, "consent_refused"};
    if (!agent_.consent.refused_text.empty() && end_) {
        say(now, agent_.consent.refused_text, out);
    } else if (!agent_.consent.refused_text.empty() && !agent_.greeting.empty()) {
        say(now, agent_.consent.refused_text + " " + agent_.greeting, out).greeting = true;
    } else if (end_) {
        end_after_speech(out);
    } else {
        begin_conversation(now, out);
    }
}

/// True: the key was meant for this and for nothing else.
bool Machine::takes_consent_key(MonoTime now, char digit, Actions& out) {
    if (asking_ == Asking::no) return false;
    const bool by_key = agent_.consent.require == config::ConsentBy::keypress;
    if (asking_ == Asking::announcing) {
        if (!reply_ || reply_->locked || !reply_->audible || !by_key) {
            early_key_ = by_key ? digit : 0;
            return true;
        }
        cut_reply(now, "barge_in_dtmf", out);
    }
    if (asking_ == Asking::waiting && by_key) {
        if (std::exchange(user_, std::nullopt)) out.push_back(act::DiscardStt{});
        answer_consent(now, agent_.consent.accept_key[0] == digit, out);
    }
    return true;
}

/// True: the caller's words answered the question for consent, or were none.
bool Machine::take_consent_words(MonoTime now, TurnRecord& record, Actions& out) {
    if (asking_ == Asking::no) return false;
    dead_air_.settle();
    const bool understood = record.flags == 0 && !record.text.empty();
    const bool agreed = understood && std::any_of(agent_.consent.accept_words.begin(), agent_.consent.accept_words.end(),
                                                  [&](const std::string& words) { return has_words(record.text, words); });
    out.push_back(act::Commit{std::move(record)});
    if (asking_ == Asking::waiting && understood && agent_.consent.require == config::ConsentBy::words) answer_consent(now, agreed, out);
    return true;
}

// ---- hold

Actions Machine::on_hold(MonoTime now, bool held) {
    Actions out;
    if (over_ || held_ == held || answered_ == MonoTime{}) return out;
    // Who is with somebody else is that person's to wait for; and a call that is being hung up stays so.
    if (handed_over_ || (held && !active_)) {
        if (handed_over_) held_ = held;
        return out;
    }
    held_ = held;
    if (!held) {
        active_ = true;
        quiet_since_ = now;
        nudges_ = 0;
        const bool owed = std::exchange(answer_owed_, false);
        if (asking_ != Asking::no) ask_consent(now, out);
        else if (owed && messages_.empty()) begin_conversation(now, out);
        else if (owed) start_reply(now, out);
        else if (!agent_.resume_phrase.empty()) say(now, agent_.resume_phrase, out);
        return out;
    }
    drop_draft(now, "hold", out);
    // An answer of which nothing was heard is made anew; what was cut in the middle is not said twice.
    answer_owed_ = reply_ && !reply_->audible && !reply_->consent;
    if (user_ && !user_->partial.empty()) {
        keep_user_words(now, words_so_far(), "hold", out);
        carried_.clear();
        answer_owed_ = true;
    }
    if (std::exchange(user_, std::nullopt)) out.push_back(act::DiscardStt{});
    keep_keys(now, keypad_.take(), "hold", out);
    const Asking asking = asking_;
    if (reply_) {
        reply_->consent = false;
        cut_reply(now, "hold", out);
    }
    asking_ = asking;
    settle(out);
    // Its last words were for nobody: what was to follow them follows.
    if (end_) end_after_speech(out);
    else active_ = false;
    return out;
}

// ---- transfer and hand-off

/// A tool asks for somebody else; it happens when the reply has been said. False: there is nobody of that name.
bool Machine::begin_departure(std::string_view name, std::string_view id, std::string_view arguments) {
    const std::string to = transfer_target(arguments);
    EndOfCall end;
    end.tool_call = id;
    if (name == "hand_off") {
        if (std::find(agent_.hand_off.begin(), agent_.hand_off.end(), to) == agent_.hand_off.end()) return false;
        end.hand_off_to = to;
        end.reason = "hand_off";
    } else {
        if (!agent_.transfer.contains(to)) return false;
        end.transfer_to = to;
        end.reason = "transfer";
        end.summary = member_of(arguments, "summary");
    }
    end_ = std::move(end);
    return true;
}

/// The tool's result stands behind its call, and both behind what was said before it came to nothing or to something.
void Machine::finish_departure(std::string result) {
    const std::string id = std::exchange(end_, std::nullopt)->tool_call;
    const auto call = std::find_if(messages_.begin(), messages_.end(), [&](const ChatMessage& message) {
        return message.role == Role::assistant && !message.tool_name.empty() && message.tool_call_id == id;
    });
    if (call != messages_.end()) std::rotate(call, call + 1, messages_.end());
    ChatMessage answer;
    answer.role = Role::tool;
    answer.tool_call_id = id;
    answer.content = std::move(result);
    messages_.push_back(std::move(answer));
}

Actions Machine::on_transfer_failed(MonoTime now, std::string_view why) {
    Actions out;
    if (over_ || !handed_over_ || !end_) return out;
    handed_over_ = joined_ = false;
    if (end_->tool_call.empty()) {
        // It was the way out of a call that can't go on.
        hang_up(JF_CAUSE_FAILED, "transfer_failed", out);
        return out;
    }
    finish_departure(error_result(why));
    quiet_since_ = now;
    tool_rounds_ = 0;
    active_ = !held_;
    if (held_) answer_owed_ = true;
    else start_reply(now, out);
    return out;
}

Actions Machine::take_over(MonoTime now, config::AgentConfig agent, Milliseconds stt_final_wait) {
    Actions out;
    if (over_ || !handed_over_ || !end_) return out;
    base::JsonWriter result;
    result.begin_object().member("ok", true).member("agent", agent.name).end_object();
    finish_departure(result.take());
    set_agent(std::move(agent), stt_final_wait);
    handed_over_ = false;
    active_ = !held_;
    quiet_since_ = now;
    nudges_ = tool_rounds_ = llm_failures_ = turns_without_words_ = 0;
    apologised_ = false;
    on_slot(JF_SLOT_NONE);
    out.push_back(act::OpenStt{});
    if (held_) answer_owed_ = true;
    else start_reply(now, out);
    return out;
}

Actions Machine::on_hand_off_failed(MonoTime now) { return on_transfer_failed(now, "that agent is not available"); }

// ---- recording

std::string Machine::switch_recording(std::string_view name) {
    recording_paused_ = name == "pause_recording";
    return recording_paused_ ? R"({"ok":true,"recording":"paused"})" : R"({"ok":true,"recording":"on"})";
}

/// What the decisions may keep of the caller's words.
std::string_view Machine::shown(std::string_view words) const { return recording_paused() ? "***" : words; }

bool Machine::recording_paused() const {
    return recording_paused_ || (agent_.recording.pause_on_digits && slot_ == JF_SLOT_DIGITS);
}

}  // namespace jackfield::call
