#include "conformance/kit/audio.hpp"
#include "conformance/kit/bench.hpp"
#include "conformance/suites.hpp"

#include <thread>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::TelephonyPort;

/// Nobody listens there: port 9 of this machine (discard).
constexpr std::string_view nobody = "sip:verify@127.0.0.1:9";

class Leg {
  public:
    Leg(Bench& bench, std::shared_ptr<Bench::Instance> instance, unsigned shard = 0)
        : bench_(bench), instance_(std::move(instance)), port_(*instance_), record_(bench.open(*instance_, shard)) {
        require(static_cast<bool>(port_), "it has no jf.telephony/1");
    }

    static jf_dial to(std::string_view address, std::uint32_t ring_timeout_ms = 1500) {
        jf_dial out = make<jf_dial>();
        out.to = str(address);
        out.ring_timeout_ms = ring_timeout_ms;
        out.idempotency_key = str("verify");
        return out;
    }
    jf_status dial(const jf_dial& dial) {
        return bench_.begin(record_, *instance_, "dial", [&] {
            jf_error error = make<jf_error>();
            jf_answer media = make<jf_answer>();
            media.no_media_timeout_ms = 10'000;
            const jf_status status = port_.dial(record_.op, dial, media, &error);
            if (status != JF_OK) record_.error = said(error);
            return status;
        });
    }
    jf_status media_out(std::uint16_t codec, std::uint32_t rate_hz, std::uint64_t pts) {
        const std::vector<std::int16_t> quiet(rate_hz / 50);
        const auto data = encode(quiet, codec);
        jf_frame frame = make<jf_frame>();
        frame.codec = codec;
        frame.channels = 1;
        frame.rate_hz = rate_hz;
        frame.samples = rate_hz / 50;
        frame.pts = pts;
        frame.data = {data.data(), data.size()};
        return bench_.call(record_, "media_out", [&] { return port_.media_out(record_.op, frame); });
    }
    jf_status control(std::uint32_t verb, std::uint64_t value = 0, std::string_view text = {}) {
        jf_telephony_control wanted = make<jf_telephony_control>();
        wanted.verb = verb;
        wanted.value = value;
        wanted.text = str(text);
        return bench_.call(record_, "control", [&] { return port_.control(record_.op, wanted); });
    }
    jf_status hangup(std::uint32_t cause = JF_CAUSE_NORMAL) {
        return bench_.call(record_, "hangup", [&] { return port_.hangup(record_.op, cause); });
    }
    jf_status answer() {
        const jf_answer options = make<jf_answer>();
        return bench_.call(record_, "answer", [&] { return port_.answer(record_.op, options); });
    }
    /// The end of the leg, with what every end has.
    void expect_end(milliseconds limit) {
        bench_.expect_done(record_, "the leg", limit);
        bench_.expect_quiet([&] { return record_.completions > 1; }, "the leg completed twice");
        require(record_.last && record_.last->type() == JF_EV_CALL_ENDED && record_.last->as<jf_call_end>(), "the leg completed without CALL_ENDED");
        const jf_call_end& end = *record_.last->as<jf_call_end>();
        require(end.cause <= JF_CAUSE_FAILED, fmt::format("the cause {} is unknown", end.cause));
        require(end.by <= JF_ENDED_BY_CARRIER, fmt::format("it ended by {}, which is nobody", end.by));
    }
    std::uint32_t cause() const { return record_.last->as<jf_call_end>()->cause; }
    OpRecord& record() { return record_; }
    const std::shared_ptr<Bench::Instance>& instance() const { return instance_; }
    const TelephonyPort& port() const { return port_; }

  private:
    Bench& bench_;
    std::shared_ptr<Bench::Instance> instance_;
    TelephonyPort port_;
    OpRecord& record_;
};

bool managed(const Bench& bench) { return bench.target().capability("telephony", "managed").boolean_or(false); }

std::string nowhere(Bench& bench) { return bench.target().verify("dial_nowhere").text_or(nobody); }

