#include "plugins/telephony/sip/srtp.hpp"

#include "plugins/telephony/sip/sdes.hpp"
#include "raw_phone.hpp"
#include "raw_srtp.hpp"

#include <cstring>

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

const std::string key_text = test::base64("0123456789abcdefghijklmnopqrst");
const std::string other_text = test::base64("tsrqponmlkjihgfedcba9876543210");

std::string bytes_of_hex(std::string_view hex) {
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return out;
}

SrtpKeys keys(const std::string& ours, const std::string& theirs, SrtpSuite suite = {}) {
    const auto key = [](const std::string& text) {
        return parse_crypto("1 AES_CM_128_HMAC_SHA1_80 inline:" + text)->key;
    };
    return {suite, 1, key(ours), key(theirs)};
}

struct Packet {
    alignas(4) std::uint8_t bytes[512];
    std::size_t size;
    explicit Packet(const std::string& text) : size(text.size()) {
        std::memcpy(bytes, text.data(), size);
    }
    std::string text() const { return {reinterpret_cast<const char*>(bytes), size}; }
};

std::string rtp(std::uint16_t sequence) {
    return test::rtp(0, sequence, 160u * sequence, 77, "what is said");
}

Srtp::Verdict open(Srtp& srtp, const std::string& packet, std::uint64_t now_ns = 0) {
    Packet copy(packet);
    return srtp.open_rtp(copy.bytes, copy.size, now_ns);
}

TEST(Sdes, ReadsAndWritesAKey) {
    const auto line = parse_crypto("3 AES_CM_128_HMAC_SHA1_32 inline:" + key_text);
    ASSERT_TRUE(line);
    EXPECT_EQ(line->tag, 3u);
    EXPECT_EQ(line->suite, SrtpSuite::aes_cm_128_hmac_sha1_32);
    EXPECT_EQ(std::memcmp(line->key.bytes().data(), "0123456789abcdefghijklmnopqrst", 30), 0);
    EXPECT_EQ(write_crypto(*line),
              "a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:" + key_text + "\r\n");
}

TEST(Sdes, TakesALifetimeAndAReplayWindowHint) {
    for (const char* more : {"|2^20", "|2^48", "|1048576", " WSH=1024", "|2^31 WSH=64"})
        EXPECT_TRUE(parse_crypto("1 AES_CM_128_HMAC_SHA1_80 inline:" + key_text + more)) << more;
}

TEST(Sdes, LeavesWhatItCannotDoAsItIsMeant) {
    for (const char* more : {"|2^19",
                             "|1000",
                             "|2^20|1:4",
                             "|1:4",
                             ";inline:AAAA",
                             " KDR=1",
                             " UNENCRYPTED_SRTP",
                             " UNAUTHENTICATED_SRTP",
                             " UNENCRYPTED_SRTCP",
                             " FEC_ORDER=FEC_SRTP"})
        EXPECT_FALSE(parse_crypto("1 AES_CM_128_HMAC_SHA1_80 inline:" + key_text + more)) << more;
    EXPECT_FALSE(parse_crypto("1 AES_CM_128_HMAC_SHA1_80 inline:" + key_text.substr(1)));
    EXPECT_FALSE(parse_crypto("1 AES_CM_128_HMAC_SHA1_80 inline:*" + key_text.substr(1)));
    EXPECT_FALSE(parse_crypto("1 AES_256_CM_HMAC_SHA1_80 inline:" + key_text));
    EXPECT_FALSE(parse_crypto("x AES_CM_128_HMAC_SHA1_80 inline:" + key_text));
    EXPECT_FALSE(parse_crypto("9999999999 AES_CM_128_HMAC_SHA1_80 inline:" + key_text));
    EXPECT_FALSE(parse_crypto("1 AES_CM_128_HMAC_SHA1_80 " + key_text));
    EXPECT_FALSE(parse_crypto(""));
}

TEST(Sdes, MakesKeysThatDiffer) {
    const auto one = MasterKey::random();
    const auto other = MasterKey::random();
    ASSERT_TRUE(one && other);
    EXPECT_FALSE(*one == *other);
}

