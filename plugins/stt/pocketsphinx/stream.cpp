#include "stream.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "partials.hpp"

namespace jackfield::pocketsphinx {
namespace {

constexpr std::size_t max_commands = 256;
constexpr std::uint32_t job_interval_ms = 80;
constexpr std::uint64_t retry_ns = 10'000'000;
constexpr std::uint32_t partial_gap_ms = 100;

std::size_t bytes_per_sample(std::uint16_t codec) { return codec == JF_CODEC_L16 ? 2 : 1; }

std::size_t ring_bytes(const jf_format& format, std::uint32_t buffer_ms) {
    const std::size_t audio = bytes_per_sample(format.codec) * format.rate_hz / 1000 * buffer_ms;
    // Packets of 10 ms carry the most headers.
    return audio + sizeof(PacketRing::Packet) * (buffer_ms / 10 + 1);
}

const std::array<std::int16_t, 256>& table(std::uint16_t codec) {
    static const auto made = [] {
        std::array<std::array<std::int16_t, 256>, 2> out{};
        for (unsigned i = 0; i < 256; ++i) {
            out[0][i] = decode_mu_law(static_cast<std::uint8_t>(i));
            out[1][i] = decode_a_law(static_cast<std::uint8_t>(i));
        }
        return out;
    }();
    return made[codec == JF_CODEC_PCMU ? 0 : 1];
}

/// Wakes a stream after a moment; frees itself.
class Retry : public sdk::OpUser {
  public:
    explicit Retry(std::function<void()> wake) : wake_(std::move(wake)) {}

  private:
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<Retry> self(this);
        wake_();
    }
    std::function<void()> wake_;
};

}  // namespace

Stream::Stream(Engine& engine, jf_op op, const jf_stt_open& options, std::function<void(jf_op)> on_closed)
    : engine_(engine),
      op_(op),
      format_(options.format),
      partials_((options.flags & JF_STT_PARTIALS) != 0),
      on_closed_(std::move(on_closed)),
      ring_(ring_bytes(options.format, engine.options.buffer_ms)),
      utterance_({format_.rate_hz, engine.options.max_utterance_ms, engine.options.min_level_db,
                  engine.options.speech_range_db}),
      upsampler_(engine.options.image_db),
      next_partial_ms_(engine.options.partial_interval_ms) {}

jf_status Stream::push(const jf_frame& frame) {
    if (closing_) return JF_E_STATE;
    if (frame.codec != format_.codec || frame.rate_hz != format_.rate_hz || frame.channels != 1 ||
        frame.data.len != frame.samples * bytes_per_sample(format_.codec) || (frame.data.len && !frame.data.ptr) ||
        frame.data.len > ring_.capacity() / 2)
        return JF_E_INVALID;
    if (frame.samples == 0) return JF_OK;
    const std::span audio(static_cast<const std::uint8_t*>(frame.data.ptr), static_cast<std::size_t>(frame.data.len));
    if (!ring_.write(frame.pts, audio)) {
        poke();
        return JF_E_AGAIN;
    }
    samples_ += frame.samples;
    // The ring alone would do for the audio; a job in each 80 ms lets the result be ready before it is asked for.
    since_poke_ += frame.samples;
    if (since_poke_ >= format_.rate_hz / 1000 * job_interval_ms) {
        since_poke_ = 0;
        poke();
    }
    return JF_OK;
}

jf_status Stream::control(const jf_stt_control& control) {
    if (closing_) return JF_E_STATE;
    switch (control.verb) {
        case JF_STT_FINALIZE: return leave({Command::Verb::finalize, ring_.written(), control.value, {}});
        case JF_STT_DISCARD: return leave({Command::Verb::discard, ring_.written(), 0, {}});
        case JF_STT_HINTS: return leave({Command::Verb::hints, ring_.written(), 0, Hints::copy(control.hints)});
        case JF_STT_MUTE: return JF_OK;  // there is no connection to keep alive
        case JF_STT_LANGUAGE: {
            const std::string_view language = sdk::view(control.text);
            return language == "en" || language.starts_with("en-") ? JF_OK : JF_E_UNSUPPORTED;
        }
        default: return JF_E_UNSUPPORTED;
    }
}

