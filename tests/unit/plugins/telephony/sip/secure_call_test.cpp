// SIP over TLS, and SRTP with keys in the description (SDES).

#include "fake_dns.hpp"
#include "raw_srtp.hpp"
#include "sip_calls.hpp"
#include "tls_stream.hpp"

namespace jackfield::test {
namespace {

const std::string caller_key = base64("0123456789abcdefghijklmnopqrst");
const std::string second_key = base64("tsrqponmlkjihgfedcba9876543210");

class SecureSipCalls : public SipCalls {
  protected:
    void SetUp() override { ASSERT_NE(module(), nullptr) << dlerror(); }
    void TearDown() override {
        end_calls();
        SipCalls::TearDown();
    }
    void end_calls() {
        for (const auto& call : calls) {
            if (telephony->hangup(instance, call->op, JF_CAUSE_NORMAL) != JF_OK) continue;
            const std::string bye = phone->wait_request(pump(), "BYE");
            if (!bye.empty()) phone->reply(bye, 200, "OK");
            EXPECT_TRUE(done(*call));
        }
        calls.clear();
    }

    using Settings = std::vector<std::pair<std::string, std::string>>;
    void start_secure(Settings more = {}) {
        Settings all{{"listen.0", "tls:127.0.0.1:0"},
                     {"rtp_ports", "0"},
                     {"tls_certificate", ours.file()},
                     {"tls_ca", theirs.file()}};
        all.insert(all.end(), more.begin(), more.end());
        end_calls();
        start(all);
    }
    /// A phone that calls over TLS.
    TlsStream& connect(const Certificate* own = nullptr) {
        auto stream = std::make_unique<TlsStream>(port, own);
        TlsStream& out = *stream;
        phone = std::make_unique<RawPhone>(port, std::move(stream));
        return out;
    }
    /// A phone that is called over TLS.
    TlsStream& listen(const Certificate& own) {
        auto stream = std::make_unique<TlsStream>(own);
        TlsStream& out = *stream;
        callee = stream->address();
        phone = std::make_unique<RawPhone>(port, std::move(stream));
        return out;
    }
    std::shared_ptr<Call> dial_over_tls(const std::string& host_name = "127.0.0.1") {
        return dial_to("sips:+12125550123@" + host_name + callee.substr(callee.find(':')));
    }
    std::shared_ptr<Call> dial_to(const std::string& to) {
        const auto call = host->open_call();
        calls.push_back(call);
        jf_dial what = sdk::make<jf_dial>();
        what.to = sdk::str(to);
        what.from = sdk::str("+12125550100");
        const jf_answer media = sdk::make<jf_answer>();
        jf_error error = sdk::make<jf_error>();
        EXPECT_EQ(telephony->dial(instance, call->op, &what, &media, &error), JF_OK) << error.text;
        return call;
    }
    static std::string crypto(const std::string& key,
                              const std::string& suite = "AES_CM_128_HMAC_SHA1_80",
                              unsigned tag = 1,
                              const std::string& more = {}) {
        return "a=crypto:" + std::to_string(tag) + " " + suite + " inline:" + key + more + "\r\n";
    }
    std::string secure_sdp(const std::string& attributes, std::string_view formats = "0 8 101") {
        std::string out = phone->sdp(formats, attributes + "a=sendrecv\r\n");
        out.replace(out.find("RTP/AVP"), 7, "RTP/SAVP");
        return out;
    }
    std::shared_ptr<Call> answered_with(const std::string& description) {
        const auto call = incoming("+12125550100", description);
        if (!call) return nullptr;
        calls.push_back(call);
        const jf_answer options = sdk::make<jf_answer>();
        EXPECT_EQ(telephony->answer(instance, call->op, &options), JF_OK);
        ok = phone->wait_status(pump(), 200);
        EXPECT_NE(ok, "");
        phone->ack(ok);
        rtp_port = audio_port(ok);
        EXPECT_TRUE(seen(*call, JF_EV_ANSWERED));
        return call;
    }
    static std::string packet(std::uint16_t sequence, std::uint32_t ssrc = 77) {
        return rtp(0, sequence, 160u * sequence, ssrc, std::string(160, 'u'));
    }
    std::size_t heard(const Call& call) {
        return host->read(call, [](const Call& c) { return c.pts.size(); });
    }
    bool hears(const Call& call, std::size_t packets) {
        return until([&] { return heard(call) >= packets; });
    }

