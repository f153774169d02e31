// What the caller's phone asks of its media: changes while the call lasts, protection. The agent
// must stay audible.

#include "host_fixture.hpp"
#include "unit/plugins/telephony/sip/tls_stream.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>

namespace jackfield::test {
namespace {

class HostMedia : public testing::Test {
  protected:
    void SetUp() override {
        folder_.write_tenant("desk", desk_tenant());
        folder_.write_host();
        host_ = std::make_unique<HostProcess>(folder_);
    }
    /// Answered and greeted, and nobody speaks.
    bool greeted(sim::SipPhone& phone) {
        return phone.call(host_->sip_uri("reception")) && phone.wait_answered(5s) &&
               phone.wait_agent_quiet(600ms, 15s);
    }
    HostFolder folder_;
    std::unique_ptr<HostProcess> host_;
};

TEST_F(HostMedia, TheAgentIsHeardAfterTheCallerChangesTheCodecAndBack) {
    sim::SipPhone phone;
    ASSERT_TRUE(greeted(phone));

    ASSERT_EQ(phone.change({"", sim::Codec::pcma, false}), 200);
    phone.press("1");
    EXPECT_TRUE(phone.wait_agent_speaking(1000ms, 10s)) << phone.report().json();

    ASSERT_EQ(phone.change({"", sim::Codec::pcmu, false}), 200);
    EXPECT_TRUE(phone.wait_agent_speaking(1000ms, 10s)) << phone.report().json();
    phone.hang_up();
}

TEST_F(HostMedia, TheEndOfACallTellsHowGoodItsMediaWas) {
    const auto follower = folder_.start_jackfield({"--json", "calls", "follow"});
    ASSERT_TRUE(follower->wait_line({"\"ok\":true"}, 5s)) << follower->out() << follower->err();
    sim::SipPhone phone;
    ASSERT_TRUE(greeted(phone));
    phone.hang_up();
    ASSERT_TRUE(phone.wait_ended(5s));

    EXPECT_TRUE(
        follower->wait_line({"call.ended", "\"quality\"", "\"mos\":4.", "\"packets_lost\":0"}, 5s))
        << follower->out() << follower->err();
    follower->signal(SIGTERM);
}

TEST_F(HostMedia, TheAgentIsHeardAfterHoldAndAtAnotherPort) {
    sim::SipPhone phone;
    ASSERT_TRUE(greeted(phone));

    ASSERT_EQ(phone.change({"sendonly", {}, false}), 200);
    ASSERT_TRUE(phone.wait(500ms));
    ASSERT_EQ(phone.change({"sendrecv", {}, true}), 200);
    phone.press("1");
    EXPECT_TRUE(phone.wait_agent_speaking(1000ms, 10s)) << phone.report().json();
    phone.hang_up();
}

/// The loudness of a WAV file's samples.
double level_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t i = 44; i + 1 < bytes.size(); i += 2, ++count) {
        const auto sample = static_cast<std::int16_t>(
            static_cast<unsigned char>(bytes[i]) | static_cast<unsigned char>(bytes[i + 1]) << 8);
        sum += double{1} * sample * sample;
    }
    return count ? std::sqrt(sum / static_cast<double>(count)) : 0;
}

TEST(HostOverTls, GreetsBaresipUnderSrtp) {
    ASSERT_EQ(std::system("command -v baresip >/dev/null"), 0)
        << "baresip is missing; install it: apt-get install baresip-core";
    ASSERT_EQ(std::system("command -v sox >/dev/null"), 0)
        << "sox is missing; install it: apt-get install sox";
    const Certificate ours("IP:127.0.0.1");
    const Certificate theirs("IP:127.0.0.1");
    HostFolder folder;
    std::string tenant = desk_tenant();
    tenant.replace(
        tenant.find("\"host:trunk/sip:reception@\""), 27, "\"host:secure/sip:reception@\"");
    folder.write_tenant("desk", tenant);
    folder.write_host(
        0,
        0,
        "\n[providers.secure]\nplugin = \"telephony/sip\"\nlisten = [\"tls:127.0.0.1:0\"]\n"
        "srtp = \"required\"\ntls_verify_client = true\ntls_certificate = \"" +
            ours.file() + "\"\ntls_ca = \"" + theirs.file() + "\"\n");
    HostProcess host(folder);
    const auto line = host.wait_log({"\"sip.listening\"", "\"transport\":\"tls\""}, 5s);
    ASSERT_TRUE(line) << host.log();
    const std::string address = base::JsonDocument::parse(*line)->root()["address"].text_or("");
    const std::string silence = (folder.path() / "silence.wav").string();
    ASSERT_EQ(std::system(("sox -n -r 8000 -c 1 -b 16 " + silence + " trim 0 4").c_str()), 0);

    const std::string command =
        std::string(JACKFIELD_SOURCE_DIR) + "/packaging/baresip_call.sh --uri 'sip:reception@" +
        address + ";transport=tls' --play " + silence + " --out " +
        (folder.path() / "phone").string() + " --seconds 20 --linger 0 --srtp --tls " +
        theirs.file() + " --ca " + ours.file() + " >/dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0)
        << std::ifstream(folder.path() / "phone" / "baresip.log").rdbuf() << host.log();

    EXPECT_GT(level_of(folder.path() / "phone" / "agent.wav"), 200) << "the greeting";
    ASSERT_TRUE(call_is_stored(host, 0));
    EXPECT_EQ(StoredCall(folder).text("cause"), "normal");
    EXPECT_EQ(host.log().find("inline:"), std::string::npos) << "no key in a log";
}

}  // namespace
}  // namespace jackfield::test