void declares(Bench& bench) {
    const base::JsonView capabilities = bench.target().descriptor->root()["capabilities"]["telephony"];
    require(capabilities.is_object(), "\"capabilities\" has no \"telephony\"");
    for (const char* number : {"max_ahead_ms", "ptime_ms"})
        require(capabilities[number].is_integer() && capabilities[number].integer_or(-1) >= 0, fmt::format("capabilities.telephony.{} is no whole number", number));
    for (const char* flag : {"mark", "clear", "srtp", "managed", "reap"})
        require(capabilities[flag].absent() || capabilities[flag].is_bool(), fmt::format("capabilities.telephony.{} is neither true nor false", flag));
    auto instance = bench.start();
    const TelephonyPort port(*instance);
    const jf_telephony_v1& table = *port.table();
    require(table.dial && table.answer && table.control && table.hangup, "dial, answer, control or hangup is null");
    require(table.media_out || managed(bench), "media_out is null");
    require(capabilities["max_ahead_ms"].integer_or(0) == 0 || (JF_HAS(&table, jf_telephony_v1, media_clear) && table.media_clear), "it buffers audio (max_ahead_ms), and media_clear is null");
    require(!capabilities["reap"].boolean_or(false) || port.can_reap(), "its capabilities say reap, and reap is null");
    const bool bridges = JF_HAS(&table, jf_telephony_v1, unbridge) && table.bridge;
    require(!bridges || table.unbridge, "bridge is there, and unbridge is null");
}

void knows_its_legs(Bench& bench) {
    Leg leg(bench, bench.start());  // never dialled
    require_status("answer of an unknown leg", leg.answer(), {JF_E_INVALID});
    require_status("hangup of an unknown leg", leg.hangup(), {JF_E_INVALID});
    require_status("control of an unknown leg", leg.control(JF_TEL_HOLD, 1), {JF_E_INVALID});
    if (!managed(bench)) require_status("media_out on an unknown leg", leg.media_out(JF_CODEC_PCMU, 8000, 0), {JF_E_INVALID});
    const jf_telephony_v1& table = *leg.port().table();
    if (JF_HAS(&table, jf_telephony_v1, early_media) && table.early_media) {
        const jf_answer options = make<jf_answer>();
        require_status("early_media of an unknown leg", bench.call(leg.record(), "early_media", [&] {
            return leg.instance()->invoke(plugin_host::ThreadClass::stream, false, table.early_media, leg.record().op, &options);
        }), {JF_E_INVALID});
    }
    if (JF_HAS(&table, jf_telephony_v1, bridge) && table.bridge)
        require_status("bridge of unknown legs", bench.call(leg.record(), "bridge", [&] {
            return leg.instance()->invoke(plugin_host::ThreadClass::stream, false, table.bridge, leg.record().op, jf_op{4711});
        }), {JF_E_INVALID});
}

