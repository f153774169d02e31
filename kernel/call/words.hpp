#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// What turn-taking needs to know of words (English).
namespace jackfield::call {

/// "stop", "wait", "hold on": said over the agent, they interrupt at once.
bool is_stop_phrase(std::string_view text);

/// Words that are not backchannels ("mhm", "yeah", "okay", "right").
int count_meaningful_words(std::string_view text);

/// The largest position <= `bytes` at which `text` may be cut: behind a word, never in a UTF-8 sequence.
std::size_t cut_at_word(std::string_view text, std::uint64_t bytes);

/// The "to" of the transfer tool's arguments, empty when there is none.
std::string transfer_target(std::string_view arguments_json);

}  // namespace jackfield::call
