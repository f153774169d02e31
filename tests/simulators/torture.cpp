#include "simulators/torture.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "simulators/sip_message.hpp"

namespace jackfield::sim {
namespace {

using Engine = std::mt19937_64;

int pick(Engine& engine, int below) { return static_cast<int>(engine() % static_cast<std::uint64_t>(below)); }

std::string junk(Engine& engine, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(engine()));
    return out;
}

struct Parts {
    std::string start;
    std::vector<std::string> headers;
    std::string body;

    std::string wire() const {
        std::string out = start + "\r\n";
        for (const std::string& header : headers) out += header + "\r\n";
        return out + "\r\n" + body;
    }
    std::string& header(std::string_view name) {
        for (std::string& line : headers) {
            if (line.starts_with(name)) return line;
        }
        return headers.emplace_back();
    }
    void drop(std::string_view name) {
        std::erase_if(headers, [&](const std::string& line) { return line.starts_with(name); });
    }
};

Parts valid(Engine& engine, const TortureOptions& options, std::uint16_t reply_port, std::string_view method) {
    const std::string host = "127.0.0.1:" + std::to_string(reply_port);
    const std::string unique = std::to_string(engine());
    Parts parts;
    parts.start = std::string(method) + " sip:" + options.user + '@' + options.target.text() + " SIP/2.0";
    parts.body =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
    if (method != "INVITE") parts.body.clear();
    parts.headers = {std::string("Via: SIP/2.0/") + (options.tcp ? "TCP " : "UDP ") + host + ";branch=z9hG4bK" + unique + ";rport",
                     "Max-Forwards: 70",
                     "From: <sip:torture@" + host + ">;tag=" + unique,
                     "To: <sip:" + options.user + '@' + options.target.text() + '>',
                     "Call-ID: " + unique + "@torture",
                     "CSeq: 1 " + std::string(method),
                     "Contact: <sip:torture@" + host + '>',
                     "Content-Type: application/sdp",
                     "Content-Length: " + std::to_string(parts.body.size())};
    return parts;
}

using Breaker = std::function<std::string(Parts, Engine&)>;

std::string flip_bytes(Parts parts, Engine& engine) {
    std::string text = parts.wire();
    // The first bytes are always hit: a message whose method survives would be a call, not a malformed message.
    text[static_cast<std::size_t>(pick(engine, 6))] = static_cast<char>(engine() | 0x80);
    for (int i = 1 + pick(engine, 20); i > 0; --i) {
        text[static_cast<std::size_t>(pick(engine, static_cast<int>(text.size())))] = static_cast<char>(engine());
    }
    return text;
}

void as_method(Parts& parts, std::string_view method) {
    parts.start.replace(0, parts.start.find(' '), method);
    parts.header("CSeq") = "CSeq: 1 " + std::string(method);
    parts.drop("Content-Type");
    parts.body.clear();
    parts.header("Content-Length") = "Content-Length: 0";
}

const std::vector<Breaker>& breakers() {
    static const std::vector<Breaker> all = {
        [](Parts p, Engine&) { p.header("Content-Length") = "Content-Length: 99999999"; return p.wire(); },
        [](Parts p, Engine&) { p.header("Content-Length") = "Content-Length: -1"; return p.wire(); },
        [](Parts p, Engine&) { p.header("Content-Length") = "Content-Length: 18446744073709551617"; return p.wire(); },
        [](Parts p, Engine&) { p.header("Content-Length") = "Content-Length: 3"; return p.wire(); },
        [](Parts p, Engine&) { p.header("Content-Length") = "Content-Length: many"; return p.wire(); },
        [](Parts p, Engine& e) { p.headers.push_back("X-Huge: " + std::string(static_cast<std::size_t>(20000 + pick(e, 30000)), 'a')); p.drop("Via"); return p.wire(); },
        [](Parts p, Engine&) { for (int i = 0; i < 2000; ++i) p.headers.push_back("X-" + std::to_string(i) + ": y"); p.drop("CSeq"); return p.wire(); },
        [](Parts p, Engine&) { p.drop("Via"); return p.wire(); },
        [](Parts p, Engine&) { p.drop("Call-ID"); return p.wire(); },
        [](Parts p, Engine&) { p.drop("CSeq"); return p.wire(); },
        [](Parts p, Engine&) { p.drop("From"); return p.wire(); },
        [](Parts p, Engine&) { p.drop("To"); return p.wire(); },
        [](Parts p, Engine&) { p.headers.clear(); return p.wire(); },
        [](Parts p, Engine&) { p.header("CSeq") = "CSeq: 1 NOTTHIS"; return p.wire(); },
        [](Parts p, Engine&) { p.header("CSeq") = "CSeq: 99999999999999999999 OPTIONS"; return p.wire(); },
        [](Parts p, Engine&) { p.start = "INVITE  SIP/2.0"; return p.wire(); },
        [](Parts p, Engine&) { p.start = "INVITE sip: SIP/2.0"; return p.wire(); },
        [](Parts p, Engine&) { p.start = "SIP/2.0 999999 What"; return p.wire(); },
        [](Parts p, Engine&) { p.start = "SIP/2.0 200 OK"; return p.wire(); },
        [](Parts p, Engine&) { p.start = "OPTIONS sip:a@b SIP/7.0"; return p.wire(); },
        [](Parts p, Engine& e) { p.start = junk(e, 200) + " sip:a SIP/2.0"; return p.wire(); },
        [](Parts p, Engine&) { p.header("From") = "From: \"unclosed <sip:x@y>;tag="; return p.wire(); },
        [](Parts p, Engine&) { p.header("From") = "From: <sip:%00%ff%zz@[::bad>;;;tag==;"; return p.wire(); },
        [](Parts p, Engine&) { p.header("Via") = "Via: SIP/2.0/UDP 999.999.999.999:99999;branch="; return p.wire(); },
        [](Parts p, Engine&) { for (int i = 0; i < 300; ++i) p.headers.insert(p.headers.begin(), p.headers.front()); p.drop("To"); return p.wire(); },
        [](Parts p, Engine&) { p.headers.insert(p.headers.begin(), " folded into nothing"); p.drop("CSeq"); return p.wire(); },
        [](Parts p, Engine&) { std::string t = p.wire(); t.resize(t.size() / 2); return t; },
        [](Parts p, Engine& e) { std::string t = p.wire(); t.resize(static_cast<std::size_t>(1 + pick(e, 40))); return t; },
        [](Parts p, Engine& e) { p.header("Call-ID") = "Call-ID: " + junk(e, 60); p.drop("Via"); return p.wire(); },
        [](Parts p, Engine& e) { p.body = junk(e, 400); p.header("Content-Length") = "Content-Length: 400"; return p.wire(); },
        [](Parts p, Engine&) { p.body = "v=0\r\nm=audio 99999 RTP/AVP 0\r\n"; p.header("Content-Length") = "Content-Length: " + std::to_string(p.body.size()); return p.wire(); },
        [](Parts p, Engine&) { p.body = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 77 78\r\n"; p.header("Content-Length") = "Content-Length: " + std::to_string(p.body.size()); return p.wire(); },
        [](Parts p, Engine&) { p.header("Content-Type") = "Content-Type: "; p.header("To") = "To: "; return p.wire(); },
        [](Parts, Engine& e) { return junk(e, 1 + pick(e, 1400)); },
        [](Parts, Engine& e) { return std::string(static_cast<std::size_t>(1 + pick(e, 1000)), '\0'); },
        [](Parts, Engine&) { return std::string("\r\n\r\n\r\n\r\n"); },
        [](Parts, Engine& e) { return std::string(static_cast<std::size_t>(1000 + pick(e, 50000)), '('); },
        [](Parts p, Engine&) { std::string t = p.wire(); std::erase(t, '\r'); t.insert(0, "\n"); std::erase(t, ':'); return t; },
        // What passwords, registrations and transfers are made of.
        [](Parts p, Engine& e) { as_method(p, "REGISTER"); p.headers.push_back("Authorization: Digest " + junk(e, 300)); return p.wire(); },
        [](Parts p, Engine&) { as_method(p, "REGISTER"); p.headers.push_back("Authorization: Digest realm=\"jackfield\",nonce=\"" + std::string(3000, 'f') + "\",response=\"\""); return p.wire(); },
        [](Parts p, Engine&) { as_method(p, "REGISTER"); p.headers.push_back("Authorization: Digest realm=\"jackfield\", realm=\"x, nonce=\\"); return p.wire(); },
        [](Parts p, Engine&) { as_method(p, "REGISTER"); p.header("Contact") = "Contact: *;;;,,<sip:>;expires=99999999999,<"; return p.wire(); },
        [](Parts p, Engine&) { as_method(p, "REGISTER"); p.headers.push_back("Expires: -1"); for (int i = 0; i < 100; ++i) p.headers.push_back("Contact: <sip:" + std::to_string(i) + "@x>;expires="); return p.wire(); },
        [](Parts p, Engine& e) { as_method(p, "REFER"); p.headers.push_back("Refer-To: <sip:" + junk(e, 40) + "?Replaces=%" + junk(e, 5) + ">"); p.headers.push_back("Referred-By: "); return p.wire(); },
        [](Parts p, Engine&) { as_method(p, "NOTIFY"); p.headers.push_back("Event: refer;id="); p.headers.push_back("Subscription-State: "); return p.wire(); },
        [](Parts p, Engine& e) { as_method(p, "CANCEL"); p.headers.push_back("Reason: Q.850;cause=" + junk(e, 30)); return p.wire(); },
        flip_bytes,
        flip_bytes,
    };
    return all;
}

/// A reply to a broken INVITE that is a 200 is a call: leaving it would occupy a line, so it is acknowledged and ended.
std::vector<std::string> farewell(const SipMessage& answer, const TortureOptions& options, std::uint16_t port) {
    std::vector<std::string> texts;
    for (const char* method : {"ACK", "BYE"}) {
        SipMessage request;
        request.method = method;
        const std::string contact = address_uri(answer.get("Contact"));
        request.uri = contact.empty() ? "sip:" + options.target.text() : contact;
        request.add("Via", std::string("SIP/2.0/") + (options.tcp ? "TCP" : "UDP") + " 127.0.0.1:" + std::to_string(port) +
                               ";branch=z9hG4bK" + random_token(16));
        request.add("Max-Forwards", "70");
        request.add("From", answer.get("From"));
        request.add("To", answer.get("To"));
        request.add("Call-ID", answer.get("Call-ID"));
        const bool ack = request.method == "ACK";
        request.add("CSeq", std::to_string(answer.cseq_number() + (ack ? 0 : 1)) + ' ' + method);
        texts.push_back(request.wire());
    }
    return texts;
}

using Send = std::function<void(std::string_view)>;

void read_reply(std::string_view text, const TortureOptions& options, std::uint16_t port, TortureReport& report, const Send& send) {
    const auto message = parse_sip(text);
    if (!message || message->is_request()) return;
    ++report.replies;
    if (message->status >= 500 && message->status < 600) ++report.server_errors;
    if (message->status != 200 || message->cseq_method() != "INVITE") return;
    ++report.calls_by_mistake;
    for (const std::string& request : farewell(*message, options, port)) send(request);
}

void send_pieces(const Fd& socket, std::string_view text, Engine& engine) {
    while (!text.empty()) {
        const auto size = std::min<std::size_t>(text.size(), static_cast<std::size_t>(1 + pick(engine, 700)));
        pollfd writable{socket.get(), POLLOUT, 0};
        if (::poll(&writable, 1, 200) != 1) return;
        const ssize_t sent = ::send(socket.get(), text.data(), size, MSG_NOSIGNAL);
        if (sent <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void torture_tcp(int index, const TortureOptions& options, Engine& engine, TortureReport& report) {
    const Fd socket = connect_tcp(options.target);
    if (!socket.open()) {
        ++report.refused;
        return;
    }
    const std::uint16_t port = local_port(socket);
    send_pieces(socket, make_malformed(index, engine(), options, port), engine);
    ++report.sent;
    SipFramer framer;
    char bytes[4096];
    pollfd readable{socket.get(), POLLIN, 0};
    // One in four is left at once, in the middle of whatever the server makes of it.
    const int patience_ms = pick(engine, 4) == 0 ? 0 : 2;
    while (::poll(&readable, 1, patience_ms) == 1) {
        const ssize_t size = ::recv(socket.get(), bytes, sizeof bytes, 0);
        if (size <= 0) return;
        for (const std::string& text : framer.feed({bytes, static_cast<std::size_t>(size)})) {
            read_reply(text, options, port, report, [&](std::string_view request) { send_pieces(socket, request, engine); });
        }
    }
}

}  // namespace

std::string make_malformed(int index, std::uint64_t seed, const TortureOptions& options, std::uint16_t reply_port) {
    Engine engine(seed);
    static constexpr std::array<std::string_view, 6> methods = {"OPTIONS", "INVITE", "BYE", "REGISTER", "CANCEL", "ACK"};
    const auto& all = breakers();
    const auto kinds = static_cast<int>(all.size());
    const auto method = methods[static_cast<std::size_t>(index / kinds) % methods.size()];
    std::string text = all[static_cast<std::size_t>(index % kinds)](valid(engine, options, reply_port, method), engine);
    // Some faults lie in a value that a lenient server may overlook. Then this would be a call, and thousands of calls are a flood,
    // which is another test: its session is broken too.
    if (const auto media = text.find("m=audio 40000"); method == "INVITE" && media != std::string::npos) text[media] = 'x';
    return text;
}

TortureReport torture(const TortureOptions& options) {
    Engine engine(options.seed);
    TortureReport report;
    const Fd socket = open_udp();
    const std::uint16_t port = local_port(socket);
    std::string buffer;
    auto drain = [&] {
        while (const auto datagram = receive(socket, buffer)) {
            read_reply(datagram->bytes, options, port, report, [&](std::string_view text) { send_to(socket, options.target, text); });
        }
    };
    const auto pace = std::chrono::nanoseconds(1'000'000'000 / std::max(1, options.per_second));
    const auto began = Clock::now();
    for (int i = 0; i < options.count; ++i) {
        if (options.tcp) {
            torture_tcp(i, options, engine, report);
        } else if (send_to(socket, options.target, make_malformed(i, engine(), options, port))) {
            ++report.sent;
        }
        drain();
        std::this_thread::sleep_until(began + pace * (i + 1));
    }
    // Until a second passes without an answer: a 200 that comes late must not be left without its BYE.
    const auto patience = Clock::now() + std::chrono::seconds(10);
    auto quiet_since = Clock::now();
    while (!options.tcp && Clock::now() < patience && Clock::now() - quiet_since < std::chrono::seconds(1)) {
        pollfd readable{socket.get(), POLLIN, 0};
        if (::poll(&readable, 1, 50) != 1) continue;
        drain();
        quiet_since = Clock::now();
    }
    return report;
}

}  // namespace jackfield::sim
