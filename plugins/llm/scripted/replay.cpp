// The course of a conversation: what is said, what each message leads to.

#include "replay.hpp"

#include <algorithm>

namespace jackfield::scripted {
namespace {

constexpr int max_hops = 8;  // goto after goto

}  // namespace

Turn Replay::run() {
    greet();
    std::string unsaid; // what a tool came to, as long as nothing was said behind it
    const Message* last = nullptr;
    for (const Message& message : conversation_.messages) {
        if (message.role == Role::system) continue;
        last = &message;
        if (message.role == Role::assistant) {
            interrupted_ = message.interrupted;
            if (!message.content.empty()) unsaid.clear();
            continue;
        }
        begin();
        if (message.role == Role::tool) {
            on_tool(message.content);
            unsaid = reply_;
        } else if (!unsaid.empty() && (message.no_match || message.silence)) {
            reply_ = std::exchange(unsaid, {});
        } else {
            // The caller spoke before they were told what came of the tool.
            on_user(message);
            if (!unsaid.empty()) reply_ = std::exchange(unsaid, {}) + (reply_.empty() ? "" : " " + reply_);
        }
        interrupted_ = false;
        if (!reply_.empty()) state_.last_reply = reply_;
    }
    // Asked to go on without anything new from the caller: the question is asked again.
    if (last && last->role == Role::assistant) {
        begin();
        say(state_.last_prompt);
    }
    Turn turn;
    turn.reply = std::move(reply_);
    turn.call = std::move(call_);
    turn.hints = hints_for(script_, state_.asking, state_.intent, state_.slot);
    return turn;
}

void Replay::begin() {
    reply_.clear();
    call_.reset();
    echo_.clear();
    hops_ = 0;
    ++turn_;
}

void Replay::say(const std::string& text, const std::string* value, const std::map<std::string, std::string>* result) {
    const std::string filled = capitalised(fill(text, value, result));
    if (filled.empty()) return;
    if (!reply_.empty()) reply_ += ' ';
    reply_ += filled;
}

void Replay::prompt(const std::string& text, const std::string* value) {
    state_.last_prompt = fill(text, value, nullptr);
    say(state_.last_prompt);
}

std::string Replay::fill(const std::string& text, const std::string* value, const std::map<std::string, std::string>* result) const {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t close = text[at] == '{' ? text.find('}', at) : std::string::npos;
        if (close == std::string::npos) {
            out += text[at++];
            continue;
        }
        out += placeholder(text.substr(at + 1, close - at - 1), value, result);
        at = close + 1;
    }
    return out;
}

std::string Replay::placeholder(const std::string& name, const std::string* value, const std::map<std::string, std::string>* result) const {
    if (name == "value") return value ? *value : std::string();
    if (const auto found = state_.values.find(name); found != state_.values.end()) return found->second.value.spoken;
    if (name.starts_with("result.") && result) {
        const auto found = result->find(name.substr(7));
        return found == result->end() ? std::string() : found->second;
    }
    if (name == "hours") return script_.hours.say();
    if (!conversation_.now) return {};
    const LocalTime& now = *conversation_.now;
    if (name == "today") return capitalised(std::string(weekday_name(weekday_of(now.day))));
    if (name == "now") return say_time(now.minute);
    if (name == "opens") return script_.hours.say_next_opening(now);
    if (name == "closes") return script_.hours.say_closing(now);
    return {};
}

void Replay::greet() {
    begin();
    const bool closed = script_.hours.known && conversation_.now && !script_.hours.open_at(*conversation_.now);
    prompt(closed && !script_.greeting_closed.empty() ? script_.greeting_closed : script_.greeting);
    state_.last_reply = reply_;
    // Repeating the whole greeting after a cough would tire the caller: the question is what is asked again.
    state_.last_prompt = script_.prompt;
}

void Replay::to_open(Asking asking) {
    state_.asking = asking;
    state_.intent = nullptr;
    state_.slot = nullptr;
    state_.values.clear();
    state_.tries.clear();
    state_.skipped.clear();
    state_.keys.clear();
    state_.waiting_tool = nullptr;
}

void Replay::ask_anything_else() {
    to_open(Asking::anything_else);
    prompt(script_.anything_else);
}

