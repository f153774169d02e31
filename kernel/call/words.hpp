#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "call/language.hpp"

/// What turn-taking needs to know of words.
namespace jackfield::call {

/// "stop", "wait", "hold on": said over the agent, they interrupt at once. Alone or with more behind them.
bool is_stop_phrase(const Language& language, std::string_view text);

/// One of the phrases stands somewhere in the text, word for word.
bool has_phrase(const std::vector<std::string>& phrases, std::string_view text);

/// All of it means "go on": "mhm, yeah", "alles klar". False for no words at all.
bool is_backchannel(const Language& language, std::string_view text);

/// Words that are not backchannels. Chinese and Japanese write no spaces: there two characters count as a word.
int count_meaningful_words(const Language& language, std::string_view text);

/// The same words in the same order, whatever their case and punctuation.
bool same_words(std::string_view a, std::string_view b);

/// The words of `phrase` stand together somewhere in `text`.
bool has_words(std::string_view text, std::string_view phrase);

/// The largest position <= `bytes` at which `text` may be cut: behind a word, never in a UTF-8 sequence.
std::size_t cut_at_word(std::string_view text, std::uint64_t bytes);

/// A voice would make a sound of it: there are letters or digits in it.
bool would_be_heard(std::string_view text);

/// Nothing is missing behind it: it ends with a full stop or its like, quotes and brackets aside.
bool ends_sentence(std::string_view text);

/// The "to" of the transfer tool's arguments, empty when there is none.
std::string transfer_target(std::string_view arguments_json);

}  // namespace jackfield::call
