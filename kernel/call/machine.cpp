#include "call/machine.hpp"

#include <jackfield/llm.h>
#include <jackfield/telephony.h>

#include <algorithm>
#include <cmath>

#include "call/phrases.hpp"
#include "call/words.hpp"

namespace jackfield::call {
namespace {

using base::Milliseconds;
using base::MonoTime;

constexpr int most_tool_rounds = 3;
constexpr int most_llm_failures = 3;
constexpr std::uint32_t most_voice_failures = 2; // in one reply
constexpr int stuck_without_words = 3;         // times stuck_turn: a recogniser without partials must not cut a long sentence
constexpr Milliseconds decision_deadline{500}; // voice-behaviour.md: decided so long after the duck at the latest
std::int64_t ms_of(std::chrono::nanoseconds d) { return std::chrono::duration_cast<Milliseconds>(d).count(); }

ClauseChunkerOptions chunker_options(const config::AgentConfig& agent) {
    ClauseChunkerOptions options;
    options.first_chars = static_cast<std::size_t>(std::max(agent.turn.first_flush_chars, 1));
    options.first_wait = agent.turn.first_flush;
    options.sentences = &language_of(agent.language).sentences;
    return options;
}

bool allows(const config::AgentConfig& agent, std::string_view tool) {
    return std::find(agent.tools.begin(), agent.tools.end(), tool) != agent.tools.end();
}

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

bool Machine::interruptible(MonoTime now) const {
    if (!reply_ || !reply_->audible) return false;
    if (end_ || reply_->locked) return false; // its last words are a goodbye, its first ones the law's: let them out
    return !reply_->greeting || now - reply_->audible_since >= agent_.turn.greeting_protected;
}

/// The first and the last moments of the agent's turn: who says "yes" or "mhm" there doesn't want the floor.
bool Machine::backchannel_guard(MonoTime now) const {
    return now - reply_->audible_since < agent_.turn.backchannel_guard || (heard_.left && *heard_.left < agent_.turn.backchannel_guard);
}

Milliseconds Machine::endpoint_wait() const { return endpointing_.wait(slot_).time; }

/// Nothing is owed to the caller any more: it was given, or it is their turn.
void Machine::settle(Actions& out) {
    dead_air_.settle();
    if (std::exchange(tone_, false)) out.push_back(act::WaitingTone{false});
}

Actions Machine::on_speech_start(MonoTime now, MonoTime began) {
    Actions out;
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

Actions Machine::on_voice(MonoTime now, Milliseconds voiced) {
    Actions out;
    if (!active_ || over_) return out;
    if (user_) user_->last_voiced = now;
    if (noisy_ || !interruptible(now)) {
        if (reply_ && reply_->audible && voiced >= agent_.turn.barge_in)
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
    if (barge_in_ || voiced < agent_.turn.barge_in) return out;
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
    if (interruptible(now) && user_) {
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
        reply_->spoken_text = true;
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

Actions Machine::on_tool_call(MonoTime now, std::uint64_t reply, std::string_view id, std::string_view name,
                              std::string_view arguments) {
    Actions out;
    if (is_draft(reply)) {
        ChatMessage held;
        held.tool_call_id = id;
        held.tool_name = name;
        held.tool_arguments = arguments;
        draft_->pieces.push_back({{}, std::move(held)});
        return out;
    }
    if (!reply_ || reply_->id != reply || over_) return out;
    reply_->last_token = now;
    decisions_.note(now, Decision::tool_call, tool_rounds_, 0, name);
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
    if ((name == "transfer" && allows(agent_, name)) || (name == "hand_off" && !agent_.hand_off.empty())) {
        if (begin_departure(name, id, arguments)) {
            messages_.push_back(std::move(call));
            return out;
        }
        refusal = R"({"error":"there is nobody of that name to transfer to"})";
    } else if ((name == "pause_recording" || name == "resume_recording") && allows(agent_, name)) {
        refusal = switch_recording(name);
    } else if (name == "send_digits" && allows(agent_, name)) {
        const std::string digits = digits_to_send(arguments);
        if (!digits.empty()) out.push_back(act::SendDigits{digits});
        refusal = digits.empty() ? R"({"error":"digits must be 1 to 64 of 0-9, *, #, A-D and w"})" : R"({"ok":true})";
    } else if (tools_.offers(name)) {
        const std::uint32_t index = tools_.begin(now, reply, messages_.size(), id, name, arguments);
        pending_tools_ = true;
        out.push_back(act::RunTool{reply, index, std::string(name), std::string(arguments)});
        return out;
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
    if (is_draft(reply)) {
        draft_->complete = true;
        return out;
    }
    if (!reply_ || reply_->id != reply || over_) return out;
    speak_chunks(chunker_.flush(), out);
    if (asks_for_words(now, out)) return out;
    reply_->generating = false;
    llm_failures_ = 0;
    // Its last words end the call: nobody waits for what a tool answers, though it is recorded.
    if (tools_.waiting() && !end_) return out;
    go_on_after_tools(now, out);
    return out;
}

/// A model that has neither a word nor a tool for what the caller said may be broken: the next is asked, once. Two of them know better.
bool Machine::asks_for_words(MonoTime now, Actions& out) {
    if (reply_->spoken_text || reply_->asked_again || pending_tools_ || end_ || tools_.made_in(reply_->id)) return false;
    if (agent_.llm.size() < 2 || messages_.empty() || messages_.back().role != Role::user) return false;
    if (messages_.back().flags & JF_MESSAGE_SILENCE) return false; // whether to nudge is the model's to say
    reply_->asked_again = true;
    reply_->generating = true;
    reply_->began = now;
    out.push_back(act::NextProvider{act::NextProvider::llm});
    out.push_back(act::Generate{reply_->id});
    return true;
}

/// Nothing is being generated, and no tool is waited for: the model is told what the tools answered, or the reply is complete.
void Machine::go_on_after_tools(MonoTime now, Actions& out) {
    if (!tools_.waiting()) tools_.settle(messages_);
    if (pending_tools_ && !end_ && tool_rounds_ < most_tool_rounds) {
        ++tool_rounds_;
        pending_tools_ = false;
        reply_->generating = true;
        reply_->began = now;
        out.push_back(act::Generate{reply_->id});
        return;
    }
    pending_tools_ = false;
    reply_->text_complete = true;
    if (!reply_->text.empty()) {
        out.push_back(act::EndSpeech{reply_->id});
        return;
    }
    // Nothing to say: silence is an answer too, unless the call was to end.
    finish_reply(now, out);
}

Actions Machine::on_tool_result(MonoTime now, std::uint64_t reply, std::uint32_t index, std::string_view content) {
    Actions out;
    if (!tools_.finish(reply, index, content)) return out;
    decisions_.note(now, Decision::tool_result, static_cast<std::int64_t>(reply), index);
    if (tools_.waiting()) return out;
    if (over_ || !active_ || end_) {
        tools_.settle(messages_);
        return out;
    }
    if (reply_) {
        // One that is being generated (another call may follow) takes it up when that is done.
        if (!reply_->generating && !reply_->text_complete) go_on_after_tools(now, out);
        return out;
    }
    tools_.settle(messages_);
    // The caller speaks: their turn's answer takes it up. When nobody does, the caller is owed what they asked for.
    if (!user_ && !away()) start_reply(now, out);
    return out;
}

/// When the caller is told that a tool takes its time: the first time soon, later at the pace of any other silence.
std::optional<MonoTime> Machine::tool_filler_at() const {
    if (!reply_ || reply_->generating || reply_->text_complete || end_ || !tools_.waiting() || agent_.turn.fillers_most == 0) return std::nullopt;
    if (dead_air_.fillers() > 0 && !tools_.has_progress()) return std::nullopt;
    if (dead_air_.fillers() >= agent_.turn.fillers_most) return std::nullopt;
    // Something is being spoken, or about to be.
    if (!reply_->text.empty() && !reply_->dry) return std::nullopt;
    return std::max(tools_.since(), reply_->dry ? dead_air_.since() : reply_->began) + agent_.turn.tool_filler;
}

Actions Machine::on_generation_failed(MonoTime now, std::uint64_t reply) {
    Actions out;
    if (is_draft(reply)) {
        // The answer proper is asked for when the turn is over, and its failures count then.
        draft_.reset();
        return out;
    }
    if (!reply_ || reply_->id != reply || over_) return out;
    if (tools_.made_in(reply)) {
        // It broke behind a call that is being carried out: asked anew from there, it need not be made again.
        speak_chunks(chunker_.flush(), out);
        reply_->generating = false;
        out.push_back(act::NextProvider{act::NextProvider::llm});
        if (!tools_.waiting()) go_on_after_tools(now, out);
        return out;
    }
    if (reply_->spoken_text) {
        // Something was said already: let it stand rather than say it twice.
        speak_chunks(chunker_.flush(), out);
        reply_->generating = false;
        reply_->text_complete = true;
        out.push_back(act::EndSpeech{reply_->id});
        return out;
    }
    if (++llm_failures_ >= most_llm_failures) {
        give_up(now, "llm_failed", out);
        return out;
    }
    reply_->began = now;
    chunker_.flush(); // what the failed one had begun to say
    out.push_back(act::NextProvider{act::NextProvider::llm});
    out.push_back(act::Generate{reply_->id});
    return out;
}

/// Nothing but the end follows: no deadline, no event starts anything any more while the carrier takes its time.
void Machine::hang_up(std::uint32_t cause, std::string reason, Actions& out) {
    active_ = held_ = handed_over_ = false;
    settle(out);
    out.push_back(act::HangUp{cause, std::move(reason)});
}

void Machine::give_up(MonoTime now, const char* reason, Actions& out) {
    const auto person = agent_.transfer.find(agent_.on_failure);
    end_ = EndOfCall{true, person == agent_.transfer.end() ? std::string() : person->first, reason};
    if (apologised_ || !reply_) {
        if (std::exchange(reply_, std::nullopt)) out.push_back(act::StopSpeech{});
        end_after_speech(out);
        return;
    }
    apologised_ = true;
    // The apology has to be heard like any other answer, and if it isn't there is nothing left to try.
    dead_air_.owe(now);
    reply_->generating = false;
    reply_->text_complete = true;
    speak_chunks({agent_.apology}, out);
    out.push_back(act::EndSpeech{reply_->id});
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

void Machine::on_standby(MonoTime now, std::uint64_t reply) {
    if (reply_ && reply_->id == reply && reply_->generating) reply_->began = now;
}

Actions Machine::on_voice_failed(MonoTime now, std::uint64_t reply, std::uint64_t spoken) {
    Actions out;
    if (!reply_ || reply_->id != reply || over_) return out;
    if (reply_->audible && ++reply_->voice_failures <= most_voice_failures) {
        // In mid-sentence: what there is of it is heard, and the next voice goes on behind the last whole word.
        out.push_back(act::NextProvider{act::NextProvider::tts});
        out.push_back(act::SpeakOn{reply, cut_at_word(reply_->text, std::max(spoken, heard_.bytes))});
        return out;
    }
    if (reply_->audible) {
        // Nobody speaks on: what was heard stands, and the next reply has another voice.
        const bool consent = std::exchange(reply_->consent, false);
        cut_reply(now, "voice_failed", out);
        quiet_since_ = now;
        out.push_back(act::NextProvider{act::NextProvider::tts});
        if (consent) {
            // Half of what the law wants said is none of it.
            ask_consent(now, out);
            return out;
        }
        if (end_) end_after_speech(out);
        return out;
    }
    if (++reply_->voice_failures > most_voice_failures) {
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

/// No sign of life of the recogniser: the next takes over, and what this one let be known counts.
void Machine::abandon_stt(MonoTime now, Actions& out) {
    if (agent_.stt.size() > 1 && feed_next_recogniser(now, out)) return;
    if (agent_.stt.size() > 1) {
        out.push_back(act::NextProvider{act::NextProvider::stt});
        out.push_back(act::OpenStt{});
    }
    const std::string heard = user_->partial;
    close_user_turn(now, heard, heard.empty() ? JF_MESSAGE_NO_MATCH : 0, -1, out);
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

std::string Machine::words_so_far() const {
    if (carried_.empty() || user_->partial.empty()) return carried_ + user_->partial;
    return carried_ + " " + user_->partial;
}

/// The caller is quiet, though their turn may not be over: the model begins on the words that are known. Nothing of it is heard and no tool
/// is called before the turn is over with these very words.
void Machine::speculate(MonoTime now, Actions& out) {
    if (!agent_.turn.speculate || reply_ || end_ || !user_ || user_->speaking || noisy_ || !keypad_.empty() || agent_.llm.empty() || tools_.waiting()) return;
    if (slot_ == JF_SLOT_DIGITS || slot_ == JF_SLOT_EMAIL) return; // dictated in groups: what is there now is rarely all
    if (user_->last_voiced - user_->began > agent_.turn.speculate_within) return;
    std::string words = words_so_far();
    if (!user_->words || words.empty() || (draft_ && same_words(draft_->words, words)) || user_->drafts >= agent_.turn.speculate_tries) return;
    ++user_->drafts;
    drop_draft(now, "the words changed", out);
    draft_ = Draft{.reply = next_reply_++, .words = words, .began = now, .pieces = {}};
    decisions_.note(now, Decision::speculate, static_cast<std::int64_t>(draft_->reply), 0, shown(words));
    out.push_back(act::Generate{draft_->reply, std::move(words)});
}

void Machine::drop_draft(MonoTime now, const char* why, Actions& out) {
    if (!draft_) return;
    decisions_.note(now, Decision::speculation_dropped, static_cast<std::int64_t>(draft_->reply), 0, why);
    draft_.reset();
    out.push_back(act::CancelGeneration{});
}

/// The turn is over and the words are what the draft answers: it is the reply.
void Machine::adopt_draft(MonoTime now, Actions& out) {
    Draft draft = std::move(*draft_);
    draft_.reset();
    decisions_.note(now, Decision::speculation_kept, static_cast<std::int64_t>(draft.reply), ms_of(now - draft.began));
    out.push_back(act::Adopt{draft.reply});
    const auto take = [&](Actions more) { std::move(more.begin(), more.end(), std::back_inserter(out)); };
    for (const Draft::Piece& piece : draft.pieces) {
        if (piece.tool) take(on_tool_call(now, draft.reply, piece.tool->tool_call_id, piece.tool->tool_name, piece.tool->tool_arguments));
        else take(on_token(now, draft.reply, piece.text));
    }
    if (draft.complete) take(on_generated(now, draft.reply));
}

/// Said while the answer takes long. It is part of the reply, so that the transcript holds it like any other word that was heard.
void Machine::say_filler(MonoTime now, Actions& out) {
    const std::string progress = tools_.take_progress();
    const std::string& text = progress.empty() ? fillers_[static_cast<std::size_t>(dead_air_.fillers()) % fillers_.size()] : progress;
    decisions_.note(now, Decision::dead_air, dead_air_.fillers() + 1, ms_of(now - dead_air_.since()), text);
    dead_air_.said_filler();
    const bool spoken = reply_->spoken_text;
    speak_chunks({text}, out);
    reply_->spoken_text = spoken;
}

void Machine::serve_dead_air(MonoTime now, Actions& out) {
    const auto take = [&](Actions more) { std::move(more.begin(), more.end(), std::back_inserter(out)); };
    if (const auto due = tool_filler_at(); due && now >= *due) say_filler(now, out);
    // A tool has a deadline of its own, and the caller has been told: nothing is given up on until then.
    const bool on_tool = reply_ && tools_.waiting() && !reply_->generating;
    const bool can_fill = reply_ && (reply_->generating || on_tool) && !end_ && agent_.turn.fillers_most > 0;
    while (const auto step = dead_air_.due(now, can_fill)) {
        if (on_tool && (*step == DeadAir::Step::no_words || *step == DeadAir::Step::hopeless)) continue;
        const std::int64_t silence = ms_of(now - dead_air_.since());
        switch (*step) {
            case DeadAir::Step::filler:
                if (dead_air_.fillers() < agent_.turn.fillers_most) {
                    say_filler(now, out);
                    break;
                }
                if (on_tool) break;
                decisions_.note(now, Decision::dead_air, 0, silence, "no filler is left");
                out.push_back(act::CancelGeneration{});
                return give_up(now, "dead_air", out);
            case DeadAir::Step::tone:
                if (!agent_.turn.waiting_tone) break;
                decisions_.note(now, Decision::dead_air, 0, silence, "waiting tone");
                tone_ = true;
                out.push_back(act::WaitingTone{true});
                break;
            case DeadAir::Step::no_words:
                decisions_.note(now, Decision::dead_air, 0, silence, "no words: given up on");
                if (!reply_) {
                    if (user_ && user_->ticket) abandon_stt(now, out);
                } else if (!reply_->text.empty() && (!reply_->generating || !reply_->audible)) {
                    take(on_voice_failed(now, reply_->id));
                } else if (reply_->generating) {
                    out.push_back(act::CancelGeneration{});
                    take(on_generation_failed(now, reply_->id));
                }
                return;
            case DeadAir::Step::hopeless:
                decisions_.note(now, Decision::dead_air, 0, silence, "hopeless");
                if (reply_ && reply_->generating) out.push_back(act::CancelGeneration{});
                return give_up(now, "dead_air", out);
        }
    }
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
