#pragma once

// A SIP connection over TLS from the other side, and the certificates for it.

#include "raw_phone.hpp"

#include <memory>
#include <string>

struct ssl_st;
struct ssl_ctx_st;

namespace jackfield::test {

/// A self-signed certificate with its key in one PEM file, gone with the object. It is its own
/// authority.
class Certificate {
  public:
    /// `names` as in "IP:127.0.0.1,DNS:sip.example.com".
    explicit Certificate(const std::string& names);
    ~Certificate();
    Certificate(const Certificate&) = delete;
    const std::string& file() const { return file_; }

  private:
    std::string file_;
};

class TlsStream final : public TcpStream {
  public:
    /// Connects to 127.0.0.1; `own` is shown when the server asks for it.
    explicit TlsStream(std::uint16_t server, const Certificate* own = nullptr);
    /// Listens on 127.0.0.1 and takes one connection, in receive().
    explicit TlsStream(const Certificate& own);
    ~TlsStream() override;

    const char* transport() const override { return "tls"; }
    void send(std::string_view bytes) const override;
    /// Connections that were accepted at TCP's level, whatever became of them.
    unsigned connections() const { return connections_; }
    /// The handshake went well, as far as this side can see.
    bool up() const { return up_; }
    /// The name that the client asked for (SNI).
    std::string asked_for() const;

  private:
    long read(char* buffer, std::size_t size) override;
    void handshake(bool server);

    std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
    std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
    int listener_ = -1;
    unsigned connections_ = 0;
    bool up_ = false;
};

}  // namespace jackfield::test
