// What a child process writes where its speech should come: fed whole and in small steps, which
// must agree.

#include "plugins/tts/espeak_ng/wav.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using jackfield::tts_espeak_ng::WavReader;
    WavReader at_once, in_steps;
    std::vector<std::int16_t> one, many;
    at_once.feed(data, size, one);
    const std::size_t step = size ? data[0] % 17 + 1 : 1;
    for (std::size_t at = 0; at < size; at += step)
        in_steps.feed(data + at, step < size - at ? step : size - at, many);
    if (at_once.rate_hz() != 0 && in_steps.rate_hz() != 0 && one != many) std::abort();
    return 0;
}
