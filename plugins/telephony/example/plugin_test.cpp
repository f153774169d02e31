// The built plugin in the SDK's test host, whose network is scripted: plugin_test build/plugins/telephony/example.so

#include <jackfield/sdk/test_host.hpp>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

namespace sdk = jackfield::sdk;
using namespace std::chrono_literals;

static int failures = 0;

static void check(bool right, const std::string& what) {
    std::printf("%s %s\n", right ? "ok    " : "FAILED", what.c_str());
    failures += !right;
}

/// As wire.hpp has it: a letter, the call's number, the rest.
static std::string packet(char type, std::uint64_t call, const std::string& rest = "") {
    std::string out(9, type);
    std::memcpy(out.data() + 1, &call, sizeof call);
    return out + rest;
}

static std::string last_sent(const sdk::TestHost& host) { return host.sent().empty() ? "" : host.sent().back().data; }

struct Line {
    explicit Line(const char* file) : plugin(host, sdk::load_module(file), {{"bind", "192.0.2.9"}, {"port", "5090"}}) {
        check(plugin.start() == JF_OK && host.sockets().size() == 1, "it starts and listens");
        telephony = plugin.interface<jf_telephony_v1>(JF_TELEPHONY_V1);
        host.on_incoming = [this](sdk::TestOp& op, const jf_incoming& call) {
            leg = &op;
            called = sdk::view(call.to);
        };
    }
    /// A call comes in and is answered.
    void answer(std::uint64_t number) {
        leg = nullptr;
        host.deliver(host.sockets().begin()->first, caller, packet('C', number, "reception\n+15550100"));
        host.advance(1ms);
        if (!leg) return check(false, "the call is reported");
        jf_answer options = sdk::make<jf_answer>();
        options.media_timeout_ms = 3000;
        plugin.on(*leg, telephony->answer, &options);
        socket = host.sent().empty() ? JF_NO_OP : host.sent().back().socket;
    }

    sdk::TestHost host;
    sdk::TestInstance plugin;
    const jf_telephony_v1* telephony = nullptr;
    const jf_endpoint caller = sdk::ipv4("198.51.100.7", 4000);
    sdk::TestOp* leg = nullptr;
    std::string called;
    jf_op socket = JF_NO_OP;  // the leg's
};

int main(int, char** arguments) {
    Line line(arguments[1]);
    sdk::TestHost& host = line.host;

    line.answer(7);
    check(line.called == "reception", "it says who is called");
    check(line.leg && line.leg->count(JF_EV_ANSWERED) == 1 && last_sent(host) == packet('A', 7), "it answers");
    if (line.leg) {
        sdk::TestOp& leg = *line.leg;
        host.deliver(line.socket, line.caller, packet('M', 7, std::string(160, '\xff')));
        host.deliver(line.socket, line.caller, packet('D', 7, "5"));
        host.deliver(line.socket, line.caller, packet('M', 8, std::string(160, '\xff')));
        host.advance(20ms);
        check(leg.count(JF_EV_MEDIA) == 1, "it hears its own call and no other");
        check(leg.count(JF_EV_DTMF) == 1, "it reports keys");
        host.deliver(line.socket, line.caller, packet('H', 7, std::string(1, '\0')));
        host.advance(1ms);
        const auto* end = leg.last().as<jf_call_end>();
        check(end && end->by == JF_ENDED_BY_FAR_END && end->packets_in == 1, "the far end hangs up");
        check(host.sockets().size() == 1, "the leg's socket has gone with it");
    }

    line.answer(9);
    if (line.leg) {
        host.deliver(line.socket, line.caller, packet('M', 9, std::string(160, '\xff')));
        host.advance(3500ms);
        const auto* end = line.leg->last().as<jf_call_end>();
        check(end && end->cause == JF_CAUSE_MEDIA_TIMEOUT, "a line that falls silent is given up");
    }
    line.plugin.close();
    check(host.sockets().empty(), "it leaves no socket behind");
    for (const std::string& breach : host.breaches()) check(false, breach);
    return failures == 0 ? 0 : 1;
}
