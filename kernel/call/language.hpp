#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jackfield::call {

/// How sentences of a language end: what the clause chunker needs to know of it.
struct SentenceRules {
    /// A full stop behind these never ends a sentence: a name or a number follows ("Dr. Miller"). Lower case, without the last stop.
    std::vector<std::string_view> titles;
    /// Behind these it does when a capital letter follows ("at 9 a.m. We ...").
    std::vector<std::string_view> shortenings;
    /// Short for "number": no sentence ends behind it when a digit follows ("No. 5"); "no" itself may be a word.
    std::vector<std::string_view> number_signs;
    /// "3. Mai": a full stop behind a number makes an ordinal of it.
    bool ordinal_stop = false;
    /// A single capital letter that is a word of its own and no initial ("I").
    char single_word = 0;
};

/// What turn-taking needs to know of a language.
struct Language {
    std::string code;                       ///< first subtag of BCP 47: "de"
    std::vector<std::string> stop_phrases;  ///< said over the agent, they interrupt at once
    std::vector<std::string> backchannels;  ///< said over the agent, they mean "go on"
    SentenceRules sentences;
};

/// By BCP 47 tag, of which the first subtag decides ("de-AT"). A language that isn't in the table gets sounds that mean the same in most
/// of them for backchannels, no stop phrases, and sentences that end at every full stop.
const Language& language_of(std::string_view tag);

/// The same with an agent's own lists in place of those that aren't empty.
Language language_of(std::string_view tag, const std::vector<std::string>& stop_phrases, const std::vector<std::string>& backchannels);

/// The codes of the table, for documentation and tests.
std::vector<std::string> known_languages();

}  // namespace jackfield::call
