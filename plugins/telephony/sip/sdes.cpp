#include "sdes.hpp"

#include <charconv>
#include <cstring>

#include <sys/random.h>

namespace jackfield::sip {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t encoded_size = MasterKey::size / 3 * 4;
constexpr unsigned shortest_lifetime = 20;  // 2^20 packets: 5.8 hours of 20 ms

std::string_view word(std::string_view& text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view out = text.substr(0, end);
    text.remove_prefix(end);
    return out;
}

std::optional<MasterKey> decode(std::string_view text) {
    // Thirty bytes are forty characters without padding; some write padding all the same.
    while (text.size() > encoded_size && text.back() == '=') text.remove_suffix(1);
    if (text.size() != encoded_size) return std::nullopt;
    std::array<std::uint8_t, MasterKey::size> out;
    for (std::size_t i = 0; i < encoded_size / 4; ++i) {
        std::uint32_t bits = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            const std::size_t value = alphabet.find(text[i * 4 + j]);
            if (value == std::string_view::npos) return std::nullopt;
            bits = bits << 6 | static_cast<std::uint32_t>(value);
        }
        for (std::size_t j = 0; j < 3; ++j)
            out[i * 3 + j] = static_cast<std::uint8_t>(bits >> (16 - 8 * j));
    }
    const MasterKey key(out);
    explicit_bzero(out.data(), out.size());
    return key;
}

/// "2^31" or a plain number of packets. An MKI has a colon and is not a lifetime.
bool long_enough(std::string_view lifetime) {
    const bool power = lifetime.starts_with("2^");
    if (power) lifetime.remove_prefix(2);
    std::uint64_t value = 0;
    const auto [end, problem] =
        std::from_chars(lifetime.data(), lifetime.data() + lifetime.size(), value);
    if (problem != std::errc() || end != lifetime.data() + lifetime.size()) return false;
    return power ? value >= shortest_lifetime && value <= 48 : value >= 1u << shortest_lifetime;
}

}  // namespace

std::string_view srtp_suite_name(SrtpSuite suite) {
    return suite == SrtpSuite::aes_cm_128_hmac_sha1_80 ? "AES_CM_128_HMAC_SHA1_80"
                                                       : "AES_CM_128_HMAC_SHA1_32";
}

MasterKey::~MasterKey() {
    explicit_bzero(bytes_.data(), bytes_.size());
}

std::optional<MasterKey> MasterKey::random() {
    MasterKey out;
    // Up to 256 bytes come whole or not at all.
    if (getrandom(out.bytes_.data(), size, 0) != static_cast<ssize_t>(size)) return std::nullopt;
    return out;
}

std::optional<CryptoLine> parse_crypto(std::string_view value) {
    CryptoLine out;
    const std::string_view tag = word(value);
    const auto [end, problem] = std::from_chars(tag.data(), tag.data() + tag.size(), out.tag);
    if (problem != std::errc() || end != tag.data() + tag.size() || tag.size() > 9)
        return std::nullopt;
    const std::string_view suite = word(value);
    if (suite == srtp_suite_name(SrtpSuite::aes_cm_128_hmac_sha1_80))
        out.suite = SrtpSuite::aes_cm_128_hmac_sha1_80;
    else if (suite == srtp_suite_name(SrtpSuite::aes_cm_128_hmac_sha1_32))
        out.suite = SrtpSuite::aes_cm_128_hmac_sha1_32;
    else
        return std::nullopt;

    std::string_view parameters = word(value);
    constexpr std::string_view method = "inline:";
    if (!parameters.starts_with(method)) return std::nullopt;
    parameters.remove_prefix(method.size());
    const std::size_t bar = parameters.find('|');
    const std::optional<MasterKey> key = decode(parameters.substr(0, bar));
    if (!key || (bar != std::string_view::npos && !long_enough(parameters.substr(bar + 1))))
        return std::nullopt;
    out.key = *key;

    // A replay window hint is ours to ignore; whatever else stands here isn't (RFC 4568 6.3).
    for (std::string_view parameter = word(value); !parameter.empty(); parameter = word(value))
        if (!parameter.starts_with("WSH=") && !parameter.starts_with("-")) return std::nullopt;
    return out;
}

std::string write_crypto(const CryptoLine& line) {
    std::string out = "a=crypto:" + std::to_string(line.tag) + " " +
                      std::string(srtp_suite_name(line.suite)) + " inline:";
    const auto& bytes = line.key.bytes();
    for (std::size_t i = 0; i < MasterKey::size; i += 3) {
        const std::uint32_t bits = static_cast<std::uint32_t>(bytes[i]) << 16 |
                                   static_cast<std::uint32_t>(bytes[i + 1]) << 8 | bytes[i + 2];
        for (unsigned j = 0; j < 4; ++j) out += alphabet[bits >> (18 - 6 * j) & 0x3f];
    }
    return out + "\r\n";
}

}  // namespace jackfield::sip
