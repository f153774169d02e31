#pragma once

// Digest authentication as SIP has it (RFC 3261 22, RFC 7616, RFC 8760). Texts and hashes; no
// sockets, no clock.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jackfield::sip {

enum class DigestAlgorithm { md5, sha256, sha512_256 };
const char* digest_name(DigestAlgorithm algorithm);
/// None for those that we don't have (the -sess ones among them); MD5 for an empty name.
std::optional<DigestAlgorithm> digest_named(std::string_view name);
/// Lower-case hex.
std::string digest_hash(DigestAlgorithm algorithm, std::string_view text);
/// HMAC-SHA-256 as lower-case hex.
std::string digest_mac(std::string_view key, std::string_view text);
/// Takes as long for equal texts as for any others of that length.
bool same_secret(std::string_view a, std::string_view b);

/// The parameters of a Digest header's value, names in lower case and quotes undone; none when it
/// is of another scheme or isn't well formed.
class DigestFields {
  public:
    static std::optional<DigestFields> parse(std::string_view value);
    /// Empty when it isn't there.
    std::string_view get(std::string_view name) const;
    bool has(std::string_view name) const;

  private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// What goes into a response, RFC 7616 3.4.1. `nc` and `cnonce` empty: without qop.
struct DigestInput {
    DigestAlgorithm algorithm = DigestAlgorithm::md5;
    std::string_view user;
    std::string_view realm;
    std::string_view password;
    std::string_view method;
    std::string_view uri;
    std::string_view nonce;
    std::string_view nc;
    std::string_view cnonce;
};
std::string digest_response(const DigestInput& input);

/// In double quotes, with what would end them escaped.
std::string quoted(std::string_view text);
/// True when a list as in qop="auth,auth-int" has this word.
bool list_has(std::string_view list, std::string_view word);

}  // namespace jackfield::sip
