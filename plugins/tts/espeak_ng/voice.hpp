#pragma once

#include "config.hpp"

#include <jackfield/sdk/tts.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace jackfield::tts_espeak_ng {

std::shared_ptr<sdk::tts::Synthesiser> make_voice(const Config& config, std::string name);

/// Runs the program once and throws what went wrong.
void try_voice(const Config& config, const std::string& name);

/// Well-formed UTF-8 without control characters: bytes that are neither become spaces. Same length.
std::string plain_text(std::string_view text);

}  // namespace jackfield::tts_espeak_ng
