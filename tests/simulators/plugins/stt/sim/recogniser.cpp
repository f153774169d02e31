#include "recogniser.hpp"

namespace jackfield::stt_sim {
namespace {

Recogniser& recogniser_of(jf_instance* self) { return *reinterpret_cast<Recogniser*>(self); }

const jf_stt_v1* stt_table() {
    static const jf_stt_v1 table = [] {
        jf_stt_v1 t = sdk::make<jf_stt_v1>();
        t.open = [](jf_instance* self, jf_op op, const jf_stt_open* options, jf_error* error) {
            return sdk::guarded(error, [&] { return recogniser_of(self).open(op, *options); });
        };
        t.control = [](jf_instance* self, jf_op op, const jf_stt_control* control) {
            return sdk::guarded(nullptr, [&] {
                const auto stream = recogniser_of(self).stream(op);
                return stream ? stream->control(*control) : JF_E_INVALID;
            });
        };
        t.push = [](jf_instance* self, jf_op op, const jf_frame* frame) {
            const auto stream = recogniser_of(self).stream(op);
            if (!stream) return JF_E_INVALID;
            stream->push(*frame);
            return JF_OK;
        };
        t.close = [](jf_instance* self, jf_op op) {
            return sdk::guarded(nullptr, [&] {
                const auto stream = recogniser_of(self).stream(op);
                if (!stream) return JF_E_INVALID;
                stream->complete(JF_OK);
                return JF_OK;
            });
        };
        return t;
    }();
    return &table;
}

jf_text text_of(const std::string& words, std::uint32_t revision, float confidence) {
    jf_text text = sdk::make<jf_text>();
    text.revision = revision;
    text.text = sdk::str(words);
    text.confidence = confidence;
    text.end_probability = -1;
    return text;
}

}  // namespace

/// The time that recognition takes. A child of the stream's op; deletes itself.
class Stream::Answer final : public sdk::OpUser {
  public:
    Answer(std::shared_ptr<Stream> stream, std::string text, bool spoke, std::uint64_t ticket)
        : stream_(std::move(stream)), text_(std::move(text)), spoke_(spoke), ticket_(ticket) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<Answer> self(this);
        if (status == JF_OK) stream_->answer(text_, spoke_, ticket_);
    }

  private:
    std::shared_ptr<Stream> stream_;
    std::string text_;
    bool spoke_;
    std::uint64_t ticket_;
};

Stream::Stream(Recogniser& owner, jf_op op, std::uint64_t seed, bool partials)
    : owner_(owner), op_(op), random_(seed), partials_(partials) {}

void Stream::push(const jf_frame& frame) {
    audio_samples_ += frame.samples;
    std::span<const std::uint8_t> codes(static_cast<const std::uint8_t*>(frame.data.ptr), frame.data.len);
    const sim::Sound sound = sim::hear(codes.first(std::min(codes.size(), sim::packet_samples)));
    const sim::Sound before = std::exchange(last_, sound);
    if (sound == sim::quiet) return;
    voiced_ = true;
    // A word is there with its first packet; the packets that follow are the same tone.
    if (sound == before || sound >= sim::vocabulary.size()) return;
    if (!text_.empty()) text_ += ' ';
    text_ += sim::vocabulary[sound];
    if (partials_) owner_.host().emit(op_, JF_EV_PARTIAL, text_of(text_, ++revision_, -1));
}

jf_status Stream::control(const jf_stt_control& control) {
    switch (control.verb) {
        case JF_STT_FINALIZE: finalize(control.value); return JF_OK;
        case JF_STT_DISCARD: forget_words(); return JF_OK;
        case JF_STT_HINTS:
        case JF_STT_MUTE:
        case JF_STT_LANGUAGE: return JF_OK;
        default: return JF_E_UNSUPPORTED;
    }
}

void Stream::forget_words() {
    text_.clear();
    voiced_ = false;
    last_ = sim::quiet;
}

void Stream::finalize(std::uint64_t ticket) {
    const Options& options = owner_.options();
    if (random_.chance(options.lost_permille)) return complete(JF_E_PEER_LOST);
    if (random_.chance(options.deaf_permille)) return forget_words();
    auto waiting = std::make_unique<Answer>(shared_from_this(), text_, voiced_, ticket);
    forget_words();
    const jf_op timer = owner_.host().open(op_, *waiting);
    static_cast<void>(waiting.release());
    owner_.start_timer(timer, random_.between(options.final_ns, 2 * options.final_ns));
}

void Stream::answer(const std::string& text, bool spoke, std::uint64_t ticket) {
    if (completed_) return;
    const bool words = spoke && !text.empty();
    owner_.host().emit(op_, words ? JF_EV_FINAL : JF_EV_NO_MATCH, text_of(text, ++revision_, words ? 0.9F : -1.0F), ticket);
}

void Stream::complete(jf_status status) {
    if (std::exchange(completed_, true)) return;
    jf_stt_usage usage = sdk::make<jf_stt_usage>();
    usage.audio_ms = audio_samples_ / 8;
    owner_.host().complete_with(op_, status, JF_EV_STT_USAGE, usage);
    owner_.forget(op_);
}

std::unique_ptr<Recogniser> Recogniser::create(sdk::Host host, const sdk::Config& config) {
    Options options;
    options.seed = static_cast<std::uint64_t>(config.integer("seed", 1));
    options.final_ns = static_cast<std::uint64_t>(config.integer("final_ms", 120)) * 1'000'000;
    options.lost_permille = static_cast<std::uint64_t>(config.integer("lost_permille"));
    options.deaf_permille = static_cast<std::uint64_t>(config.integer("deaf_permille"));
    return std::make_unique<Recogniser>(host, options);
}

Recogniser::Recogniser(sdk::Host host, Options options)
    : host_(host), options_(options), timer_(host.facility<jf_host_timer_v1>(JF_FACILITY_TIMER)), random_(options.seed) {
    if (!timer_) throw sdk::Failure(JF_E_UNSUPPORTED, "the host lacks timers");
}

const void* Recogniser::query(std::string_view interface_id) { return interface_id == JF_STT_V1 ? stt_table() : nullptr; }

jf_status Recogniser::open(jf_op op, const jf_stt_open& options) {
    if (options.format.codec != JF_CODEC_PCMU) throw sdk::Failure(JF_E_UNSUPPORTED, "simulated callers speak PCMU");
    const std::lock_guard lock(mutex_);
    streams_.emplace(op, std::make_shared<Stream>(*this, op, random_.next(), options.flags & JF_STT_PARTIALS));
    return JF_OK;
}

std::shared_ptr<Stream> Recogniser::stream(jf_op op) {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(op);
    return found == streams_.end() ? nullptr : found->second;
}

jf_status Recogniser::cancel(jf_op op) {
    const auto found = stream(op);
    if (!found) return JF_E_INVALID;
    found->complete(JF_E_CANCELLED);
    return JF_OK;
}

void Recogniser::forget(jf_op op) {
    const std::lock_guard lock(mutex_);
    streams_.erase(op);
}

}  // namespace jackfield::stt_sim
