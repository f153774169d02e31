// A task from its first word to its tool: slots that are filled, confirmed, changed.

#include "replay.hpp"

#include <algorithm>

namespace jackfield::scripted {

void Replay::start_or_digress(const Intent& intent) { start(intent, {}, nullptr); }

void Replay::start(const Intent& intent, const Words& words, const Phrase* phrase) {
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

void Replay::begin_intent(const Intent& intent, const Words& words, const Phrase* phrase) {
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

void Replay::mark(std::vector<bool>& used, const FoundValue& found) {
    for (std::size_t i = found.from; i < found.from + found.length && i < used.size(); ++i) used[i] = true;
}

bool Replay::task_words(const Words& words, const std::string& text) {
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

bool Replay::task_answer(const Words& words, Polarity polarity) {
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

const Slot* Replay::slot_named_in(const Words& words) const {
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

Refusal Replay::check(const Slot& slot, const FoundValue& found) const {
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

int Replay::task_weekday() const {
    for (const std::string& name : state_.intent->slots)
        if (const auto found = state_.values.find(name); found != state_.values.end() && found->second.value.weekday >= 0)
            return found->second.value.weekday;
    return -1;
}

void Replay::keep(const Slot& slot, const FoundValue& found) {
    state_.values[slot.name] = {found.value, slot.confirm != Confirm::explicit_};
    state_.skipped.erase(slot.name);
    if (slot.confirm == Confirm::implicit) echo_.push_back(&slot);
}

void Replay::take(const Slot& slot, const FoundValue& found) {
    take_all({{&slot, found}});
}

void Replay::take_all(const std::vector<std::pair<const Slot*, FoundValue>>& all) {
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

void Replay::refuse(const Slot& slot, Refusal refusal, const std::string& spoken) {
    state_.slot = &slot;
    state_.asking = Asking::slot;
    if (failed_try()) return;
    say(refusal == Refusal::closed ? slot.closed : slot.invalid, &spoken);
    ask_again();
}

void Replay::advance() {
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

void Replay::say_echo() {
    for (const Slot* slot : echo_)
        if (const auto held = state_.values.find(slot->name); held != state_.values.end())
            say(slot->echo, &held->second.value.spoken);
    echo_.clear();
}

void Replay::complete_task() {
    const Intent& intent = *state_.intent;
    if (intent.tool.empty()) return finish(intent, true, {});
    const std::string tool = offered_name(intent.tool);
    const bool offered = std::find(conversation_.tools.begin(), conversation_.tools.end(), tool) != conversation_.tools.end();
    if (!offered) return finish(intent, false, {{"error", "that is not possible at the moment"}});
    say(intent.wait_says);
    call_ = ToolCall{call_id(), tool, json_object(arguments_of(intent))};
    state_.waiting_tool = &intent;
}

std::string Replay::offered_name(std::string name) {
    if (name.starts_with("host:")) name.erase(0, 5);
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}

std::vector<JsonMember> Replay::arguments_of(const Intent& intent) const {
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

std::vector<JsonMember> Replay::slot_arguments(const Intent& intent) const {
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

void Replay::finish(const Intent& intent, bool ok, const std::map<std::string, std::string>& result) {
    say(ok ? answer_of(intent) : intent.says_failed, nullptr, &result);
    to_open(Asking::open);
    state_.last_prompt = script_.prompt;
    follow(ok ? intent.then : intent.then_failed);
}

const std::string& Replay::answer_of(const Intent& intent) const {
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

}  // namespace jackfield::scripted
