#pragma once

// SRTP keys in a session description (SDES, RFC 4568): `a=crypto` lines, in and out. Pure.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::sip {

enum class SrtpSuite : std::uint8_t { aes_cm_128_hmac_sha1_80, aes_cm_128_hmac_sha1_32 };
inline constexpr std::size_t srtp_suites = 2;
std::string_view srtp_suite_name(SrtpSuite suite);

/// A master key with its salt. Wiped when it goes; it never has a place in a log.
class MasterKey {
  public:
    static constexpr std::size_t size = 30;

    MasterKey() = default;
    explicit MasterKey(const std::array<std::uint8_t, size>& bytes) : bytes_(bytes) {}
    MasterKey(const MasterKey&) = default;
    MasterKey& operator=(const MasterKey&) = default;
    ~MasterKey();
    /// From the kernel's pool; nothing when it has none, and then there is no call with SRTP.
    static std::optional<MasterKey> random();

    const std::array<std::uint8_t, size>& bytes() const { return bytes_; }
    bool operator==(const MasterKey&) const = default;

  private:
    std::array<std::uint8_t, size> bytes_{};
};

/// What one `a=crypto` line says.
struct CryptoLine {
    std::uint32_t tag = 0;
    SrtpSuite suite = SrtpSuite::aes_cm_128_hmac_sha1_80;
    MasterKey key;
};

/// What both sides agreed on, in the end.
struct SrtpKeys {
    SrtpSuite suite = SrtpSuite::aes_cm_128_hmac_sha1_80;
    std::uint32_t tag = 1;  // of the offer's line that was taken
    MasterKey ours;         // protects what we send
    MasterKey theirs;
    bool operator==(const SrtpKeys&) const = default;
};

/// The value of an `a=crypto` attribute. Nothing for what we can't do as it is meant: other suites,
/// several keys, an MKI, parameters that change how packets are protected, a lifetime that a long
/// call would exceed.
std::optional<CryptoLine> parse_crypto(std::string_view value);
/// The whole line, with its end.
std::string write_crypto(const CryptoLine& line);

}  // namespace jackfield::sip
