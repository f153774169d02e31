#pragma once

#include <algorithm>
#include <cstdint>

namespace jackfield::pocketsphinx {

/// How much must have been said until what is there so far is worth decoding again, when the last time took `took_ms` of real time. Each decoding
/// begins at the beginning, hence the growth. And at most a fifth of the time goes into them: on a machine that is behind, the final would
/// otherwise wait for a partial result that is worth nothing any more once it comes.
inline std::uint32_t next_partial_ms(std::uint32_t speech_ms, std::uint64_t took_ms) {
    constexpr double growth = 1.6;
    constexpr std::uint64_t rest = 4;
    const auto grown = static_cast<std::uint64_t>(speech_ms * growth);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(std::max(grown, speech_ms + rest * took_ms), UINT32_MAX));
}

}  // namespace jackfield::pocketsphinx
