#include "plugin_host/signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin_kit/package.hpp"

namespace jackfield::plugin_host {
namespace {

using testing::HasSubstr;

PrivateKey new_key() {
    auto key = PrivateKey::generate();
    EXPECT_TRUE(key);
    return std::move(*key);
}

TEST(Signature, IsFoundByTheKeyThatMadeIt) {
    const PrivateKey key = new_key();
    const auto line = key.sign(Signed::plugin_file, "abc");
    ASSERT_TRUE(line);
    const auto signer = find_signer(*line, Signed::plugin_file, "abc", {new_key().public_key(), key.public_key()});
    ASSERT_TRUE(signer) << signer.error().text();
    EXPECT_EQ(*signer, key.public_key());
}

TEST(Signature, SaysWhoSignedWhenNobodyTrustedDid) {
    const PrivateKey key = new_key();
    const auto line = key.sign(Signed::plugin_file, "abc");
    EXPECT_THAT(find_signer(*line, Signed::plugin_file, "abc", {new_key().public_key()}).error().text(), HasSubstr("signed by key " + key.public_key().id() + ", which is not in"));
    EXPECT_EQ(find_signer("", Signed::plugin_file, "abc", {key.public_key()}).error().text(), "it is not signed");
}

TEST(Signature, FitsOneMessageAndOnePurpose) {
    const PrivateKey key = new_key();
    const auto line = key.sign(Signed::plugin_file, "abc");
    EXPECT_THAT(find_signer(*line, Signed::plugin_file, "abd", {key.public_key()}).error().text(), HasSubstr("does not fit"));
    EXPECT_FALSE(find_signer(*line, Signed::package, "abc", {key.public_key()})) << "a file's signature is none of a package";
}

TEST(Signature, StandsBesideOthersAndReplacesItsOwn) {
    const PrivateKey vendor = new_key(), shop = new_key();
    auto lines = plugin_kit::add_signature("# made by hand\n", vendor, Signed::package, "abc");
    lines = plugin_kit::add_signature(*lines, shop, Signed::package, "abc");
    lines = plugin_kit::add_signature(*lines, vendor, Signed::package, "abc");
    EXPECT_EQ(parse_signatures(*lines)->size(), 2u);
    EXPECT_TRUE(find_signer(*lines, Signed::package, "abc", {shop.public_key()}));
    EXPECT_TRUE(find_signer(*lines, Signed::package, "abc", {vendor.public_key()}));
}

TEST(Signature, IsRefusedWhenItIsNone) {
    const auto line = *new_key().sign(Signed::package, "abc");
    for (const std::string& text : {std::string("hello\n"), line.substr(0, 60), "ed25519:" + line.substr(8, 20), line.substr(0, line.size() - 9) + "\n", std::string(16 * 1024, 'a'), line + line + "x\n"})
        EXPECT_FALSE(parse_signatures(text)) << text;
    std::string many;
    for (int i = 0; i < 17; ++i) many += line;
    EXPECT_FALSE(parse_signatures(many));
}

TEST(PublicKey, HasOneText) {
    const PublicKey key = new_key().public_key();
    EXPECT_EQ(*PublicKey::parse(key.text()), key);
    EXPECT_EQ(key.id().size(), 16u);
    std::string other = key.text();
    // The last of the 43 characters carries two bits that say nothing: only one of its four spellings is a key.
    other[other.size() - 2] = static_cast<char>(other[other.size() - 2] + 1);
    EXPECT_FALSE(PublicKey::parse(other) && *PublicKey::parse(other) == key);
    for (const char* text : {"", "ed25519:", "ed25519:AAAA", "rsa:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}) EXPECT_FALSE(PublicKey::parse(text)) << text;
}

TEST(PrivateKey, IsReadBackFromItsPem) {
    const PrivateKey key = new_key();
    const auto again = PrivateKey::parse_pem(*key.pem());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->public_key(), key.public_key());
    EXPECT_FALSE(PrivateKey::parse_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
    EXPECT_FALSE(PrivateKey::parse_pem(""));
}

}  // namespace
}  // namespace jackfield::plugin_host
