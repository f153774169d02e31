#include "raw_phone.hpp"

#include <cctype>
#include <chrono>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
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

std::string upper(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

}  // namespace

UdpPort::UdpPort() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0)
        port_ = ntohs(address.sin_port);
}

UdpPort::~UdpPort() {
    close(fd_);
}

void UdpPort::send(std::uint16_t to, std::string_view bytes) const {
    const sockaddr_in address = loopback(to);
    (void)sendto(fd_,
                 bytes.data(),
                 bytes.size(),
                 0,
                 reinterpret_cast<const sockaddr*>(&address),
                 sizeof address);
}

std::optional<UdpPort::Datagram> UdpPort::receive() const {
    std::string buffer(8192, 0);
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto n =
        recvfrom(fd_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) return std::nullopt;
    buffer.resize(static_cast<std::size_t>(n));
    return Datagram{ntohs(from.sin_port), std::move(buffer)};
}

TcpStream::TcpStream(std::uint16_t server) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(server);
    socklen_t size = sizeof address;
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0)
        port_ = ntohs(address.sin_port);
}

TcpStream::~TcpStream() {
    if (fd_ >= 0) close(fd_);
}

void TcpStream::send(std::string_view bytes) const {
    (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

long TcpStream::read(char* buffer, std::size_t size) {
    return recv(fd_, buffer, size, MSG_DONTWAIT);
}

std::optional<std::string> TcpStream::receive() {
    char buffer[4096];
    for (long n = 0; (n = read(buffer, sizeof buffer)) > 0;)
        unread_.append(buffer, static_cast<std::size_t>(n));
    const std::size_t end = unread_.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    const std::string length = header(unread_, "Content-Length");
    const std::size_t whole = end + 4 + (length.empty() ? 0 : std::stoul(length));
    if (unread_.size() < whole) return std::nullopt;
    std::string message = unread_.substr(0, whole);
    unread_.erase(0, whole);
    return message;
}

std::string header(std::string_view message, std::string_view name) {
    std::size_t line = message.find("\r\n");
    while (line != std::string_view::npos) {
        line += 2;
        const std::size_t end = message.find("\r\n", line);
        if (end == std::string_view::npos || end == line) break;
        const std::string_view text = message.substr(line, end - line);
        if (text.starts_with(name) && text.size() > name.size() && text[name.size()] == ':') {
            const std::size_t value = text.find_first_not_of(' ', name.size() + 1);
            return value == std::string_view::npos ? "" : std::string(text.substr(value));
        }
        line = end;
    }
    return "";
}

std::string body(std::string_view message) {
    const std::size_t at = message.find("\r\n\r\n");
    return at == std::string_view::npos ? "" : std::string(message.substr(at + 4));
}

std::uint16_t audio_port(std::string_view message) {
    const std::size_t at = message.find("m=audio ");
    return at == std::string_view::npos
               ? std::uint16_t{0}
               : static_cast<std::uint16_t>(std::stoi(std::string(message.substr(at + 8, 6))));
}

int status_of(std::string_view message) {
    return message.starts_with("SIP/2.0 ") ? std::stoi(std::string(message.substr(8, 3))) : 0;
}

std::string rtp(std::uint8_t payload_type,
                std::uint16_t sequence,
                std::uint32_t timestamp,
                std::uint32_t ssrc,
                std::string_view payload,
                bool marker) {
    std::string out(12, 0);
    out[0] = static_cast<char>(0x80);
    out[1] = static_cast<char>(payload_type | (marker ? 0x80 : 0));
    out[2] = static_cast<char>(sequence >> 8);
    out[3] = static_cast<char>(sequence);
    for (int i = 0; i < 4; ++i) {
        out[static_cast<std::size_t>(4 + i)] = static_cast<char>(timestamp >> (24 - 8 * i));
        out[static_cast<std::size_t>(8 + i)] = static_cast<char>(ssrc >> (24 - 8 * i));
    }
    return out.append(payload);
}

RawPhone::RawPhone(std::uint16_t server, bool tcp)
    : RawPhone(server, tcp ? std::make_unique<TcpStream>(server) : nullptr) {}

RawPhone::RawPhone(std::uint16_t server, std::unique_ptr<TcpStream> stream)
    : server_(server), stream_(std::move(stream)) {}

std::optional<std::string> RawPhone::receive() {
    if (stream_) return stream_->receive();
    auto datagram = sip.receive();
    return datagram ? std::optional(std::move(datagram->bytes)) : std::nullopt;
}

std::string RawPhone::wait(const std::function<void()>& pump,
                           const std::function<bool(const std::string&)>& fits,
                           int timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (std::chrono::steady_clock::now() < deadline) {
        if (const auto message = receive()) {
            if (fits(*message)) return *message;
            others.push_back(*message);
            continue;
        }
        pump();
    }
    return "";
}

std::string RawPhone::wait_status(const std::function<void()>& pump,
                                  int status,
                                  std::string_view method) {
    return wait(pump, [&](const std::string& message) {
        return status_of(message) == status && header(message, "CSeq").ends_with(method) &&
               header(message, "Call-ID") == call_id_;
    });
}

std::string RawPhone::wait_request(const std::function<void()>& pump, std::string_view method) {
    return wait(pump, [&](const std::string& message) {
        return message.starts_with(std::string(method) + " ");
    });
}

std::string RawPhone::sdp(std::string_view formats,
                          std::string_view attributes,
                          std::uint16_t port) const {
    return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio " +
           std::to_string(port ? port : audio.port()) + " RTP/AVP " + std::string(formats) +
           "\r\na=rtpmap:101 telephone-event/8000\r\n" + std::string(attributes);
}

std::string RawPhone::start(std::string_view method,
                            std::string_view uri,
                            std::string_view branch,
                            std::string_view to,
                            unsigned cseq) const {
    return std::string(method) + " " + std::string(uri) + " SIP/2.0\r\nVia: SIP/2.0/" +
           (stream_ ? upper(stream_->transport()) : "UDP") + " " + address() + ";branch=" + std::string(branch) +
           ";rport\r\nMax-Forwards: 70\r\nFrom: \"A Caller\" <sip:+12125550199@127.0.0.1>;tag=" +
           tag_ + "\r\nTo: " + std::string(to) + "\r\nCall-ID: " + call_id_ +
           "\r\nCSeq: " + std::to_string(cseq) + " " + std::string(method) + "\r\n";
}

void RawPhone::invite(std::string_view user,
                      const std::string& description,
                      std::string_view extra) {
    ++calls_;
    user_ = user;
    cseq_ = 1;
    call_id_ = "call-" + std::to_string(calls_) + "-" + std::to_string(sip.port()) + "@phone";
    tag_ = "tag" + std::to_string(calls_);
    invite_branch_ = "z9hG4bKinvite" + std::to_string(calls_) + "x" + std::to_string(sip.port());
    const std::string uri = "sip:" + user_ + "@127.0.0.1:" + std::to_string(server_);
    std::string message = start("INVITE", uri, invite_branch_, "<" + uri + ">", cseq_);
    message += "Contact: <sip:caller@" + contact_address() + transport_parameter() + ">\r\n" +
               std::string(extra);
    if (!description.empty()) message += "Content-Type: application/sdp\r\n";
    send(message + "Content-Length: " + std::to_string(description.size()) + "\r\n\r\n" +
         description);
}

void RawPhone::cancel() {
    const std::string uri = "sip:" + user_ + "@127.0.0.1:" + std::to_string(server_);
    send(start("CANCEL", uri, invite_branch_, "<" + uri + ">", cseq_) +
         "Content-Length: 0\r\n\r\n");
}

void RawPhone::ack(const std::string& ok, std::string_view description) {
    const bool accepted = status_of(ok) < 300;
    const std::string uri = "sip:" + user_ + "@127.0.0.1:" + std::to_string(server_);
    const std::string branch =
        accepted ? "z9hG4bKack" + std::to_string(++branches_) : invite_branch_;
    const unsigned cseq = static_cast<unsigned>(std::stoul(header(ok, "CSeq")));
    send(start("ACK", uri, branch, header(ok, "To"), cseq) +
         (description.empty() ? "" : "Content-Type: application/sdp\r\n") +
         "Content-Length: " + std::to_string(description.size()) + "\r\n\r\n" +
         std::string(description));
}

void RawPhone::request(std::string_view method,
                       const std::string& ok,
                       std::string_view content_type,
                       std::string_view content,
                       std::string_view extra) {
    const std::string uri = "sip:" + user_ + "@127.0.0.1:" + std::to_string(server_);
    std::string message =
        start(method,
              uri,
              "z9hG4bKreq" + std::to_string(++branches_) + "x" + std::to_string(sip.port()),
              header(ok, "To"),
              ++cseq_);
    message += "Contact: <sip:caller@" + contact_address() + transport_parameter() + ">\r\n" +
               std::string(extra);
    if (!content_type.empty()) message += "Content-Type: " + std::string(content_type) + "\r\n";
    send(message + "Content-Length: " + std::to_string(content.size()) + "\r\n\r\n" +
         std::string(content));
}

void RawPhone::reply(const std::string& request,
                     int status,
                     std::string_view reason,
                     std::string_view content,
                     std::string_view extra,
                     bool tag) {
    std::string to = header(request, "To");
    if (tag && to.find(";tag=") == std::string::npos) to += ";tag=callee";
    std::string message = "SIP/2.0 " + std::to_string(status) + " " + std::string(reason) +
                          "\r\nVia: " + header(request, "Via") +
                          "\r\nFrom: " + header(request, "From") + "\r\nTo: " + to +
                          "\r\nCall-ID: " + header(request, "Call-ID") +
                          "\r\nCSeq: " + header(request, "CSeq") + "\r\nContact: <sip:callee@" +
                          address() + transport_parameter() + ">\r\n" + std::string(extra);
    if (!content.empty()) message += "Content-Type: application/sdp\r\n";
    send(message + "Content-Length: " + std::to_string(content.size()) + "\r\n\r\n" +
         std::string(content));
}

}  // namespace jackfield::test
