#include "plugins/telephony/sip/trace.hpp"

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

TEST(SipTrace, MasksCredentialsAndKeepsTheirScheme) {
    const std::string out = masked(
        "REGISTER sip:example.org SIP/2.0\r\nCall-ID: a\r\n"
        "Authorization: Digest username=\"alice\", response=\"0123456789abcdef\"\r\n"
        "proxy-authorization : Digest username=\"alice\",\r\n response=\"fedcba9876543210\"\r\n"
        "Authentication-Info: rspauth=\"6629fae49393a05397450978507c4ef1\"\r\nCSeq: 1 REGISTER\r\n\r\n");

    EXPECT_EQ(out,
              "REGISTER sip:example.org SIP/2.0\r\nCall-ID: a\r\n"
              "Authorization: Digest ***\r\n"
              "proxy-authorization : Digest ***\r\n ***\r\n"
              "Authentication-Info: ***\r\nCSeq: 1 REGISTER\r\n\r\n");
}

TEST(SipTrace, MasksKeysOfMedia) {
    const std::string out = masked(
        "INVITE sip:a@b SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nk=clear:secret\r\n"
        "m=audio 4000 RTP/SAVP 0\r\n"
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 FEC_ORDER=FEC_SRTP\r\n"
        "a=crypto:2 AES_CM_128_HMAC_SHA1_32 INLINE:second;inline:third\r\na=sendrecv\r\n");

    for (const char* secret : {"WVNf", "second", "third", "clear"}) EXPECT_EQ(out.find(secret), std::string::npos) << out;
    EXPECT_NE(out.find("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***|2^20|1:4 FEC_ORDER=FEC_SRTP\r\n"), std::string::npos) << out;
    EXPECT_NE(out.find("k=***\r\nm=audio 4000 RTP/SAVP 0\r\n"), std::string::npos) << out;
}

TEST(SipTrace, MasksPasswordsInUris) {
    const std::string out = masked("OPTIONS sip:alice:s3cret@example.org SIP/2.0\r\nContact: <sips:bob:pw@h:5061>, <sip:carol@h:5060>\r\n\r\n");

    EXPECT_EQ(out, "OPTIONS sip:alice:***@example.org SIP/2.0\r\nContact: <sips:bob:***@h:5061>, <sip:carol@h:5060>\r\n\r\n");
}

TEST(SipTrace, MasksKeysThatTheCallerPressed) {
    const std::string relay = masked("INFO sip:a@b SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160\r\n");
    const std::string plain = masked("INFO sip:a@b SIP/2.0\r\nc: application/dtmf\r\n\r\n7");

    EXPECT_NE(relay.find("\r\n\r\nSignal=***\r\nDuration=160\r\n"), std::string::npos) << relay;
    EXPECT_TRUE(plain.ends_with("\r\n\r\n***")) << plain;
}

TEST(SipTrace, LeavesEverythingElseAsItWas) {
    const std::string message =
        "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h:5060;branch=z9\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
        "Subject: inline:not a key\r\nContent-Length: 0\r\n\r\nAuthorization: body";

    EXPECT_EQ(masked(message), message);
}

TEST(SipTrace, CutsWhatIsTooLong) {
    const std::string message = "INVITE sip:a@b SIP/2.0\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n";

    EXPECT_EQ(masked(message).size(), longest_traced);
}

TEST(SipTrace, FindsTheCallId) {
    EXPECT_EQ(call_id_of("BYE a SIP/2.0\r\nCALL-ID :  x@y \r\n\r\n"), "x@y");
    EXPECT_EQ(call_id_of("BYE a SIP/2.0\r\ni:short\r\n\r\n"), "short");
    EXPECT_EQ(call_id_of("BYE a SIP/2.0\r\n\r\nCall-ID: of the body"), "");
    EXPECT_EQ(call_id_of("Call-ID: of the first line"), "");
    EXPECT_EQ(call_id_of(""), "");
}

}  // namespace
}  // namespace jackfield::sip
