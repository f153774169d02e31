#pragma once

#include <cstdint>
#include <string_view>

#include "media/g711.hpp"
#include "plugin_host/instance.hpp"

namespace jackfield::call {

/// What a recogniser ("stt") or a voice ("tts") is asked for on a line with this law: the line's own coding wherever it can be, L16 at the line's rate for a
/// plugin that declares that and not the line's.
std::uint16_t codec_for(const plugin_host::Instance& plugin, std::string_view interface_word, media::G711Law law);

}  // namespace jackfield::call
