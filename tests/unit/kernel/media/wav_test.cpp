#include "media/wav.hpp"

#include "speech_prompts.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace jackfield::media {
namespace {

std::vector<std::uint8_t> bytes_of(const std::string& text) {
    return {text.begin(), text.end()};
}

std::string u32(std::uint32_t value) {
    std::string out;
    for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i));
    return out;
}

std::string u16(std::uint32_t value) {
    return u32(value).substr(0, 2);
}

std::string wav_text(std::uint32_t tag,
                     std::uint32_t channels,
                     std::uint32_t bits,
                     const std::string& data) {
    const std::string fmt = u16(tag) + u16(channels) + u32(8000) + u32(16000) + u16(2) + u16(bits);
    const std::string body = "WAVEfmt " + u32(16) + fmt + "LIST" + u32(3) + "abc" +
                             std::string(1, '\0') + "data" +
                             u32(static_cast<std::uint32_t>(data.size())) + data;
    return "RIFF" + u32(static_cast<std::uint32_t>(body.size())) + body;
}

TEST(Wav, ReadsLinearSamplesPastOtherChunks) {
    const auto file = bytes_of(wav_text(1, 2, 16, u16(1) + u16(2) + u16(3) + u16(0xFFFF)));

    auto info = parse_wav(file);

    ASSERT_TRUE(info) << info.error().text();
    EXPECT_EQ(info->channels, 2);
    EXPECT_EQ(info->frames(), 2U);
    const WavFile wav{*info,
                      {file.begin() + static_cast<std::ptrdiff_t>(info->data_offset), file.end()}};
    EXPECT_EQ(wav.channel(0), (std::vector<std::int16_t>{1, 3}));
    EXPECT_EQ(wav.channel(1), (std::vector<std::int16_t>{2, -1}));
    EXPECT_TRUE(wav.channel(2).empty());
    EXPECT_TRUE(wav.channel_codes(0).empty());
}

TEST(Wav, ReadsBothCompandingLaws) {
    const auto mu = parse_wav(bytes_of(wav_text(7, 1, 8, "abcd")));
    const auto a = parse_wav(bytes_of(wav_text(6, 1, 8, "abcd")));

    EXPECT_EQ(mu->codec, WavCodec::mu_law);
    EXPECT_EQ(a->codec, WavCodec::a_law);
    EXPECT_EQ(a->frames(), 4U);
}

TEST(Wav, ReadsWhatATornFileHolds) {
    std::string text = wav_text(7, 2, 8, "abcdefgh");
    text.resize(text.size() - 3);

    const auto info = parse_wav(bytes_of(text));

    ASSERT_TRUE(info);
    EXPECT_TRUE(info->torn);
    EXPECT_EQ(info->data_size, 4U);
}

TEST(Wav, RefusesWhatItIsNotOrCannotRead) {
    EXPECT_FALSE(parse_wav({}));
    EXPECT_FALSE(parse_wav(bytes_of("RIFF....AVI LIST....")));
    EXPECT_FALSE(parse_wav(bytes_of("RIFF....WAVEdata....")));
    EXPECT_EQ(parse_wav(bytes_of(wav_text(3, 1, 32, "abcd"))).error().code(),
              base::ErrorCode::unsupported);
    EXPECT_EQ(parse_wav(bytes_of(wav_text(1, 1, 24, "abc"))).error().code(),
              base::ErrorCode::unsupported);
    EXPECT_FALSE(parse_wav(bytes_of(wav_text(1, 0, 16, ""))));
    EXPECT_FALSE(read_wav("/no/such/file.wav"));
}

TEST(Wav, ReadsAHumanPrompt) {
    EXPECT_GT(human_prompt("vm-goodbye").size(), 4000U);
}

TEST(Wav, TheWrittenHeaderReadsBack) {
    const auto header = g711_wav_header(G711Law::a, 2, 3);
    std::vector<std::uint8_t> file(header.begin(), header.end());
    file.insert(file.end(), 6, 0xD5);

    const auto info = parse_wav(file);

    ASSERT_TRUE(info);
    EXPECT_EQ(info->codec, WavCodec::a_law);
    EXPECT_EQ(info->data_offset, g711_wav_header_size);
    EXPECT_EQ(info->frames(), 3U);
    EXPECT_FALSE(info->torn);
}

TEST(Wav, RepairLeavesOtherFilesAlone) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "jackfield-wav-XXXXXX").string();
    const std::filesystem::path folder = ::mkdtemp(pattern.data());
    const std::string path = (folder / "pcm.wav").string();
    std::ofstream(path, std::ios::binary) << wav_text(1, 1, 16, std::string(100, 'x'));

    EXPECT_EQ(repair_wav(path).error().code(), base::ErrorCode::unsupported);

    EXPECT_EQ(read_wav(path)->info.frames(), 50U);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace jackfield::media
