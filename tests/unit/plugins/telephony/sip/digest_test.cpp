#include "plugins/telephony/sip/digest.hpp"

#include "plugins/telephony/sip/digest_server.hpp"

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

DigestInput invite_of_bob() {
    DigestInput in;
    in.user = "bob";
    in.realm = "biloxi.example.com";
    in.password = "zanzibar";
    in.method = "INVITE";
    in.uri = "sip:bob@biloxi.example.com";
    in.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    in.nc = "00000001";
    in.cnonce = "0a4f113b";
    return in;
}

// The vectors are those of the protocol sheet, section 8, computed there by another implementation.
TEST(Digest, ComputesTheKnownResponses) {
    DigestInput in = invite_of_bob();
    EXPECT_EQ(digest_response(in), "d842aeb901c6e474dad4af7f84c64e56");
    in.algorithm = DigestAlgorithm::sha256;
    EXPECT_EQ(digest_response(in),
              "6beb7b2bfe7a50d425314e7961c7f01bcd8afed8bf5c87c2f5479d1dca2d498f");
    in.algorithm = DigestAlgorithm::md5;
    in.nc = in.cnonce = {};
    EXPECT_EQ(digest_response(in), "92799a6353125e154102392085633253");
    in = invite_of_bob();
    in.method = "REGISTER";
    in.uri = "sip:biloxi.example.com";
    EXPECT_EQ(digest_response(in), "6ee55767aa534112c59e5da204578bfb");
}

TEST(Digest, ReadsFieldsQuotedAndNot) {
    const auto fields = DigestFields::parse(
        "digest  realm=\"a \\\"b\\\", c\" , nonce=xyz,QOP=\"auth,auth-int\", stale=true");
    ASSERT_TRUE(fields);
    EXPECT_EQ(fields->get("realm"), "a \"b\", c");
    EXPECT_EQ(fields->get("nonce"), "xyz");
    EXPECT_TRUE(list_has(fields->get("qop"), "auth"));
    EXPECT_FALSE(list_has(fields->get("qop"), "aut"));
    EXPECT_FALSE(fields->has("opaque"));
}

TEST(Digest, RefusesWhatIsNotOne) {
    for (const char* bad : {"",
                            "Digest",
                            "Digest ",
                            "Basic abc=",
                            "Digest realm",
                            "Digest realm=\"x",
                            "Digest realm=\"x\" nonce=\"y\"",
                            "Digest realm=\"x\", realm=\"y\"",
                            "Digest =x",
                            "Digest realm=\"x\\"})
        EXPECT_FALSE(DigestFields::parse(bad)) << bad;
    EXPECT_FALSE(DigestFields::parse("Digest a=" + std::string(5000, 'x')));
}

class DigestServing : public testing::Test {
  protected:
    DigestServer server{{{"anna", "correct horse"}}, "jackfield", "key"};
    jf_endpoint client = *parse_address("192.0.2.7", 5060);
    const std::vector<DigestAlgorithm> both{DigestAlgorithm::sha256, DigestAlgorithm::md5};
    std::string user;

    std::string nonce(std::uint64_t now_ms = 1'000) {
        const std::string lines = server.challenge(both, client, now_ms, false);
        const std::size_t at = lines.find("nonce=\"") + 7;
        return lines.substr(at, lines.find('"', at) - at);
    }
    static std::string answer(const std::string& nonce,
                              const char* nc,
                              std::string_view password = "correct horse",
                              std::string_view name = "anna",
                              DigestAlgorithm algorithm = DigestAlgorithm::sha256) {
        DigestInput in;
        in.algorithm = algorithm;
        in.user = name;
        in.realm = "jackfield";
        in.password = password;
        in.method = "INVITE";
        in.uri = "sip:100@host";
        in.nonce = nonce;
        if (*nc) {
            in.nc = nc;
            in.cnonce = "abc";
        }
        return "Digest username=\"" + std::string(name) + "\", realm=\"jackfield\", nonce=\"" +
               nonce + "\", uri=\"sip:100@host\", response=\"" + digest_response(in) +
               "\", algorithm=" + digest_name(algorithm) +
               (*nc ? std::string(", qop=auth, cnonce=\"abc\", nc=") + nc : std::string());
    }
    DigestServer::Verdict check(const std::string& answer, std::uint64_t now_ms = 2'000) {
        user.clear();
        return server.check(answer, "INVITE", "sip:100@host", client, now_ms, user);
    }
};
using Verdict = DigestServer::Verdict;

