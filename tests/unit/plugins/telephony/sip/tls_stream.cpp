#include "tls_stream.hpp"

#include <atomic>
#include <cstdio>
#include <filesystem>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jackfield::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
}

std::uint16_t own_port(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

void load(ssl_ctx_st* context, const Certificate& own) {
    SSL_CTX_use_certificate_chain_file(context, own.file().c_str());
    SSL_CTX_use_PrivateKey_file(context, own.file().c_str(), SSL_FILETYPE_PEM);
}

}  // namespace

Certificate::Certificate(const std::string& names) {
    static std::atomic<unsigned> count{0};
    file_ = std::filesystem::temp_directory_path() /
            ("jackfield-sip-" + std::to_string(getpid()) + "-" + std::to_string(++count) + ".pem");
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), static_cast<long>(count.load()));
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
    X509_NAME* const name = X509_get_subject_name(certificate);
    const std::string common = "peer " + std::to_string(count.load());
    X509_NAME_add_entry_by_txt(name,
                               "CN",
                               MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common.c_str()),
                               -1,
                               -1,
                               0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    X509_EXTENSION* const extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate, key, EVP_sha256());
    std::FILE* const file = std::fopen(file_.c_str(), "w");
    PEM_write_X509(file, certificate);
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

Certificate::~Certificate() {
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
}

TlsStream::TlsStream(std::uint16_t server, const Certificate* own)
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), ssl_(nullptr, SSL_free) {
    if (own) load(context_.get(), *own);
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(server);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    port_ = own_port(fd_);
    handshake(false);
}

TlsStream::TlsStream(const Certificate& own)
    : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free), ssl_(nullptr, SSL_free) {
    load(context_.get(), own);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const sockaddr_in address = loopback(0);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        listen(listener_, 4) == 0)
        port_ = own_port(listener_);
}

TlsStream::~TlsStream() {
    if (listener_ >= 0) close(listener_);
}

void TlsStream::handshake(bool server) {
    // A peer that gives up in the middle must not keep the test.
    const timeval patience{3, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_);
    up_ = (server ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get())) == 1;
    fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

void TlsStream::send(std::string_view bytes) const {
    if (up_) (void)SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
}

long TlsStream::read(char* buffer, std::size_t size) {
    if (listener_ >= 0) {
        const int accepted = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (accepted >= 0) {
            if (fd_ >= 0) close(fd_);
            fd_ = accepted;
            ++connections_;
            handshake(true);
        }
    }
    return up_ ? SSL_read(ssl_.get(), buffer, static_cast<int>(size)) : 0;
}

std::string TlsStream::asked_for() const {
    const char* const name =
        ssl_ ? SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name) : nullptr;
    return name ? name : "";
}

}  // namespace jackfield::test
