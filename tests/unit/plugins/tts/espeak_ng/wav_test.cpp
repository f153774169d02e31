#include "wav.hpp"

#include <string>

#include <gtest/gtest.h>

namespace jackfield::tts_espeak_ng {
namespace {

std::string le(std::uint32_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
    return out;
}
std::string format(std::uint32_t tag = 1,
                   std::uint32_t channels = 1,
                   std::uint32_t rate = 22050,
                   std::uint32_t bits = 16) {
    return "fmt " + le(16, 4) + le(tag, 2) + le(channels, 2) + le(rate, 4) + le(rate * 2, 4) +
           le(2, 2) + le(bits, 2);
}
std::string wav(const std::string& chunks, std::uint32_t data_size, const std::string& data) {
    return "RIFF" + le(0x7ffff024, 4) + "WAVE" + chunks + "data" + le(data_size, 4) + data;
}

struct Read {
    std::vector<std::int16_t> samples;
    std::uint32_t rate_hz;
    std::string problem;
};
Read read(const std::string& stream, std::size_t step) {
    WavReader reader;
    Read out{};
    for (std::size_t at = 0; at < stream.size(); at += step)
        reader.feed(reinterpret_cast<const std::uint8_t*>(stream.data()) + at,
                    std::min(step, stream.size() - at),
                    out.samples);
    out.rate_hz = reader.rate_hz();
    out.problem = reader.problem();
    return out;
}

const std::string four_samples = le(1, 2) + le(0xffff, 2) + le(0x8000, 2) + le(0x7fff, 2);
const std::vector<std::int16_t> expected{1, -1, -32768, 32767};

TEST(WavReader, ReadsAStreamOfUnknownLengthInPiecesOfAnySize) {
    for (const std::uint32_t length : {0x7ffff000u, 0u, 0xffffffffu, 8u})
        for (std::size_t step = 1; step < 60; ++step) {
            const Read got = read(wav(format(), length, four_samples), step);
            EXPECT_EQ(got.samples, expected);
            EXPECT_EQ(got.rate_hz, 22050u);
            EXPECT_EQ(got.problem, "");
        }
}

TEST(WavReader, SkipsOtherChunksAndWhatFollowsTheData) {
    const Read got = read(
        wav("LIST" + le(3, 4) + "abc" + '\0' + format(), 8, four_samples + "trailing junk"), 7);

    EXPECT_EQ(got.samples, expected);
}

TEST(WavReader, RefusesWhatIsNoPlainMonoAudio) {
    EXPECT_EQ(read("usage: espeak-ng [options]", 26).problem, "it is no WAV stream");
    EXPECT_EQ(read(wav(format(3), 8, four_samples), 99).problem,
              "it is not 16 bit PCM in one channel");
    EXPECT_EQ(read(wav(format(1, 2), 8, four_samples), 99).problem,
              "it is not 16 bit PCM in one channel");
    EXPECT_EQ(read(wav(format(1, 1, 22050, 8), 8, four_samples), 99).problem,
              "it is not 16 bit PCM in one channel");
    EXPECT_EQ(read(wav(format(1, 1, 5), 8, four_samples), 99).problem,
              "its sample rate is out of range");
    EXPECT_EQ(read(wav("", 8, four_samples), 99).problem, "its audio comes before its format");
    EXPECT_EQ(read(wav("junk" + le(0xfffffff0, 4), 8, four_samples), 99).problem,
              "its header is too long");
}

}  // namespace
}  // namespace jackfield::tts_espeak_ng