void Replay::hang_up() {
    to_open(Asking::open);
    say(script_.goodbye);
    state_.last_prompt = script_.prompt;
    call_ = ToolCall{call_id(), "hang_up", "{}"};
    state_.ended = true;
}

void Replay::hand_over() {
    to_open(Asking::open);
    say(script_.person_says);
    state_.last_prompt = script_.prompt;
    call_ = ToolCall{call_id(), "transfer", json_object({{"to", script_.person_to}})};
    state_.transferring = true;
}

std::string Replay::call_id() const { return "call-" + std::to_string(turn_); }

void Replay::ask_again() {
    if (state_.asking == Asking::slot && state_.slot) {
        const int tries = std::max(1, state_.tries[state_.slot->name]);
        const auto& texts = state_.slot->reask;
        prompt(texts[std::min(static_cast<std::size_t>(tries - 1), texts.size() - 1)]);
    } else {
        say(state_.last_prompt);
    }
}

void Replay::follow(const Next& next) {
    switch (next.kind) {
        case Next::Kind::ask: return ask_anything_else();
        case Next::Kind::stay: return ask_again();
        case Next::Kind::prompt: to_open(Asking::open); return prompt(script_.prompt);
        case Next::Kind::end: return hang_up();
        case Next::Kind::person: return hand_over();
        case Next::Kind::repeat: return say(state_.last_reply);
        case Next::Kind::cancel:
            say(script_.cancelled);
            to_open(Asking::open);
            return prompt(script_.prompt);
        case Next::Kind::skip: return skip_slot();
        case Next::Kind::go_to: {
            const Intent* target = script_.intent(next.target);
            if (!target || ++hops_ > max_hops) return ask_anything_else();
            return begin_intent(*target);
        }
    }
}

void Replay::on_user(const Message& message) {
    if (state_.waiting_tool) {
        // The host has gone on without the tool's result: nothing may be claimed of it.
        finish(*std::exchange(state_.waiting_tool, nullptr), false, {});
        begin();
    }
    const bool still_here = std::exchange(state_.transferring, false);
    state_.ended = false;
    if (still_here) say(script_.person_unavailable);
    if (message.silence) return on_silence();
    state_.silences = 0;
    if (message.dtmf) return on_keys(message.content);
    state_.keys.clear();
    if (message.no_match) return on_no_match();
    const std::string text = clean_utf8(message.content.substr(0, 4000));
    const Words words = words_of(text);
    if (words.empty() && all_words_of(text).empty()) return on_no_match();
    const int misses = std::exchange(state_.no_matches, 0);
    if (!on_words(words, text)) {
        state_.no_matches = misses;
        on_no_match();
    }
}

void Replay::on_tool(std::string_view content) {
    if (std::exchange(state_.transferring, false)) {
        const ToolResult result = parse_tool_result(content);
        if (result.ok) return;  // the caller is on the way
        say(script_.person_unavailable);
        return ask_anything_else();
    }
    if (!state_.waiting_tool) return;
    const ToolResult result = parse_tool_result(content);
    finish(*std::exchange(state_.waiting_tool, nullptr), result.ok, result.members);
}

void Replay::on_silence() {
    if (complete_keys(true)) return;
    ++state_.silences;
    escalate(script_.silence, state_.silences);
}

void Replay::on_no_match() {
    if (interrupted_) return say(script_.interrupted);  // a cough in the middle of our sentence proves nothing
    ++state_.no_matches;
    if (state_.asking == Asking::slot && state_.slot && failed_try()) return;
    escalate(script_.no_match, state_.no_matches);
}

void Replay::escalate(const Escalation& escalation, int count) {
    if (count >= escalation.after) {
        state_.no_matches = state_.silences = 0;
        return follow(escalation.then);
    }
    say(escalation.says[std::min(static_cast<std::size_t>(count - 1), escalation.says.size() - 1)]);
    if (count >= 2 && state_.asking == Asking::slot && state_.slot) say(state_.slot->help);
    ask_again();
}

bool Replay::failed_try() {
    if (++state_.tries[state_.slot->name] < state_.slot->tries) return false;
    state_.no_matches = 0;
    follow(state_.slot->on_fail);
    return true;
}

void Replay::skip_slot() {
    if (!state_.slot || !state_.intent) return ask_again();
    state_.skipped.insert(state_.slot->name);
    advance();
}

}  // namespace jackfield::scripted
