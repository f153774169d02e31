#include "tls.hpp"

#include "address.hpp"
#include "libre.hpp"
#include "text.hpp"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

extern "C" struct ssl_ctx_st* tls_openssl_context(const struct tls* tls);

namespace jackfield::sip {
namespace {

constexpr std::size_t most_unchecked = 64;

std::string library_says() {
    char text[256] = "unknown reason";
    if (const unsigned long code = ERR_get_error()) ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return text;
}

[[noreturn]] void wrong(const char* option, const std::string& value, const std::string& why) {
    throw sdk::Failure(JF_E_INVALID, std::string(option) + " = \"" + value + "\": " + why);
}

void load(SSL_CTX* context, const Options& options) {
    if (options.tls_certificate.empty())
        throw sdk::Failure(JF_E_INVALID,
                           "a tls: listener needs `tls_certificate`, a PEM file with our "
                           "certificate and those between it and its authority");
    if (SSL_CTX_use_certificate_chain_file(context, options.tls_certificate.c_str()) != 1)
        wrong("tls_certificate", options.tls_certificate, library_says());
    const std::string& key = options.tls_key.empty() ? options.tls_certificate : options.tls_key;
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
        wrong("tls_key", key, library_says());
    if (SSL_CTX_check_private_key(context) != 1)
        wrong("tls_key", key, "this is not the key of `tls_certificate`");
    const bool own = !options.tls_ca.empty();
    if (own && SSL_CTX_load_verify_locations(context, options.tls_ca.c_str(), nullptr) != 1)
        wrong("tls_ca", options.tls_ca, library_says());
    if (!own) (void)SSL_CTX_set_default_verify_paths(context);
}

/// RFC 5922 7.1: a URI of the SIP domain in the certificate is as good as its DNS name.
bool has_sip_uri(X509* certificate, std::string_view host) {
    auto* names = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI) continue;
        const ASN1_STRING* text = name->d.uniformResourceIdentifier;
        const std::string_view uri(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                   static_cast<std::size_t>(ASN1_STRING_length(text)));
        found = lower(std::string(uri)) == "sip:" + lower(std::string(host));
    }
    GENERAL_NAMES_free(names);
    return found;
}

bool is_for(X509* certificate, const std::string& host) {
    if (!certificate || host.empty()) return false;
    if (parse_address(host)) return X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
    return X509_check_host(certificate,
                           host.c_str(),
                           host.size(),
                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                           nullptr) == 1 ||
           has_sip_uri(certificate, host);
}

}  // namespace

std::string target_host(std::string_view message) {
    std::string_view head = message.substr(0, message.find("\r\n\r\n"));
    if (head.starts_with("SIP/2.0 ")) return {};
    std::string_view uri;
    if (const std::size_t route = head.find("\r\nRoute:"); route != std::string_view::npos) {
        uri = head.substr(route + 8);
        uri = uri.substr(0, uri.find("\r\n"));
        if (const std::size_t bracket = uri.find('<'); bracket != std::string_view::npos)
            uri.remove_prefix(bracket + 1);
        uri = uri.substr(0, uri.find('>'));
    } else {
        const std::size_t space = head.find(' ');
        if (space == std::string_view::npos) return {};
        uri = head.substr(space + 1);
        uri = uri.substr(0, uri.find(' '));
    }
    struct uri parsed;
    const struct pl text = pl_of(uri);
    return uri_decode(&parsed, &text) ? std::string() : std::string(view(parsed.host));
}

Tls::Tls(const Options& options, Refused refused)
    : verify_server_(options.tls_verify_server),
      verify_client_(options.tls_verify_client),
      refused_(std::move(refused)) {
    if (tls_alloc(&context_, TLS_METHOD_SSLV23, nullptr, nullptr))
        throw sdk::Failure(JF_E_INTERNAL, "TLS can't be set up: " + library_says());
    SSL_CTX* const context = tls_openssl_context(context_);
    try {
        load(context, options);
    } catch (...) {
        mem_deref(context_);
        throw;
    }
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // Connections live long and are few: nothing is gained by resuming, and resumed ones show no
    // certificate.
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_app_data(context, this);
    SSL_CTX_set_info_callback(context, &Tls::on_info);
}

Tls::~Tls() {
    // Connections outlive this by a moment: the stack closes them.
    SSL_CTX_set_app_data(tls_openssl_context(context_), nullptr);
    for (SSL* ssl : unchecked_) (void)SSL_set_ex_data(ssl, own_index(), nullptr);
    mem_deref(context_);
}

void Tls::on_info(const SSL* ssl, int where, int) {
    auto* self = static_cast<Tls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    auto* connection = const_cast<SSL*>(
        ssl);  // what the callback is given isn't const where it is used for settings
    if (!self) return;
    if (where == SSL_CB_HANDSHAKE_START && !SSL_is_init_finished(ssl))
        self->handshake_begins(connection);
    else if (where == SSL_CB_HANDSHAKE_DONE && !SSL_is_server(ssl))
        self->handshake_ended(connection);
}

void Tls::handshake_begins(SSL* ssl) const {
    if (SSL_is_server(ssl)) {
        SSL_set_verify(
            ssl,
            verify_client_ ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE,
            verify_client_ ? &Tls::on_verify : nullptr);
        return;
    }
    SSL_set_verify(ssl,
                   verify_server_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                   verify_server_ ? &Tls::on_verify : nullptr);
    if (!expected_.empty() && !parse_address(expected_))
        (void)SSL_set_tlsext_host_name(ssl, expected_.c_str());
}

int Tls::on_verify(int good, X509_STORE_CTX* store) {
    if (good) return good;
    const auto* ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    const auto* self = static_cast<const Tls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    if (self)
        self->refused_(SSL_is_server(ssl) ? std::string_view("a client") : self->expected_,
                       std::string("its certificate isn't trusted: ") +
                           X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
    return 0;
}

/// Where a connection says whose list it is on, so that it can leave that when it goes. It isn't
/// kept alive instead: what it writes to belongs to the library.
int Tls::own_index() {
    static const int index = SSL_get_ex_new_index(
        0,
        nullptr,
        nullptr,
        nullptr,
        [](void* ssl, void* owner, CRYPTO_EX_DATA*, int, long, void*) {
            if (owner) std::erase(static_cast<Tls*>(owner)->unchecked_, static_cast<SSL*>(ssl));
        });
    return index;
}

void Tls::handshake_ended(SSL* ssl) {
    if (!verify_server_ || std::find(unchecked_.begin(), unchecked_.end(), ssl) != unchecked_.end())
        return;
    if (unchecked_.size() >= most_unchecked || SSL_set_ex_data(ssl, own_index(), this) != 1) {
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN);
        return;
    }
    unchecked_.push_back(ssl);
}

void Tls::before_request(std::string_view message) {
    if (unchecked_.empty() || message.starts_with("SIP/2.0 ")) return;
    const std::string host = target_host(message);  // what can't be read is for nobody
    // The connection whose handshake has just ended, and perhaps one that its request left before:
    // that one is closed as well when it isn't for this host, and made anew when it is needed.
    for (SSL* ssl : unchecked_) {
        X509* const certificate = SSL_get0_peer_certificate(ssl);
        if (!is_for(certificate, host)) {
            SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN);
            refused_(host, "its certificate is for another name");
        }
        (void)SSL_set_ex_data(ssl, own_index(), nullptr);
    }
    unchecked_.clear();
}

}  // namespace jackfield::sip
