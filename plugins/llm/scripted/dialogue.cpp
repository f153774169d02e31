#include "dialogue.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "json.hpp"
#include "slots.hpp"

namespace jackfield::scripted {
namespace {

constexpr double sure = 0.95;       // the utterance is one of the script's phrases
constexpr double good_enough = 0.65; // it is near one
constexpr double by_keyword = 0.72;
constexpr int max_hops = 8;  // goto after goto

struct Filled {
    Value value;
    bool confirmed = false;
};

struct State {
    Asking asking = Asking::open;
    const Intent* intent = nullptr;
    const Slot* slot = nullptr;
    std::map<std::string, Filled> values;
    std::map<std::string, int> tries;
    std::set<std::string> skipped;
    const Intent* waiting_tool = nullptr;
    bool transferring = false;
    bool ended = false;
    int no_matches = 0;
    int silences = 0;
    std::string keys;         // pressed, not yet complete
    std::string last_prompt;  // what the caller was asked last
    std::string last_reply;
};

struct Match {
    const Intent* intent = nullptr;
    const Phrase* phrase = nullptr;
    double score = 0;
};

class Replay {
  public:
    Replay(const Script& script, const Conversation& conversation) : script_(script), conversation_(conversation) {}

    Turn run() {
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

  private:
    // ---- what is said

    void begin() {
        reply_.clear();
        call_.reset();
        echo_.clear();
        hops_ = 0;
        ++turn_;
    }

    void say(const std::string& text, const std::string* value = nullptr, const std::map<std::string, std::string>* result = nullptr) {
        const std::string filled = capitalised(fill(text, value, result));
        if (filled.empty()) return;
        if (!reply_.empty()) reply_ += ' ';
        reply_ += filled;
    }

    /// Says it and keeps it as what the caller has to answer.
    void prompt(const std::string& text, const std::string* value = nullptr) {
        state_.last_prompt = fill(text, value, nullptr);
        say(state_.last_prompt);
    }

    std::string fill(const std::string& text, const std::string* value, const std::map<std::string, std::string>* result) const {
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

    std::string placeholder(const std::string& name, const std::string* value, const std::map<std::string, std::string>* result) const {
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

    // ---- the course of the conversation

    void greet() {
        begin();
        const bool closed = script_.hours.known && conversation_.now && !script_.hours.open_at(*conversation_.now);
        prompt(closed && !script_.greeting_closed.empty() ? script_.greeting_closed : script_.greeting);
        state_.last_reply = reply_;
        // Repeating the whole greeting after a cough would tire the caller: the question is what is asked again.
        state_.last_prompt = script_.prompt;
    }

    void to_open(Asking asking) {
        state_.asking = asking;
        state_.intent = nullptr;
        state_.slot = nullptr;
        state_.values.clear();
        state_.tries.clear();
        state_.skipped.clear();
        state_.keys.clear();
        state_.waiting_tool = nullptr;
    }

    void ask_anything_else() {
        to_open(Asking::anything_else);
        prompt(script_.anything_else);
    }

    void hang_up() {
        to_open(Asking::open);
        say(script_.goodbye);
        state_.last_prompt = script_.prompt;
        call_ = ToolCall{call_id(), "hang_up", "{}"};
        state_.ended = true;
    }

    void hand_over() {
        to_open(Asking::open);
        say(script_.person_says);
        state_.last_prompt = script_.prompt;
        call_ = ToolCall{call_id(), "transfer", json_object({{"to", script_.person_to}})};
        state_.transferring = true;
    }

    std::string call_id() const { return "call-" + std::to_string(turn_); }

    /// What was asked last, once more and possibly in other words.
    void ask_again() {
        if (state_.asking == Asking::slot && state_.slot) {
            const int tries = std::max(1, state_.tries[state_.slot->name]);
            const auto& texts = state_.slot->reask;
            prompt(texts[std::min(static_cast<std::size_t>(tries - 1), texts.size() - 1)]);
        } else {
            say(state_.last_prompt);
        }
    }

    void follow(const Next& next) {
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

    // ---- messages

    void on_user(const Message& message) {
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

    void on_tool(std::string_view content) {
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

    void on_silence() {
        if (complete_keys(true)) return;
        ++state_.silences;
        escalate(script_.silence, state_.silences);
    }

    void on_no_match() {
        if (interrupted_) return say(script_.interrupted);  // a cough in the middle of our sentence proves nothing
        ++state_.no_matches;
        if (state_.asking == Asking::slot && state_.slot && failed_try()) return;
        escalate(script_.no_match, state_.no_matches);
    }

    void escalate(const Escalation& escalation, int count) {
        if (count >= escalation.after) {
            state_.no_matches = state_.silences = 0;
            return follow(escalation.then);
        }
        say(escalation.says[std::min(static_cast<std::size_t>(count - 1), escalation.says.size() - 1)]);
        if (count >= 2 && state_.asking == Asking::slot && state_.slot) say(state_.slot->help);
        ask_again();
    }

    /// Counts a failed try for the slot in hand; true when that was the last one and the script's way out was taken.
    bool failed_try() {
        if (++state_.tries[state_.slot->name] < state_.slot->tries) return false;
        state_.no_matches = 0;
        follow(state_.slot->on_fail);
        return true;
    }

    void skip_slot() {
        if (!state_.slot || !state_.intent) return ask_again();
        state_.skipped.insert(state_.slot->name);
        advance();
    }

    // ---- keys

    void on_keys(std::string_view pressed) {
        if (pressed.size() > 64) pressed = pressed.substr(0, 64);
        state_.no_matches = 0;
        const bool dictating = state_.asking == Asking::slot && state_.slot && state_.slot->type != SlotType::name;
        if (dictating && collect_keys(pressed)) return;
        if (!dictating) state_.keys.clear();
        if (state_.asking == Asking::confirm_slot || state_.asking == Asking::confirm_task ||
            state_.asking == Asking::anything_else) {
            if (pressed == "1") return on_yes();
            if (pressed == "2") return on_no();
        }
        for (const std::vector<Intent>* list : {&script_.globals, &script_.intents})
            for (const Intent& intent : *list)
                if (!intent.dtmf.empty() && intent.dtmf == pressed) return start_or_digress(intent);
        on_no_match();
    }

    /// Keys for the slot in hand. False when they are not for it.
    bool collect_keys(std::string_view pressed) {
        const Slot& slot = *state_.slot;
        if (pressed == "*") {
            if (state_.keys.empty()) return false;
            state_.keys.clear();
            ask_again();
            return true;
        }
        // Where no digit is an answer by itself, 0 still reaches a person.
        const bool single = slot.type == SlotType::weekday || slot.type == SlotType::choice || slot.type == SlotType::yes_no ||
                            slot.type == SlotType::text;
        if (single) return take_keys(pressed, false);
        const bool ends = pressed.ends_with('#');
        const bool burst = pressed.size() > 1;  // the host has waited for the pause itself
        for (const char c : pressed)
            if (c >= '0' && c <= '9' && state_.keys.size() < 64) state_.keys += c;
        const int length = static_cast<int>(state_.keys.size());
        const bool full = slot.is_digits() && length >= slot.max_length;
        if (ends || full || (burst && length >= (slot.is_digits() ? slot.min_length : 1))) return complete_keys(false);
        return true;  // more to come: nothing is said meanwhile
    }

    bool complete_keys(bool after_pause) {
        if (state_.keys.empty() || !state_.slot || state_.asking != Asking::slot) return false;
        const std::string keys = std::exchange(state_.keys, {});
        return take_keys(keys, true) || !after_pause;
    }

    bool take_keys(std::string_view keys, bool complain) {
        const std::optional<FoundValue> found = keyed_value(*state_.slot, keys, conversation_.now);
        if (!found) {
            if (complain) refuse(*state_.slot, Refusal::invalid, {});
            return complain;
        }
        take(*state_.slot, *found);
        return true;
    }

    // ---- words

    bool on_words(const Words& words, const std::string& text) {
        const Match global = best_of(script_.globals, words);
        if (global.score >= sure) return start_or_digress(*global.intent), true;
        const Match other = best_of(script_.intents, words);
        const bool in_task = state_.asking != Asking::open && state_.asking != Asking::anything_else;
        const bool names_another = other.score >= sure && other.intent != state_.intent;

        if (in_task && !names_another && task_words(words, text)) return true;
        const Match& best = global.score > other.score ? global : other;
        if (best.score >= good_enough) {
            start(*best.intent, words, best.phrase);
            return true;
        }
        if (in_task) return false;
        const Polarity polarity = polarity_of(words);
        if (state_.asking == Asking::anything_else && polarity != Polarity::none)
            return polarity == Polarity::yes ? on_yes() : on_no(), true;
        if (state_.asking == Asking::open && polarity == Polarity::yes && words.size() <= 2)
            return prompt(script_.prompt), true;
        return false;
    }

    Match best_of(const std::vector<Intent>& intents, const Words& words) const {
        Match best;
        const Phrase::ReadSlot read = [&](const std::string& name, std::size_t at) {
            const Slot* slot = script_.slot(name);
            return slot ? value_length_at(*slot, words, at, conversation_.now) : 0;
        };
        for (const Intent& intent : intents) {
            for (const Phrase& phrase : intent.phrases)
                if (const double score = phrase.score(words, read); score > best.score) best = {&intent, &phrase, score};
            if (best.score < by_keyword && has_keyword(intent, words)) best = {&intent, nullptr, by_keyword};
        }
        return best;
    }

    static bool has_keyword(const Intent& intent, const Words& words) {
        for (const std::string& keyword : intent.keywords) {
            const Words wanted = words_of(keyword);
            if (!wanted.empty() && std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end())
                return true;
        }
        return false;
    }

    void on_yes() {
        switch (state_.asking) {
            case Asking::confirm_slot:
                state_.values[state_.slot->name].confirmed = true;
                return advance();
            case Asking::confirm_task: return complete_task();
            case Asking::change: return ask_again();
            default: to_open(Asking::open); return prompt(script_.prompt);
        }
    }

    void on_no() {
        switch (state_.asking) {
            case Asking::confirm_slot:
                state_.values.erase(state_.slot->name);
                state_.asking = Asking::slot;
                if (!failed_try()) ask_again();
                return;
            case Asking::confirm_task:
                state_.asking = Asking::change;
                return prompt(state_.intent->change_says);
            case Asking::change: return advance();  // nothing to change after all
            default: return hang_up();
        }
    }

    // ---- tasks

    void start_or_digress(const Intent& intent) { start(intent, {}, nullptr); }

    /// Something new is wanted. What only informs is answered in passing and the task in hand goes on.
    void start(const Intent& intent, const Words& words, const Phrase* phrase) {
        const bool in_task = state_.asking != Asking::open && state_.asking != Asking::anything_else;
        const bool informs = intent.slots.empty() && intent.tool.empty();
        if (informs && (in_task || intent.then.kind == Next::Kind::stay || intent.then.kind == Next::Kind::repeat)) {
            const std::string help = in_task && state_.slot && intent.name == "help" ? state_.slot->help : std::string();
            say(help.empty() ? answer_of(intent) : help);
            const bool leads_away = intent.then.kind != Next::Kind::ask && intent.then.kind != Next::Kind::prompt;
            return leads_away ? follow(intent.then) : ask_again();
        }
        if (&intent == state_.intent && in_task) {
            ask_again();
            return;
        }
        begin_intent(intent, words, phrase);
    }

    void begin_intent(const Intent& intent, const Words& words = {}, const Phrase* phrase = nullptr) {
        to_open(Asking::open);
        state_.intent = &intent;
        std::vector<bool> used(words.size());
        std::optional<std::pair<const Slot*, Refusal>> refused;
        std::string refused_value;
        const std::vector<std::string> in_phrase = phrase ? phrase->slots() : std::vector<std::string>();
        for (const std::string& name : intent.slots) {
            const Slot* slot = script_.slot(name);
            const bool named = std::find(in_phrase.begin(), in_phrase.end(), name) != in_phrase.end();
            std::optional<FoundValue> found =
                find_value(*slot, words, used, named ? Reading::asked : Reading::offered, conversation_.now);
            if (!found) continue;
            mark(used, *found);
            if (const Refusal refusal = check(*slot, *found); refusal != Refusal::none) {
                if (!refused) {
                    refused = {slot, refusal};
                    refused_value = found->value.spoken;
                }
                continue;
            }
            keep(*slot, *found);
        }
        if (refused) say(refused->second == Refusal::closed ? refused->first->closed : refused->first->invalid, &refused_value);
        advance();
    }

    static void mark(std::vector<bool>& used, const FoundValue& found) {
        for (std::size_t i = found.from; i < found.from + found.length && i < used.size(); ++i) used[i] = true;
    }

    /// An utterance while a task is in hand. False when nothing in it belongs to the task.
    bool task_words(const Words& words, const std::string& text) {
        const Intent& intent = *state_.intent;
        const bool asking_slot = state_.asking == Asking::slot;
        const Polarity polarity = polarity_of(words);
        std::vector<bool> used(words.size());
        std::vector<std::pair<const Slot*, FoundValue>> found;
        const auto look_for = [&](const Slot& slot, Reading reading) {
            std::optional<FoundValue> value = find_value(slot, words, used, reading, conversation_.now);
            if (!value) return false;
            mark(used, *value);
            found.emplace_back(&slot, std::move(*value));
            return true;
        };

        // What is unmistakable is read first, so that "actually tuesday at ten" is no ten in a telephone number.
        const Slot* asked = asking_slot || state_.asking == Asking::confirm_slot ? state_.slot : nullptr;
        // Runs of digits come before times, which are made of the same words.
        for (const bool digits : {true, false})
            for (const std::string& name : intent.slots) {
                const Slot* slot = script_.slot(name);
                const bool in_dictation = asked && asked->is_digits() && slot->type == SlotType::time;
                if (slot != asked && slot->is_digits() == digits && !in_dictation) look_for(*slot, Reading::offered);
            }
        if (asked && !(state_.asking == Asking::confirm_slot && asked->type == SlotType::yes_no)) look_for(*asked, Reading::asked);
        if (asking_slot && found.empty() && asked && (asked->type == SlotType::name || asked->type == SlotType::text)) {
            // A phrase of the script is no name; everything else is taken at its word.
            if (const Match other = best_of(script_.intents, words); other.score >= good_enough && asked->type == SlotType::name)
                return false;
            if (std::optional<FoundValue> value = whole_value(*asked, text)) found.emplace_back(asked, std::move(*value));
        }
        const bool correcting = polarity == Polarity::no || state_.asking == Asking::change;
        if (!asking_slot && found.empty() && correcting) {
            for (const std::string& name : intent.slots) {
                const Slot* slot = script_.slot(name);
                if (slot->type == SlotType::yes_no || slot->type == SlotType::name || slot->type == SlotType::text) continue;
                const std::optional<FoundValue> value = find_value(*slot, words, used, Reading::asked, conversation_.now);
                if (!value || value->refusal != Refusal::none) continue;
                found.emplace_back(slot, *value);
                break;
            }
        }
        if (!found.empty()) {
            const bool nothing_new = std::all_of(found.begin(), found.end(), [&](const auto& pair) {
                const auto held = state_.values.find(pair.first->name);
                return held != state_.values.end() && held->second.value == pair.second.value;
            });
            // "Yes, Monday" confirms Monday.
            if (!asking_slot && polarity == Polarity::yes && nothing_new) on_yes();
            else take_all(found);
            return true;
        }
        return task_answer(words, polarity);
    }

    /// Yes, no, and "change the day".
    bool task_answer(const Words& words, Polarity polarity) {
        if (state_.asking != Asking::slot || polarity == Polarity::no) {
            if (const Slot* named = slot_named_in(words)) {
                state_.values.erase(named->name);
                state_.slot = named;
                state_.asking = Asking::slot;
                prompt(named->ask);
                return true;
            }
        }
        if (state_.asking == Asking::slot) {
            if (polarity != Polarity::no || !state_.slot->optional) return false;
            skip_slot();
            return true;
        }
        if (polarity == Polarity::none) return false;
        polarity == Polarity::yes ? on_yes() : on_no();
        return true;
    }

    const Slot* slot_named_in(const Words& words) const {
        for (const std::string& name : state_.intent->slots) {
            const Slot* slot = script_.slot(name);
            for (const std::string& label : slot->labels) {
                const Words wanted = words_of(label);
                if (!wanted.empty() && std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end())
                    return slot;
            }
        }
        return nullptr;
    }

    Refusal check(const Slot& slot, const FoundValue& found) const {
        if (found.refusal != Refusal::none) return found.refusal;
        if (!slot.open_only) return Refusal::none;
        if (slot.type == SlotType::weekday || slot.type == SlotType::date) {
            const bool open = found.value.date ? script_.hours.open_on(*found.value.date) : script_.hours.open_on(found.value.weekday);
            return open ? Refusal::none : Refusal::closed;
        }
        if (slot.type != SlotType::time) return Refusal::none;
        const int weekday = task_weekday();
        if (weekday >= 0) return script_.hours.open_at(weekday, found.value.minute) ? Refusal::none : Refusal::closed;
        for (int day = 0; day < 7; ++day)
            if (script_.hours.open_at(day, found.value.minute)) return Refusal::none;
        return Refusal::closed;
    }

    int task_weekday() const {
        for (const std::string& name : state_.intent->slots)
            if (const auto found = state_.values.find(name); found != state_.values.end() && found->second.value.weekday >= 0)
                return found->second.value.weekday;
        return -1;
    }

    void keep(const Slot& slot, const FoundValue& found) {
        state_.values[slot.name] = {found.value, slot.confirm != Confirm::explicit_};
        state_.skipped.erase(slot.name);
        if (slot.confirm == Confirm::implicit) echo_.push_back(&slot);
    }

    void take(const Slot& slot, const FoundValue& found) {
        take_all({{&slot, found}});
    }

    void take_all(const std::vector<std::pair<const Slot*, FoundValue>>& all) {
        // Days first: whether a time is possible depends on the day that was given with it.
        std::vector<std::pair<const Slot*, FoundValue>> ordered = all;
        std::stable_partition(ordered.begin(), ordered.end(), [](const auto& pair) { return pair.second.value.weekday >= 0; });
        for (const auto& [slot, found] : ordered) {
            if (const Refusal refusal = check(*slot, found); refusal != Refusal::none) return refuse(*slot, refusal, found.value.spoken);
            keep(*slot, found);
        }
        // A new day may be one on which the time given before is outside the hours.
        for (const std::string& name : state_.intent->slots) {
            const Slot* slot = script_.slot(name);
            const auto held = state_.values.find(name);
            if (held == state_.values.end() || slot->type != SlotType::time) continue;
            FoundValue again;
            again.value = held->second.value;
            if (const Refusal refusal = check(*slot, again); refusal != Refusal::none) {
                const std::string spoken = again.value.spoken;
                state_.values.erase(held);
                return refuse(*slot, refusal, spoken);
            }
        }
        advance();
    }

    void refuse(const Slot& slot, Refusal refusal, const std::string& spoken) {
        state_.slot = &slot;
        state_.asking = Asking::slot;
        if (failed_try()) return;
        say(refusal == Refusal::closed ? slot.closed : slot.invalid, &spoken);
        ask_again();
    }

    /// To the next value that is missing or unconfirmed, then to the end of the task.
    void advance() {
        const Intent& intent = *state_.intent;
        for (const std::string& name : intent.slots) {
            const Slot* slot = script_.slot(name);
            const auto held = state_.values.find(name);
            if (held == state_.values.end() && state_.skipped.contains(name)) continue;
            if (held != state_.values.end() && held->second.confirmed) continue;
            state_.slot = slot;
            if (held == state_.values.end()) {
                say_echo();
                state_.asking = Asking::slot;
                return prompt(slot->ask);
            }
            state_.asking = Asking::confirm_slot;
            const std::string spoken = held->second.value.spoken;
            return prompt(slot->confirm_says, &spoken);
        }
        state_.slot = nullptr;
        if (!intent.confirm_says.empty()) {
            state_.asking = Asking::confirm_task;
            return prompt(intent.confirm_says);
        }
        complete_task();
    }

    /// What was just understood, so that the caller can object. A confirmation that follows says it anyway.
    void say_echo() {
        for (const Slot* slot : echo_)
            if (const auto held = state_.values.find(slot->name); held != state_.values.end())
                say(slot->echo, &held->second.value.spoken);
        echo_.clear();
    }

    void complete_task() {
        const Intent& intent = *state_.intent;
        if (intent.tool.empty()) return finish(intent, true, {});
        const std::string tool = offered_name(intent.tool);
        const bool offered = std::find(conversation_.tools.begin(), conversation_.tools.end(), tool) != conversation_.tools.end();
        if (!offered) return finish(intent, false, {{"error", "that is not possible at the moment"}});
        say(intent.wait_says);
        call_ = ToolCall{call_id(), tool, json_object(arguments_of(intent))};
        state_.waiting_tool = &intent;
    }

    /// "crm.lookup" as the host offers it to models.
    static std::string offered_name(std::string name) {
        if (name.starts_with("host:")) name.erase(0, 5);
        std::replace(name.begin(), name.end(), '.', '_');
        return name;
    }

    std::vector<JsonMember> arguments_of(const Intent& intent) const {
        const std::vector<JsonMember> slots = slot_arguments(intent);
        if (intent.arguments.empty()) return slots;
        std::vector<JsonMember> out;
        for (const auto& [name, wanted] : intent.arguments) {
            if (!wanted.starts_with('{') || !wanted.ends_with('}')) {
                out.push_back({name, wanted});
                continue;
            }
            const auto slot = std::find_if(slots.begin(), slots.end(), [&](const JsonMember& member) { return "{" + member.name + "}" == wanted; });
            if (slot != slots.end()) out.push_back({name, slot->value, slot->bare});
        }
        return out;
    }

    std::vector<JsonMember> slot_arguments(const Intent& intent) const {
        std::vector<JsonMember> out;
        for (const std::string& name : intent.slots) {
            const auto held = state_.values.find(name);
            if (held == state_.values.end()) continue;
            const Slot* slot = script_.slot(name);
            const Value& value = held->second.value;
            const bool bare = slot->type == SlotType::number || slot->type == SlotType::yes_no;
            out.push_back({name, value.canonical, bare});
            if (slot->type == SlotType::weekday && value.date) out.push_back({name + "_date", iso_date(*value.date)});
        }
        return out;
    }

    void finish(const Intent& intent, bool ok, const std::map<std::string, std::string>& result) {
        say(ok ? answer_of(intent) : intent.says_failed, nullptr, &result);
        to_open(Asking::open);
        state_.last_prompt = script_.prompt;
        follow(ok ? intent.then : intent.then_failed);
    }

    const std::string& answer_of(const Intent& intent) const {
        if (intent.says_open.empty() && intent.says_closed.empty()) return intent.says;
        bool open = false;
        if (!intent.hours_of.empty()) {
            const auto held = state_.values.find(intent.hours_of);
            if (held != state_.values.end()) {
                const Value& day = held->second.value;
                open = day.date ? script_.hours.open_on(*day.date) : script_.hours.open_on(day.weekday);
            }
        } else if (conversation_.now) {
            open = script_.hours.open_at(*conversation_.now);
        } else {
            return intent.says;
        }
        const std::string& text = open ? intent.says_open : intent.says_closed;
        return text.empty() ? intent.says : text;
    }

    const Script& script_;
    const Conversation& conversation_;
    State state_;
    std::string reply_;
    std::optional<ToolCall> call_;
    std::vector<const Slot*> echo_;
    bool interrupted_ = false;
    int hops_ = 0;
    int turn_ = 0;
};

}  // namespace

Turn next_turn(const Script& script, const Conversation& conversation) { return Replay(script, conversation).run(); }

}  // namespace jackfield::scripted
