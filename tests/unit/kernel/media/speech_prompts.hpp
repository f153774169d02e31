#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace jackfield::media {

/// A prompt of Asterisk's English sounds, spoken by a person, as 8 kHz samples. Fails the test with
/// the package to install when it is not there.
std::vector<std::int16_t> human_prompt(const std::string& name);

/// All prompts of the folder that are long enough to be sentences.
std::vector<std::vector<std::int16_t>> human_sentences();

}  // namespace jackfield::media
