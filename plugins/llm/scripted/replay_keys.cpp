// What the caller presses.

#include "replay.hpp"

namespace jackfield::scripted {

void Replay::on_keys(std::string_view pressed) {
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

bool Replay::collect_keys(std::string_view pressed) {
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

bool Replay::complete_keys(bool after_pause) {
    if (state_.keys.empty() || !state_.slot || state_.asking != Asking::slot) return false;
    const std::string keys = std::exchange(state_.keys, {});
    return take_keys(keys, true) || !after_pause;
}

bool Replay::take_keys(std::string_view keys, bool complain) {
    const std::optional<FoundValue> found = keyed_value(*state_.slot, keys, conversation_.now);
    if (!found) {
        if (complain) refuse(*state_.slot, Refusal::invalid, {});
        return complain;
    }
    take(*state_.slot, *found);
    return true;
}

}  // namespace jackfield::scripted
