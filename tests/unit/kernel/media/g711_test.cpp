#include "media/g711.hpp"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/sha.h>

namespace jackfield::media {
namespace {

std::string sha256_of_decode_table(G711Law law) {
    std::vector<std::uint8_t> bytes;
    for (const std::int16_t sample : decode_table(law)) {
        bytes.push_back(static_cast<std::uint8_t>(sample & 0xFF));
        bytes.push_back(static_cast<std::uint8_t>((sample >> 8) & 0xFF));
    }
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(bytes.data(), bytes.size(), digest.data());
    std::string hex;
    for (const unsigned char byte : digest) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

TEST(G711, DecodesEveryCodeAsTheRecommendationSays) {
    EXPECT_EQ(sha256_of_decode_table(G711Law::mu),
              "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827");
    EXPECT_EQ(sha256_of_decode_table(G711Law::a),
              "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174");
}

TEST(G711, EncodesTheKnownSamples) {
    struct Known {
        std::int16_t sample;
        std::uint8_t mu;
        std::uint8_t a;
    };
    constexpr std::array<Known, 7> known = {{{0, 0xFF, 0xD5},
                                             {100, 0xF2, 0xD3},
                                             {-100, 0x72, 0x53},
                                             {1000, 0xCE, 0xFA},
                                             {-1000, 0x4E, 0x7A},
                                             {32767, 0x80, 0xAA},
                                             {-32768, 0x00, 0x2A}}};

    for (const Known& k : known) {
        EXPECT_EQ(encode_sample(G711Law::mu, k.sample), k.mu) << k.sample;
        EXPECT_EQ(encode_sample(G711Law::a, k.sample), k.a) << k.sample;
    }
}

TEST(G711, DecodingThenEncodingKeepsEveryCodeButNegativeZero) {
    for (int code = 0; code < 256; ++code) {
        const auto byte = static_cast<std::uint8_t>(code);
        const std::uint8_t mu = encode_sample(G711Law::mu, decode_sample(G711Law::mu, byte));
        EXPECT_EQ(mu, code == 0x7F ? 0xFF : byte);
        EXPECT_EQ(encode_sample(G711Law::a, decode_sample(G711Law::a, byte)), byte);
    }
}

TEST(G711, PicksTheNearestCodeForEverySample) {
    for (const G711Law law : {G711Law::mu, G711Law::a}) {
        for (int value = -32768; value <= 32767; ++value) {
            const auto sample = static_cast<std::int16_t>(value);
            const int got = decode_sample(law, encode_sample(law, sample));
            // Half a step of the segment: a sixteenth of the magnitude at most, and 8 near zero.
            const int magnitude = std::abs(value);
            ASSERT_LE(std::abs(got - value), std::max(9, magnitude / 31 + 4)) << value;
        }
    }
}

TEST(G711, MuLawSegmentMaximaSurvive) {
    for (const std::int16_t top : {120, 372, 876, 1884, 3900, 7932, 15996, 32124}) {
        EXPECT_EQ(decode_sample(G711Law::mu, encode_sample(G711Law::mu, top)), top);
    }
}

TEST(G711, SilenceByteDecodesToNearlyNothing) {
    EXPECT_EQ(decode_sample(G711Law::mu, silence_byte(G711Law::mu)), 0);
    EXPECT_EQ(decode_sample(G711Law::a, silence_byte(G711Law::a)), 8);
}

TEST(G711, SpansOfDifferentLengthConvertTheShorter) {
    const std::array<std::int16_t, 4> linear = {0, 1000, -1000, 5};
    std::array<std::uint8_t, 3> codes{};
    std::array<std::int16_t, 2> back{};

    EXPECT_EQ(encode(G711Law::mu, linear, codes), 3U);
    EXPECT_EQ(decode(G711Law::mu, codes, back), 2U);

    EXPECT_EQ(back[0], 0);
    EXPECT_NEAR(back[1], 1000, 32);
}

TEST(G711, TranscodingToTheSameLawKeepsNegativeZero) {
    const std::array<std::uint8_t, 3> codes = {0x7F, 0xFF, 0x12};
    std::array<std::uint8_t, 3> same{};
    std::array<std::uint8_t, 3> a_law{};

    transcode(G711Law::mu, G711Law::mu, codes, same);
    transcode(G711Law::mu, G711Law::a, codes, a_law);

    EXPECT_EQ(same, codes);
    EXPECT_EQ(a_law[1], 0xD5);
    EXPECT_NEAR(decode_sample(G711Law::a, a_law[2]), decode_sample(G711Law::mu, 0x12), 600);
}

}  // namespace
}  // namespace jackfield::media
