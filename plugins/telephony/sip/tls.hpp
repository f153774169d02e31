#pragma once

// SIP over TLS: the certificate we show, the ones we believe, and whether a server is the one that
// was meant. On the loop's thread, except create().

#include "config.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct tls;
struct ssl_st;
struct x509_store_ctx_st;

namespace jackfield::sip {

/// The host that a request is on its way to: of its first Route, else of its Request-URI; without
/// brackets. Empty for a response.
std::string target_host(std::string_view message);

class Tls {
  public:
    /// A sentence about a connection that was refused, and with whom.
    using Refused = std::function<void(std::string_view host, std::string_view why)>;

    /// Reads the files. Throws sdk::Failure, which names the option.
    Tls(const Options& options, Refused refused);
    ~Tls();
    Tls(const Tls&) = delete;

    /// For the stack's listeners; it keeps a reference of its own.
    struct tls* context() const {
        return context_;
    }
    /// The next connection is made for this host: its name goes into the handshake (SNI). Names
    /// only; a wrong guess costs the call, not its safety.
    void expect(std::string host) { expected_ = std::move(host); }
    /// A request is about to leave over TLS. The library connects by address and knows no name, so
    /// the name is compared here, before a new connection's first byte of SIP: where the
    /// certificate is for somebody else, nothing is sent any more.
    void before_request(std::string_view message);

  private:
    static void on_info(const ssl_st* ssl, int where, int result);
    static int on_verify(int good, x509_store_ctx_st* store);
    void handshake_begins(ssl_st* ssl) const;
    void handshake_ended(ssl_st* ssl);
    static int own_index();

    struct tls* context_ = nullptr;
    bool verify_server_;
    bool verify_client_;
    Refused refused_;
    std::string expected_;
    std::vector<ssl_st*> unchecked_;  // connections of ours whose name has not been compared
};

}  // namespace jackfield::sip
