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
    // A host that is behind: what it refuses is tried again, and comes in its order.
    line.leg = nullptr;
    host.deliver(host.sockets().begin()->first, line.caller, packet('C', 11, "reception\n+15550100"));
    host.advance(1ms);
    check(line.leg != nullptr, "one more call comes in");
    if (line.leg) {
        sdk::TestOp& leg = *line.leg;
        host.refuse_emits(3);
        const jf_answer options = sdk::make<jf_answer>();
        line.plugin.on(leg, line.telephony->answer, &options);
        line.socket = host.sent().back().socket;
        host.deliver(line.socket, line.caller, packet('D', 11, "5"));
        host.deliver(line.socket, line.caller, packet('M', 11, std::string(160, '\xff')));
        host.advance(100ms);
        check(leg.events().size() >= 2 && leg.events()[0].type == JF_EV_ANSWERED && leg.events()[1].type == JF_EV_DTMF,
              "ANSWERED and a key come to a host that refused them at first");

        jf_telephony_control keys = sdk::make<jf_telephony_control>();
        keys.verb = JF_TEL_DTMF;
        const auto press = [&](const char* text) {
            keys.text = sdk::str(text);
            return line.plugin.on(leg, line.telephony->control, static_cast<const jf_telephony_control*>(&keys));
        };
        const std::size_t before = host.sent().size();
        check(press("5x!") == JF_E_INVALID && press("") == JF_E_INVALID && host.sent().size() == before, "keys that no phone has are refused");
        check(press("1w2") == JF_OK && last_sent(host) == packet('D', 11, "1"), "a key goes out at once");
        host.advance(490ms);
        check(last_sent(host) == packet('D', 11, "1"), "behind a w is a pause");
        host.advance(20ms);
        check(last_sent(host) == packet('D', 11, "2"), "of half a second");
    }

    // A host that takes no more calls.
    host.refuse_incoming(JF_E_STATE, 1);
    line.leg = nullptr;
    host.deliver(host.sockets().begin()->first, line.caller, packet('C', 12, "reception\n+15550100"));
    host.advance(1ms);
    check(!line.leg && host.sockets().size() == 2, "a host that drains has no leg of a new call");

    // A call that is dialled twice.
    const std::string key = "call-1", address = "198.51.100.7:4000/desk";
    jf_dial dial = sdk::make<jf_dial>();
    dial.to = sdk::str(address);
    dial.idempotency_key = sdk::str(key);
    const jf_answer media = sdk::make<jf_answer>();
    const auto call = [&]() -> sdk::TestOp& {
        return line.plugin.begin(line.telephony->dial, static_cast<const jf_dial*>(&dial), static_cast<const jf_answer*>(&media));
    };
    const sdk::TestOp& first = call();
    check(first.open() && call().status() == JF_E_CONFLICT, "a call is dialled once");
    dial.idempotency_key = {};
    check(first.open() && call().open(), "beside others");

    line.plugin.close();
    check(host.sockets().empty(), "it leaves no socket behind");
    for (const std::string& breach : host.breaches()) check(false, breach);
    return failures == 0 ? 0 : 1;
}
