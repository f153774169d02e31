#include "media/level.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace jackfield::media {
namespace {

constexpr float full_scale_square = 32768.0F * 32768.0F;
constexpr float floor_dbov = -127.0F;
// The outermost code of each law stands for everything beyond it.
constexpr int linear_clip = 32767;
constexpr int mu_clip = 32124;
constexpr int a_clip = 32256;

std::uint64_t sum_of_squares(std::span<const std::int16_t> frame) {
    std::uint64_t sum = 0;
    for (const std::int16_t sample : frame) {
        const auto value = static_cast<std::int32_t>(sample);
        sum += static_cast<std::uint32_t>(value * value);
    }
    return sum;
}

struct SquareTable {
    explicit SquareTable(G711Law law) {
        const auto linear = decode_table(law);
        for (std::size_t code = 0; code < square.size(); ++code) {
            const auto value = static_cast<std::int32_t>(linear[code]);
            square[code] = static_cast<std::uint32_t>(value * value);
        }
    }
    std::array<std::uint32_t, 256> square{};
};

const std::array<std::uint32_t, 256>& squares(G711Law law) {
    static const SquareTable mu(G711Law::mu);
    static const SquareTable a(G711Law::a);
    return law == G711Law::mu ? mu.square : a.square;
}

float to_mean(std::uint64_t sum, std::size_t n) {
    return n == 0 ? 0.0F : static_cast<float>(static_cast<double>(sum) / static_cast<double>(n));
}

}  // namespace

Level measure(std::span<const std::int16_t> frame) {
    Level level;
    for (const std::int16_t sample : frame) {
        const int magnitude = std::abs(static_cast<int>(sample));
        level.peak = std::max(level.peak, magnitude);
        level.clipped += magnitude >= linear_clip ? 1U : 0U;
    }
    level.rms_dbov = mean_square_to_dbov(mean_square(frame));
    return level;
}

Level measure(G711Law law, std::span<const std::uint8_t> frame) {
    const auto linear = decode_table(law);
    const int clip = law == G711Law::mu ? mu_clip : a_clip;
    Level level;
    for (const std::uint8_t code : frame) {
        const int magnitude = std::abs(static_cast<int>(linear[code]));
        level.peak = std::max(level.peak, magnitude);
        level.clipped += magnitude >= clip ? 1U : 0U;
    }
    level.rms_dbov = mean_square_to_dbov(mean_square(law, frame));
    return level;
}

float mean_square(std::span<const std::int16_t> frame) {
    return to_mean(sum_of_squares(frame), frame.size());
}

float mean_square(G711Law law, std::span<const std::uint8_t> frame) {
    const auto& table = squares(law);
    std::uint64_t sum = 0;
    for (const std::uint8_t code : frame) sum += table[code];
    return to_mean(sum, frame.size());
}

float mean_square_to_dbov(float mean_square) {
    if (mean_square <= 0.0F) return floor_dbov;
    return std::max(floor_dbov, 10.0F * std::log10(mean_square / full_scale_square));
}

float dbov_to_mean_square(float dbov) {
    return full_scale_square * std::pow(10.0F, dbov / 10.0F);
}

}  // namespace jackfield::media
