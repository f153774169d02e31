#include "raw_srtp.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace jackfield::test {
namespace {

std::uint8_t byte(char c) {
    return static_cast<std::uint8_t>(c);
}

/// AES in counter mode; `iv` is the first counter block.
std::string aes_ctr(const std::string& key, const std::string& iv, std::string text) {
    EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(context,
                       EVP_aes_128_ctr(),
                       nullptr,
                       reinterpret_cast<const std::uint8_t*>(key.data()),
                       reinterpret_cast<const std::uint8_t*>(iv.data()));
    int size = 0;
    auto* const data = reinterpret_cast<std::uint8_t*>(text.data());
    EVP_EncryptUpdate(context, data, &size, data, static_cast<int>(text.size()));
    EVP_CIPHER_CTX_free(context);
    return text;
}

std::string sha1_tag(const std::string& key, const std::string& text, std::size_t size) {
    std::uint8_t digest[20];
    unsigned length = sizeof digest;
    HMAC(EVP_sha1(),
         key.data(),
         static_cast<int>(key.size()),
         reinterpret_cast<const std::uint8_t*>(text.data()),
         text.size(),
         digest,
         &length);
    return std::string(reinterpret_cast<const char*>(digest), size);
}

std::string number(std::uint64_t value, std::size_t size) {
    std::string out(size, 0);
    for (std::size_t i = 0; i < size; ++i)
        out[i] = static_cast<char>(value >> (8 * (size - 1 - i)));
    return out;
}

/// RFC 3711 4.1.1: (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16).
std::string counter(const std::string& salt, std::string_view ssrc, std::uint64_t index) {
    std::string out = salt + std::string(2, 0);
    for (std::size_t i = 0; i < 4; ++i) out[4 + i] = static_cast<char>(out[4 + i] ^ ssrc[i]);
    const std::string bytes = number(index, 6);
    for (std::size_t i = 0; i < 6; ++i) out[8 + i] = static_cast<char>(out[8 + i] ^ bytes[i]);
    return out;
}

std::uint16_t sequence(const std::string& packet) {
    return static_cast<std::uint16_t>(byte(packet[2]) << 8 | byte(packet[3]));
}

}  // namespace

std::string base64(std::string_view bytes) {
    std::string out(bytes.size() / 3 * 4 + 5, 0);
    out.resize(static_cast<std::size_t>(
        EVP_EncodeBlock(reinterpret_cast<std::uint8_t*>(out.data()),
                        reinterpret_cast<const std::uint8_t*>(bytes.data()),
                        static_cast<int>(bytes.size()))));
    return out;
}

std::string inline_key(std::string_view description) {
    const std::size_t at = description.find("inline:");
    return at == std::string_view::npos ? "" : std::string(description.substr(at + 7, 40));
}

RawSrtp::RawSrtp(std::string_view inline_key, std::size_t tag_size) : tag_size_(tag_size) {
    std::string raw(inline_key.size(), 0);
    EVP_DecodeBlock(reinterpret_cast<std::uint8_t*>(raw.data()),
                    reinterpret_cast<const std::uint8_t*>(inline_key.data()),
                    static_cast<int>(inline_key.size()));
    master_key_ = raw.substr(0, 16);
    master_salt_ = raw.substr(16, 14);
    rtp_ = derive(0);
    rtcp_ = derive(3);
}

RawSrtp::Keys RawSrtp::derive(std::uint8_t first_label) const {
    const auto one = [&](std::uint8_t label, std::size_t size) {
        std::string iv = master_salt_ + std::string(2, 0);
        iv[7] = static_cast<char>(iv[7] ^ label);
        return aes_ctr(master_key_, iv, std::string(size, 0));
    };
    return {one(first_label, 16),
            one(static_cast<std::uint8_t>(first_label + 1), 20),
            one(static_cast<std::uint8_t>(first_label + 2), 14)};
}

std::string RawSrtp::protect(std::string packet, std::uint32_t roc) const {
    const std::uint64_t index = std::uint64_t{roc} << 16 | sequence(packet);
    packet = packet.substr(0, 12) +
             aes_ctr(rtp_.key, counter(rtp_.salt, packet.substr(8, 4), index), packet.substr(12));
    return packet + sha1_tag(rtp_.auth, packet + number(roc, 4), tag_size_);
}

std::optional<std::string> RawSrtp::unprotect(std::string packet, std::uint32_t roc) const {
    if (packet.size() < 12 + tag_size_) return std::nullopt;
    const std::string tag = packet.substr(packet.size() - tag_size_);
    packet.resize(packet.size() - tag_size_);
    if (sha1_tag(rtp_.auth, packet + number(roc, 4), tag_size_) != tag) return std::nullopt;
    const std::uint64_t index = std::uint64_t{roc} << 16 | sequence(packet);
    return packet.substr(0, 12) +
           aes_ctr(rtp_.key, counter(rtp_.salt, packet.substr(8, 4), index), packet.substr(12));
}

std::string RawSrtp::protect_rtcp(std::string packet, std::uint32_t index) const {
    packet = packet.substr(0, 8) +
             aes_ctr(rtcp_.key, counter(rtcp_.salt, packet.substr(4, 4), index), packet.substr(8));
    packet += number(index | 0x8000'0000u, 4);
    return packet + sha1_tag(rtcp_.auth, packet, 10);
}

std::optional<std::string> RawSrtp::unprotect_rtcp(std::string packet) const {
    if (packet.size() < 8 + 14) return std::nullopt;
    const std::string tag = packet.substr(packet.size() - 10);
    packet.resize(packet.size() - 10);
    if (sha1_tag(rtcp_.auth, packet, 10) != tag) return std::nullopt;
    std::uint32_t index = 0;
    for (std::size_t i = packet.size() - 4; i < packet.size(); ++i)
        index = index << 8 | byte(packet[i]);
    packet.resize(packet.size() - 4);
    if ((index & 0x8000'0000u) == 0) return packet;
    return packet.substr(0, 8) +
           aes_ctr(rtcp_.key,
                   counter(rtcp_.salt, packet.substr(4, 4), index & 0x7fff'ffffu),
                   packet.substr(8));
}

}  // namespace jackfield::test