jf_status Stream::close() {
    if (closing_.exchange(true)) return JF_OK;
    const std::lock_guard lock(mutex_);
    commands_.push_back({Command::Verb::close, ring_.written(), 0, {}});
    poke();
    return JF_OK;
}

jf_status Stream::leave(Command command) {
    {
        const std::lock_guard lock(mutex_);
        if (commands_.size() >= max_commands) return JF_E_AGAIN;
        commands_.push_back(std::move(command));
    }
    poke();
    return JF_OK;
}

void Stream::finish(jf_status status, const char* why) {
    if (closed_.exchange(true)) return;
    closing_ = true;
    on_closed_(op_);
    jf_stt_usage usage = sdk::make<jf_stt_usage>();
    usage.audio_ms = samples_ * 1000 / format_.rate_hz;
    jf_error error = sdk::make<jf_error>();
    if (why) sdk::Failure(status, why, JF_RETRY_OTHER_PROVIDER).write(&error);
    engine_.host.complete_with(op_, status, JF_EV_STT_USAGE, usage, why ? &error : nullptr);
}

void Stream::poke() {
    wanted_ = true;
    if (!closed_ && !busy_.exchange(true)) start_job();
}

void Stream::start_job() {
    self_ = shared_from_this();
    jf_op job = JF_NO_OP;
    // The instance is the job's parent, not the stream: a job may outlast the stream's completion by moments, and the instance must
    // outlast the job.
    const jf_sink sink = engine_.ignored.sink();
    const jf_host_v1* host = engine_.host.table();
    jf_status status = host->op_open(host->ctx, JF_NO_OP, &sink, &job);
    if (status == JF_OK) {
        const auto work = [](void* user, jf_op) -> jf_status {
            return sdk::guarded(nullptr, [&] { static_cast<Stream*>(user)->run(); });
        };
        status = engine_.worker->start(host->ctx, job, work, this);
        if (status == JF_OK) return;
        engine_.host.cancel(job);
    }
    engine_.count("stt_job_retried");
    const std::shared_ptr<Stream> self = std::move(self_);
    busy_ = false;
    poke_later();
}

void Stream::poke_later() {
    auto retry = std::make_unique<Retry>([self = shared_from_this()] { self->poke(); });
    try {
        const jf_op op = engine_.host.open(JF_NO_OP, *retry);
        if (engine_.timer->start(engine_.host.ctx(), op, retry_ns) == JF_OK) {
            static_cast<void>(retry.release());  // frees itself in on_done
            return;
        }
        engine_.host.cancel(op);
    } catch (const sdk::Failure&) {
    }
    finish(JF_E_RATE, "the host has no room for another job");
}

// ---- the job ----

void Stream::run() {
    const std::shared_ptr<Stream> self = std::move(self_);
    while (true) {
        wanted_ = false;
        try {
            step();
        } catch (const std::exception&) {
            finish(JF_E_INTERNAL, "the recogniser failed");
        }
        busy_ = false;
        // What came in between the last look and here would otherwise wait for the next packet.
        if (!wanted_ || closed_ || busy_.exchange(true)) return;
    }
}

void Stream::step() {
    while (!closed_) {
        std::unique_lock lock(mutex_);
        if (commands_.empty()) {
            lock.unlock();
            drain(ring_.written());
            work_ahead();
            return;
        }
        const Command command = commands_.front();
        lock.unlock();
        drain(command.until);
        if (carry_out(command) == Progress::later) return;
        lock.lock();
        commands_.pop_front();
    }
}

void Stream::drain(std::uint64_t until) {
    PacketRing::Packet packet;
    while (ring_.read(until, packet, packet_)) {
        samples16_.resize(packet_.size() / bytes_per_sample(format_.codec));
        if (format_.codec == JF_CODEC_L16) {
            std::memcpy(samples16_.data(), packet_.data(), samples16_.size() * 2);
        } else {
            const auto& decoded = table(format_.codec);
            for (std::size_t i = 0; i < packet_.size(); ++i) samples16_[i] = decoded[packet_[i]];
        }
        utterance_.add(samples16_, packet.position);
    }
}