TEST(RawSrtp, DerivesTheKeysOfRfc3711) {
    const test::RawSrtp peer(
        test::base64(bytes_of_hex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6")),
        10);
    EXPECT_EQ(peer.session_key(), bytes_of_hex("C61E7A93744F39EE10734AFE3FF7A087"));
    EXPECT_EQ(peer.session_salt(), bytes_of_hex("30CBBC08863D8C85D49DB34A9AE1"));
    EXPECT_EQ(peer.session_auth(), bytes_of_hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

TEST(Srtp, SealsAndOpensAsAHandWrittenPeerDoes) {
    for (const SrtpSuite suite :
         {SrtpSuite::aes_cm_128_hmac_sha1_80, SrtpSuite::aes_cm_128_hmac_sha1_32}) {
        const std::size_t tag = suite == SrtpSuite::aes_cm_128_hmac_sha1_80 ? 10 : 4;
        Srtp srtp;
        ASSERT_TRUE(srtp.set(keys(key_text, other_text, suite), 0));

        Packet packet(rtp(1));
        ASSERT_TRUE(srtp.seal_rtp(packet.bytes, packet.size));
        EXPECT_EQ(packet.size, rtp(1).size() + tag);
        EXPECT_EQ(test::RawSrtp(key_text, tag).unprotect(packet.text()), rtp(1));

        Packet theirs(test::RawSrtp(other_text, tag).protect(rtp(9)));
        ASSERT_EQ(srtp.open_rtp(theirs.bytes, theirs.size, 0), Srtp::Verdict::fresh);
        EXPECT_EQ(theirs.text(), rtp(9));
    }
}

TEST(Srtp, SealsAndOpensRtcpWithTheLongTagUnderEitherSuite) {
    const std::string report = bytes_of_hex("80c90001") + "SSRC";
    for (const SrtpSuite suite :
         {SrtpSuite::aes_cm_128_hmac_sha1_80, SrtpSuite::aes_cm_128_hmac_sha1_32}) {
        Srtp srtp;
        ASSERT_TRUE(srtp.set(keys(key_text, other_text, suite), 0));
        Packet packet(report);
        ASSERT_TRUE(srtp.seal_rtcp(packet.bytes, packet.size));
        EXPECT_EQ(test::RawSrtp(key_text, 10).unprotect_rtcp(packet.text()), report);

        Packet theirs(test::RawSrtp(other_text, 10).protect_rtcp(report, 1));
        ASSERT_EQ(srtp.open_rtcp(theirs.bytes, theirs.size, 0), Srtp::Verdict::fresh);
        EXPECT_EQ(theirs.text(), report);
        Packet again(test::RawSrtp(other_text, 10).protect_rtcp(report, 1));
        EXPECT_EQ(srtp.open_rtcp(again.bytes, again.size, 0), Srtp::Verdict::replayed);
    }
}

TEST(Srtp, OpensEachPacketOnceWithinTheWindowInAnyOrder) {
    Srtp srtp;
    ASSERT_TRUE(srtp.set(keys(key_text, other_text), 0));
    const test::RawSrtp peer(other_text, 10);
    for (const std::uint16_t sequence : {200, 150, 199, 120, 201})
        EXPECT_EQ(open(srtp, peer.protect(rtp(sequence))), Srtp::Verdict::fresh) << sequence;
    EXPECT_EQ(open(srtp, peer.protect(rtp(150))), Srtp::Verdict::replayed);
    EXPECT_EQ(open(srtp, peer.protect(rtp(10))), Srtp::Verdict::replayed)
        << "older than the window";
}

TEST(Srtp, KeepsCountOfTheRollOverThroughReorderingAndForgeries) {
    Srtp srtp;
    ASSERT_TRUE(srtp.set(keys(key_text, other_text), 0));
    const test::RawSrtp peer(other_text, 10);
    const test::RawSrtp forger(key_text, 10);
    EXPECT_EQ(open(srtp, peer.protect(rtp(65530))), Srtp::Verdict::fresh);
    for (std::uint32_t i = 0; i < 70000; i += 700)
        EXPECT_NE(open(srtp, forger.protect(rtp(static_cast<std::uint16_t>(i)))),
                  Srtp::Verdict::fresh);
    EXPECT_EQ(open(srtp, peer.protect(rtp(2), 1)), Srtp::Verdict::fresh);
    EXPECT_EQ(open(srtp, peer.protect(rtp(65535), 0)), Srtp::Verdict::fresh)
        << "from before the wrap";
    EXPECT_EQ(open(srtp, peer.protect(rtp(3), 1)), Srtp::Verdict::fresh);
}

TEST(Srtp, KeepsTheStateOfADirectionWhoseKeyStays) {
    Srtp srtp;
    ASSERT_TRUE(srtp.set(keys(key_text, other_text), 0));
    const test::RawSrtp peer(other_text, 10);
    EXPECT_EQ(open(srtp, peer.protect(rtp(1))), Srtp::Verdict::fresh);
    Packet first(rtp(65535));
    ASSERT_TRUE(srtp.seal_rtp(first.bytes, first.size));

    ASSERT_TRUE(srtp.set(keys(key_text, other_text), 0));
    EXPECT_EQ(open(srtp, peer.protect(rtp(1))), Srtp::Verdict::replayed);
    Packet second(rtp(0));
    ASSERT_TRUE(srtp.seal_rtp(second.bytes, second.size));
    EXPECT_TRUE(test::RawSrtp(key_text, 10).unprotect(second.text(), 1))
        << "the counter has turned";
}

TEST(Srtp, TakesPacketsUnderTheKeyBeforeForAMoment) {
    Srtp srtp;
    ASSERT_TRUE(srtp.set(keys(key_text, other_text), 0));
    ASSERT_TRUE(srtp.set(keys(key_text, key_text), 1000));
    const test::RawSrtp before(other_text, 10);
    const test::RawSrtp after(key_text, 10);
    EXPECT_EQ(open(srtp, before.protect(rtp(1)), 2000), Srtp::Verdict::fresh);
    EXPECT_EQ(open(srtp, after.protect(rtp(2)), 2000), Srtp::Verdict::fresh);
    EXPECT_EQ(open(srtp, before.protect(rtp(3)), 1000 + Srtp::grace_ns), Srtp::Verdict::forged);
}

TEST(Srtp, OpensNothingThatIsTooShortOrWithoutKeys) {
    Srtp srtp;
    EXPECT_EQ(open(srtp, rtp(1)), Srtp::Verdict::forged);
    ASSERT_TRUE(srtp.set(keys(key_text, other_text), 0));
    const std::string whole = test::RawSrtp(other_text, 10).protect(rtp(1));
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_EQ(open(srtp, whole.substr(0, size)), Srtp::Verdict::forged) << size;
}

}  // namespace
}  // namespace jackfield::sip
