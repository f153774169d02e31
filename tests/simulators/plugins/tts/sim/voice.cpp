#include "voice.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

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
        if constexpr (std::is_void_v<decltype(act(*speech))>) {
            act(*speech);
            return JF_OK;
        } else {
            return act(*speech);
        }
    });
}

const jf_tts_v1* tts_table() {
    static const jf_tts_v1 table = [] {
        jf_tts_v1 t = sdk::make<jf_tts_v1>();
        t.open = [](jf_instance* self, jf_op op, const jf_tts_open* options, jf_error* error) {
            return sdk::guarded(error, [&] { return voice_of(self).open(op, *options); });
        };
        t.text = [](jf_instance* self, jf_op op, const jf_tts_text* part) {
            return with_speech(self, op, [&](Speech& speech) { return speech.text(*part); });
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

}  // namespace

/// Somebody who is slow to see that the stream was given up. No child of the stream's op, which may be gone by then; deletes itself.
class Speech::LateCancel final : public sdk::OpUser {
  public:
    explicit LateCancel(std::shared_ptr<Speech> speech) : speech_(std::move(speech)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<LateCancel> self(this);
        speech_->complete(JF_E_CANCELLED);
    }

  private:
    std::shared_ptr<Speech> speech_;
};

Speech::Speech(Voice& owner, jf_op op, std::uint64_t seed, std::uint64_t credit, const sim::Fault* fault)
    : owner_(owner), op_(op), random_(seed), fault_(fault), bounded_(credit > 0 && !has("flood")), credit_(credit) {}

void Speech::cancel() {
    if (!has("late_cancel")) return complete(JF_E_CANCELLED);
    auto waiting = std::make_unique<LateCancel>(shared_from_this());
    const jf_op timer = owner_.host().open(JF_NO_OP, *waiting);
    static_cast<void>(waiting.release());
    owner_.start_timer(timer, fault_->argument * 1'000'000);
}

bool Speech::misbehave() {
    if (!fault_ || chunks_ < fault_->argument) return false;
    if (has("stall")) return true;
    if (has("die")) complete(JF_E_PEER_LOST);
    else if (has("leave")) complete(JF_OK);
    else if (has("after")) {
        complete(JF_E_PEER_LOST);
        const auto& packet = sim::packet_of(1);
        emit(packet, text_bytes_);
    } else return false;
    return true;
}

jf_status Speech::text(const jf_tts_text& part) {
    if (has("again") && refused_ < fault_->argument) {
        ++refused_;
        owner_.host().emit(op_, JF_EV_CREDIT);
        return JF_E_AGAIN;
    }
    if (random_.chance(owner_.options().lost_permille)) {
        complete(JF_E_PEER_LOST);
        return JF_OK;
    }
    std::string_view left = sdk::view(part.text);
    while (!left.empty()) {
        const std::size_t begin = std::min(left.find_first_not_of(' '), left.size());
        const std::size_t end = std::min(left.find(' ', begin), left.size());
        const std::string_view word = left.substr(begin, end - begin);
        left.remove_prefix(end);
        text_bytes_ += end;
        if (word.empty()) continue;
        Word spoken;
        spoken.sounds.assign(sim::packets_of(word), sim::tone_of(word));
        spoken.sounds.push_back(sim::quiet);
        spoken.text_end = text_bytes_;
        spoken.bytes = word.size();
        words_.push_back(std::move(spoken));
    }
    if (part.flush == JF_TTS_END) last_text_ = true;
    const std::uint64_t first = owner_.options().first_ns;
    wake(samples_ > 0 ? chunk_ns : has("late") ? fault_->argument * 1'000'000 : random_.between(first, 2 * first));
    return JF_OK;
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
    if (misbehave()) return;
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
        // As far as it got in the word.
        if (word.spoken == word.sounds.size()) words_.pop_front();
        else text_end -= std::max<std::uint64_t>(word.bytes - word.bytes * word.spoken / word.sounds.size(), 1);
    }
    if (packets == 0) return; // credit() goes on
    if (has("liar")) text_end = chunks_ % 2 ? 0 : text_end + 1000;
    const std::span<const std::uint8_t> all(codes.data(), packets * sim::packet_samples);
    if (has("odd")) {
        // In pieces that fit no packet.
        for (std::size_t at = 0; at < all.size(); at += 37) emit(all.subspan(at, std::min<std::size_t>(37, all.size() - at)), text_end);
    } else {
        emit(all, text_end);
    }
    ++chunks_;
    if (!words_.empty() || last_text_) wake(has("flood") ? 1 : has("slow") ? chunk_ns * 8 : chunk_ns);
}

void Speech::emit(std::span<const std::uint8_t> codes, std::uint64_t text_end) {
    jf_frame frame = sdk::make<jf_frame>();
    frame.codec = JF_CODEC_PCMU;
    frame.channels = 1;
    frame.rate_hz = 8000;
    frame.samples = static_cast<std::uint32_t>(codes.size());
    frame.pts = samples_;
    frame.data = {codes.data(), codes.size()};
    samples_ += codes.size();
    if (bounded_) credit_ -= std::min<std::uint64_t>(credit_, codes.size());
    owner_.host().emit(op_, JF_EV_AUDIO, frame, text_end);
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
    options.faults = sim::Faults(config.list("faults"));
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
    const std::uint64_t n = ++opened_;
    if (options_.faults.find(n, {"refuse"})) throw sdk::Failure(JF_E_PEER_LOST, "the voice is not reachable");
    if (options_.faults.find(n, {"fail"})) return host_.fail(op, sdk::Failure(JF_E_QUOTA, "no voice is left for you"));
    const sim::Fault* fault = options_.faults.find(n, {"stall", "die", "leave", "after", "again", "late", "late_cancel", "flood", "slow", "odd", "liar"});
    speeches_.emplace(op, std::make_shared<Speech>(*this, op, random_.next(), options.credit, fault));
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
    found->cancel();
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