Stream::Progress Stream::carry_out(const Command& command) {
    switch (command.verb) {
        case Command::Verb::finalize: return finalize(command.value);
        case Command::Verb::discard: next_utterance(); return Progress::done;
        case Command::Verb::hints:
            // Who has begun to speak is answering the question before.
            if (utterance_.speech_ms() >= engine_.options.min_speech_ms) next_hints_ = command.hints;
            else use(command.hints);
            return Progress::done;
        case Command::Verb::close: finish(JF_OK); return Progress::done;
    }
    return Progress::done;
}

void Stream::use(const Hints& hints) {
    bool made = false;
    next_hints_.reset();
    vocabulary_ = engine_.vocabularies.get(hints, made);
    if (!made) return;
    if (vocabulary_->unknown > 0) {
        engine_.count("stt_words_unknown", vocabulary_->unknown);
        engine_.host.log(JF_LOG_WARN, "stt.words_unknown", {{"left_out", std::to_string(vocabulary_->unknown)}}, op_);
    }
    if (!vocabulary_->grammar_problem.empty()) {
        engine_.count("stt_grammar_refused");
        engine_.host.log(JF_LOG_WARN, "stt.grammar_refused", {{"reason", vocabulary_->grammar_problem}}, op_);
    }
}

void Stream::next_utterance() {
    utterance_.clear();
    result_.reset();
    partial_text_.clear();
    revision_ = 0;
    next_partial_ms_ = engine_.options.partial_interval_ms;
    partial_at_ = 0;
    if (next_hints_) use(Hints(*next_hints_));
}

Stream::Progress Stream::finalize(std::uint64_t value) {
    value_in_hand_ = value;
    const Progress progress = recognise(false);
    if (progress == Progress::later) return progress;
    const bool match = progress == Progress::done && result_->verdict.accepted();
    const jf_status sent = emit_text(match ? JF_EV_FINAL : JF_EV_NO_MATCH, value, result_ ? &result_->heard : nullptr,
                                     result_ ? result_->verdict.confidence : -1);
    if (sent == JF_E_AGAIN) {
        poke_later();
        return Progress::later;
    }
    engine_.count(match ? "stt_final" : "stt_no_match");
    if (!match && result_)
        engine_.host.log(JF_LOG_DEBUG, "stt.no_match", {{"reason", name_of(result_->verdict.reason)}}, op_);
    next_utterance();
    return Progress::done;
}

Stream::Progress Stream::recognise(bool ahead) {
    if (!vocabulary_) use({});
    const std::uint64_t speech_end = utterance_.speech_end();
    if (result_ && result_->speech_end == speech_end && result_->vocabulary == vocabulary_->id) return Progress::done;

    const std::uint32_t speech_ms = utterance_.speech_ms();
    if (speech_ms < engine_.options.min_speech_ms || vocabulary_->network.empty()) {
        result_ = Result{speech_end, vocabulary_->id, {}, {}, {}, {}};
        result_->speech = utterance_.speech();
        return Progress::done;
    }
    if (waiting_) return Progress::later;

    std::unique_ptr<Decoder> decoder;
    waiting_ = true;
    const auto wake = [self = shared_from_this()] {
        self->waiting_ = false;
        self->poke();
    };
    switch (engine_.pool.borrow(vocabulary_->id, decoder, wake)) {
        case Pool::Borrow::got: break;
        case Pool::Borrow::waiting:
            engine_.count("stt_decoder_waited");
            return Progress::later;
        case Pool::Borrow::refused:
            waiting_ = false;
            if (ahead) return Progress::later;
            result_.reset();
            engine_.host.log(JF_LOG_WARN, "stt.overloaded", {}, op_);
            emit_text(JF_EV_NO_MATCH, value_in_hand_, nullptr, -1);
            finish(JF_E_RATE, "all decoders are busy and too many streams wait");
            return Progress::later;
        case Pool::Borrow::failed:
            waiting_ = false;
            result_.reset();
            engine_.host.log(JF_LOG_ERROR, "stt.decoder_failed", {}, op_);
            return Progress::failed;
    }
    waiting_ = false;
    const bool ok = decode(*decoder);
    engine_.pool.give_back(ok ? std::move(decoder) : nullptr);
    if (!ok) {
        result_.reset();
        engine_.host.log(JF_LOG_ERROR, "stt.decoder_failed", {}, op_);
        return Progress::failed;
    }
    return Progress::done;
}

