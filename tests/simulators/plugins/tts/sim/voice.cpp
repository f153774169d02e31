#include "voice.hpp"

#include <array>

namespace jackfield::tts_sim {
namespace {

constexpr std::size_t chunk_packets = 5;            ///< 100 ms of speech an event
constexpr std::uint64_t chunk_ns = 20'000'000;      ///< made five times as fast as it is spoken

Voice& voice_of(jf_instance* self) { return *reinterpret_cast<Voice*>(self); }

template <typename Do>
jf_status with_speech(jf_instance* self, jf_op op, Do act) {
    return sdk::guarded(nullptr, [&]() -> jf_status {
        const auto speech = voice_of(self).speech(op);
        if (!speech) return JF_E_INVALID;
        act(*speech);
        return JF_OK;
    });
}

const jf_tts_v1* tts_table() {
    static const jf_tts_v1 table = [] {
        jf_tts_v1 t = sdk::make<jf_tts_v1>();
        t.open = [](jf_instance* self, jf_op op, const jf_tts_open* options, jf_error* error) {
            return sdk::guarded(error, [&] { return voice_of(self).open(op, *options); });
        };
        t.text = [](jf_instance* self, jf_op op, const jf_tts_text* part) {
            return with_speech(self, op, [&](Speech& speech) { speech.text(*part); });
        };
        t.clear = [](jf_instance* self, jf_op op) {
            return with_speech(self, op, [](Speech& speech) { speech.clear(); });
        };
        t.credit = [](jf_instance* self, jf_op op, std::uint64_t samples) {
            return with_speech(self, op, [&](Speech& speech) { speech.credit(samples); });
        };
        t.close = [](jf_instance* self, jf_op op) {
            return with_speech(self, op, [](Speech& speech) { speech.complete(JF_OK); });
        };
        return t;
    }();
    return &table;
}

/// Any word has some tone; which one matters to nobody but a recording.
sim::Sound tone_of(std::string_view word) {
    std::uint32_t hash = 2166136261;
    for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
    return static_cast<sim::Sound>(hash % 254);
}

}  // namespace

Speech::Speech(Voice& owner, jf_op op, std::uint64_t seed, std::uint64_t credit)
    : owner_(owner), op_(op), random_(seed), bounded_(credit > 0), credit_(credit) {}

void Speech::text(const jf_tts_text& part) {
    if (random_.chance(owner_.options().lost_permille)) return complete(JF_E_PEER_LOST);
    std::string_view left = sdk::view(part.text);
    while (!left.empty()) {
        const std::size_t begin = std::min(left.find_first_not_of(' '), left.size());
        const std::size_t end = std::min(left.find(' ', begin), left.size());
        const std::string_view word = left.substr(begin, end - begin);
        left.remove_prefix(end);
        text_bytes_ += end;
        if (word.empty()) continue;
        Word spoken;
        spoken.sounds.assign(sim::packets_of(word), tone_of(word));
        spoken.sounds.push_back(sim::quiet);
        spoken.text_end = text_bytes_;
        words_.push_back(std::move(spoken));
    }
    if (part.flush == JF_TTS_END) last_text_ = true;
    const std::uint64_t first = owner_.options().first_ns;
    wake(samples_ == 0 ? random_.between(first, 2 * first) : chunk_ns);
}

void Speech::wake(std::uint64_t delay_ns) {
    if (waiting_ || completed_) return;
    waiting_ = true;
    owner_.start_timer(owner_.host().open(op_, *this), delay_ns);
}

void Speech::on_done(jf_op, jf_status status, const jf_event*, const jf_error*) {
    waiting_ = false;
    if (completed_) return owner_.forget(op_);
    if (status == JF_OK) emit_some();
}

void Speech::emit_some() {
    if (words_.empty()) {
        if (last_text_) complete(JF_OK);
        return;
    }
    std::array<std::uint8_t, chunk_packets * sim::packet_samples> codes;
    std::size_t packets = 0;
    std::uint64_t text_end = 0;
    while (packets < chunk_packets && !words_.empty() && (!bounded_ || credit_ >= (packets + 1) * sim::packet_samples)) {
        Word& word = words_.front();
        const sim::Packet& packet = sim::packet_of(word.sounds[word.spoken++]);
        std::copy(packet.begin(), packet.end(), codes.begin() + static_cast<std::ptrdiff_t>(packets++ * sim::packet_samples));
        text_end = word.text_end;
        if (word.spoken == word.sounds.size()) words_.pop_front();
        else text_end -= 1; // not quite
    }
    if (packets == 0) return; // credit() goes on
    jf_frame frame = sdk::make<jf_frame>();
    frame.codec = JF_CODEC_PCMU;
    frame.channels = 1;
    frame.rate_hz = 8000;
    frame.samples = static_cast<std::uint32_t>(packets * sim::packet_samples);
    frame.pts = samples_;
    frame.data = {codes.data(), frame.samples};
    samples_ += frame.samples;
    if (bounded_) credit_ -= frame.samples;
    owner_.host().emit(op_, JF_EV_AUDIO, frame, text_end);
    if (!words_.empty() || last_text_) wake(chunk_ns);
}

void Speech::clear() {
    words_.clear();
    owner_.host().emit(op_, JF_EV_CLEARED);
}

void Speech::credit(std::uint64_t samples) {
    const bool starved = bounded_ && credit_ < sim::packet_samples;
    credit_ += samples;
    if (starved) wake(0);
}

void Speech::complete(jf_status status) {
    if (std::exchange(completed_, true)) return;
    jf_tts_usage usage = sdk::make<jf_tts_usage>();
    usage.characters = text_bytes_;
    usage.audio_ms = samples_ / 8;
    owner_.host().complete_with(op_, status, JF_EV_TTS_USAGE, usage);
    owner_.retire(op_, waiting_);
}

std::unique_ptr<Voice> Voice::create(sdk::Host host, const sdk::Config& config) {
    Options options;
    options.seed = static_cast<std::uint64_t>(config.integer("seed", 1));
    options.first_ns = static_cast<std::uint64_t>(config.integer("first_ms", 60)) * 1'000'000;
    options.lost_permille = static_cast<std::uint64_t>(config.integer("lost_permille"));
    return std::make_unique<Voice>(host, options);
}

Voice::Voice(sdk::Host host, Options options)
    : host_(host), options_(options), timer_(host.facility<jf_host_timer_v1>(JF_FACILITY_TIMER)), random_(options.seed) {
    if (!timer_) throw sdk::Failure(JF_E_UNSUPPORTED, "the host lacks timers");
}

const void* Voice::query(std::string_view interface_id) { return interface_id == JF_TTS_V1 ? tts_table() : nullptr; }

jf_status Voice::open(jf_op op, const jf_tts_open& options) {
    if (options.format.codec != JF_CODEC_PCMU) throw sdk::Failure(JF_E_UNSUPPORTED, "this voice speaks PCMU");
    const std::lock_guard lock(mutex_);
    speeches_.emplace(op, std::make_shared<Speech>(*this, op, random_.next(), options.credit));
    return JF_OK;
}

std::shared_ptr<Speech> Voice::speech(jf_op op) {
    const std::lock_guard lock(mutex_);
    const auto found = speeches_.find(op);
    return found == speeches_.end() ? nullptr : found->second;
}

jf_status Voice::cancel(jf_op op) {
    const auto found = speech(op);
    if (!found) return JF_E_INVALID;
    found->complete(JF_E_CANCELLED);
    return JF_OK;
}

void Voice::retire(jf_op op, bool timer_runs) {
    const std::lock_guard lock(mutex_);
    const auto found = speeches_.find(op);
    if (found == speeches_.end()) return;
    if (timer_runs) retired_.emplace(op, std::move(found->second));
    speeches_.erase(found);
}

void Voice::forget(jf_op op) {
    std::shared_ptr<Speech> last;
    const std::lock_guard lock(mutex_);
    const auto found = retired_.find(op);
    if (found == retired_.end()) return;
    last = std::move(found->second);
    retired_.erase(found);
}

}  // namespace jackfield::tts_sim
