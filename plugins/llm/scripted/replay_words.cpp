// What the caller says, and whether it is a yes or a no.

#include "replay.hpp"

#include <algorithm>

namespace jackfield::scripted {
namespace {

constexpr double sure = 0.95;       // the utterance is one of the script's phrases
constexpr double by_keyword = 0.72;

}  // namespace

bool Replay::on_words(const Words& words, const std::string& text) {
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

Match Replay::best_of(const std::vector<Intent>& intents, const Words& words) const {
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

bool Replay::has_keyword(const Intent& intent, const Words& words) {
    for (const std::string& keyword : intent.keywords) {
        const Words wanted = words_of(keyword);
        if (!wanted.empty() && std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end())
            return true;
    }
    return false;
}

void Replay::on_yes() {
    switch (state_.asking) {
        case Asking::confirm_slot:
            state_.values[state_.slot->name].confirmed = true;
            return advance();
        case Asking::confirm_task: return complete_task();
        case Asking::change: return ask_again();
        default: to_open(Asking::open); return prompt(script_.prompt);
    }
}

void Replay::on_no() {
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

}  // namespace jackfield::scripted