bool Stream::decode(Decoder& decoder) {
    Result result{utterance_.speech_end(), vocabulary_->id, {}, {}, {}, utterance_.speech()};
    std::vector<std::int16_t> wide;
    if (format_.rate_hz == 8000) {
        upsampler_.reset();
        upsampler_.process(result.speech.samples, wide);
    } else {
        wide = std::move(result.speech.samples);
    }
    result.speech.samples.clear();
    const std::uint64_t began_ns = engine_.host.now_ns();
    const bool decoded = decoder.decode(*vocabulary_, wide, result.heard, result.so_far);
    took_ms_ = (engine_.host.now_ns() - began_ns) / 1'000'000;
    if (!decoded) return false;
    result.verdict = judge(result.heard, utterance_.speech_ms(), engine_.options);
    result_ = std::move(result);
    return true;
}

void Stream::work_ahead() {
    if (!partials_ && engine_.options.eager_pause_ms == 0) return;
    const std::uint32_t speech_ms = utterance_.speech_ms();
    if (speech_ms < engine_.options.min_speech_ms) return;
    const bool paused = engine_.options.eager_pause_ms > 0 && utterance_.pause_ms() >= engine_.options.eager_pause_ms;
    const bool due = partials_ && speech_ms >= next_partial_ms_;
    if (!paused && !due) return;
    if (due) next_partial_ms_ = next_partial_ms(speech_ms, took_ms_);
    if (recognise(true) != Progress::done || !partials_) return;
    if (due) next_partial_ms_ = next_partial_ms(speech_ms, took_ms_);

    // In the middle of a sentence there is no path to the grammar's end yet; what stands so far need only sound right.
    const bool whole = result_->verdict.accepted();
    const Heard& heard = whole ? result_->heard : result_->so_far;
    if (heard.words.empty() || heard.distance > engine_.options.reject_margin) return;
    std::string text = heard.text();
    const std::uint64_t gap = format_.rate_hz / 1000 * partial_gap_ms;
    if (text == partial_text_ || (partial_at_ > 0 && result_->speech_end < partial_at_ + gap)) return;
    // A full queue loses a partial and no more: the next one says all of it again.
    const float confidence = confidence_of(heard.distance, engine_.options.reject_margin);
    if (emit_text(JF_EV_PARTIAL, result_->speech_end, &heard, confidence) != JF_OK) return;
    partial_text_ = std::move(text);
    partial_at_ = result_->speech_end;
}

std::uint64_t Stream::position_of_frame(std::uint32_t frame) const {
    return result_->speech.position_of(static_cast<std::size_t>(frame) * (format_.rate_hz / 100));
}

jf_status Stream::emit_text(std::uint32_t type, std::uint64_t pos, const Heard* heard, float confidence) {
    jf_text out = sdk::make<jf_text>();
    std::string text;
    std::vector<jf_word> words;
    out.revision = ++revision_;
    out.confidence = -1;
    out.end_probability = -1;
    out.language = sdk::str("en-US");
    if (heard) {
        text = heard->text();
        for (const Heard::Word& each : heard->words) {
            jf_word word = sdk::make<jf_word>();
            word.text = sdk::str(each.text);
            word.confidence = confidence_of(each.distance, engine_.options.reject_margin);
            word.audio_from = position_of_frame(each.from);
            word.audio_to = position_of_frame(each.to);
            words.push_back(word);
        }
        if (!words.empty()) out.confidence = confidence;
    }
    if (result_) {
        out.audio_from = result_->speech.from;
        out.audio_to = result_->speech.to;
    }
    out.text = sdk::str(text);
    out.words = sdk::array(words);
    return engine_.host.emit(op_, type, out, pos);
}

}  // namespace jackfield::pocketsphinx
