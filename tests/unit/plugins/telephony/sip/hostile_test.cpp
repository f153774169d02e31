// What strangers, scanners and broken phones send.

#include "sip_calls.hpp"

#include <random>

namespace jackfield::test {
namespace {

TEST_F(SipCalls, AreNotMovedByAThirdPartysPackets) {
    const auto call = answered();
    ASSERT_TRUE(call);
    hear(*call, 1, 3);

    for (std::uint16_t i = 0; i < 50; ++i)
        phone->stranger.send(
            rtp_port,
            rtp(0, static_cast<std::uint16_t>(4 + i), 160u * (4u + i), 77, std::string(160, 'X')));
    hear(*call, 4, 3);

    EXPECT_EQ(call->last_audio, std::string(160, 'u'));
    EXPECT_EQ(call->pts.size(), 6u);
    ASSERT_EQ(say(*call, 0), JF_OK);
    EXPECT_NE(next_audio(), "");
    EXPECT_FALSE(phone->stranger.receive());
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipCalls, ReachTheirLimitAndOthersGet503) {
    start({{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}, {"max_calls", "1"}});
    const auto call = incoming();
    ASSERT_TRUE(call);
    RawPhone other(port);
    other.invite("100", other.sdp());
    EXPECT_NE(other.wait_status(pump(), 503), "");
    phone->cancel();
    EXPECT_TRUE(done(*call));
}

TEST_F(SipCalls, OtherRequestsGetTheirAnswers) {
    const auto ask = [&](std::string_view method) {
        const std::string branch = "z9hG4bK" + std::string(method);
        phone->send(std::string(method) + " sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP " +
                    phone->sip.address() + ";branch=" + branch +
                    ";rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: q" +
                    std::string(method) + "\r\nCSeq: 1 " + std::string(method) +
                    "\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
        return phone->wait(
            pump(), [&](const std::string& m) { return header(m, "CSeq").ends_with(method); });
    };
    const std::string options = ask("OPTIONS");
    EXPECT_EQ(status_of(options), 200);
    EXPECT_NE(header(options, "Allow").find("INVITE"), std::string::npos);
    EXPECT_NE(options.find("Accept: application/sdp"), std::string::npos);
    EXPECT_NE(options.find("Supported:"), std::string::npos);
    EXPECT_EQ(status_of(ask("REGISTER")), 405);
    EXPECT_EQ(status_of(ask("BREW")), 501);
    EXPECT_EQ(status_of(ask("BYE")), 481);
    EXPECT_EQ(status_of(ask("CANCEL")), 481);
}

TEST_F(SipCalls, FromAddressesThatAreNotAllowedGetNoAnswer) {
    start({{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}, {"allow.0", "192.0.2.0/24"}});
    phone->invite("100", phone->sdp());
    EXPECT_EQ(phone->wait(
                  pump(), [](const std::string&) { return true; }, 300),
              "");
    EXPECT_FALSE(host->take_incoming());
}

TEST_F(SipCalls, WorkAfterFiveThousandMalformedMessages) {
    const std::string good =
        "INVITE sip:+12125550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP " + phone->sip.address() +
        ";branch=z9hG4bKbad;rport\r\nMax-Forwards: 70\r\nFrom: \"A\" "
        "<sip:a@127.0.0.1>;tag=bad\r\nTo: <sip:+12125550100@127.0.0.1>\r\n"
        "Call-ID: bad@phone\r\nCSeq: 1 INVITE\r\nContact: <sip:a@" +
        phone->sip.address() + ">\r\nContent-Type: application/sdp\r\nContent-Length: " +
        std::to_string(phone->sdp().size()) + "\r\n\r\n" + phone->sdp();
    std::mt19937 random(20240501);
    const auto below = [&](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    for (int i = 0; i < 5000; ++i) {
        std::string bad = good;
        switch (i % 5) {
            case 0:
                bad.resize(below(bad.size()));
                break;
            case 1:
                for (int k = 0; k < 8; ++k) bad[below(bad.size())] = static_cast<char>(below(256));
                break;
            case 2:
                bad.erase(below(bad.size() / 2), below(80));
                break;
            case 3:
                bad.insert(below(bad.size()),
                           std::string(below(3000), static_cast<char>(below(256))));
                break;
            case 4: {
                bad.clear();
                const std::size_t n = below(200);
                for (std::size_t k = 0; k < n; ++k) bad += static_cast<char>(below(256));
                break;
            }
        }
        phone->send(bad);
        if (i % 50 == 0) {
            host->pump();
            while (phone->sip.receive()) {
            }
            while (const auto stray = host->take_incoming())
                telephony->hangup(instance, stray->op, JF_CAUSE_BUSY);
        }
    }
    until(
        [&] {
            while (const auto stray = host->take_incoming())
                telephony->hangup(instance, stray->op, JF_CAUSE_BUSY);
            while (phone->sip.receive()) {
            }
            return false;
        },
        milliseconds(300));

    const auto call = answered();
    ASSERT_TRUE(call);
    hear(*call, 1, 3);
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipCalls, SurviveMalformedMedia) {
    const auto call = answered();
    ASSERT_TRUE(call);
    std::mt19937 random(7);
    for (int i = 0; i < 2000; ++i) {
        std::string packet = rtp(static_cast<std::uint8_t>(i % 128),
                                 static_cast<std::uint16_t>(random()),
                                 random(),
                                 5,
                                 std::string(random() % 60, 'z'));
        packet[0] = static_cast<char>(random());
        phone->audio.send(rtp_port, packet);
        if (i % 100 == 0) host->pump();
    }
    until([] { return false; }, milliseconds(100));
    const std::size_t before = call->pts.size();
    for (std::uint16_t i = 0; i < 3; ++i)
        phone->audio.send(rtp_port, rtp(0, i, 160u * i, 99, std::string(160, 'u')));
    EXPECT_TRUE(until([&] {
        return host->read(*call, [&](const Call& c) { return c.pts.size() >= before + 3; });
    }));
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

}  // namespace
}  // namespace jackfield::test
