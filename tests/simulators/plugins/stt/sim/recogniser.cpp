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

/// Somebody who is slow to see that the stream was given up. No child of the stream's op, which may be gone by then; deletes itself.
class Stream::LateCancel final : public sdk::OpUser {
  public:
    explicit LateCancel(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<LateCancel> self(this);
        stream_->complete(JF_E_CANCELLED);
    }

  private:
    std::shared_ptr<Stream> stream_;
};

Stream::Stream(Recogniser& owner, jf_op op, std::uint64_t seed, bool partials, std::uint64_t cancelled_after_ns)
    : owner_(owner), op_(op), random_(seed), partials_(partials), cancelled_after_ns_(cancelled_after_ns) {}

void Stream::cancel() {
    if (cancelled_after_ns_ == 0) return complete(JF_E_CANCELLED);
    auto waiting = std::make_unique<LateCancel>(shared_from_this());
    const jf_op timer = owner_.host().open(JF_NO_OP, *waiting);
    static_cast<void>(waiting.release());
    owner_.start_timer(timer, std::exchange(cancelled_after_ns_, 0));
}

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
        case JF_STT_FINALIZE:
            if (owner_.is_busy()) return JF_E_AGAIN;
            finalize(control.value);
            return JF_OK;
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
    if (const sim::Fault* fault = owner_.next_utterance(); fault && misbehave(*fault, ticket)) return forget_words();
    answer_later(ticket, random_.between(options.final_ns, 2 * options.final_ns));
}

void Stream::answer_later(std::uint64_t ticket, std::uint64_t delay_ns) {
    auto waiting = std::make_unique<Answer>(shared_from_this(), text_, voiced_, ticket);
    forget_words();
    const jf_op timer = owner_.host().open(op_, *waiting);
    static_cast<void>(waiting.release());
    owner_.start_timer(timer, delay_ns);
}

bool Stream::misbehave(const sim::Fault& fault, std::uint64_t ticket) {
    if (fault.kind == "stall") return true;
    if (fault.kind == "late") {
        answer_later(ticket, fault.argument * 1'000'000);
    } else if (fault.kind == "empty") {
        emit_final("", ticket);
    } else if (fault.kind == "giant") {
        std::string text;
        for (std::uint64_t i = 0; i < fault.argument; ++i) text += "banana ";
        emit_final(text, ticket);
    } else if (fault.kind == "die" || fault.kind == "leave") {
        complete(fault.kind == "die" ? JF_E_PEER_LOST : JF_OK);
    } else if (fault.kind == "after") {
        complete(JF_E_PEER_LOST);
        emit_final("nobody said this", ticket);
    } else if (fault.kind == "stale_only") {
        emit_final("yesterday", ticket - 1);
    } else {
        if (fault.kind == "stale") emit_final("yesterday", ticket - 1);
        if (fault.kind == "future") emit_final("tomorrow", ticket + 1);
        if (fault.kind == "unasked") emit_final("okay", 0);
        if (fault.kind == "double") emit_final(text_.empty() ? "yes" : text_, ticket);
        return false;
    }
    return true;
}

void Stream::emit_final(std::string_view text, std::uint64_t ticket) {
    jf_text out = sdk::make<jf_text>();
    out.revision = ++revision_;
    out.text = sdk::str(text);
    out.confidence = 0.9F;
    out.end_probability = -1;
    owner_.host().emit(op_, JF_EV_FINAL, out, ticket);
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
    options.faults = sim::Faults(config.list("faults"));
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
    const std::uint64_t n = ++opened_;
    if (options_.faults.find(n, {"refuse"})) throw sdk::Failure(JF_E_PEER_LOST, "the recogniser is not reachable");
    const sim::Fault* slow = options_.faults.find(n, {"late_cancel"});
    streams_.emplace(op, std::make_shared<Stream>(*this, op, random_.next(), options.flags & JF_STT_PARTIALS,
                                                  slow ? slow->argument * 1'000'000 : 0));
    if (!options_.faults.find(n, {"fail"})) return JF_OK;
    streams_.erase(op);
    return host_.fail(op, sdk::Failure(JF_E_QUOTA, "no stream is left for you"));
}

std::shared_ptr<Stream> Recogniser::stream(jf_op op) {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(op);
    return found == streams_.end() ? nullptr : found->second;
}

jf_status Recogniser::cancel(jf_op op) {
    const auto found = stream(op);
    if (!found) return JF_E_INVALID;
    found->cancel();
    return JF_OK;
}

const sim::Fault* Recogniser::next_utterance() {
    const std::lock_guard lock(mutex_);
    return options_.faults.find(++utterances_, {"stall", "late", "empty", "giant", "die", "leave", "after", "stale_only", "stale", "future",
                                                "unasked", "double"});
}

bool Recogniser::is_busy() {
    const std::lock_guard lock(mutex_);
    const sim::Fault* const fault = options_.faults.find(utterances_ + 1, {"busy"});
    if (fault && refused_ < fault->argument) return ++refused_ > 0;
    refused_ = 0;
    return false;
}

void Recogniser::forget(jf_op op) {
    const std::lock_guard lock(mutex_);
    streams_.erase(op);
}

}  // namespace jackfield::stt_sim
