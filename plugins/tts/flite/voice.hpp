#pragma once

#include <jackfield/sdk/tts.hpp>

#include <memory>
#include <string_view>

namespace jackfield::tts_flite {

bool is_voice(std::string_view name);

/// Registers the voices with Flite, once per process; they live as long as it. Takes a few
/// milliseconds.
void load_voices();

/// `name` is one of the voices, which have been loaded. Shared by any number of threads.
std::shared_ptr<sdk::tts::Synthesiser> make_voice(std::string_view name,
                                                  double speed,
                                                  int pitch_hz);

}  // namespace jackfield::tts_flite