    std::vector<std::shared_ptr<Call>> calls;
    Certificate ours{"IP:127.0.0.1,DNS:localhost"};
    Certificate theirs{"IP:127.0.0.1,DNS:localhost"};
    std::string callee;
};

TEST_F(SecureSipCalls, AreCarriedOverTlsWithSrtpInBothDirections) {
    start_secure({{"srtp", "optional"}});
    connect();

    const auto call = answered_with(secure_sdp(crypto(caller_key)));
    ASSERT_TRUE(call);
    EXPECT_NE(ok.find("m=audio " + std::to_string(rtp_port) + " RTP/SAVP 0 101\r\n"),
              std::string::npos)
        << ok;
    EXPECT_NE(ok.find("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"), std::string::npos);
    EXPECT_NE(header(ok, "Contact").find(";transport=tls"), std::string::npos);

    const RawSrtp to_us(caller_key, 10);
    for (std::uint16_t i = 0; i < 5; ++i)
        phone->audio.send(rtp_port, to_us.protect(packet(static_cast<std::uint16_t>(100 + i))));
    ASSERT_TRUE(hears(*call, 5));
    EXPECT_EQ(call->last_audio, std::string(160, 'u'));

    ASSERT_EQ(say(*call, 0), JF_OK);
    const RawSrtp from_us(inline_key(ok), 10);
    const auto said = from_us.unprotect(next_audio());
    ASSERT_TRUE(said);
    EXPECT_EQ(said->substr(12), std::string(160, 'v'));

    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);
    const std::string bye = phone->wait_request(pump(), "BYE");
    EXPECT_NE(bye, "");
    phone->reply(bye, 200, "OK");
}

TEST_F(SecureSipCalls, TakeTheShortTagWhereItIsAllThatIsOffered) {
    start_secure({{"srtp", "required"}});
    connect();

    const auto call =
        answered_with(secure_sdp(crypto(second_key, "AEAD_AES_256_GCM", 1) +
                                 crypto(caller_key, "AES_CM_128_HMAC_SHA1_32", 7, "|2^31")));
    ASSERT_TRUE(call);
    EXPECT_NE(ok.find("a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:"), std::string::npos) << ok;

    phone->audio.send(rtp_port, RawSrtp(caller_key, 4).protect(packet(1)));
    EXPECT_TRUE(hears(*call, 1));
    ASSERT_EQ(say(*call, 0), JF_OK);
    EXPECT_TRUE(RawSrtp(inline_key(ok), 4).unprotect(next_audio()));
}

TEST_F(SecureSipCalls, HearNeitherForgedNorReplayedNorPlainPackets) {
    start_secure({{"srtp", "optional"}});
    connect();
    const auto call = answered_with(secure_sdp(crypto(caller_key)));
    ASSERT_TRUE(call);
    const RawSrtp to_us(caller_key, 10);
    const RawSrtp somebody(second_key, 10);
    const std::string first = to_us.protect(packet(10));

    // Neither does a flood of unknown sources fill a table, nor do forged sequence numbers turn the
    // roll-over counter.
    phone->audio.send(rtp_port, first);
    ASSERT_TRUE(hears(*call, 1));
    for (std::uint16_t i = 0; i < 50; ++i) {
        phone->audio.send(rtp_port,
                          somebody.protect(packet(static_cast<std::uint16_t>(i * 1300), i)));
        phone->audio.send(rtp_port,
                          somebody.protect(packet(static_cast<std::uint16_t>(65535 - i))));
        phone->audio.send(rtp_port, packet(static_cast<std::uint16_t>(11 + i)));
        phone->audio.send(rtp_port, first);
    }
    phone->audio.send(rtp_port, to_us.protect(packet(11)));
    ASSERT_TRUE(hears(*call, 2));
    EXPECT_EQ(heard(*call), 2u);
}

TEST_F(SecureSipCalls, GoOnOverTheWrapOfTheSequenceAndWithANewSource) {
    start_secure({{"srtp", "optional"}});
    connect();
    const auto call = answered_with(secure_sdp(crypto(caller_key)));
    ASSERT_TRUE(call);
    const RawSrtp to_us(caller_key, 10);

    phone->audio.send(rtp_port, to_us.protect(packet(65534)));
    phone->audio.send(rtp_port, to_us.protect(packet(65535)));
    phone->audio.send(rtp_port, to_us.protect(packet(0), 1));
    phone->audio.send(rtp_port, to_us.protect(packet(1), 1));
    ASSERT_TRUE(hears(*call, 4));

    phone->audio.send(rtp_port, to_us.protect(packet(500, 4711)));
    EXPECT_TRUE(hears(*call, 5));
}

TEST_F(SecureSipCalls, FollowTheLatchToAnotherAddressUnderTheSameKeysOnly) {
    start_secure({{"srtp", "optional"}});
    connect();
    // The signalled port is one where nothing comes from: behind NAT.
    std::string offer = secure_sdp(crypto(caller_key));
    UdpPort elsewhere;
    offer.replace(offer.find("m=audio ") + 8,
                  std::to_string(phone->audio.port()).size(),
                  std::to_string(elsewhere.port()));
    const auto call = answered_with(offer);
    ASSERT_TRUE(call);

    const RawSrtp somebody(second_key, 10);
    for (std::uint16_t i = 0; i < 8; ++i)
        phone->stranger.send(rtp_port, somebody.protect(packet(i, 5)));
    const RawSrtp to_us(caller_key, 10);
    for (std::uint16_t i = 0; i < 8; ++i) phone->audio.send(rtp_port, to_us.protect(packet(i)));
    ASSERT_TRUE(hears(*call, 5));

    ASSERT_EQ(say(*call, 0), JF_OK);
    EXPECT_TRUE(RawSrtp(inline_key(ok), 10).unprotect(next_audio())) << "at the caller's real port";
}

TEST_F(SecureSipCalls, TakeANewKeyInMidCallAndLateOnesUnderTheOld) {
    start_secure({{"srtp", "optional"}});
    connect();
    const auto call = answered_with(secure_sdp(crypto(caller_key)));
    ASSERT_TRUE(call);
    const std::string our_key = inline_key(ok);
    const RawSrtp before(caller_key, 10);
    const RawSrtp after(second_key, 10);
    phone->audio.send(rtp_port, before.protect(packet(1)));
    ASSERT_TRUE(hears(*call, 1));

    phone->request("INVITE", ok, "application/sdp", secure_sdp(crypto(second_key)));
    const std::string again = phone->wait_status(pump(), 200);
    ASSERT_NE(again, "");
    phone->ack(again);
    EXPECT_EQ(inline_key(again), our_key) << "ours stays: its counters go on";
    phone->audio.send(rtp_port, before.protect(packet(2)));
    phone->audio.send(rtp_port, after.protect(packet(3)));
    EXPECT_TRUE(hears(*call, 3));

    host->jump(milliseconds(2500));
    phone->audio.send(rtp_port, before.protect(packet(4)));
    phone->audio.send(rtp_port, after.protect(packet(5)));
    ASSERT_TRUE(hears(*call, 4));
    EXPECT_EQ(heard(*call), 4u);
}

TEST_F(SecureSipCalls, GiveNoKeysOverAnUnencryptedTransportUnlessToldTo) {
    start({{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}, {"srtp", "optional"}});
    phone->invite("100", secure_sdp(crypto(caller_key)));
    const std::string refused = phone->wait_status(pump(), 488);
    EXPECT_NE(header(refused, "Warning").find("unencrypted"), std::string::npos) << refused;
    phone->ack(refused);
    EXPECT_TRUE(answered_with(phone->sdp())) << "plain RTP is what optional means";
    end_calls();

    start({{"listen.0", "udp:127.0.0.1:0"},
           {"rtp_ports", "0"},
           {"srtp", "required"},
           {"srtp_over_cleartext", "true"}});
    const auto call = answered_with(secure_sdp(crypto(caller_key)));
    ASSERT_TRUE(call);
    EXPECT_NE(ok.find("RTP/SAVP"), std::string::npos);
}

TEST_F(SecureSipCalls, AreRefusedInTheClearWhereSrtpIsRequired) {
    start_secure({{"srtp", "required"}});
    connect();
    phone->invite("100", phone->sdp());
    const std::string refused = phone->wait_status(pump(), 488);
    EXPECT_NE(header(refused, "Warning").find("required"), std::string::npos) << refused;
    phone->ack(refused);

    // Keys in a plain line are no protection either.
    phone->invite("100", phone->sdp("0", crypto(caller_key)));
    EXPECT_NE(phone->wait_status(pump(), 488), "");
}

TEST_F(SecureSipCalls, AreRefusedWithKeysWhereSrtpIsOff) {
    start_secure();
    connect();
    phone->invite("100", secure_sdp(crypto(caller_key)));
    EXPECT_NE(phone->wait_status(pump(), 488), "");
}

TEST_F(SecureSipCalls, GetKeysInTheAnswerToACallWithoutAnOffer) {
    start_secure({{"srtp", "required"}});
    connect();
    phone->invite("100", "");
    std::shared_ptr<Call> call;
    ASSERT_TRUE(until([&] { return (call = host->take_incoming()) != nullptr; }));
    const jf_answer options = sdk::make<jf_answer>();
    ASSERT_EQ(telephony->answer(instance, call->op, &options), JF_OK);
    ok = phone->wait_status(pump(), 200);
    EXPECT_NE(ok.find(" RTP/SAVP 0 8 9 101\r\n"), std::string::npos) << ok;
    EXPECT_NE(ok.find("a=crypto:2 AES_CM_128_HMAC_SHA1_32"), std::string::npos) << ok;
    phone->ack(ok);  // without an answer
    EXPECT_NE(phone->wait_request(pump(), "BYE"), "");
    EXPECT_TRUE(done(*call));
}

TEST_F(SecureSipCalls, ArePlacedOverTlsToAServerWhoseNameIsInItsCertificate) {
    start_secure({{"srtp", "required"}});
    TlsStream& stream = listen(theirs);

    const auto call = dial_over_tls();
    const std::string invite = phone->wait_request(pump(), "INVITE");
    ASSERT_NE(invite, "");
    EXPECT_TRUE(invite.starts_with("INVITE sip:+12125550123@127.0.0.1")) << invite;
    EXPECT_NE(invite.find("RTP/SAVP"), std::string::npos);
    phone->reply(invite, 200, "OK", secure_sdp(crypto(caller_key)));
    EXPECT_NE(phone->wait_request(pump(), "ACK"), "");
    ASSERT_TRUE(seen(*call, JF_EV_ANSWERED));
    rtp_port = audio_port(invite);

    phone->audio.send(rtp_port, RawSrtp(caller_key, 10).protect(packet(1)));
    EXPECT_TRUE(hears(*call, 1));
    ASSERT_EQ(say(*call, 0), JF_OK);
    EXPECT_TRUE(RawSrtp(inline_key(invite), 10).unprotect(next_audio()));
    EXPECT_EQ(stream.connections(), 1u);
}

TEST_F(SecureSipCalls, TellNothingToAServerWithACertificateForAnotherName) {
    const Certificate for_another("DNS:sip.example.com");
    start({{"listen.0", "tls:127.0.0.1:0"},
           {"rtp_ports", "0"},
           {"tls_certificate", ours.file()},
           {"tls_ca", for_another.file()}});
    TlsStream& stream = listen(for_another);

    const auto call = dial_over_tls();
    ASSERT_TRUE(until([&] {
        EXPECT_FALSE(stream.receive());
        return host->read(*call, [](const Call& c) { return c.done; });
    }));
    EXPECT_TRUE(stream.up()) << "the certificate itself is trusted";
    EXPECT_EQ(call->end.cause, JF_CAUSE_CARRIER_ERROR);
    EXPECT_EQ(host->log_field("sip.tls_refused", "reason"), "its certificate is for another name");
}

TEST_F(SecureSipCalls, AskForTheServersNameAndCompareItWithTheUriAndNotWithTheAddress) {
    const Certificate named("DNS:sip.example.test");
    FakeDns dns;
    for (const char* name : {"sip.example.test", "other.example.test"}) dns.add_address(name);
    start({{"listen.0", "tls:127.0.0.1:0"},
           {"rtp_ports", "0"},
           {"tls_certificate", ours.file()},
           {"tls_ca", named.file()},
           {"dns_servers.0", dns.address()}});
    const auto serve = [&] {
        dns.serve();
        host->pump();
    };

    TlsStream& right = listen(named);
    const auto call = dial_over_tls("sip.example.test");
    const std::string invite = phone->wait_request(serve, "INVITE");
    ASSERT_NE(invite, "");
    EXPECT_EQ(right.asked_for(), "sip.example.test");
    phone->reply(invite, 486, "Busy Here");
    EXPECT_NE(phone->wait_request(serve, "ACK"), "");
    EXPECT_TRUE(done(*call));

    TlsStream& wrong = listen(named);
    const auto refused = dial_over_tls("other.example.test");
    ASSERT_TRUE(until([&] {
        dns.serve();
        EXPECT_FALSE(wrong.receive());
        return host->read(*refused, [](const Call& c) { return c.done; });
    }));
    EXPECT_TRUE(wrong.up());
    EXPECT_EQ(host->log_field("sip.tls_refused", "host"), "other.example.test");
}

TEST_F(SecureSipCalls, TellNothingToAServerWhoseCertificateNobodyVouchesFor) {
    const Certificate unknown("IP:127.0.0.1");
    start_secure();
    TlsStream& stream = listen(unknown);

    const auto call = dial_over_tls();
    ASSERT_TRUE(until([&] {
        EXPECT_FALSE(stream.receive());
        return host->read(*call, [](const Call& c) { return c.done; });
    }));
    EXPECT_NE(host->log_field("sip.tls_refused", "reason").find("isn't trusted"),
              std::string::npos);

    start_secure({{"tls_verify_server", "false"}});
    listen(unknown);
    (void)dial_over_tls();
    const std::string invite = phone->wait_request(pump(), "INVITE");
    ASSERT_NE(invite, "") << "where it is switched off";
    phone->reply(invite, 486, "Busy Here");
    EXPECT_NE(phone->wait_request(pump(), "ACK"), "");
}

TEST_F(SecureSipCalls, FallBackToPlainRtpWhereTheFarEndHasNoSrtpAndItIsOptional) {
    start_secure({{"srtp", "optional"}});
    listen(theirs);

    const auto call = dial_over_tls();
    const std::string first = phone->wait_request(pump(), "INVITE");
    ASSERT_NE(first.find("RTP/SAVP"), std::string::npos) << first;
    phone->reply(first, 488, "Not Acceptable Here");
    const std::string second = phone->wait_request(pump(), "INVITE");
    ASSERT_NE(second, "");
    EXPECT_NE(second.find("RTP/AVP"), std::string::npos) << second;
    EXPECT_EQ(second.find("a=crypto"), std::string::npos);
    phone->reply(second, 200, "OK", phone->sdp());
    EXPECT_TRUE(seen(*call, JF_EV_ANSWERED));
}

TEST_F(SecureSipCalls, EndWhenTheAnswerHasOtherKeysThanWereOffered) {
    start_secure({{"srtp", "required"}});
    listen(theirs);
    const auto call = dial_over_tls();
    const std::string invite = phone->wait_request(pump(), "INVITE");
    phone->reply(invite, 200, "OK", phone->sdp());  // plain, to an offer of SRTP
    ASSERT_TRUE(done(*call));
    EXPECT_EQ(call->end.cause, JF_CAUSE_UNACCEPTABLE);
}

TEST_F(SecureSipCalls, ComeOnlyFromClientsWithACertificateWhereThatIsAskedFor) {
    start_secure({{"tls_verify_client", "true"}});
    connect();
    phone->invite("100", phone->sdp());
    EXPECT_EQ(phone->wait([this] { host->pump(); }, [](const std::string&) { return true; }, 300),
              "");
    EXPECT_FALSE(host->take_incoming());

    connect(&theirs);
    EXPECT_TRUE(incoming("100"));
}

TEST_F(SecureSipCalls, AreEndedOnTheirOwnConnectionWhereThatIsConfigured) {
    start_secure({{"symmetric_signalling", "true"}});
    connect();
    phone->says_it_is_at("127.0.0.1:9");  // as a phone does that nobody can connect to
    const auto call = answered_with(phone->sdp());
    ASSERT_TRUE(call);
    phone->request("UPDATE", ok);
    EXPECT_NE(phone->wait_status(pump(), 200, "UPDATE"), "");

    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);
    const std::string bye = phone->wait_request(pump(), "BYE");
    EXPECT_NE(bye, "");
    phone->reply(bye, 200, "OK");
    EXPECT_TRUE(done(*call));
}

