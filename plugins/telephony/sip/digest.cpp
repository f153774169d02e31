#include "digest.hpp"

#include "text.hpp"

#include <algorithm>
#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace jackfield::sip {
namespace {

constexpr std::size_t longest_header = 2048;
constexpr std::size_t most_fields = 32;

const EVP_MD* function_of(DigestAlgorithm algorithm) {
    switch (algorithm) {
        case DigestAlgorithm::sha256:
            return EVP_sha256();
        case DigestAlgorithm::sha512_256:
            return EVP_sha512_256();
        case DigestAlgorithm::md5:
            break;
    }
    return EVP_md5();
}

std::string hex(const unsigned char* bytes, std::size_t size) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < size; ++i) out += {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
    return out;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

const char* digest_name(DigestAlgorithm algorithm) {
    switch (algorithm) {
        case DigestAlgorithm::sha256:
            return "SHA-256";
        case DigestAlgorithm::sha512_256:
            return "SHA-512-256";
        case DigestAlgorithm::md5:
            break;
    }
    return "MD5";
}

std::optional<DigestAlgorithm> digest_named(std::string_view name) {
    const std::string small = lower(std::string(name));
    if (small.empty() || small == "md5") return DigestAlgorithm::md5;
    if (small == "sha-256") return DigestAlgorithm::sha256;
    if (small == "sha-512-256") return DigestAlgorithm::sha512_256;
    return std::nullopt;
}

std::string digest_hash(DigestAlgorithm algorithm, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), out.data(), &size, function_of(algorithm), nullptr) !=
        1)
        return {};
    return hex(out.data(), size);
}

std::string digest_mac(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    HMAC(EVP_sha256(),
         key.data(),
         static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()),
         text.size(),
         out.data(),
         &size);
    return hex(out.data(), size);
}

bool same_secret(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::optional<DigestFields> DigestFields::parse(std::string_view value) {
    value = trimmed(value);
    if (value.size() < 7 || value.size() > longest_header ||
        lower(std::string(value.substr(0, 6))) != "digest" || (value[6] != ' ' && value[6] != '\t'))
        return std::nullopt;
    value.remove_prefix(7);
    DigestFields out;
    while (!(value = trimmed(value)).empty()) {
        const std::size_t equals = value.find('=');
        if (equals == std::string_view::npos || out.fields_.size() == most_fields)
            return std::nullopt;
        const std::string name = lower(std::string(trimmed(value.substr(0, equals))));
        value = trimmed(value.substr(equals + 1));
        std::string text;
        if (value.starts_with('"')) {
            std::size_t i = 1;
            for (; i < value.size() && value[i] != '"'; ++i) {
                if (value[i] == '\\' && ++i == value.size()) break;
                text += value[i];
            }
            if (i >= value.size()) return std::nullopt;
            value = trimmed(value.substr(i + 1));
            if (!value.empty() && value.front() != ',') return std::nullopt;
            value.remove_prefix(std::min<std::size_t>(1, value.size()));
        } else {
            const std::size_t comma = value.find(',');
            text = trimmed(value.substr(0, comma));
            value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
        }
        // The same parameter twice means that somebody hopes for two readers of different opinions.
        if (name.empty() || !is_token(name) || out.has(name)) return std::nullopt;
        out.fields_.emplace_back(name, std::move(text));
    }
    if (out.fields_.empty()) return std::nullopt;
    return out;
}

std::string_view DigestFields::get(std::string_view name) const {
    for (const auto& [key, value] : fields_)
        if (key == name) return value;
    return {};
}

bool DigestFields::has(std::string_view name) const {
    return std::any_of(
        fields_.begin(), fields_.end(), [&](const auto& field) { return field.first == name; });
}

std::string digest_response(const DigestInput& in) {
    const auto join = [](const std::vector<std::string_view>& parts) {
        std::string out;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (i) out += ':';
            out += parts[i];
        }
        return out;
    };
    const std::string ha1 = digest_hash(in.algorithm, join({in.user, in.realm, in.password}));
    const std::string ha2 = digest_hash(in.algorithm, join({in.method, in.uri}));
    return digest_hash(in.algorithm,
                       in.cnonce.empty() ? join({ha1, in.nonce, ha2})
                                         : join({ha1, in.nonce, in.nc, in.cnonce, "auth", ha2}));
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

bool list_has(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const std::string_view one = list.substr(0, list.find(','));
        list.remove_prefix(std::min(one.size() + 1, list.size()));
        if (lower(std::string(trimmed(one))) == word) return true;
    }
    return false;
}

}  // namespace jackfield::sip
