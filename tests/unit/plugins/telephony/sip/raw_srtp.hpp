#pragma once

// SRTP (RFC 3711) written out by hand, so that it shares nothing with what it is tested against.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::test {

class RawSrtp {
  public:
    /// `inline_key` is the base64 of a=crypto; `tag_size` 10 or 4.
    RawSrtp(std::string_view inline_key, std::size_t tag_size);

    std::string protect(std::string packet, std::uint32_t roc = 0) const;
    /// Nothing when the tag is wrong.
    std::optional<std::string> unprotect(std::string packet, std::uint32_t roc = 0) const;
    std::string protect_rtcp(std::string packet, std::uint32_t index) const;
    std::optional<std::string> unprotect_rtcp(std::string packet) const;

    std::string session_key() const { return rtp_.key; }
    std::string session_salt() const { return rtp_.salt; }
    std::string session_auth() const { return rtp_.auth; }

  private:
    struct Keys {
        std::string key, auth, salt;
    };
    Keys derive(std::uint8_t first_label) const;

    std::string master_key_, master_salt_;
    std::size_t tag_size_;
    Keys rtp_, rtcp_;
};

/// Thirty bytes as SDES writes them.
std::string base64(std::string_view bytes);
/// The value of "inline:" of the first a=crypto line, and its suite's tag size.
std::string inline_key(std::string_view description);

}  // namespace jackfield::test
