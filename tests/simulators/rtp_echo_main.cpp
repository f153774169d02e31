// What a media server spends before it does anything: answers every INVITE and sends each RTP packet back, on Asio UDP sockets with one
// io_context on one thread, an asynchronous receive and a send per packet. The call benches divide the host's CPU time by this one's.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <iostream>
#include <map>
#include <memory>

#include "base/json.hpp"
#include "simulators/sdp.hpp"
#include "simulators/sip_message.hpp"

namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using namespace jackfield::sim;

udp::endpoint any_port() { return {asio::ip::address_v4::loopback(), 0}; }

struct Totals {
    std::uint64_t calls = 0;
    std::uint64_t packets = 0;
    double call_seconds = 0;
};

/// The media socket of one call. A pending receive keeps it alive, so close() is enough to end it.
class EchoLeg : public std::enable_shared_from_this<EchoLeg> {
  public:
    EchoLeg(asio::io_context& context, Totals& totals) : socket_(context, any_port()), totals_(totals) {
        socket_.non_blocking(true);
    }

    std::uint16_t port() const { return socket_.local_endpoint().port(); }
    void start() { receive(); }
    void close() {
        totals_.call_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
        socket_.close();
    }

  private:
    void receive() {
        socket_.async_receive_from(asio::buffer(buffer_), from_, [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
            if (error == asio::error::operation_aborted) return;
            boost::system::error_code ignored;
            if (!error) {
                ++self->totals_.packets;
                self->socket_.send_to(asio::buffer(self->buffer_.data(), size), self->from_, 0, ignored);
            }
            self->receive();
        });
    }

    udp::socket socket_;
    Totals& totals_;
    udp::endpoint from_;
    std::array<char, 2048> buffer_{};
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

class EchoServer {
  public:
    EchoServer(asio::io_context& context, std::uint16_t port)
        : context_(context), sip_(context, udp::endpoint(asio::ip::address_v4::loopback(), port)) {
        receive();
    }

    std::uint16_t port() const { return sip_.local_endpoint().port(); }
    const Totals& totals() const { return totals_; }
    void close_all() {
        for (auto& [id, leg] : legs_) leg->close();
        legs_.clear();
    }

  private:
    void receive() {
        sip_.async_receive_from(asio::buffer(buffer_), from_, [this](boost::system::error_code error, std::size_t size) {
            if (error == asio::error::operation_aborted) return;
            if (!error) on_text({buffer_.data(), size});
            receive();
        });
    }

    void on_text(std::string_view text) {
        const auto request = parse_sip(text);
        if (!request || !request->is_request() || request->method == "ACK") return;
        SipMessage response;
        response.status = 200;
        response.reason = "OK";
        for (const std::string& via : request->all("Via")) response.add("Via", via);
        for (const char* name : {"From", "To", "Call-ID", "CSeq"}) response.add(name, request->get(name));
        const std::string id = request->get("Call-ID");
        if (request->method == "INVITE") {
            answer(id, response);
        } else if (request->method == "BYE" || request->method == "CANCEL") {
            end(id);
        }
        boost::system::error_code ignored;
        sip_.send_to(asio::buffer(response.wire()), from_, 0, ignored);
    }

    void answer(const std::string& id, SipMessage& response) {
        auto& leg = legs_[id];
        if (!leg) {
            leg = std::make_shared<EchoLeg>(context_, totals_);
            leg->start();
            ++totals_.calls;
        }
        for (SipMessage::Header& header : response.headers) {
            const bool bare = header.name == "To" && header_parameter(header.value, "tag").empty();
            if (bare) header.value += ";tag=echo" + std::to_string(leg->port());
        }
        response.add("Contact", "<sip:echo@127.0.0.1:" + std::to_string(port()) + '>');
        response.add("Content-Type", "application/sdp");
        Sdp sdp;
        sdp.media = {loopback, leg->port()};
        sdp.codecs = {Codec::pcmu};
        response.body = build_sdp(sdp, 1);
    }

    void end(const std::string& id) {
        const auto found = legs_.find(id);
        if (found == legs_.end()) return;
        found->second->close();
        legs_.erase(found);
    }

    asio::io_context& context_;
    udp::socket sip_;
    udp::endpoint from_;
    std::array<char, 65536> buffer_{};
    std::map<std::string, std::shared_ptr<EchoLeg>> legs_;
    Totals totals_;
};

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
    std::uint16_t port = 0;
    int seconds = 0;
    CLI::App app("Answers every SIP call over UDP and echoes its RTP. Prints its address; ends on SIGTERM, SIGINT or after --seconds, and then\n"
                 "prints one line of JSON with the CPU time it used.");
    app.add_option("--port", port, "SIP port; 0: any");
    app.add_option("--seconds", seconds, "End by itself");
    CLI11_PARSE(app, argc, argv);
    try {
        asio::io_context context(1);
        EchoServer server(context, port);
        asio::signal_set signals(context, SIGTERM, SIGINT);
        signals.async_wait([&](boost::system::error_code, int) { context.stop(); });
        asio::steady_timer timer(context);
        if (seconds > 0) {
            timer.expires_after(std::chrono::seconds(seconds));
            timer.async_wait([&](boost::system::error_code error) {
                if (!error) context.stop();
            });
        }
        std::cout << "sip:echo@127.0.0.1:" << server.port() << std::endl;  // flushed: a script reads the address from a pipe
        context.run();
        server.close_all();
        jackfield::base::JsonWriter json;
        json.begin_object().member("calls", server.totals().calls).member("packets", server.totals().packets);
        json.member("call_seconds", server.totals().call_seconds).member("cpu_seconds", cpu_seconds());
        json.end_object();
        std::cout << json.str() << '\n';
    } catch (const std::exception& error) {
        std::cerr << "rtp_echo: " << error.what() << '\n';
        return 2;
    }
    return 0;
}
