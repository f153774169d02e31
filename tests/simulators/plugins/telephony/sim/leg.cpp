#include "leg.hpp"

#include "carrier.hpp"

namespace jackfield::telephony_sim {
namespace {

constexpr std::uint64_t ms = 1'000'000;

}  // namespace

Leg::Leg(Carrier& carrier, unsigned line, jf_op op, std::uint64_t seed, bool outgoing)
    : carrier_(carrier), line_(line), op_(op), random_(seed), caller_(random_.next()), outgoing_(outgoing) {}

void Leg::begin() {
    if (outgoing_) {
        carrier_.host().emit(op_, JF_EV_RINGING);
        start_timer(random_.between(500, 6000) * ms);
    } else if (caller_.impatience()) {
        start_timer(1 + *caller_.impatience() * sim::packet_ns);
    }
}

void Leg::set_watchdogs(const jf_answer& options) {
    if (options.media_timeout_ms) watchdog_ns_ = options.media_timeout_ms * ms;
}

jf_status Leg::answer(const jf_answer& options) {
    if (answered_ || outgoing_) return JF_E_STATE;
    set_watchdogs(options);
    connect();
    return JF_OK;
}

void Leg::connect() {
    answered_ = true;
    jf_format format = sdk::make<jf_format>();
    format.codec = JF_CODEC_PCMU;
    format.channels = 1;
    format.rate_hz = 8000;
    format.ptime_ms = 20;
    carrier_.host().emit(op_, JF_EV_ANSWERED, format);
    // Who was about to give up has a timer already; it becomes the media's.
    if (timer_ == JF_NO_OP) start_timer(random_.between(1, 20) * ms);
}

void Leg::start_timer(std::uint64_t delay_ns) { timer_ = carrier_.start_timer(op_, *this, delay_ns); }

void Leg::on_done(jf_op, jf_status status, const jf_event*, const jf_error*) {
    timer_ = JF_NO_OP;
    if (ended_) return carrier_.forget(*this);
    if (status != JF_OK) return;
    if (answered_) return tick();
    if (!outgoing_) return end(JF_CAUSE_CANCELLED, JF_ENDED_BY_FAR_END);
    if (random_.chance(700)) connect();
    else end(random_.chance(500) ? JF_CAUSE_BUSY : JF_CAUSE_NO_ANSWER, JF_ENDED_BY_FAR_END);
}

void Leg::tick() {
    if (hanging_up_) {
        if (ticks_left_-- == 0) return end(cause_, JF_ENDED_BY_US);
        return start_timer(sim::packet_ns);
    }
    const Step step = vanished_ ? Step{} : caller_.step(agent_audible_);
    if (vanished_) {
        quiet_ns_ += sim::packet_ns;
        if (quiet_ns_ >= watchdog_ns_) return end(JF_CAUSE_MEDIA_TIMEOUT, JF_ENDED_BY_CARRIER);
    } else if (transferred_) {
        return end(JF_CAUSE_NORMAL, JF_ENDED_BY_CARRIER);
    } else {
        send(step.sound);
    }
    if (step.key) {
        jf_dtmf dtmf = sdk::make<jf_dtmf>();
        dtmf.digit = static_cast<std::uint32_t>(step.key);
        dtmf.duration_ms = 100;
        carrier_.host().emit(op_, JF_EV_DTMF, dtmf);
    }
    if (step.end == Step::End::hang_up) return end(JF_CAUSE_NORMAL, JF_ENDED_BY_FAR_END);
    if (step.end == Step::End::vanish) vanished_ = true;
    const std::uint64_t now = carrier_.host().now_ns();
    // On an absolute grid: who was late sends the next packet sooner.
    due_ns_ = due_ns_ ? std::max(due_ns_ + sim::packet_ns, now + 1) : now + sim::packet_ns;
    start_timer(due_ns_ - now);
}

void Leg::send(sim::Sound sound) {
    pts_ += sim::packet_samples;
    if (sound == sim::quiet && random_.chance(carrier_.options().loss_permille)) return;
    jf_frame frame = sdk::make<jf_frame>();
    frame.codec = JF_CODEC_PCMU;
    frame.channels = 1;
    frame.rate_hz = 8000;
    frame.samples = sim::packet_samples;
    frame.pts = pts_ - sim::packet_samples;
    frame.data = {sim::packet_of(sound).data(), sim::packet_samples};
    ++packets_in_;
    if (carrier_.host().emit(op_, JF_EV_MEDIA, frame, frame.pts) == JF_E_AGAIN) carrier_.count("sim_packets_refused");
}

jf_status Leg::media_out(const jf_frame& frame) {
    if (ended_ || hanging_up_ || !answered_) {
        carrier_.count("sim_media_without_call");
        return JF_E_INVALID;
    }
    ++packets_out_;
    agent_audible_ = sim::is_audible({static_cast<const std::uint8_t*>(frame.data.ptr), frame.data.len});
    return JF_OK;
}

void Leg::hang_up(std::uint32_t cause) {
    if (!answered_) return end(cause, JF_ENDED_BY_US);
    if (std::exchange(hanging_up_, true)) return;
    cause_ = cause;
    ticks_left_ = static_cast<unsigned>(random_.between(0, 15));
}

jf_status Leg::transfer() {
    if (!answered_ || ended_) return JF_E_STATE;
    transferred_ = true;
    return JF_OK;
}

void Leg::end(std::uint32_t cause, std::uint32_t by, jf_status status) {
    if (std::exchange(ended_, true)) return;
    jf_call_end last = sdk::make<jf_call_end>();
    last.cause = cause;
    last.by = by;
    last.packets_in = packets_in_;
    last.packets_out = packets_out_;
    carrier_.on_leg_ended(*this);
    carrier_.host().complete_with(op_, status, JF_EV_CALL_ENDED, last);
    if (timer_ == JF_NO_OP) carrier_.forget(*this); // else its completion, CANCELLED with the leg, is still to come
}

}  // namespace jackfield::telephony_sim
