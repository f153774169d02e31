#include "media/level.hpp"

#include "media/tone.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

TEST(Level, FullScaleSquareWaveIsNearZeroDbov) {
    std::array<std::int16_t, 160> frame{};
    for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = i % 2 == 0 ? 32767 : -32768;

    const Level level = measure(frame);

    EXPECT_NEAR(level.rms_dbov, 0.0F, 0.01F);
    EXPECT_EQ(level.peak, 32768);
    EXPECT_EQ(level.clipped, 160U);
}

TEST(Level, DigitalSilenceIsTheFloor) {
    const std::array<std::int16_t, 160> frame{};

    EXPECT_EQ(measure(frame).rms_dbov, -127.0F);
    EXPECT_EQ(measure(std::span<const std::int16_t>()).rms_dbov, -127.0F);
}

TEST(Level, ToneHasTheLevelItWasMadeWith) {
    std::vector<std::int16_t> tone(1600);
    ToneGenerator(1000, 0, -20.0F).fill(tone);

    EXPECT_NEAR(measure(tone).rms_dbov, -20.0F, 0.05F);
    EXPECT_EQ(measure(tone).clipped, 0U);
}

TEST(Level, CompandedBytesMeasureAsTheirSamplesDo) {
    for (const G711Law law : {G711Law::mu, G711Law::a}) {
        std::vector<std::int16_t> tone(1600);
        ToneGenerator(440, 0, -30.0F).fill(tone);
        std::vector<std::uint8_t> codes(tone.size());
        encode(law, tone, codes);
        decode(law, codes, tone);

        const Level direct = measure(law, codes);

        EXPECT_FLOAT_EQ(direct.rms_dbov, measure(tone).rms_dbov);
        EXPECT_EQ(direct.peak, measure(tone).peak);
    }
}

TEST(Level, OutermostMuLawCodesCountAsClipped) {
    const std::array<std::uint8_t, 4> codes = {0x80, 0x00, 0xFF, 0x81};

    EXPECT_EQ(measure(G711Law::mu, codes).clipped, 2U);
}

}  // namespace
}  // namespace jackfield::media
