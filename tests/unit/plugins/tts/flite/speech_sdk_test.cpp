// The parts of the SDK's speech headers that need no host.

#include <jackfield/sdk/speex_resampler.hpp>
#include <jackfield/sdk/tts_audio.hpp>
#include <jackfield/sdk/tts_text.hpp>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::sdk::tts {
namespace {

std::vector<std::string> pieces(std::string_view text, bool flush = true) {
    TextQueue queue;
    queue.append(text);
    if (flush) queue.flush();
    std::vector<std::string> out;
    while (const auto piece = queue.next()) {
        out.push_back(piece->text);
        queue.drop(*piece);
    }
    return out;
}

using List = std::vector<std::string>;

TEST(TextQueue, CutsAtTheEndsOfSentences) {
    EXPECT_EQ(pieces("We open at nine. Really? Yes!"),
              (List{"We open at nine. ", "Really? ", "Yes!"}));
    EXPECT_EQ(pieces("\"Hello.\" He left..."), (List{"\"Hello.\" ", "He left..."}));
    EXPECT_EQ(pieces("one\ntwo"), (List{"one\n", "two"}));
}

TEST(TextQueue, KeepsAbbreviationsAndNumbersWhole) {
    EXPECT_EQ(pieces("Dr. Smith and Mrs. J. Jones. Next."),
              (List{"Dr. Smith and Mrs. J. Jones. ", "Next."}));
    EXPECT_EQ(pieces("It costs 3.50 at 10:30, i.e. in the a.m. only."),
              (List{"It costs 3.50 at 10:30, i.e. in the a.m. only."}));
}

TEST(TextQueue, WaitsForWhatMayComeNext) {
    EXPECT_EQ(pieces("It costs 3.", false), List{});
    EXPECT_EQ(pieces("Ask Dr.", false), List{});
    EXPECT_EQ(pieces("Hello there", false), List{});
    EXPECT_EQ(pieces("Hello there.", false), List{"Hello there."});
    EXPECT_EQ(pieces("It costs 3. Or", false), List{"It costs 3. "});
}

TEST(TextQueue, CutsLongSentencesAtClausesAndEndlessOnesBetweenWords) {
    const std::string clause(90, 'a');
    EXPECT_EQ(pieces(clause + ", " + clause + "."), (List{clause + ", ", clause + "."}));
    std::string words;
    while (words.size() < 450) words += "word ";
    for (const std::string& piece : pieces(words)) {
        EXPECT_LE(piece.size(), 200u);
        EXPECT_TRUE(piece.ends_with(' '));
    }
    std::string umlauts;
    while (umlauts.size() < 450) umlauts += "\xc3\xa4";
    for (const std::string& piece : pieces("x" + umlauts))
        EXPECT_EQ(static_cast<unsigned char>(piece.back()) & 0xc0u, piece == "x" ? 0x40u : 0x80u);
}

TEST(TextQueue, CountsOffsetsOverTheWholeStream) {
    TextQueue queue;
    queue.append("One. Two");
    const auto first = queue.next();
    ASSERT_TRUE(first);
    queue.drop(*first);
    queue.clear();
    queue.append("Three.");

    const auto second = queue.next();
    ASSERT_TRUE(second);
    EXPECT_EQ(first->to, 5u);
    EXPECT_EQ(second->from, 8u);
    EXPECT_EQ(second->to, 14u);
    EXPECT_EQ(queue.given(), 14u);
}

// ITU-T G.711's own decoders, to look at what the encoders wrote.
int decode_pcmu(std::uint8_t code) {
    code = static_cast<std::uint8_t>(~code);
    const int magnitude = ((((code & 0x0f) << 3) + 132) << ((code >> 4) & 7)) - 132;
    return code & 0x80 ? -magnitude : magnitude;
}
int decode_pcma(std::uint8_t code) {
    code ^= 0x55;
    const int segment = (code >> 4) & 7, step = (code & 0x0f) << 4;
    const int magnitude = segment == 0 ? step + 8 : (step + 0x108) << (segment - 1);
    return code & 0x80 ? magnitude : -magnitude;
}

TEST(G711, EncodesWithinHalfAStepOverTheWholeRange) {
    EXPECT_EQ(encode_pcmu(0), 0xff);
    EXPECT_EQ(encode_pcmu(32767), 0x80);
    EXPECT_EQ(encode_pcmu(-32768), 0x00);
    EXPECT_EQ(encode_pcma(0), 0xd5);
    EXPECT_EQ(encode_pcma(32767), 0xaa);
    EXPECT_EQ(encode_pcma(-32768), 0x2a);
    for (int s = -32635; s <= 32635; ++s) {
        const int allowed = std::abs(s) / 16 + 16;
        ASSERT_NEAR(decode_pcmu(encode_pcmu(static_cast<std::int16_t>(s))), s, allowed);
        ASSERT_NEAR(decode_pcma(encode_pcma(static_cast<std::int16_t>(s))), s, allowed);
    }
}

TEST(Framer, CutsFramesOfOneLengthAndKeepsTheRest) {
    Framer framer(Format{JF_CODEC_L16, 8000, 160}, gain_of_db(6.0206));
    std::vector<EncodedFrame> frames;
    const std::vector<std::int16_t> samples(400, 1000);

    framer.add(samples.data(), samples.size(), 7, frames);
    EXPECT_EQ(frames.size(), 2u);
    framer.finish(9, frames);

    ASSERT_EQ(frames.size(), 3u);
    EXPECT_EQ(frames[1].pos, 7u);
    EXPECT_EQ(frames[2].pos, 9u);
    EXPECT_EQ(frames[2].samples, 80u);
    std::int16_t first = 0;
    std::memcpy(&first, frames[0].data.data(), sizeof first);
    EXPECT_EQ(first, 2000);
}

TEST(SpeexResampler, GivesExactlyTheSamplesOfTheSameTime) {
    for (const auto& [from, to] : {std::pair{16000u, 8000u},
                                   {22050u, 8000u},
                                   {22050u, 16000u},
                                   {8000u, 8000u},
                                   {8000u, 16000u}}) {
        SpeexResampler resampler(from, to);
        std::vector<std::int16_t> in(from + 7), out, all;
        for (std::size_t i = 0; i < in.size(); ++i)
            in[i] = static_cast<std::int16_t>(
                8000 * std::sin(2 * std::numbers::pi * 440 * static_cast<double>(i) / from));
        for (std::size_t at = 0; at < in.size(); at += 333) {
            resampler.process(in.data() + at, std::min<std::size_t>(333, in.size() - at), out);
            all.insert(all.end(), out.begin(), out.end());
        }
        resampler.finish(out);
        all.insert(all.end(), out.begin(), out.end());

        EXPECT_EQ(all.size(), (in.size() * to + from - 1) / from) << from << " to " << to;
        double worst = 0;
        for (std::size_t i = 100; i + 100 < all.size(); ++i)
            worst = std::max(worst,
                             std::abs(all[i] - 8000 * std::sin(2 * std::numbers::pi * 440 *
                                                               static_cast<double>(i) / to)));
        EXPECT_LT(worst, 100) << from << " to " << to;
    }
}

}  // namespace
}  // namespace jackfield::sdk::tts
