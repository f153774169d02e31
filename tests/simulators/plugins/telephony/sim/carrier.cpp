#include "carrier.hpp"

namespace jackfield::telephony_sim {
namespace {

Carrier& carrier_of(jf_instance* self) { return *reinterpret_cast<Carrier*>(self); }

const jf_telephony_v1* telephony_table() {
    static const jf_telephony_v1 table = [] {
        jf_telephony_v1 t = sdk::make<jf_telephony_v1>();
        t.dial = [](jf_instance* self, jf_op op, const jf_dial* dial, const jf_answer* media, jf_error* error) {
            return sdk::guarded(error, [&] { return carrier_of(self).dial(op, sdk::view(dial->to), *media); });
        };
        t.answer = [](jf_instance* self, jf_op op, const jf_answer* options) {
            return sdk::guarded(nullptr, [&] {
                const auto leg = carrier_of(self).leg(op);
                return leg ? leg->answer(*options) : JF_E_INVALID;
            });
        };
        t.control = [](jf_instance* self, jf_op op, const jf_telephony_control* control) {
            return sdk::guarded(nullptr, [&] {
                const auto leg = carrier_of(self).leg(op);
                if (!leg) return JF_E_INVALID;
                switch (control->verb) {
                    case JF_TEL_RING: return JF_OK;
                    case JF_TEL_REJECT: leg->end(static_cast<std::uint32_t>(control->value), JF_ENDED_BY_US); return JF_OK;
                    case JF_TEL_TRANSFER: return leg->transfer(control->value);
                    case JF_TEL_HOLD: return JF_OK;
                    default: return JF_E_UNSUPPORTED;
                }
            });
        };
        t.media_out = [](jf_instance* self, jf_op op, const jf_frame* frame) {
            const auto leg = carrier_of(self).leg(op);
            if (leg) return leg->media_out(*frame);
            carrier_of(self).count("sim_media_without_call");
            return JF_E_INVALID;
        };
        t.hangup = [](jf_instance* self, jf_op op, std::uint32_t cause) {
            return sdk::guarded(nullptr, [&] {
                const auto leg = carrier_of(self).leg(op);
                if (!leg) return JF_E_INVALID;
                leg->hang_up(cause);
                return JF_OK;
            });
        };
        return t;
    }();
    return &table;
}

}  // namespace

class Carrier::Pause final : public sdk::OpUser {
  public:
    Pause(Carrier& carrier, unsigned line, const Script* script) : carrier_(carrier), line_(line), script_(script) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<Pause> self(this);
        if (status != JF_OK) return;
        if (script_) carrier_.call(*script_);
        else carrier_.call(line_);
    }

  private:
    Carrier& carrier_;
    unsigned line_;
    const Script* script_;
};

std::unique_ptr<Carrier> Carrier::create(sdk::Host host, const sdk::Config& config) {
    return std::make_unique<Carrier>(host, read_options(config));
}

Carrier::Carrier(sdk::Host host, Options options)
    : host_(host),
      options_(std::move(options)),
      timer_(host.facility<jf_host_timer_v1>(JF_FACILITY_TIMER)),
      calls_(host.facility<jf_host_calls_v1>(JF_FACILITY_CALLS)),
      metrics_(host.facility<jf_host_metrics_v1>(JF_FACILITY_METRICS)),
      random_(options_.seed) {
    if (!timer_ || !calls_ || !metrics_) throw sdk::Failure(JF_E_UNSUPPORTED, "the host lacks timers, calls or metrics");
}

void Carrier::start(jf_op op) {
    serving_ = true;
    for (const Script& script : options_.calls) {
        if (script.from.empty()) continue;
        auto waiting = std::make_unique<Pause>(*this, no_line, &script);
        start_timer(JF_NO_OP, *waiting, 1 + script.at_ms * std::uint64_t{1'000'000});
        static_cast<void>(waiting.release());
    }
    for (unsigned line = 0; options_.calls.empty() && line < options_.lines; ++line) rest(line);
    host_.complete(op);
}

void Carrier::quiesce(jf_op op, std::uint32_t) {
    serving_ = false;
    std::vector<std::shared_ptr<Leg>> left;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, leg] : legs_) left.push_back(leg);
    }
    for (const auto& leg : left) host_.fail(leg->op(), sdk::Failure(JF_E_CANCELLED, "the carrier closed"));
    host_.complete(op);
}

