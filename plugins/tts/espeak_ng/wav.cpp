#include "wav.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace jackfield::tts_espeak_ng {
namespace {

// espeak-ng's header has 44 bytes; tags that other writers put before the audio are short too.
constexpr std::size_t longest_header = 4096;

std::uint32_t u32(const std::uint8_t* p) {
    return static_cast<std::uint32_t>(p[0]) | static_cast<std::uint32_t>(p[1]) << 8 |
           static_cast<std::uint32_t>(p[2]) << 16 | static_cast<std::uint32_t>(p[3]) << 24;
}
std::uint16_t u16(const std::uint8_t* p) {
    return static_cast<std::uint16_t>(p[0] | p[1] << 8);
}

}  // namespace

bool WavReader::fail(std::string why) {
    problem_ = std::move(why);
    return false;
}

bool WavReader::feed(const std::uint8_t* bytes, std::size_t n, std::vector<std::int16_t>& samples) {
    if (!problem_.empty()) return false;
    if (n == 0) return true;
    if (in_data_) {
        take_samples(bytes, n, samples);
        return true;
    }
    head_.insert(head_.end(), bytes, bytes + n);
    if (!read_header()) return problem_.empty();
    const std::vector<std::uint8_t> rest = std::exchange(head_, {});
    take_samples(rest.data(), rest.size(), samples);
    return true;
}

bool WavReader::read_header() {
    if (head_.size() < 12) return false;
    if (std::memcmp(head_.data(), "RIFF", 4) != 0 || std::memcmp(head_.data() + 8, "WAVE", 4) != 0)
        return fail("it is no WAV stream");
    std::size_t at = 12;
    while (head_.size() - at >= 8) {
        const std::uint8_t* chunk = head_.data() + at;
        const std::uint32_t length = u32(chunk + 4);
        if (std::memcmp(chunk, "data", 4) == 0) {
            if (rate_hz_ == 0) return fail("its audio comes before its format");
            // A writer into a pipe can't go back to fill the length in: espeak-ng says almost 2
            // GiB, others 0 or all ones.
            left_ = length == 0 || length == UINT32_MAX ? UINT64_MAX : length;
            head_.erase(head_.begin(), head_.begin() + static_cast<std::ptrdiff_t>(at + 8));
            in_data_ = true;
            return true;
        }
        if (at + 8 + length > longest_header) return fail("its header is too long");
        if (head_.size() - at - 8 < length) break;
        if (std::memcmp(chunk, "fmt ", 4) == 0) {
            if (length < 16) return fail("its format chunk is too short");
            const std::uint8_t* format = chunk + 8;
            rate_hz_ = u32(format + 4);
            if (u16(format) != 1 || u16(format + 2) != 1 || u16(format + 14) != 16)
                return fail("it is not 16 bit PCM in one channel");
            if (rate_hz_ < 4000 || rate_hz_ > 192'000)
                return fail("its sample rate is out of range");
        }
        at += 8 + length + (length & 1u);
        if (at > head_.size()) break;
    }
    // `at` is not kept: the header is short, and it is read from its start when more has come.
    if (head_.size() > longest_header) return fail("its header is too long");
    return false;
}

void WavReader::take_samples(const std::uint8_t* bytes,
                             std::size_t n,
                             std::vector<std::int16_t>& samples) {
    n = static_cast<std::size_t>(std::min<std::uint64_t>(n, left_));
    left_ -= n;
    std::size_t i = 0;
    if (odd_byte_ >= 0 && n > 0) {
        samples.push_back(static_cast<std::int16_t>(odd_byte_ | bytes[0] << 8));
        odd_byte_ = -1;
        i = 1;
    }
    for (; i + 1 < n; i += 2) samples.push_back(static_cast<std::int16_t>(u16(bytes + i)));
    if (i < n) odd_byte_ = bytes[i];
}

}  // namespace jackfield::tts_espeak_ng
