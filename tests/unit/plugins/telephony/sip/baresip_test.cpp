// Calls by a phone that shares nothing with us: baresip, by packaging/baresip_call.sh.

#include "sip_calls.hpp"
#include "tls_stream.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace jackfield::test {
namespace {

void write_number(std::ostream& out, std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.put(static_cast<char>(value >> (8 * i)));
}

/// Two seconds of a tone at 8 kHz.
void write_tone(const std::filesystem::path& path) {
    constexpr std::uint32_t rate = 8000;
    constexpr std::uint32_t samples = 2 * rate;
    std::ofstream out(path, std::ios::binary);
    out << "RIFF";
    write_number(out, 36 + 2 * samples, 4);
    out << "WAVEfmt ";
    for (const auto& [value, bytes] : std::vector<std::pair<std::uint32_t, int>>{
             {16, 4}, {1, 2}, {1, 2}, {rate, 4}, {2 * rate, 4}, {2, 2}, {16, 2}})
        write_number(out, value, bytes);
    out << "data";
    write_number(out, 2 * samples, 4);
    for (std::uint32_t i = 0; i < samples; ++i)
        write_number(out,
                     static_cast<std::uint16_t>(static_cast<std::int16_t>(
                         8000 * std::sin(2 * M_PI * 440 * i / double{rate}))),
                     2);
}

/// The loudness of a recording, and which part of its samples is neither silence nor near it.
double level_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t i = 44; i + 1 < bytes.size(); i += 2, ++count) {
        const auto sample = static_cast<std::int16_t>(
            static_cast<unsigned char>(bytes[i]) | static_cast<unsigned char>(bytes[i + 1]) << 8);
        sum += double{static_cast<double>(sample)} * sample;
    }
    return count ? std::sqrt(sum / static_cast<double>(count)) : 0;
}

class BaresipCalls : public SipCalls {
  protected:
    void SetUp() override {
        ASSERT_NE(module(), nullptr) << dlerror();
        ASSERT_EQ(std::system("command -v baresip >/dev/null"), 0)
            << "baresip is missing; install it: apt-get install baresip-core";
        ASSERT_EQ(std::system("command -v sox >/dev/null"), 0)
            << "sox is missing; install it: apt-get install sox";
        folder = std::filesystem::temp_directory_path() /
                 ("jackfield-baresip-" + std::to_string(getpid()));
        std::filesystem::create_directories(folder);
        write_tone(folder / "tone.wav");
    }
    void TearDown() override {
        SipCalls::TearDown();
        if (!HasFailure()) std::filesystem::remove_all(folder);
    }

    /// A call in which what the phone says is said back to it.
    std::shared_ptr<Call> echo(const std::string& uri_parameters, const std::string& options) {
        const std::string command =
            JACKFIELD_SOURCE_DIR "/packaging/baresip_call.sh --uri 'sip:100@127.0.0.1:" +
            std::to_string(port) + uri_parameters + "' --play " + (folder / "tone.wav").string() +
            " --out " + folder.string() + " --seconds 20 --linger 1 " + options + " >" +
            (folder / "script.log").string() + " 2>&1";
        std::atomic<bool> over{false};
        int status = -1;
        std::thread phone_thread([&] {
            status = std::system(command.c_str());
            over = true;
        });
        std::shared_ptr<Call> call;
        std::size_t echoed = 0;
        std::uint64_t at = 0;
        while (!over) {
            host->pump();
            if (!call && (call = host->take_incoming())) {
                const jf_answer options_of_answer = sdk::make<jf_answer>();
                EXPECT_EQ(telephony->answer(instance, call->op, &options_of_answer), JF_OK);
            }
            if (!call) continue;
            const auto [count, audio, ended] = host->read(*call, [](const Call& c) {
                return std::tuple(c.pts.size(), c.last_audio, c.done);
            });
            if (ended || count == echoed) continue;
            echoed = count;
            for (std::size_t i = 0; i + 160 <= audio.size(); i += 160, at += 160) {
                jf_frame frame = sdk::make<jf_frame>();
                frame.codec = call->formats.empty() ? JF_CODEC_PCMU : call->formats[0].codec;
                frame.channels = 1;
                frame.rate_hz = 8000;
                frame.samples = 160;
                frame.pts = at;
                frame.data = {audio.data() + i, 160};
                (void)telephony->media_out(instance, call->op, &frame);
            }
        }
        phone_thread.join();
        EXPECT_EQ(status, 0) << std::ifstream(folder / "baresip.log").rdbuf();
        return call;
    }
    void expect_heard(const std::shared_ptr<Call>& call) {
        ASSERT_TRUE(call);
        EXPECT_TRUE(done(*call));
        const std::size_t heard = host->read(*call, [](const Call& c) { return c.pts.size(); });
        EXPECT_GT(heard, 20u);
        EXPECT_GT(level_of(folder / "agent.wav"), 1000) << "the tone comes back";
    }

    std::filesystem::path folder;
};

TEST_F(BaresipCalls, OverTlsWithSrtpAreAnsweredAndHeardInBothDirections) {
    const Certificate ours("IP:127.0.0.1");
    const Certificate theirs("IP:127.0.0.1");
    start({{"listen.0", "tls:127.0.0.1:0"},
           {"rtp_ports", "0"},
           {"tls_certificate", ours.file()},
           {"tls_ca", theirs.file()},
           {"tls_verify_client", "true"},
           {"srtp", "required"}});

    expect_heard(
        echo(";transport=tls", "--tls " + theirs.file() + " --ca " + ours.file() + " --srtp"));
}

TEST_F(BaresipCalls, OverUdpWithG722AreHeardInBothDirections) {
    start({{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}});

    expect_heard(echo("", "--codecs G722/16000/1"));
}

TEST_F(BaresipCalls, WithPacketsOf40MsAreHeardInBothDirections) {
    start({{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}});

    expect_heard(echo("", "--ptime 40"));
}

}  // namespace
}  // namespace jackfield::test
