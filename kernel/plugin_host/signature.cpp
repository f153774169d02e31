#include "plugin_host/signature.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>

#include "plugin_host/descriptor.hpp"

namespace jackfield::plugin_host {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::string_view prefix = "ed25519:";
constexpr std::size_t most_lines = 16;

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeBio {
    void operator()(BIO* bio) const { BIO_free_all(bio); }
};

EVP_PKEY* of(void* key) { return static_cast<EVP_PKEY*>(key); }

std::string to_base64(std::span<const unsigned char> bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(n));
    return out;
}

/// Fills `out` exactly; there is one text for each value, so that a key can't be listed under two names.
bool from_base64(std::string_view text, std::span<unsigned char> out) {
    if (text.size() != 4 * ((out.size() + 2) / 3)) return false;
    std::array<unsigned char, 96> buffer{};
    if (text.size() / 4 * 3 > buffer.size()) return false;
    const int n = EVP_DecodeBlock(buffer.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (n < static_cast<int>(out.size())) return false;
    std::copy_n(buffer.begin(), out.size(), out.begin());
    return to_base64(out) == text;
}

std::string framed(Signed what, std::string_view message) {
    std::string out = what == Signed::plugin_file ? "jackfield plugin file 1\n" : "jackfield package 1\n";
    return out.append(message);
}

/// Refuses to ask a terminal for a pass phrase: commands run in scripts.
int no_pass_phrase(char*, int, int, void*) { return -1; }

Error openssl_failed(std::string_view doing) { return Error(ErrorCode::internal, "OpenSSL could not " + std::string(doing)); }

}  // namespace

Result<PublicKey> PublicKey::parse(std::string_view text) {
    PublicKey out;
    if (!text.starts_with(prefix) || !from_base64(text.substr(prefix.size()), out.bytes))
        return Error(ErrorCode::invalid, "'" + std::string(text.substr(0, 80)) + "' is no public key: ed25519: and 44 characters of base64 are wanted, as in the .pub file of `jackfield plugin keygen`");
    return out;
}

std::string PublicKey::text() const { return std::string(prefix) + to_base64(bytes); }

std::string PublicKey::id() const { return sha256_hex(std::as_bytes(std::span(bytes))).substr(0, 16); }

void PrivateKey::Free::operator()(void* key) const { EVP_PKEY_free(of(key)); }

Result<PrivateKey> PrivateKey::generate() {
    PrivateKey out;
    out.key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    if (!out.key_) return openssl_failed("make a key");
    return out;
}

Result<PrivateKey> PrivateKey::parse_pem(std::string_view pem) {
    const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<std::size_t>(pem.size(), 65536))));
    PrivateKey out;
    if (bio) out.key_.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
    if (!out.key_ || EVP_PKEY_get_id(of(out.key_.get())) != EVP_PKEY_ED25519)
        return Error(ErrorCode::invalid, "it holds no Ed25519 private key in PEM without a pass phrase; `jackfield plugin keygen` makes one");
    return out;
}

Result<std::string> PrivateKey::pem() const {
    const std::unique_ptr<BIO, FreeBio> bio(BIO_new(BIO_s_secmem()));
    if (!bio || PEM_write_bio_PrivateKey(bio.get(), of(key_.get()), nullptr, nullptr, 0, nullptr, nullptr) != 1) return openssl_failed("write a key");
    char* data = nullptr;
    const long n = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<std::size_t>(n));
}

PublicKey PrivateKey::public_key() const {
    PublicKey out;
    std::size_t n = out.bytes.size();
    EVP_PKEY_get_raw_public_key(of(key_.get()), out.bytes.data(), &n);
    return out;
}

Result<std::string> PrivateKey::sign(Signed what, std::string_view message) const {
    const std::string text = framed(what, message);
    Signature out{public_key(), {}};
    std::size_t n = out.bytes.size();
    const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, of(key_.get())) != 1 ||
        EVP_DigestSign(context.get(), out.bytes.data(), &n, reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1)
        return openssl_failed("sign");
    return out.key.text() + " " + to_base64(out.bytes) + "\n";
}

Result<std::vector<Signature>> parse_signatures(std::string_view text) {
    std::vector<Signature> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        const std::size_t space = line.find(' ');
        Signature signature;
        const auto key = PublicKey::parse(line.substr(0, space));
        if (!key || space == std::string_view::npos || !from_base64(line.substr(space + 1), signature.bytes))
            return Error(ErrorCode::invalid, "it is no signature: lines of a public key and a signature are wanted, as `jackfield plugin sign` writes them");
        if (out.size() == most_lines) return Error(ErrorCode::invalid, "it has more than 16 signatures");
        signature.key = *key;
        out.push_back(signature);
    }
    return out;
}

bool fits(const Signature& signature, Signed what, std::string_view message) {
    const std::string text = framed(what, message);
    EVP_PKEY* const key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, signature.key.bytes.data(), signature.key.bytes.size());
    const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    const bool good = key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
                      EVP_DigestVerify(context.get(), signature.bytes.data(), signature.bytes.size(), reinterpret_cast<const unsigned char*>(text.data()),
                                       text.size()) == 1;
    EVP_PKEY_free(key);
    return good;
}

Result<PublicKey> find_signer(std::string_view signatures, Signed what, std::string_view message, const std::vector<PublicKey>& trusted) {
    const auto all = parse_signatures(signatures);
    if (!all) return all.error();
    std::string others, ours;
    // One that does not fit is no reason to stop: while a file is replaced, the old one's signature and the new one's stand together.
    for (const Signature& signature : *all) {
        const bool known = std::find(trusted.begin(), trusted.end(), signature.key) != trusted.end();
        if (known && fits(signature, what, message)) return signature.key;
        std::string& list = known ? ours : others;
        list += (list.empty() ? "" : ", ") + signature.key.id();
    }
    if (!ours.empty()) return Error(ErrorCode::auth, "the signature by key " + ours + " does not fit: what was signed has been changed since");
    if (others.empty()) return Error(ErrorCode::auth, "it is not signed");
    return Error(ErrorCode::auth, "it is signed by key " + others + ", which is not in [host] trusted_keys");
}

}  // namespace jackfield::plugin_host