TEST_F(DigestServing, OffersItsAlgorithmsInTheirOrder) {
    const std::string lines = server.challenge(both, client, 1'000, false);
    EXPECT_LT(lines.find("algorithm=SHA-256"), lines.find("algorithm=MD5"));
    EXPECT_EQ(lines.find("stale"), std::string::npos);
    EXPECT_NE(server.challenge(both, client, 1'000, true).find("stale=true"), std::string::npos);
}

TEST_F(DigestServing, KnowsTheRightPasswordInEitherAlgorithm) {
    EXPECT_EQ(check(answer(nonce(), "00000001")), Verdict::right);
    EXPECT_EQ(user, "anna");
    EXPECT_EQ(check(answer(nonce(), "00000001", "correct horse", "anna", DigestAlgorithm::md5)),
              Verdict::right);
    EXPECT_EQ(check(answer(nonce(), "00000001", "wrong horse")), Verdict::wrong);
    EXPECT_EQ(user, "");
    EXPECT_EQ(check(answer(nonce(), "00000001", "correct horse", "bert")), Verdict::wrong);
    EXPECT_EQ(check(""), Verdict::nothing);
    EXPECT_EQ(check("Digest realm=\"other\", nonce=\"x\""), Verdict::nothing);
}

TEST_F(DigestServing, TakesEachCountOfANonceOnce) {
    const std::string one = nonce();
    EXPECT_EQ(check(answer(one, "00000001")), Verdict::right);
    EXPECT_EQ(check(answer(one, "00000001")), Verdict::stale);
    EXPECT_EQ(check(answer(one, "00000004")), Verdict::right);
    EXPECT_EQ(check(answer(one, "00000003")), Verdict::right) << "UDP may change their order";
    EXPECT_EQ(check(answer(one, "00000003")), Verdict::stale);
    EXPECT_EQ(check(answer(one, "00000100")), Verdict::right);
    EXPECT_EQ(check(answer(one, "00000002")), Verdict::stale) << "too far behind";
    EXPECT_EQ(check(answer(one, "00000000")), Verdict::wrong);
}

TEST_F(DigestServing, TakesANonceWithoutACountOnce) {
    const std::string one = nonce();
    EXPECT_EQ(check(answer(one, "")), Verdict::right);
    EXPECT_EQ(check(answer(one, "")), Verdict::stale);
}

TEST_F(DigestServing, TakesNoNonceThatIsOldForeignOrForged) {
    EXPECT_EQ(check(answer(nonce(1'000), "00000001"), 62'000), Verdict::stale);
    const std::string mine = nonce();
    client = *parse_address("192.0.2.8", 5060);
    EXPECT_EQ(check(answer(mine, "00000001")), Verdict::stale);
    client = *parse_address("192.0.2.7", 9999);
    EXPECT_EQ(check(answer(mine, "00000001")), Verdict::right) << "a NAT changes the port";
    std::string forged = nonce();
    forged[3] = '7';
    EXPECT_EQ(check(answer(forged, "00000001")), Verdict::stale);
    EXPECT_EQ(check(answer("short", "00000001")), Verdict::stale);
}

TEST_F(DigestServing, AsksForTheUriOfTheRequest) {
    user.clear();
    EXPECT_EQ(server.check(
                  answer(nonce(), "00000001"), "INVITE", "sip:premium@host", client, 2'000, user),
              Verdict::wrong);
}

TEST_F(DigestServing, NeverTakesAnythingTwiceEvenWhenItsTableIsFull) {
    const std::string first = nonce();
    ASSERT_EQ(check(answer(first, "00000001")), Verdict::right);
    unsigned right = 1;
    for (int i = 0; i < 5000; ++i)
        right += check(answer(nonce(), "00000001")) == Verdict::right ? 1 : 0;
    EXPECT_EQ(right, 4096u);
    EXPECT_EQ(check(answer(first, "00000001")), Verdict::stale);
    EXPECT_EQ(check(answer(nonce(70'000), "00000001"), 70'000), Verdict::right);
}

TEST(Secrets, AreComparedWhole) {
    EXPECT_TRUE(same_secret("abc", "abc"));
    EXPECT_FALSE(same_secret("abc", "abd"));
    EXPECT_FALSE(same_secret("abc", "ab"));
}

}  // namespace
}  // namespace jackfield::sip
