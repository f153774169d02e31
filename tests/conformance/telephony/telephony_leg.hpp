#pragma once

#include "conformance/kit/audio.hpp"
#include "conformance/kit/bench.hpp"

#include <fmt/format.h>

/// Legs as the checks of jf.telephony/1 use them. telephony_suite.cpp has the table, telephony_answered.cpp what takes a far end that answers.
namespace jackfield::conformance::telephony {

using plugin_host::TelephonyPort;

/// Nobody listens there: port 9 of this machine (discard).
inline constexpr std::string_view nobody = "sip:verify@127.0.0.1:9";

class Leg {
  public:
    Leg(Bench& bench, std::shared_ptr<Bench::Instance> instance, unsigned shard = 0)
        : bench_(bench), instance_(std::move(instance)), port_(*instance_), record_(bench.open(*instance_, shard)) {
        require(static_cast<bool>(port_), "it has no jf.telephony/1");
    }
    /// One that came in.
    Leg(Bench& bench, std::shared_ptr<Bench::Instance> instance, OpRecord& record)
        : bench_(bench), instance_(std::move(instance)), port_(*instance_), record_(record) {}

    /// A call of its own: no two have the same key, in this process or another.
    static jf_dial to(std::string_view address, std::uint32_t ring_timeout_ms = 1500) {
        jf_dial out = make<jf_dial>();
        out.to = str(address);
        out.ring_timeout_ms = ring_timeout_ms;
        out.idempotency_key = str(new_key());
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

    bool wait_for(std::uint32_t event, int times = 1, milliseconds limit = patience) {
        return bench_.wait([&] { return record_.count(event) >= times || record_.done(); }, limit) && bench_.locked([&] { return record_.count(event) >= times; });
    }
    /// What it was answered with; a jf_format of zeros where nothing was said.
    jf_format format() {
        return bench_.locked([&] {
            jf_format out = make<jf_format>();
            for (const Heard& heard : record_.events)
                if (heard.type() == JF_EV_ANSWERED && heard.as<jf_format>()) out = *heard.as<jf_format>();
            return out;
        });
    }

  private:
    /// Lives on: a jf_dial borrows it.
    static const std::string& new_key() {
        static std::deque<std::string> keys;
        return keys.emplace_back(fmt::format("verify-{}-{}", std::chrono::system_clock::now().time_since_epoch().count(), keys.size()));
    }

    Bench& bench_;
    std::shared_ptr<Bench::Instance> instance_;
    TelephonyPort port_;
    OpRecord& record_;
};

inline bool managed(const Bench& bench) { return bench.target().capability("telephony", "managed").boolean_or(false); }

inline std::string nowhere(Bench& bench) { return bench.target().verify("dial_nowhere").text_or(nobody); }

/// Dials where nobody answers; not applicable where the plugin may not dial there at all.
inline void dial_nobody(Bench& bench, Leg& leg) {
    const std::string address = nowhere(bench);
    const jf_status status = leg.dial(Leg::to(address));
    if (status != JF_OK) not_applicable(fmt::format("it refuses to dial {} ({}: {}); \"verify.dial_nowhere\" names an address where nobody answers", address, status_name(status), leg.record().error));
}

// telephony_answered.cpp
void speaks_g711(Bench& bench);
void keeps_refused_events(Bench& bench);
void sends_keys(Bench& bench);
void marks_and_clears(Bench& bench);
void takes_calls(Bench& bench);
void refuses_calls(Bench& bench);
void is_given_up(Bench& bench);
void carries_a_call(Bench& bench);

}  // namespace jackfield::conformance::telephony
