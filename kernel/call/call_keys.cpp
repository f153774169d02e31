// What is in the audio besides speech: the keys of a telephone, heard as events or as tones, and sent; an answering machine's beep.

#include <algorithm>

#include "base/json.hpp"
#include "call/call.hpp"

namespace jackfield::call {
namespace {

constexpr std::size_t pause_samples = media::narrowband_hz / 2; ///< of a `w`

}  // namespace

/// At the answer, and when another agent takes over.
void Call::choose_key_sources() {
    const config::DtmfSource wanted = setup_.agent.keypad.dtmf;
    const bool no_events = !key_events_;
    const bool tones = wanted == config::DtmfSource::inband || wanted == config::DtmfSource::both ||
                       (wanted == config::DtmfSource::automatic && no_events);
    tones_ = tones ? std::make_unique<media::DtmfDetector>() : nullptr;
    if (tones) log_.info("call.keys_in_band", {{"no_events", no_events}});
}

bool Call::hear_keys(std::span<const std::int16_t> pcm) {
    const auto key = tones_->feed(pcm);
    const bool sounding = tones_->sounding() != 0 || key.has_value();
    if (key) on_key(*key, true);
    return sounding;
}

void Call::on_key(char key, bool from_tone) {
    if (!from_tone && setup_.agent.keypad.dtmf == config::DtmfSource::inband) return;
    const bool fresh = !tones_ || (from_tone ? key_sources_.tone(now(), key) : key_sources_.event(now(), key));
    if (!fresh) return;
    note_heard();
    if (transfer_ && !from_tone) transfer_->press(key); // a tone is in the audio that the person hears
    run(machine_.on_dtmf(now(), key));
}

void Call::send_digits(const std::string& digits) {
    jf_telephony_control control{};
    control.struct_size = sizeof control;
    control.verb = JF_TEL_DTMF;
    control.text = sdk::str(digits);
    const jf_status status = telephony_.control(leg_, control);
    if (status != JF_OK) keys_out_ += digits;
    // Which keys may be part of a card's number.
    log_.info("call.digits_sent", {{"keys", digits.size()}, {"as_tones", status != JF_OK}});
}

bool Call::next_tones(std::span<std::uint8_t> codes) {
    if (keys_out_.empty() && !tone_out_.busy() && tone_pause_ == 0) return false;
    std::array<std::int16_t, media::packet_samples> pcm{};
    if (tone_pause_ > 0) {
        tone_pause_ -= std::min<std::size_t>(tone_pause_, pcm.size());
    } else {
        if (!tone_out_.busy()) {
            const char key = keys_out_.front();
            keys_out_.erase(0, 1);
            if (!tone_out_.start(key)) tone_pause_ = pause_samples;
        }
        tone_out_.fill(pcm);
    }
    media::encode(law_, pcm, codes);
    return true;
}

void Call::hear_beep(std::span<const std::int16_t> pcm) {
    if (beeps_.feed(pcm)) run(machine_.on_beep(now()));
}

void Call::on_answered_by(AnsweredBy by, const char* rule) {
    row_.answered_by = name_of(by);
    log_.info("call.answered_by", {{"by", row_.answered_by}, {"rule", rule}});
    publish("call.answered_by", [&](base::JsonWriter& json) { json.member("by", row_.answered_by).member("rule", rule); });
}

}  // namespace jackfield::call
