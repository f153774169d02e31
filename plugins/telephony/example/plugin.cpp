// telephony/example: the smallest carrier that takes calls from outside. The table is all there is here; carrier.* has the port that listens, leg.* a
// call, wire.* the protocol. Copy the folder, put your carrier's protocol into wire.* and leg.*.

#include <jackfield/telephony.h>

#include "carrier.hpp"

namespace jackfield::telephony_example {
namespace {

Carrier& of(jf_instance* self) { return *reinterpret_cast<Carrier*>(self); }

/// Runs `body` with the leg of `op`, on whose strand we are.
template <typename Body>
jf_status on_leg(jf_instance* self, jf_op op, Body body) {
    return sdk::guarded(nullptr, [&]() -> jf_status {
        const auto leg = of(self).leg(op);
        return leg ? body(*leg) : JF_E_INVALID;
    });
}

const jf_telephony_v1* telephony_table() {
    static const jf_telephony_v1 table = [] {
        jf_telephony_v1 t = sdk::make<jf_telephony_v1>();
        t.dial = [](jf_instance* self, jf_op op, const jf_dial* dial, const jf_answer* media, jf_error* error) {
            return sdk::guarded(error, [&]() -> jf_status {
                if (!JF_HAS(dial, jf_dial, from) || !JF_HAS(media, jf_answer, media_timeout_ms)) return JF_E_INVALID;
                of(self).dial(op, *dial, *media, JF_HAS(dial, jf_dial, idempotency_key) ? sdk::view(dial->idempotency_key) : std::string_view());
                return JF_OK;
            });
        };
        t.answer = [](jf_instance* self, jf_op op, const jf_answer* options) {
            return on_leg(self, op, [&](Leg& leg) { return JF_HAS(options, jf_answer, media_timeout_ms) ? leg.answer(*options) : JF_E_INVALID; });
        };
        t.control = [](jf_instance* self, jf_op op, const jf_telephony_control* control) {
            return on_leg(self, op, [&](Leg& leg) { return JF_HAS(control, jf_telephony_control, text) ? leg.control(*control) : JF_E_INVALID; });
        };
        t.media_out = [](jf_instance* self, jf_op op, const jf_frame* frame) {
            Leg* const leg = of(self).leg_on_strand(op);
            return leg && JF_HAS(frame, jf_frame, data) ? leg->media_out(*frame) : JF_E_INVALID;
        };
        t.hangup = [](jf_instance* self, jf_op op, std::uint32_t cause) {
            return on_leg(self, op, [&](Leg& leg) {
                leg.hang_up(cause);
                return JF_OK;
            });
        };
        return t; // no early media, nothing played ahead, no bridge, legs that die with the process
    }();
    return &table;
}

}  // namespace

const void* Carrier::query(std::string_view interface_id) { return interface_id == JF_TELEPHONY_V1 ? telephony_table() : nullptr; }

}  // namespace jackfield::telephony_example

JACKFIELD_MODULE(jackfield::telephony_example::Carrier)