const void* Carrier::query(std::string_view interface_id) {
    return interface_id == JF_TELEPHONY_V1 ? telephony_table() : nullptr;
}

jf_status Carrier::cancel(jf_op op) {
    const auto found = leg(op);
    if (!found) return JF_E_INVALID;
    found->end(JF_CAUSE_FAILED, JF_ENDED_BY_US, JF_E_CANCELLED);
    return JF_OK;
}

void Carrier::rest(unsigned line) {
    std::uint64_t pause;
    {
        const std::lock_guard lock(mutex_);
        pause = random_.between(1, options_.gap_ns);
    }
    auto waiting = std::make_unique<Pause>(*this, line, nullptr);
    start_timer(JF_NO_OP, *waiting, pause);
    static_cast<void>(waiting.release());
}

template <typename Make>
void Carrier::ring(const Incoming& call, Make make_leg) {
    const jf_str key = sdk::str(call.to);
    jf_incoming incoming = sdk::make<jf_incoming>();
    incoming.from = sdk::str(call.from);
    incoming.to = sdk::str(call.to);
    incoming.keys = sdk::array(&key, 1);
    jf_op op = JF_NO_OP;
    const std::lock_guard lock(mutex_); // whoever is told of the op finds its leg
    const std::string id = "sim-" + std::to_string(next_leg_++);
    incoming.leg = sdk::str(id);
    incoming.leg_state = sdk::bytes(id);
    if (calls_->incoming(host_.ctx(), &incoming, &op) != JF_OK) return; // the host is full or about to stop: the line stays dead
    const std::shared_ptr<Leg> leg = make_leg(op);
    legs_.emplace(op, leg);
    leg->begin();
}

void Carrier::call(unsigned line) {
    if (!serving_) return;
    std::uint64_t seed;
    {
        const std::lock_guard lock(mutex_);
        seed = random_.next();
    }
    ring({"+1212555" + std::to_string(2000 + line), options_.numbers[line % options_.numbers.size()]},
         [&](jf_op op) { return std::make_shared<Leg>(*this, line, op, seed, false); });
}

void Carrier::call(const Script& script) {
    if (!serving_) return;
    ring({script.from, script.to.empty() ? options_.numbers.front() : script.to},
         [&](jf_op op) { return std::make_shared<Leg>(*this, op, script); });
}

jf_status Carrier::dial(jf_op op, std::string_view to, const jf_answer& media) {
    const auto script = std::find_if(options_.calls.begin(), options_.calls.end(),
                                     [&](const Script& one) { return !one.dialled.empty() && one.dialled == to; });
    std::shared_ptr<Leg> leg;
    {
        const std::lock_guard lock(mutex_);
        leg = script != options_.calls.end() ? std::make_shared<Leg>(*this, op, *script)
                                             : std::make_shared<Leg>(*this, no_line, op, random_.next(), true);
        legs_.emplace(op, leg);
    }
    leg->set_watchdogs(media);
    leg->begin();
    return JF_OK;
}

std::shared_ptr<Leg> Carrier::leg(jf_op op) {
    const std::lock_guard lock(mutex_);
    const auto found = legs_.find(op);
    return found == legs_.end() ? nullptr : found->second;
}

jf_op Carrier::start_timer(jf_op parent, sdk::OpUser& user, std::uint64_t delay_ns) {
    const jf_op op = host_.open(parent, user);
    timer_->start(host_.ctx(), op, delay_ns);
    return op;
}

void Carrier::count(std::string_view name) { metrics_->count(host_.ctx(), sdk::str(name), 1); }

void Carrier::on_leg_ended(Leg& leg) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = legs_.find(leg.op());
        if (found == legs_.end()) return;
        ending_.emplace(&leg, std::move(found->second));
        legs_.erase(found);
    }
    count("sim_legs_ended");
    if (leg.line() != no_line && serving_) rest(leg.line());
}

void Carrier::forget(Leg& leg) {
    std::shared_ptr<Leg> last;
    const std::lock_guard lock(mutex_);
    const auto found = ending_.find(&leg);
    if (found == ending_.end()) return;
    last = std::move(found->second);
    ending_.erase(found);
}

}  // namespace jackfield::telephony_sim
