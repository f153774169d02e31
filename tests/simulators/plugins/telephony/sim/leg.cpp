#include "leg.hpp"

#include <algorithm>

#include "carrier.hpp"
#include "random_plan.hpp"

namespace jackfield::telephony_sim {
namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t same_stretch_ms = 200; ///< quiet between words of one stretch of the caller's speech, at most

}  // namespace

Leg::Leg(Carrier& carrier, unsigned line, jf_op op, std::uint64_t seed, bool outgoing)
    : carrier_(carrier), line_(line), op_(op), random_(seed), caller_(random_plan(random_.next())), outgoing_(outgoing) {}

Leg::Leg(Carrier& carrier, jf_op op, Script script)
    : carrier_(carrier),
      line_(no_line),
      op_(op),
      random_(script.at_ms + script.ring_ms),
      script_(std::move(script)),
      caller_(script_->plan),
      network_(script_->network),
      outgoing_(!script_->dialled.empty()) {}

void Leg::begin() {
    if (outgoing_) {
        carrier_.host().emit(op_, JF_EV_RINGING);
        start_timer(script_ ? 1 + script_->ring_ms * ms : random_.between(500, 6000) * ms);
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
    answered_ns_ = carrier_.host().now_ns();
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
    if (script_) {
        if (script_->then == Script::Dialled::answers) return connect();
        return end(script_->then == Script::Dialled::busy ? JF_CAUSE_BUSY : JF_CAUSE_NO_ANSWER, JF_ENDED_BY_FAR_END);
    }
    if (random_.chance(700)) connect();
    else end(random_.chance(500) ? JF_CAUSE_BUSY : JF_CAUSE_NO_ANSWER, JF_ENDED_BY_FAR_END);
}

void Leg::tick() {
    if (hanging_up_) {
        if (ticks_left_-- == 0) return end(cause_, JF_ENDED_BY_US);
        return start_timer(sim::packet_ns);
    }
    if (vanished_) {
        quiet_ns_ += sim::packet_ns;
        if (quiet_ns_ >= watchdog_ns_) return end(JF_CAUSE_MEDIA_TIMEOUT, JF_ENDED_BY_CARRIER);
    } else if (transferred_) {
        return end(JF_CAUSE_NORMAL, JF_ENDED_BY_CARRIER);
    } else if (other_ != JF_NO_OP && move_over()) {
        return;
    } else {
        const Step step = caller_.step(agent_audible_);
        carry_out(step);
        if (step.fault != LineFault::none) go_wrong(step.fault, step.fault_packets);
        if (ended_) return;
        if (step.end == Step::End::hang_up) return end(JF_CAUSE_NORMAL, JF_ENDED_BY_FAR_END);
        if (step.end == Step::End::vanish) vanished_ = true;
    }
    const std::uint64_t now = carrier_.host().now_ns();
    // On an absolute grid: who was late sends the next packet sooner.
    due_ns_ = due_ns_ ? std::max(due_ns_ + sim::packet_ns, now + 1) : now + sim::packet_ns;
    start_timer(due_ns_ - now);
}

void Leg::carry_out(const Step& step) {
    if (step.hold == Step::Hold::begins) {
        held_ = true;
        note("hold");
        carrier_.host().emit(op_, JF_EV_HOLD, std::uint64_t{0}, 1u);
    }
    send(step.sound);
    if (step.key) {
        note("key", {&step.key, 1});
        jf_dtmf dtmf = sdk::make<jf_dtmf>();
        dtmf.digit = static_cast<std::uint32_t>(step.key);
        dtmf.duration_ms = 100;
        carrier_.host().emit(op_, JF_EV_DTMF, dtmf);
    }
    if (step.hold == Step::Hold::ends) {
        held_ = false;
        note("resume");
        carrier_.host().emit(op_, JF_EV_HOLD, std::uint64_t{0}, 0u);
    }
}

void Leg::send(sim::Sound sound) {
    pts_ += sim::packet_samples;
    const bool lost = sound == sim::quiet && !script_ && random_.chance(carrier_.options().loss_permille);
    const Voice packet{.pts = pts_ - sim::packet_samples, .sound = sound};
    for (const Voice& arrived : network_.step(held_ || lost ? nullptr : &packet)) deliver(arrived);
}

void Leg::deliver(const Voice& packet) {
    jf_frame frame = sdk::make<jf_frame>();
    frame.codec = JF_CODEC_PCMU;
    frame.channels = 1;
    frame.rate_hz = 8000;
    frame.samples = sim::packet_samples;
    frame.pts = packet.pts;
    if (packet.discontinuity) frame.flags = JF_FRAME_DISCONTINUITY;
    frame.data = {sim::packet_of(packet.sound).data(), sim::packet_samples};
    ++packets_in_;
    if (packet.sound != sim::quiet) {
        const std::uint64_t at = since_answer_ms();
        if (voiced_to_ms_ + same_stretch_ms < at) {
            if (voiced_to_ms_ > 0) note("spoke", std::to_string(voiced_from_ms_));
            voiced_from_ms_ = at;
        }
        voiced_to_ms_ = at + 20;
    }
    if (carrier_.host().emit(op_, JF_EV_MEDIA, frame, frame.pts) == JF_E_AGAIN) carrier_.count("sim_packets_refused");
}

std::uint64_t Leg::since_answer_ms() const { return answered_ ? (carrier_.host().now_ns() - answered_ns_) / ms : 0; }

/// Kept until the leg ends. A stretch of speech is noted when the next begins, with when it began and ended.
void Leg::note(const char* what, std::string_view detail) {
    if (!script_) return;
    const bool speech = std::string_view(what) == "spoke";
    notes_ += std::to_string(speech ? voiced_to_ms_ : since_answer_ms()) + ' ' + what;
    if (!detail.empty()) notes_.append(1, ' ').append(detail);
    notes_ += ';';
}

/// Also what is too soft for a word: a waiting tone, comfort noise.
void Leg::note_sound(const jf_frame& frame) {
    if (frame.flags & JF_FRAME_SILENCE) return;
    const std::uint64_t at = since_answer_ms();
    if (sounding_to_ms_ + same_stretch_ms < at) {
        if (sounding_to_ms_ > 0) sounded_ += std::to_string(sounding_from_ms_) + ' ' + std::to_string(sounding_to_ms_) + ';';
        sounding_from_ms_ = at;
    }
    sounding_to_ms_ = at + 20;
}

void Leg::report() {
    if (!script_) return;
    ear_.close();
    if (sounding_to_ms_ > 0) sounded_ += std::to_string(sounding_from_ms_) + ' ' + std::to_string(sounding_to_ms_) + ';';
    if (voiced_to_ms_ > 0) note("spoke", std::to_string(voiced_from_ms_));
    const std::string& who = outgoing_ ? script_->dialled : script_->from;
    // As a warning, so that it is there when milestones are not.
    carrier_.host().log(JF_LOG_WARN, "sim.leg",
                        {{"who", who}, {"answered", answered_ ? "yes" : "no"}, {"answered_ns", std::to_string(answered_ns_)},
                         {"lasted_ms", std::to_string(since_answer_ms())},
                         {"notes", notes_}, {"heard", to_text(ear_.words())}, {"sounded", sounded_}},
                        op_);
}

jf_status Leg::media_out(const jf_frame& frame) {
    if (ended_ || hanging_up_ || !answered_) {
        carrier_.count("sim_media_without_call");
        note("audio_after_end");
        return JF_E_INVALID;
    }
    if (blocked_ > 0) {
        --blocked_;
        agent_audible_ = false;
        return JF_E_AGAIN;
    }
    ++packets_out_;
    const std::span codes(static_cast<const std::uint8_t*>(frame.data.ptr), frame.data.len);
    if (script_) note_sound(frame);
    agent_audible_ = script_ ? ear_.hear(codes, since_answer_ms()) : sim::is_audible(codes);
    return JF_OK;
}

void Leg::hang_up(std::uint32_t cause) {
    if (!answered_) return end(cause, JF_ENDED_BY_US);
    if (fault_ == LineFault::deaf) return;
    if (std::exchange(hanging_up_, true)) return;
    note("hung_up");
    cause_ = cause;
    ticks_left_ = static_cast<unsigned>(random_.between(0, 15));
}

jf_status Leg::transfer(jf_op other) {
    if (!answered_ || ended_ || other_ != JF_NO_OP) return JF_E_STATE;
    if (other != JF_NO_OP && random_.chance(150)) return JF_E_UNSUPPORTED;
    note("transferred");
    if (other == JF_NO_OP) {
        transferred_ = true;
        return JF_OK;
    }
    other_ = other;
    moves_in_ = static_cast<unsigned>(random_.between(1, 60));
    manner_ = random_.between(0, 4);
    return JF_OK;
}

void Leg::go_wrong(LineFault fault, unsigned for_packets) {
    fault_ = fault;
    if (fault == LineFault::die) return end(JF_CAUSE_FAILED, JF_ENDED_BY_CARRIER, JF_E_PEER_LOST);
    if (fault == LineFault::block) blocked_ = for_packets;
    if (fault == LineFault::lie) say_nonsense();
}

void Leg::say_nonsense() {
    const sdk::Host& host = carrier_.host();
    jf_format format = sdk::make<jf_format>();
    format.codec = 99;
    format.channels = 7;
    host.emit(op_, JF_EV_RINGING);
    host.emit(op_, JF_EV_ANSWERED, format);
    host.emit(op_, JF_EV_FORMAT, format);
    jf_frame frame = sdk::make<jf_frame>();
    frame.codec = JF_CODEC_L16;
    frame.samples = 1'000'000;
    host.emit(op_, JF_EV_MEDIA, frame);
    frame.codec = JF_CODEC_PCMU;
    frame.pts = ~std::uint64_t{0};
    host.emit(op_, JF_EV_MEDIA, frame);
    jf_dtmf key = sdk::make<jf_dtmf>();
    key.digit = 0x2603;
    host.emit(op_, JF_EV_DTMF, key);
    host.emit(op_, JF_EV_MARK_PLAYED, std::uint64_t{12345});
    host.emit(op_, JF_EV_MACHINE, std::uint64_t{0}, 77u);
    host.emit(op_, JF_EV_TRANSFERRED, std::uint64_t{200}, JF_TRANSFER_DONE);
    host.emit(op_, JF_EV_HOLD, std::uint64_t{0}, 0u);
    host.emit(op_, JF_EV_QUALITY);
    host.emit(op_, JF_EV_LEG_STATE);
}

/// Telephones that take a call over tell of it in every order. True: this leg has ended.
bool Leg::move_over() {
    if (moves_in_ == 0 || --moves_in_ > 0) return false;
    const auto tell = [this](bool worked) {
        carrier_.host().emit(op_, JF_EV_TRANSFERRED, std::uint64_t{worked ? 200u : 503u}, worked ? JF_TRANSFER_DONE : JF_TRANSFER_FAILED);
    };
    const auto end_other = [this] {
        if (const auto other = carrier_.leg(other_)) other->end(JF_CAUSE_NORMAL, JF_ENDED_BY_FAR_END);
    };
    switch (manner_) {
        case 0: // hangs up as soon as the other has, and says nothing
            end_other();
            end(JF_CAUSE_NORMAL, JF_ENDED_BY_FAR_END);
            return true;
        case 1: // hangs up first: the other comes later, or never
            end(JF_CAUSE_NORMAL, JF_ENDED_BY_FAR_END);
            return true;
        case 2: tell(false); other_ = JF_NO_OP; return false;
        case 3: // the other has ended, and for a while nobody knows why
            end_other();
            manner_ = 4;
            moves_in_ = static_cast<unsigned>(random_.between(1, 400));
            return false;
        default: tell(true); return false;
    }
}

void Leg::end(std::uint32_t cause, std::uint32_t by, jf_status status) {
    if (std::exchange(ended_, true)) return;
    report();
    jf_call_end last = sdk::make<jf_call_end>();
    last.cause = cause;
    last.by = by;
    last.packets_in = packets_in_;
    last.packets_out = packets_out_;
    carrier_.on_leg_ended(*this);
    carrier_.host().complete_with(op_, status, JF_EV_CALL_ENDED, last);
    if (fault_ == LineFault::twice) carrier_.host().complete_with(op_, JF_E_INTERNAL, JF_EV_CALL_ENDED, last);
    if (fault_ == LineFault::after) say_nonsense();
    if (timer_ == JF_NO_OP) carrier_.forget(*this); // else its completion, CANCELLED with the leg, is still to come
}

}  // namespace jackfield::telephony_sim