void refuses_bad_addresses(Bench& bench) {
    auto instance = bench.start();
    for (const std::string& address : {std::string(), std::string("sip:"), std::string("\xff\xfe"), std::string("sip:a@b\r\nVia: x"), std::string(100'000, '1'), std::string("nul\0l", 5)}) {
        Leg leg(bench, instance);
        const jf_status status = leg.dial(Leg::to(address));
        if (status == JF_OK) {
            leg.expect_end(patience);
            require(leg.record().status != JF_OK || leg.cause() != JF_CAUSE_NORMAL, "a call to no address ended as if it had been one");
            continue;
        }
        require_status(fmt::format("dial of '{}'", base::to_valid_utf8(address.substr(0, 30))), status, {JF_E_INVALID, JF_E_AUTH, JF_E_UNSUPPORTED});
        require(!leg.record().error.empty(), "dial refused an address without a word of why");
    }
}

/// Dials where nobody answers; not applicable where the plugin may not dial there at all.
void dial_nobody(Bench& bench, Leg& leg) {
    const std::string address = nowhere(bench);
    const jf_status status = leg.dial(Leg::to(address));
    if (status != JF_OK) not_applicable(fmt::format("it refuses to dial {} ({}: {}); \"verify.dial_nowhere\" names an address where nobody answers", address, status_name(status), leg.record().error));
}

void ends_unanswered(Bench& bench) {
    Leg leg(bench, bench.start());
    dial_nobody(bench, leg);
    leg.expect_end(patience * 9 / 2);
    require(leg.record().count(JF_EV_ANSWERED) == 0, "ANSWERED came from where nobody is");
    require(leg.cause() != JF_CAUSE_NORMAL, "a call that nobody answered ended with the cause NORMAL");
    require_status("hangup of a leg that is over", leg.hangup(), {JF_OK, JF_E_INVALID});
    require_status("control of a leg that is over", leg.control(JF_TEL_HOLD, 1), {JF_E_INVALID});
    require_status("cancel of a leg that is over", bench.plugin_cancel(*leg.instance(), leg.record().op), {JF_E_INVALID});
}

void hangs_up_while_dialling(Bench& bench) {
    auto instance = bench.start();
    for (const bool by_cancel : {false, true}) {
        Leg leg(bench, instance);
        dial_nobody(bench, leg);
        if (by_cancel) {
            bench.cancel(leg.record());
            bench.cancel(leg.record());
            bench.expect_done(leg.record(), "the cancelled leg", milliseconds(1500));
            require(bench.spy().completions_of(leg.record().op) == 1, "the plugin did not complete the cancelled leg itself");
            continue;
        }
        require_status("hangup", leg.hangup(), {JF_OK, JF_E_INVALID});
        require_status("a second hangup", leg.hangup(), {JF_OK, JF_E_INVALID});
        leg.expect_end(patience * 9 / 2);
    }
}

void refuses_early_audio(Bench& bench) {
    if (managed(bench)) not_applicable("it is managed: audio stays with the provider");
    Leg leg(bench, bench.start());
    dial_nobody(bench, leg);
    const jf_status status = leg.media_out(JF_CODEC_PCMU, 8000, 0);
    // The leg may have failed by now.
    require_status("media_out before the answer", status, {JF_E_STATE, JF_E_INVALID});
    require_status("hold before the answer", leg.control(JF_TEL_HOLD, 1), {JF_E_STATE, JF_E_INVALID, JF_E_UNSUPPORTED});
    require_status("answer of an outgoing leg", leg.answer(), {JF_E_STATE, JF_E_INVALID});
}

void unknown_verbs(Bench& bench) {
    Leg leg(bench, bench.start());
    dial_nobody(bench, leg);
    require_status("control with the verb 4000", leg.control(4000), {JF_E_UNSUPPORTED, JF_E_INVALID});
    require_status("the keys 'hello?!'", leg.control(JF_TEL_DTMF, 0, "hello?!"), {JF_E_INVALID, JF_E_STATE, JF_E_UNSUPPORTED});
}

void several_at_once(Bench& bench) {
    auto instance = bench.start();
    std::vector<std::unique_ptr<Leg>> legs;
    for (unsigned i = 0; i < 4; ++i) legs.push_back(std::make_unique<Leg>(bench, instance, i % 2));
    const std::string address = nowhere(bench);
    dial_nobody(bench, *legs.front());
    for (std::size_t i = 1; i < legs.size(); ++i) require_status("dial beside other calls", legs[i]->dial(Leg::to(address)), {JF_OK, JF_E_QUOTA, JF_E_RATE});
    for (const auto& leg : legs) {
        if (leg->record().op == JF_NO_OP) continue;
        leg->hangup();
    }
    for (const auto& leg : legs) bench.expect_done(leg->record(), "one of several legs", patience * 9 / 2);
}

void reaps_anything(Bench& bench) {
    auto instance = bench.start();
    const TelephonyPort port(*instance);
    if (!port.can_reap()) not_applicable("its reap is null: its legs die with the process");
    for (const std::string& state : {std::string(), std::string("garbage"), std::string(4096, '\xff'), std::string("{\"v\":1}"), std::string(64, '\0')}) {
        OpRecord& record = bench.open(*instance);
        jf_error error = make<jf_error>();
        const jf_status status = bench.begin(record, *instance, "reap", [&] { return port.reap(record.op, {state.data(), state.size()}, &error); });
        if (status == JF_OK) bench.expect_done(record, "reap of what is no leg", patience * 4);
        else require_status("reap of what is no leg", status, {JF_E_INVALID, JF_E_NOT_FOUND, JF_E_UNSUPPORTED, JF_E_TOO_NEW});
    }
}

void struct_sizes(Bench& bench) {
    auto instance = bench.start();
    const std::string address = nowhere(bench);
    Leg shorter(bench, instance);
    jf_dial dial = Leg::to(address);
    dial.struct_size = offsetof(jf_dial, headers);
    dial.headers = {reinterpret_cast<const void*>(std::uintptr_t{0xdead}), 7, sizeof(jf_pair)};
    dial.idempotency_key = {reinterpret_cast<const char*>(std::uintptr_t{0xdead}), 4};
    const jf_status taken = shorter.dial(dial);
    require_status("dial with a jf_dial without its last members", taken, {JF_OK, JF_E_INVALID, JF_E_AUTH, JF_E_UNSUPPORTED});

    Leg longer(bench, instance);
    struct {
        jf_dial known;
        std::uint64_t appended[4];
    } later{Leg::to(address), {0, 0, 0, 0}};
    later.known.struct_size = sizeof later;
    Leg usual(bench, instance);
    const jf_status wanted = usual.dial(Leg::to(address));
    require_status("dial with a longer jf_dial that ends in zeros", longer.dial(later.known), {wanted});
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

void mid_op(Bench& bench) {
    auto* const leg = new Leg(bench, bench.start());
    dial_nobody(bench, *leg);
}

constexpr Check checks[] = {
    {"telephony.declares", "Its capabilities and its table agree", "Leave null what is not there, and say so in the capabilities.", declares},
    {"telephony.knows_its_legs", "A leg that it does not have is INVALID", "Look the op up first; ids are not pointers.", knows_its_legs},
    {"telephony.refuses_bad_addresses", "What is no address is refused with a text", "Check the address before anything is sent; CR and LF above all.", refuses_bad_addresses, 60},
    {"telephony.ends_unanswered", "A call that nobody answers ends once, with CALL_ENDED and a cause", "Complete with CALL_ENDED as `last` whatever happens.", ends_unanswered, 60},
    {"telephony.hangs_up_while_dialling", "hangup and cancel end a leg that is still dialled", "Complete when the far end has been told, at the latest when it does not answer.", hangs_up_while_dialling, 100},
    {"telephony.refuses_early_audio", "Audio and hold before the answer are STATE", "Look at the leg's state before the verb.", refuses_early_audio, 60},
    {"telephony.unknown_verbs", "Unknown verbs are UNSUPPORTED, impossible keys INVALID", "Switch over the verbs that you know.", unknown_verbs, 60},
    {"telephony.several_at_once", "Several legs on two threads don't mix", "Keep state per op; lock what is shared.", several_at_once, 100},
    {"telephony.reaps_anything", "reap of what is no leg ends too", "Check the stored state as a stranger's.", reaps_anything, 100},
    {"telephony.struct_sizes", "Requests are read as far as they reach, and longer ones are understood", "Ask JF_HAS before each member.", struct_sizes, 60},
    {"telephony.carries_a_call", "A call to a peer that answers rings, speaks and ends", "Look at the order of RINGING, ANSWERED, MEDIA and CALL_ENDED.", carries_a_call, 90},
};

}  // namespace

std::span<const Check> telephony_checks() { return checks; }
void telephony_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
