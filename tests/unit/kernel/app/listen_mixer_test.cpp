#include "app/listen_mixer.hpp"

#include <gtest/gtest.h>

namespace jackfield::app {
namespace {

using media::RecordingSide;
using Samples = std::vector<std::int16_t>;

TEST(ListenMixer, AddsBothSidesWhereTheyMeetInTime) {
    ListenMixer mixer(false);
    mixer.add(RecordingSide::agent, 1000, Samples(160, 100));
    mixer.add(RecordingSide::caller, 1080, Samples(80, 7));

    const Samples mixed = mixer.take(true);

    ASSERT_EQ(mixed.size(), 160u);
    EXPECT_EQ(mixed[79], 100);
    EXPECT_EQ(mixed[80], 107);
}

TEST(ListenMixer, KeepsTheSidesApartInStereo) {
    ListenMixer mixer(true);
    mixer.add(RecordingSide::agent, 0, Samples(2, 5));
    mixer.add(RecordingSide::caller, 0, Samples(2, 3));

    EXPECT_EQ(mixer.take(true), (Samples{3, 5, 3, 5}));
}

TEST(ListenMixer, WaitsForTheCallersLatePackets) {
    ListenMixer mixer(false);
    mixer.add(RecordingSide::agent, 0, Samples(1600, 1));

    const Samples first = mixer.take(false);
    mixer.add(RecordingSide::caller, 800, Samples(160, 10));
    mixer.add(RecordingSide::agent, 1600, Samples(160, 1));
    const Samples second = mixer.take(false);

    EXPECT_EQ(first.size(), 800u);
    ASSERT_EQ(second.size(), 160u);
    EXPECT_EQ(second[0], 11);
}

TEST(ListenMixer, DropsWhatComesAfterItsTimeWasTakenAndKeepsTheRest) {
    ListenMixer mixer(true);
    mixer.add(RecordingSide::agent, 0, Samples(1600, 1));
    ASSERT_EQ(mixer.take(false).size(), 1600u);

    mixer.add(RecordingSide::caller, 720, Samples(160, 9));

    const Samples rest = mixer.take(true);
    ASSERT_EQ(rest.size(), 1600u);
    EXPECT_EQ(rest[0], 9);
    EXPECT_EQ(rest[2 * 79], 9);
    EXPECT_EQ(rest[2 * 80], 0);
}

TEST(ListenMixer, IsSilentWhereNothingWasSent) {
    ListenMixer mixer(false);
    mixer.add(RecordingSide::agent, 0, Samples(160, 4));
    mixer.add(RecordingSide::agent, 480, Samples(160, 4));

    const Samples mixed = mixer.take(true);

    ASSERT_EQ(mixed.size(), 640u);
    EXPECT_EQ(mixed[200], 0);
    EXPECT_EQ(mixed[500], 4);
}

TEST(ListenMixer, TakesNoPositionFromAnotherWorld) {
    ListenMixer mixer(false);
    mixer.add(RecordingSide::agent, 0, Samples(160, 4));

    mixer.add(RecordingSide::caller, media::SamplePos{1} << 40, Samples(160, 4));

    EXPECT_EQ(mixer.take(true).size(), 160u);
}

TEST(ListenMixer, ClipsWhereBothAreLoud) {
    ListenMixer mixer(false);
    mixer.add(RecordingSide::agent, 0, Samples(1, 30000));
    mixer.add(RecordingSide::caller, 0, Samples(1, 30000));

    EXPECT_EQ(mixer.take(true), (Samples{32767}));
}

}  // namespace
}  // namespace jackfield::app
