#pragma once

// A SIP phone that writes its messages by hand, so that it can write wrong ones too.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::test {

class UdpPort {
  public:
    UdpPort();
    ~UdpPort();
    UdpPort(const UdpPort&) = delete;

    std::uint16_t port() const { return port_; }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    void send(std::uint16_t to, std::string_view bytes) const;
    struct Datagram {
        std::uint16_t from;
        std::string bytes;
    };
    std::optional<Datagram> receive() const;

  private:
    int fd_;
    std::uint16_t port_ = 0;
};

/// A SIP connection over TCP: messages are cut by their Content-Length.
class TcpStream {
  public:
    explicit TcpStream(std::uint16_t server);
    virtual ~TcpStream();
    TcpStream(const TcpStream&) = delete;

    virtual const char* transport() const { return "tcp"; }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    virtual void send(std::string_view bytes) const;
    std::optional<std::string> receive();

  protected:
    TcpStream() = default;
    /// What has arrived, without waiting; 0 or less: nothing.
    virtual long read(char* buffer, std::size_t size);

    int fd_ = -1;
    std::uint16_t port_ = 0;

  private:
    std::string unread_;
};

/// The value of the first header of that name, by its long name; empty when there is none.
std::string header(std::string_view message, std::string_view name);
std::string body(std::string_view message);
/// The port of the m=audio line.
std::uint16_t audio_port(std::string_view message);
int status_of(std::string_view message);

/// Audio as one RTP packet.
std::string rtp(std::uint8_t payload_type,
                std::uint16_t sequence,
                std::uint32_t timestamp,
                std::uint32_t ssrc,
                std::string_view payload,
                bool marker = false);

class RawPhone {
  public:
    explicit RawPhone(std::uint16_t server, bool tcp = false);
    RawPhone(std::uint16_t server, std::unique_ptr<TcpStream> stream);

    UdpPort sip;
    UdpPort audio;
    UdpPort stranger;

    /// Everything until a message fits; what doesn't is kept in `others`.
    std::string wait(const std::function<void()>& pump,
                     const std::function<bool(const std::string&)>& fits,
                     int timeout_ms = 5000);
    std::string wait_status(const std::function<void()>& pump,
                            int status,
                            std::string_view method = "INVITE");
    std::string wait_request(const std::function<void()>& pump, std::string_view method);

    std::string sdp(std::string_view formats = "0 8 101",
                    std::string_view attributes = "a=sendrecv\r\n",
                    std::uint16_t port = 0) const;
    /// Begins a new call: new Call-ID, tag, branch.
    void invite(std::string_view user, const std::string& description, std::string_view extra = {});
    void cancel();
    void ack(const std::string& ok, std::string_view description = {});
    /// A request within the dialog of `ok`.
    void request(std::string_view method,
                 const std::string& ok,
                 std::string_view content_type = {},
                 std::string_view content = {},
                 std::string_view extra = {});
    void reply(const std::string& request,
               int status,
               std::string_view reason,
               std::string_view content = {},
               std::string_view extra = {},
               bool tag = true);

    void send(std::string_view text) const {
        if (stream_)
            stream_->send(text);
        else
            sip.send(server_, text);
    }
    std::string call_id() const { return call_id_; }
    /// What Contact says from now on, instead of the truth.
    void says_it_is_at(std::string address) { claimed_ = std::move(address); }
    /// For a phone that was there before the server was.
    void set_server(std::uint16_t server) { server_ = server; }
    std::vector<std::string> others;

  private:
    std::string start(std::string_view method,
                      std::string_view uri,
                      std::string_view branch,
                      std::string_view to,
                      unsigned cseq) const;

    std::optional<std::string> receive();
    std::string address() const { return stream_ ? stream_->address() : sip.address(); }
    std::string contact_address() const { return claimed_.empty() ? address() : claimed_; }
    std::string transport_parameter() const {
        return stream_ ? std::string(";transport=") + stream_->transport() : "";
    }

    std::uint16_t server_;
    std::unique_ptr<TcpStream> stream_;  // null: UDP
    unsigned calls_ = 0;
    unsigned cseq_ = 1;
    unsigned branches_ = 0;
    std::string user_;
    std::string claimed_;
    std::string call_id_;
    std::string tag_;
    std::string invite_branch_;
};

}  // namespace jackfield::test
