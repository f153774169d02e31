// The agent's replies: asked for, spoken piece by piece, heard or cut.

#include "call/machine.hpp"

#include <jackfield/llm.h>

#include <utility>

#include "call/machine_parts.hpp"
#include "call/words.hpp"

namespace jackfield::call {
namespace {

using base::MonoTime;

}  // namespace

void Machine::start_reply(MonoTime now, Actions& out) {
    Reply reply;
    reply.id = draft_ ? draft_->reply : next_reply_++;
    reply.generating = true;
    reply.began = now;
    reply.times = user_times_;
    reply.times.first_token = reply.times.first_text = reply.times.first_speech = reply.times.first_sent = {};
    user_times_ = {};
    reply_ = reply;
    decisions_.note(now, Decision::reply_begun, static_cast<std::int64_t>(reply.id));
    heard_ = {};
    chunker_ = ClauseChunker(chunker_options(agent_));
    on_slot(JF_SLOT_NONE);
    dead_air_.set_can_fill(true);
    if (draft_) {
        adopt_draft(now, out);
    } else if (tools_.waiting()) {
        // What the model called for the turn before runs still: it is asked when it can be told what came of it.
        reply_->generating = false;
        pending_tools_ = true;
    } else {
        out.push_back(act::Generate{reply.id});
    }
}

void Machine::speak_chunks(std::vector<std::string> chunks, Actions& out) {
    for (std::string& chunk : chunks) {
        if (chunk.empty()) continue;
        // After a tool's answer the model begins a new sentence, and knows nothing of the one before.
        if (!reply_->text.empty() && reply_->text.back() != ' ' && chunk.front() != ' ') chunk.insert(0, 1, ' ');
        reply_->text += chunk;
        reply_->spoken_text = reply_->spoken_text || would_be_heard(chunk);
        out.push_back(act::Speak{reply_->id, std::move(chunk)});
    }
}

Actions Machine::on_token(MonoTime now, std::uint64_t reply, std::string_view text) {
    Actions out;
    if (is_draft(reply)) {
        draft_->pieces.push_back({std::string(text), std::nullopt});
        return out;
    }
    if (!reply_ || reply_->id != reply || over_) return out;
    if (reply_->times.first_token == MonoTime{}) {
        reply_->times.first_token = now;
        decisions_.note(now, Decision::first_token, static_cast<std::int64_t>(reply), ms_of(now - reply_->began));
    }
    reply_->last_token = now;
    speak_chunks(chunker_.feed(text, now), out);
    return out;
}

Actions Machine::on_generated(MonoTime now, std::uint64_t reply) {
    Actions out;
    if (is_draft(reply)) {
        draft_->complete = true;
        return out;
    }
    if (!reply_ || reply_->id != reply || over_) return out;
    speak_chunks(chunker_.flush(), out);
    if (lacks_words()) {
        on_no_words(now, out);
        return out;
    }
    reply_->generating = false;
    llm_failures_ = 0;
    if (reply_->spoken_text) turns_without_words_ = 0;
    // Its last words end the call: nobody waits for what a tool answers, though it is recorded.
    if (tools_.waiting() && !end_) return out;
    go_on_after_tools(now, out);
    return out;
}

void Machine::on_text_spoken(MonoTime now, std::uint64_t reply) {
    if (reply_ && reply_->id == reply && reply_->times.first_text == MonoTime{}) reply_->times.first_text = now;
}

Actions Machine::on_first_speech(MonoTime now, std::uint64_t reply) {
    if (reply_ && reply_->id == reply && reply_->times.first_speech == MonoTime{}) {
        reply_->times.first_speech = now;
        decisions_.note(now, Decision::first_speech, static_cast<std::int64_t>(reply));
    }
    return {};
}

Actions Machine::on_first_sent(MonoTime now) {
    Actions out;
    if (!reply_ || (reply_->audible && !reply_->dry)) return out;
    reply_->dry = false;
    dead_air_.heard_words();
    if (std::exchange(tone_, false)) out.push_back(act::WaitingTone{false});
    if (reply_->audible) return out;
    reply_->audible = true;
    reply_->audible_since = now;
    if (reply_->times.first_sent == MonoTime{}) reply_->times.first_sent = now;
    decisions_.note(now, Decision::first_sent, static_cast<std::int64_t>(reply_->id),
                    reply_->times.user_ended == MonoTime{} ? -1 : ms_of(now - reply_->times.user_ended));
    commit_user(out);
    return out;
}

Actions Machine::on_dry(MonoTime now) {
    if (!reply_ || !reply_->audible || reply_->dry) return {};
    reply_->dry = true;
    dead_air_.fell_silent(now);
    dead_air_.set_can_fill(reply_->generating || tools_.waiting());
    return {};
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
    decisions_.note(now, Decision::reply_done, static_cast<std::int64_t>(done.id), static_cast<std::int64_t>(done.text.size()));
    settle(out);
    if (barge_in_) {
        if (barge_in_->resume_at && user_) {
            user_.reset();
            out.push_back(act::DiscardStt{});
        }
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
        record.rule = done.consent ? "consent" : done.greeting ? "greeting" : "reply";
        record.times = done.times;
        record.times.ended = now;
        out.push_back(act::Commit{std::move(record)});
    }
    if (done.consent) return consent_asked(now, true, out);
    if (end_) return end_after_speech(out);
    if (!noisy_) return;
    // In steady noise the detector never says that the caller begins: whatever comes now may be theirs.
    user_ = UserTurn{.began = now, .last_voiced = now};
    out.push_back(act::Listen{});
}

/// Ends the reply where it is. What the caller heard of it stays in the conversation, the rest is kept apart.
void Machine::cut_reply(MonoTime now, const char* rule, Actions& out) {
    Reply cut = std::move(*reply_);
    reply_.reset();
    if (cut.generating) out.push_back(act::CancelGeneration{});
    out.push_back(act::StopSpeech{});
    out.push_back(act::Unduck{});
    pending_tools_ = false;
    barge_in_.reset();
    settle(out);
    if (cut.consent) consent_asked(now, false, out);
    if (!cut.audible) return;
    const std::size_t heard = heard_.finished ? cut.text.size() : cut_at_word(cut.text, heard_.bytes);
    decisions_.note(now, Decision::reply_cut, static_cast<std::int64_t>(heard), static_cast<std::int64_t>(cut.text.size()), rule);
    ChatMessage message;
    message.role = Role::assistant;
    message.content = cut.text.substr(0, heard);
    message.flags = heard < cut.text.size() ? JF_MESSAGE_INTERRUPTED : 0;
    messages_.push_back(message);
    tools_.stand_behind(messages_.size());
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

}  // namespace jackfield::call
