#include "call/bridge.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "call/hold_sound.hpp"
#include "call/transfer_text.hpp"
#include "media/tone.hpp"
#include "media/audio_check.hpp"

namespace jackfield::call {
namespace {

using media::G711Law;
using media::packet_samples;

double level(const std::vector<std::int16_t>& audio) {
    double power = 1;
    for (const std::int16_t sample : audio) power += static_cast<double>(sample) * sample;
    return 10 * std::log10(power / static_cast<double>(audio.size()) / 32768 / 32768);
}

TEST(Bridge, CarriesBothSidesEachInItsOwnLaw) {
    Bridge bridge;
    media::ToneGenerator low(300, 0, -20.0F);
    media::ToneGenerator high(1300, 0, -14.0F);
    std::vector<std::int16_t> at_caller;
    std::vector<std::int16_t> at_other;
    std::array<std::int16_t, packet_samples> pcm;
    std::array<std::uint8_t, packet_samples> codes;
    for (std::int64_t n = 0; n < 100; ++n) {
        const base::MonoTime now{n * 20'000'000};
        low.fill(pcm);
        media::encode(G711Law::mu, pcm, codes);
        bridge.push(Bridge::Side::caller, 5000 + n * packet_samples, G711Law::mu, codes, now);
        high.fill(pcm);
        media::encode(G711Law::a, pcm, codes);
        bridge.push(Bridge::Side::other, 90000 + n * packet_samples, G711Law::a, codes, now);
        bridge.pop(Bridge::Side::caller, G711Law::mu, codes);
        media::decode(G711Law::mu, codes, pcm);
        at_caller.insert(at_caller.end(), pcm.begin(), pcm.end());
        bridge.pop(Bridge::Side::other, G711Law::a, codes);
        media::decode(G711Law::a, codes, pcm);
        at_other.insert(at_other.end(), pcm.begin(), pcm.end());
    }

    EXPECT_NEAR(level(at_caller), -14, 1);
    EXPECT_NEAR(level(at_other), -20, 1);
    at_caller.erase(at_caller.begin(), at_caller.begin() + 400);
    EXPECT_TRUE(media::check_audio(at_caller).gaps.empty());
    EXPECT_TRUE(media::check_audio(at_caller).clicks.empty());
    EXPECT_EQ(bridge.heard_from(Bridge::Side::caller).lost_samples, 0U);
}

TEST(Bridge, IsSilentForWhoeverHearsNobody) {
    Bridge bridge;
    std::array<std::uint8_t, packet_samples> codes{};

    EXPECT_FALSE(bridge.pop(Bridge::Side::caller, G711Law::a, codes));
    EXPECT_TRUE(std::all_of(codes.begin(), codes.end(), [](std::uint8_t code) { return code == media::silence_byte(G711Law::a); }));
}

TEST(HoldSound, RingsTwoSecondsInSix) {
    HoldSound sound;
    std::array<std::uint8_t, packet_samples> codes;
    int loud = 0;
    for (int n = 0; n < 300; ++n) {
        sound.fill(G711Law::mu, codes);
        loud += std::any_of(codes.begin(), codes.end(), [](std::uint8_t code) { return (code & 0x7F) < 0x60; });
    }

    EXPECT_NEAR(loud, 100, 2);
}

TEST(HoldSound, PlaysMusicOverAndOver) {
    auto music = std::make_shared<std::vector<std::int16_t>>(100, std::int16_t{0});
    (*music)[40] = 8000;
    HoldSound sound(music);
    std::array<std::uint8_t, packet_samples> codes;

    sound.fill(G711Law::mu, codes);
    EXPECT_GT(media::decode_sample(G711Law::mu, codes[40]), 7000);
    EXPECT_GT(media::decode_sample(G711Law::mu, codes[140]), 7000);
}

void put(std::string& out, std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

TEST(HoldSound, ReadsMusicOfAnotherRate) {
    const std::filesystem::path file = std::filesystem::temp_directory_path() / ("jackfield-music-" + std::to_string(::getpid()) + ".wav");
    std::vector<std::int16_t> audio(16000);
    media::ToneGenerator(500, 0, -12.0F, 16000).fill(audio);
    std::string wav = "RIFF";
    put(wav, 36 + 2 * 16000, 4);
    wav += "WAVEfmt ";
    put(wav, 16, 4);
    put(wav, 1, 2);
    put(wav, 1, 2);
    put(wav, 16000, 4);
    put(wav, 32000, 4);
    put(wav, 2, 2);
    put(wav, 16, 2);
    wav += "data";
    put(wav, 2 * 16000, 4);
    for (const std::int16_t sample : audio) put(wav, static_cast<std::uint16_t>(sample), 2);
    std::ofstream(file, std::ios::binary) << wav;

    MusicLibrary library;
    const Music music = library.find(file);
    std::filesystem::remove(file);

    ASSERT_NE(music, nullptr);
    EXPECT_NEAR(static_cast<double>(music->size()), 8000, 100);
    EXPECT_NEAR(level({music->begin() + 1000, music->end() - 1000}), -12, 1);
    // It is read once.
    EXPECT_EQ(library.find(file), music);
}

TEST(HoldSound, FindsNoMusicInAFileThatIsNone) {
    MusicLibrary library;

    EXPECT_EQ(library.find("/nowhere/music.wav"), nullptr);
    EXPECT_EQ(library.find(""), nullptr);
}

TEST(TransferText, FillsInTheCall) {
    EXPECT_EQ(fill_announcement("A call from {caller} for {called}: {summary}", {"+1212", "sip:desk@example.org", "wants to pay"}),
              "A call from 1 2 1 2 for desk: wants to pay");
    EXPECT_EQ(fill_announcement("{unknown} {", {"", "", ""}), "{unknown} {");
}

}  // namespace
}  // namespace jackfield::call
