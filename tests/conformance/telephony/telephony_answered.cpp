#include "conformance/telephony/telephony_leg.hpp"

#include <thread>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jackfield::conformance::telephony {
namespace {

/// A call with the kit at its near end, and where the plugin has called itself at its far end too.
struct Line {
    std::shared_ptr<Bench::Instance> instance;
    std::unique_ptr<Leg> out, in;
    Bench::Call call;
};

/// Free a moment ago: for UDP, and as good as always for TCP too.
int free_port() {
    const int udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    const bool found = ::bind(udp, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && ::getsockname(udp, reinterpret_cast<sockaddr*>(&at), &size) == 0;
    ::close(udp);
    require(found, "the kit found no free port");
    return ntohs(at.sin_port);
}

/// The address at which the plugin's own calls come in again. A {name} in it is a port: the option of that name gets a free one.
std::string own_address(Bench& bench) {
    std::string address = bench.target().verify("dial_self").text_or("");
    if (address.empty()) not_applicable("\"verify.dial_self\" of its plugin.json names an address at which its own calls come in again");
    const std::size_t open = address.find('{'), close = address.find('}', open);
    if (close == std::string::npos) return address;
    const int port = free_port();
    bench.set_option(address.substr(open + 1, close - open - 1), port);
    return address.replace(open, close - open + 1, std::to_string(port));
}

Line call_itself(Bench& bench) {
    const std::string address = own_address(bench);
    bench.take_calls();
    Line line;
    line.instance = bench.start();
    line.out = std::make_unique<Leg>(bench, line.instance);
    const jf_status status = line.out->dial(Leg::to(address, 20'000));
    if (status != JF_OK) fail(fmt::format("dial of {} answered {}: {}", address, status_name(status), line.out->record().error));
    line.call = bench.next_call();
    line.in = std::make_unique<Leg>(bench, line.instance, *line.call.record);
    return line;
}

void answer(Line& line) {
    require_status("answer", line.in->answer(), {JF_OK});
    require(line.in->wait_for(JF_EV_ANSWERED), "ANSWERED did not come on the leg that was answered");
    require(line.out->wait_for(JF_EV_ANSWERED), "ANSWERED did not come on the leg that was dialled");
}

/// One that was answered: by itself, else by the peer of --dial.
Line answered(Bench& bench) {
    if (!bench.target().verify("dial_self").absent()) {
        Line line = call_itself(bench);
        answer(line);
        return line;
    }
    const std::string peer = bench.target().dial;
    if (peer.empty()) not_applicable("neither --dial (\"verify.dial\") nor \"verify.dial_self\" of its plugin.json names an address that answers");
    Line line;
    line.instance = bench.start();
    line.out = std::make_unique<Leg>(bench, line.instance);
    const jf_status status = line.out->dial(Leg::to(peer, 20'000));
    if (status != JF_OK) fail(fmt::format("dial of {} answered {}: {}", peer, status_name(status), line.out->record().error));
    if (!line.out->wait_for(JF_EV_ANSWERED, 1, patience * 3)) fail(fmt::format("ANSWERED did not come from {}", peer));
    return line;
}

std::vector<Leg*> legs_of(const Line& line) { return line.in ? std::vector{line.out.get(), line.in.get()} : std::vector{line.out.get()}; }

/// Half a second in real time, as a host sends it.
void speak(Bench& bench, Line& line, int packets = 25) {
    for (int packet = 0; packet < packets; ++packet) {
        for (Leg* leg : legs_of(line)) {
            const jf_format format = leg->format();
            const jf_status sent = leg->media_out(format.codec, format.rate_hz, static_cast<std::uint64_t>(packet) * format.rate_hz / 50);
            if (bench.locked([&] { return leg->record().done(); })) fail("the leg ended in mid-call");
            require_status("media_out in an answered call", sent, {JF_OK, JF_E_AGAIN});
        }
        std::this_thread::sleep_for(milliseconds(20));
    }
}

}  // namespace

void speaks_g711(Bench& bench) {
    if (managed(bench)) not_applicable("it is managed: audio stays with the provider");
    const Line line = answered(bench);
    for (Leg* leg : legs_of(line)) {
        const jf_format format = leg->format();
        require((format.codec == JF_CODEC_PCMU || format.codec == JF_CODEC_PCMA) && format.rate_hz == 8000 && format.channels == 1,
                fmt::format("a leg was answered with the codec {}, {} Hz, {} channels: the host ends each such call", format.codec, format.rate_hz, format.channels));
    }
}

void keeps_refused_events(Bench& bench) {
    constexpr int refusals = 2;
    const bool alone = bench.target().verify("dial_self").absent();
    Line line;
    if (alone) {
        bench.spy().refuse_emits(refusals);
        line = answered(bench);
    } else {
        line = call_itself(bench);
        bench.spy().refuse_emits(refusals);
        answer(line);
    }
    require(bench.spy().emits_to_refuse() == 0, "it emitted less than a call has to tell");
    if (alone) return;
    bench.spy().refuse_emits(1);
    const jf_status status = line.out->control(JF_TEL_DTMF, 0, "7");
    if (status == JF_OK) require(line.in->wait_for(JF_EV_DTMF), "a key was lost, since the host was busy at first");
    bench.spy().refuse_emits(0);
    for (Leg* leg : legs_of(line)) require(leg->record().count(JF_EV_ANSWERED) == 1, "ANSWERED came twice");
}

void sends_keys(Bench& bench) {
    Line line = answered(bench);
    for (const std::string_view keys : {"5x!", "hello", "1\r\n2", "\xff"}) {
        const jf_status status = line.out->control(JF_TEL_DTMF, 0, keys);
        if (status == JF_E_UNSUPPORTED) not_applicable("it sends no keys");
        require_status(fmt::format("the keys '{}'", base::to_valid_utf8(std::string(keys))), status, {JF_E_INVALID});
    }
    require_status("the keys '5w#'", line.out->control(JF_TEL_DTMF, 0, "5w#"), {JF_OK});
    if (!line.in) return;
    bool no_events = false;
    bench.locked([&] {
        for (const Heard& heard : line.in->record().events) no_events |= heard.type() == JF_EV_ANSWERED && (heard.event.flags & JF_ANSWERED_NO_KEY_EVENTS);
    });
    if (no_events) return;
    require(line.in->wait_for(JF_EV_DTMF, 2), "the far end did not hear of both keys");
    bench.expect_quiet([&] { return line.in->record().count(JF_EV_DTMF) > 2; }, "a key press came as two");
    std::string pressed;
    bench.locked([&] {
        for (const Heard& heard : line.in->record().events)
            if (const auto* key = heard.type() == JF_EV_DTMF ? heard.as<jf_dtmf>() : nullptr) pressed += static_cast<char>(key->digit);
    });
    require(pressed == "5#", fmt::format("'5w#' came as '{}'", base::to_valid_utf8(pressed)));
}

void marks_and_clears(Bench& bench) {
    if (managed(bench)) not_applicable("it is managed: audio stays with the provider");
    Line line = answered(bench);
    const bool marks = bench.target().capability("telephony", "mark").boolean_or(false);
    speak(bench, line, 5);
    require_status("control(MARK)", line.out->control(JF_TEL_MARK, 77), {marks ? JF_OK : JF_E_UNSUPPORTED});
    if (marks && !line.out->wait_for(JF_EV_MARK_PLAYED)) fail("MARK_PLAYED did not come");
    const jf_telephony_v1& table = *line.out->port().table();
    if (!JF_HAS(&table, jf_telephony_v1, media_clear) || !table.media_clear) return;
    speak(bench, line, 5);
    if (marks) require_status("control(MARK)", line.out->control(JF_TEL_MARK, 78), {JF_OK});
    std::uint64_t dropped = 0;
    const jf_op op = line.out->record().op;
    require_status("media_clear", bench.call(line.out->record(), "media_clear", [&] {
        return line.instance->invoke(plugin_host::ThreadClass::media, false, table.media_clear, op, &dropped);
    }), {JF_OK});
    require(dropped <= line.out->format().rate_hz / 50 * 10, fmt::format("media_clear dropped {} samples, and that many were never sent", dropped));
    if (marks && !line.out->wait_for(JF_EV_MARK_PLAYED, 2)) fail("media_clear took a mark away: MARK_PLAYED comes for each");
}

void takes_calls(Bench& bench) {
    Line line = call_itself(bench);
    Leg &in = *line.in, &out = *line.out;
    require(!line.call.leg.empty(), "jf_incoming.leg is empty: it is the carrier's id of the call");
    require(!line.call.keys.empty(), "jf_incoming.keys is empty: no agent can ever answer");
    for (const std::string& key : line.call.keys) require(!key.empty(), "one of jf_incoming.keys is empty");
    const jf_status rings = in.control(JF_TEL_RING);
    require_status("control(RING)", rings, {JF_OK, JF_E_UNSUPPORTED});
    if (!managed(bench)) require_status("media_out before the answer", in.media_out(JF_CODEC_PCMU, 8000, 0), {JF_E_STATE});
    require_status("hold before the answer", in.control(JF_TEL_HOLD, 1), {JF_E_STATE, JF_E_UNSUPPORTED});
    require_status("keys before the answer", in.control(JF_TEL_DTMF, 0, "1"), {JF_E_STATE, JF_E_UNSUPPORTED});
    answer(line);
    require_status("a second answer", in.answer(), {JF_E_STATE});
    require_status("control(RING) after the answer", in.control(JF_TEL_RING), {JF_E_STATE, JF_E_UNSUPPORTED});
    require_status("control(REJECT) after the answer", in.control(JF_TEL_REJECT, JF_CAUSE_BUSY), {JF_E_STATE, JF_E_UNSUPPORTED});
    if (!managed(bench)) {
        speak(bench, line);
        for (Leg* leg : legs_of(line)) require(leg->wait_for(JF_EV_MEDIA), "no MEDIA came of what the other side said");
    }
    require_status("hangup", in.hangup(), {JF_OK});
    in.expect_end(patience);
    out.expect_end(patience);
    require(in.record().last->as<jf_call_end>()->by == JF_ENDED_BY_US, "the leg that was hung up says that somebody else did");
    require(out.record().last->as<jf_call_end>()->by != JF_ENDED_BY_US, "the leg whose far end hung up says that we did");
    for (Leg* leg : legs_of(line)) {
        require(leg->record().status == JF_OK, fmt::format("a call that was hung up completed with {}: {}", status_name(leg->record().status), leg->record().error));
        require(leg->record().count(JF_EV_ANSWERED) == 1, "ANSWERED came twice");
    }
}

void refuses_calls(Bench& bench) {
    Line line = call_itself(bench);
    require_status("control(REJECT)", line.in->control(JF_TEL_REJECT, JF_CAUSE_BUSY), {JF_OK});
    line.in->expect_end(patience);
    line.out->expect_end(patience);
    require(line.in->cause() == JF_CAUSE_BUSY, fmt::format("a call that was refused with BUSY ended with the cause {}", line.in->cause()));
    require(line.out->cause() != JF_CAUSE_NORMAL && line.out->record().count(JF_EV_ANSWERED) == 0, "a call that was refused looks to its caller as if it had been one");
    require_status("answer of a leg that is over", line.in->answer(), {JF_E_INVALID});
}

void is_given_up(Bench& bench) {
    Line line = call_itself(bench);
    require_status("hangup before the answer", line.out->hangup(), {JF_OK});
    line.out->expect_end(patience);
    line.in->expect_end(patience);
    require(line.in->cause() == JF_CAUSE_CANCELLED, fmt::format("a call whose caller gave up before the answer ended with the cause {}", line.in->cause()));
    require_status("answer of a leg that is over", line.in->answer(), {JF_E_INVALID});
}

void carries_a_call(Bench& bench) {
    const std::string peer = bench.target().dial;
    if (peer.empty()) not_applicable("--dial, or \"verify.dial\" of its plugin.json, names an address that answers");
    Leg leg(bench, bench.start());
    jf_status status = leg.dial(Leg::to(peer, 20'000));
    if (status != JF_OK) fail(fmt::format("dial of {} answered {}: {}", peer, status_name(status), leg.record().error));
    if (!bench.wait([&] { return leg.record().count(JF_EV_ANSWERED) > 0 || leg.record().done(); }, patience * 3) || leg.record().done())
        fail(fmt::format("{} did not answer", peer));
    jf_format format = make<jf_format>();
    bench.locked([&] {
        bool answered = false;
        for (const Heard& heard : leg.record().events) {
            if (heard.type() == JF_EV_RINGING) require(!answered, "RINGING came after ANSWERED");
            if (heard.type() != JF_EV_ANSWERED) continue;
            require(!answered, "ANSWERED came twice");
            require(heard.as<jf_format>() != nullptr || managed(bench), "ANSWERED has no jf_format");
            if (heard.as<jf_format>()) format = *heard.as<jf_format>();
            answered = true;
        }
    });
    if (!managed(bench)) {
        std::uint64_t pts = 0;
        for (int packet = 0; packet < 50; ++packet) {
            const jf_status sent = leg.media_out(format.codec, format.rate_hz, pts);
            if (bench.locked([&] { return leg.record().done(); })) break;
            require_status("media_out in an answered call", sent, {JF_OK, JF_E_AGAIN});
            pts += format.rate_hz / 50;
            std::this_thread::sleep_for(milliseconds(20));
        }
        require_status("control with the verb 4000", leg.control(4000), {JF_E_UNSUPPORTED});
    }
    require_status("hangup", leg.hangup(), {JF_OK, JF_E_INVALID});
    leg.expect_end(patience);
    require(leg.record().status == JF_OK, fmt::format("a call that was hung up completed with {}: {}", status_name(leg.record().status), leg.record().error));
    std::uint64_t pts = 0;
    for (const Heard& heard : leg.record().events) {
        const auto* frame = heard.type() == JF_EV_MEDIA ? heard.as<jf_frame>() : nullptr;
        if (!frame) continue;
        require(frame->pts >= pts, "the pts of MEDIA goes back");
        pts = frame->pts;
    }
}

}  // namespace jackfield::conformance::telephony
