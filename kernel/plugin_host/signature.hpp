#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace jackfield::plugin_host {

/// An Ed25519 public key (RFC 8032). As text, in configurations and .pub files: "ed25519:" and 44 characters of base64.
struct PublicKey {
    std::array<unsigned char, 32> bytes{};

    static base::Result<PublicKey> parse(std::string_view text);
    std::string text() const;
    /// The first 16 hexadecimal digits of its SHA-256: short enough for messages.
    std::string id() const;

    friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

/// What is signed says what it is, so that a signature of one thing is none of another.
enum class Signed { plugin_file, package };

/// The private half. Its PEM is PKCS #8, as `openssl genpkey -algorithm ed25519` writes it; it is never printed.
class PrivateKey {
  public:
    static base::Result<PrivateKey> generate();
    static base::Result<PrivateKey> parse_pem(std::string_view pem);
    base::Result<std::string> pem() const;
    PublicKey public_key() const;
    /// One line of a signature file, with its newline.
    base::Result<std::string> sign(Signed what, std::string_view message) const;

  private:
    struct Free {
        void operator()(void* key) const;
    };
    std::unique_ptr<void, Free> key_; ///< EVP_PKEY
};

/// One line of a .sig file: "ed25519:<public key> <signature>", both base64.
struct Signature {
    PublicKey key;
    std::array<unsigned char, 64> bytes{};
};

/// At most 16 lines; empty ones and those that begin with # say nothing.
base::Result<std::vector<Signature>> parse_signatures(std::string_view text);

bool fits(const Signature& signature, Signed what, std::string_view message);

/// The first key of `trusted` that signed the message. The error says who signed it instead.
base::Result<PublicKey> find_signer(std::string_view signatures, Signed what, std::string_view message, const std::vector<PublicKey>& trusted);

/// A plugin file's signature stands beside it and signs its SHA-256 in hexadecimal.
inline constexpr std::string_view signature_suffix = ".sig";

}  // namespace jackfield::plugin_host
