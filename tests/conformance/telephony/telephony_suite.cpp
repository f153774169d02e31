#include "conformance/suites.hpp"
#include "conformance/telephony/telephony_leg.hpp"

namespace jackfield::conformance {
namespace {

using namespace telephony;

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

/// The same key while its call is open: the host asks again since it does not know whether the first came about.
void knows_its_keys(Bench& bench) {
    auto instance = bench.start();
    Leg first(bench, instance), second(bench, instance), other(bench, instance);
    const std::string address = nowhere(bench);
    const jf_dial dial = Leg::to(address, 20'000);
    if (const jf_status status = first.dial(dial); status != JF_OK)
        not_applicable(fmt::format("it refuses to dial {} ({}); \"verify.dial_nowhere\" names an address where nobody answers", address, status_name(status)));
    const jf_status again = second.dial(dial);
    require_status("dial of another call beside it", other.dial(Leg::to(address, 20'000)), {JF_OK, JF_E_QUOTA, JF_E_RATE});
    const bool over = bench.locked([&] { return first.record().done(); });
    for (Leg* leg : {&first, &other}) leg->hangup();
    if (again == JF_OK) {
        second.hangup();
        if (over) not_applicable("the first call ended before the second was dialled");
        not_applicable("it cannot tell calls by their keys: each dial is a call");
    }
    require_status("dial with the key of a call that is open", again, {JF_E_CONFLICT, JF_E_QUOTA, JF_E_RATE});
    require(first.record().completions <= 1, "the first call completed twice");
    bench.expect_done(first.record(), "the first call", patience * 9 / 2);
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
    {"telephony.knows_its_keys", "One key is one call, and another key another", "Compare idempotency keys, and CONFLICT the one that is open already only.", knows_its_keys, 60},
    {"telephony.speaks_g711", "An answered leg speaks what this host speaks", "Today's host takes PCMU and PCMA, 8000 Hz, one channel, and hangs up everything else as `unacceptable`: transcode in the plugin.", speaks_g711, 90},
    {"telephony.keeps_refused_events", "What a busy host refuses, MEDIA apart, comes all the same", "On AGAIN keep the event and emit it again, by a timer at the latest.", keeps_refused_events, 90},
    {"telephony.sends_keys", "Keys of a call are sent, and what no phone has is INVALID", "Look at every character before the first goes out: 0-9 * # A-D w.", sends_keys, 90},
    {"telephony.marks_and_clears", "Marks and clearing are as the capabilities say", "Declare `mark`, and answer each with MARK_PLAYED; else UNSUPPORTED.", marks_and_clears, 90},
    {"telephony.takes_calls", "A call that comes in rings, is answered once, carries both ways, and ends at both ends", "Report it with its keys; STATE for what does not fit the leg's state.", takes_calls, 90},
    {"telephony.refuses_calls", "A call that comes in can be refused, and its caller hears why", "Tell the far end the cause, and complete with CALL_ENDED.", refuses_calls, 90},
    {"telephony.is_given_up", "A caller who gives up before the answer ends the leg with CANCELLED", "The far end's end of a leg that was not answered is CANCELLED, not NORMAL.", is_given_up, 90},
    {"telephony.carries_a_call", "A call to a peer that answers rings, speaks and ends", "Look at the order of RINGING, ANSWERED, MEDIA and CALL_ENDED.", carries_a_call, 90},
};

}  // namespace

std::span<const Check> telephony_checks() { return checks; }
void telephony_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
