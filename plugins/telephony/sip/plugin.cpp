// telephony/sip: calls over SIP and RTP. Signalling by libre on a thread of its own, media on the
// host's sockets and the call's strand.

#include "driver.hpp"

namespace jackfield::sip {
namespace {

Driver& driver(jf_instance* self) {
    return *reinterpret_cast<Driver*>(self);
}

jf_status dial(
    jf_instance* self, jf_op op, const jf_dial* call, const jf_answer* media, jf_error* error) {
    return sdk::guarded(error, [&] {
        const jf_answer no_limits = sdk::make<jf_answer>();
        driver(self).dial(op, sdk::known(call), media ? sdk::known(media) : no_limits);
    });
}

jf_status answer(jf_instance* self, jf_op op, const jf_answer* options) {
    return sdk::guarded(nullptr, [&]() -> jf_status {
        Leg* const leg = driver(self).leg(op);
        return leg ? leg->answer(sdk::known(options)) : JF_E_INVALID;
    });
}

jf_status control(jf_instance* self, jf_op op, const jf_telephony_control* what) {
    return sdk::guarded(nullptr, [&]() -> jf_status {
        Leg* const leg = driver(self).leg(op);
        return leg ? leg->control(sdk::known(what)) : JF_E_INVALID;
    });
}

jf_status media_out(jf_instance* self, jf_op op, const jf_frame* frame) {
    Leg* const leg = driver(self).leg_for_media(op);
    return leg ? leg->send(*frame) : JF_E_INVALID;
}

jf_status hangup(jf_instance* self, jf_op op, std::uint32_t cause) {
    return sdk::guarded(nullptr, [&]() -> jf_status {
        Leg* const leg = driver(self).leg(op);
        if (!leg) return JF_E_INVALID;
        leg->hang_up(cause);
        return JF_OK;
    });
}

jf_status reap(jf_instance* self, jf_op op, jf_bytes leg_state, jf_error* error) {
    return sdk::guarded(error, [&] { driver(self).reap(op, sdk::view(leg_state)); });
}

const jf_telephony_v1* telephony() {
    static const jf_telephony_v1 table = [] {
        jf_telephony_v1 t = sdk::make<jf_telephony_v1>();
        t.dial = dial;
        t.answer = answer;
        t.control = control;
        t.media_out = media_out;
        t.hangup = hangup;
        t.reap = reap;
        return t;
    }();
    return &table;
}

}  // namespace

const void* Driver::query(std::string_view interface_id) const {
    return interface_id == JF_TELEPHONY_V1 ? telephony() : nullptr;
}

}  // namespace jackfield::sip

JACKFIELD_MODULE(jackfield::sip::Driver)