TEST_F(SecureSipCalls, NeedTheirFilesAndSayWhichOneIsWrong) {
    host = std::make_unique<RealNetHost>();
    for (const auto& [settings, word] : std::vector<std::pair<Settings, std::string>>{
             {{}, "tls_certificate"},
             {{{"tls_certificate", "/nonexistent.pem"}}, "tls_certificate"},
             {{{"tls_certificate", ours.file()}, {"tls_key", theirs.file()}}, "tls_key"},
             {{{"tls_certificate", ours.file()}, {"tls_ca", "/nonexistent.pem"}}, "tls_ca"}}) {
        std::vector<jf_pair> pairs{{sdk::str("listen.0"), sdk::str("tls:127.0.0.1:0")}};
        for (const auto& [key, value] : settings) pairs.push_back({sdk::str(key), sdk::str(value)});
        jf_instance* one = nullptr;
        const jf_instance_v1* table = nullptr;
        jf_error error = sdk::make<jf_error>();
        ASSERT_EQ(module()->create(host->table(),
                                   sdk::str("telephony/sip"),
                                   {},
                                   sdk::array(pairs),
                                   &one,
                                   &table,
                                   &error),
                  JF_OK);
        EXPECT_EQ(table->start(one, host->base().start_op(), &error), JF_E_INVALID);
        EXPECT_NE(std::string(error.text).find(word), std::string::npos) << error.text;
        table->destroy(one);
    }
}

}  // namespace
}  // namespace jackfield::test
