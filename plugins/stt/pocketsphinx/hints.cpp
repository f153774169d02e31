#include "hints.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace jackfield::pocketsphinx {
namespace {

constexpr std::size_t max_entries = 5000;
constexpr std::size_t max_text = 256 * 1024;

std::vector<std::string> copy_list(const jf_array& in) {
    std::vector<std::string> out;
    for (std::uint32_t i = 0; i < in.n && out.size() < max_entries; ++i) {
        const std::string_view text = sdk::view(*JF_AT(jf_str, in, i));
        if (!text.empty() && text.size() <= 400) out.emplace_back(text);
    }
    return out;
}

void append(std::string& key, const std::string& text) { key += std::to_string(text.size()) + ':' + text; }

/// What a digits slot hears when it is told nothing else.
const std::vector<std::string>& digit_words() {
    static const std::vector<std::string> words{"zero", "oh",  "one",   "two",   "three", "four",   "five",
                                                "six",  "seven", "eight", "nine", "double", "triple"};
    return words;
}

}  // namespace

Hints Hints::copy(const jf_hints* hints) {
    Hints out;
    if (!hints) return out;
    if (JF_HAS(hints, jf_hints, slot)) out.slot = hints->slot;
    // A grammar cut in two is none; the parser says so.
    if (JF_HAS(hints, jf_hints, grammar)) out.grammar = std::string(sdk::view(hints->grammar).substr(0, max_text + 1));
    if (JF_HAS(hints, jf_hints, phrases)) out.phrases = copy_list(hints->phrases);
    if (JF_HAS(hints, jf_hints, keywords)) out.keywords = copy_list(hints->keywords);
    return out;
}

std::string Hints::key() const {
    std::string out = std::to_string(slot) + ';';
    append(out, grammar);
    for (const std::string& phrase : phrases) append(out += 'p', phrase);
    for (const std::string& keyword : keywords) append(out += 'k', keyword);
    return out;
}

std::shared_ptr<const Vocabulary> VocabularyCache::get(const Hints& hints, bool& made) {
    const std::string key = hints.key();
    made = false;
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = by_key_.find(key); found != by_key_.end()) {
            entries_.splice(entries_.begin(), entries_, found->second);
            return found->second->second;
        }
    }
    Vocabulary fresh = make(hints);
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) return found->second->second;
    made = true;
    fresh.id = next_id_++;
    entries_.emplace_front(key, std::make_shared<const Vocabulary>(std::move(fresh)));
    by_key_[key] = entries_.begin();
    if (entries_.size() > capacity_) {
        by_key_.erase(entries_.back().first);
        entries_.pop_back();
    }
    return entries_.front().second;
}

Vocabulary VocabularyCache::make(const Hints& hints) const {
    Vocabulary out;
    const auto known = [this](std::string_view word) { return lexicon_->has(word); };
    const Speak speak = [&](std::string_view text) { return spoken_words(text, known); };

    if (!hints.grammar.empty()) {
        Grammar grammar;
        try {
            if (parse_jsgf(hints.grammar, grammar, out.grammar_problem)) {
                out.network = compile(grammar, speak, out.unknown);
                if (out.network.empty()) out.grammar_problem = "the dictionary lacks words in each of its sentences";
            }
        } catch (const std::logic_error& problem) {
            out.grammar_problem = problem.what();
        }
        if (!out.network.empty()) return out;
    }

    std::vector<Phrase> phrases;
    std::set<std::vector<std::string>> seen;
    const auto add = [&](const std::vector<std::string>& texts, double weight) {
        for (const std::string& text : texts) {
            Spoken spoken = speak(text);
            if (!spoken.complete) ++out.unknown;
            else if (!spoken.words.empty() && seen.insert(spoken.words).second)
                phrases.push_back({std::move(spoken.words), weight});
        }
    };
    add(hints.phrases, 1);
    add(hints.keywords, 0.5);
    const bool digits = hints.slot == JF_SLOT_DIGITS;
    if (phrases.empty()) add(digits ? digit_words() : options_.default_phrases, 1);

    PhraseOptions how;
    how.join_probability = digits ? 0.9 : options_.join_probability;
    how.carrier_probability = options_.carrier_probability;
    for (const std::string& text : options_.carrier_phrases)
        if (Spoken spoken = speak(text); spoken.complete) how.carriers.push_back(std::move(spoken.words));
    try {
        out.network = compile(phrases, how);
    } catch (const std::length_error& problem) {
        out.grammar_problem = problem.what();
    }
    return out;
}

}  // namespace jackfield::pocketsphinx
