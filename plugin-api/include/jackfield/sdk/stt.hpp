#pragma once

// jf.stt/1 for a recogniser that works on the stream's own thread: derive Stream, say how streams are made, and this header keeps them by
// their ops, answers what comes for a stream that is not there, and completes each once.
//
//   class Ear : public sdk::stt::Stream {
//     public:
//       using Stream::Stream;
//       void audio(const jf_frame& frame) override;                     every frame, in order; emit as results come
//       void finalize(std::uint64_t value) override;                    answer FINAL or NO_MATCH once, with pos = value
//       void discard() override;                                        forget what was heard since
//   };
//   class Recogniser : public sdk::stt::Recogniser {
//       std::unique_ptr<sdk::stt::Stream> open(jf_op op, const jf_stt_open& options) override;   throws Failure
//   };
//   JACKFIELD_MODULE(Recogniser), with create() and query() as in plugin.hpp and stt::table<Recogniser>()
//
// The descriptor requires jf.host.timer/1: an answer that the host has no room for is kept and given again.
//
// What takes longer than the stream's budget (200 us a frame) belongs on jf.host.worker/1: stt/pocketsphinx shows how.

#include <jackfield/sdk/async.hpp>
#include <jackfield/sdk/gate.hpp>
#include <jackfield/sdk/plugin.hpp>
#include <jackfield/stt.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace jackfield::sdk::stt {

class Stream : public std::enable_shared_from_this<Stream> {
  public:
    Stream(Host host, jf_op op) : host_(host), op_(op) {}
    virtual ~Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    virtual void audio(const jf_frame& frame) = 0;
    virtual void finalize(std::uint64_t value) = 0;
    virtual void discard() {}
    /// HINTS, MUTE, LANGUAGE and verbs of later hosts.
    virtual jf_status control(const jf_stt_control&) { return JF_E_UNSUPPORTED; }
    std::uint64_t audio_ms() const { return rate_hz_ ? samples_ * 1000 / rate_hz_ : 0; }

  protected:
    const Host& host() const { return host_; }
    jf_op op() const { return op_; }
    /// PARTIAL, FINAL, NO_MATCH, ... with nothing but words. A partial result that the host has no room for is lost, since the next one replaces it;
    /// everything else waits, in order.
    void say(std::uint32_t type, std::string_view words, std::uint64_t pos = 0) {
        if (!waiting_.empty()) {
            if (type != JF_EV_PARTIAL) waiting_.push_back({type, std::string(words), pos, position_});
        } else if (!emit({type, std::string(words), pos, position_}) && type != JF_EV_PARTIAL) {
            waiting_.push_back({type, std::string(words), pos, position_});
            say_later();
        }
    }

  private:
    friend class Recogniser;
    struct Said {
        std::uint32_t type;
        std::string words;
        std::uint64_t pos;
        std::uint64_t audio_to;
    };
    bool emit(const Said& said) const {
        jf_text text = make<jf_text>();
        text.text = str(said.words);
        text.confidence = text.end_probability = -1;
        text.audio_to = said.audio_to;
        return host_.emit(op_, said.type, text, said.pos) != JF_E_AGAIN;
    }
    /// A child of the stream: when that is over it does not fire.
    void say_later() {
        after(host_, op_, std::chrono::milliseconds(5), [self = shared_from_this()] {
            while (!self->waiting_.empty() && self->emit(self->waiting_.front())) self->waiting_.pop_front();
            if (!self->waiting_.empty()) self->say_later();
            else if (self->when_said_) self->when_said_();
        });
    }

    Host host_;
    jf_op op_;
    std::uint64_t samples_ = 0;
    std::uint64_t position_ = 0; ///< jumps with pts
    std::uint32_t rate_hz_ = 0;
    bool closed_ = false;
    std::deque<Said> waiting_;
    std::function<void()> when_said_;
};

class Recogniser {
  public:
    explicit Recogniser(Host host) : host_(host) {}
    virtual ~Recogniser() = default;

    void start(jf_op op) {
        gate_.open();
        host_.complete(op);
    }
    void quiesce(jf_op op, std::uint32_t budget_ms) { gate_.close(host_, op, budget_ms); }
    jf_status cancel(jf_op op) { return end(op, JF_E_CANCELLED); }

    jf_status begin(jf_op op, const jf_stt_open& options) {
        gate_.enter(op);
        try {
            std::shared_ptr<Stream> made = open(op, options);
            made->rate_hz_ = options.format.rate_hz;
            const std::lock_guard lock(mutex_);
            streams_[op] = std::move(made);
        } catch (...) {
            gate_.leave(host_, op);
            throw;
        }
        return JF_OK;
    }
    jf_status push(jf_op op, const jf_frame& frame) {
        const auto stream = find(op);
        if (!stream) return JF_E_INVALID;
        if (stream->closed_) return JF_E_STATE;
        stream->samples_ += frame.samples;
        stream->position_ = frame.pts + frame.samples;
        stream->audio(frame);
        return JF_OK;
    }
    jf_status control(jf_op op, const jf_stt_control& control) {
        const auto stream = find(op);
        if (!stream) return JF_E_INVALID;
        if (stream->closed_) return JF_E_STATE;
        if (control.verb == JF_STT_FINALIZE) stream->finalize(control.value);
        else if (control.verb == JF_STT_DISCARD) stream->discard();
        else return stream->control(control);
        return JF_OK;
    }
    /// Answers that wait for room are given first.
    jf_status close(jf_op op) {
        const auto stream = find(op);
        if (!stream) return JF_E_INVALID;
        if (std::exchange(stream->closed_, true)) return JF_OK;
        if (stream->waiting_.empty()) return end(op, JF_OK);
        stream->when_said_ = [this, op] { end(op, JF_OK); };
        return JF_OK;
    }

  protected:
    virtual std::unique_ptr<Stream> open(jf_op op, const jf_stt_open& options) = 0;
    const Host& host() const { return host_; }

  private:
    std::shared_ptr<Stream> find(jf_op op) {
        const std::lock_guard lock(mutex_);
        const auto found = streams_.find(op);
        return found == streams_.end() ? nullptr : found->second;
    }
    jf_status end(jf_op op, jf_status status) {
        const auto stream = find(op);
        if (!stream) return JF_E_INVALID;
        {
            const std::lock_guard lock(mutex_);
            streams_.erase(op);
        }
        jf_stt_usage usage = make<jf_stt_usage>();
        usage.audio_ms = stream->audio_ms();
        const Host host = host_;
        gate_.leave(host, op);
        // Last: with its last op complete nothing keeps the host from destroying the instance.
        host.complete_with(op, status, JF_EV_STT_USAGE, usage);
        return JF_OK;
    }

    Host host_;
    Gate gate_;
    std::mutex mutex_; // two streams may run on two threads
    std::map<jf_op, std::shared_ptr<Stream>> streams_;
};

/// The jf.stt/1 table of a class derived from Recogniser.
template <typename Derived>
const jf_stt_v1* table() {
    static const auto of = [](jf_instance* self) -> Recogniser& { return *reinterpret_cast<Derived*>(self); };
    static const jf_stt_v1 functions = [] {
        jf_stt_v1 t = make<jf_stt_v1>();
        t.open = [](jf_instance* self, jf_op op, const jf_stt_open* options, jf_error* error) {
            return guarded(error, [&] { return JF_HAS(options, jf_stt_open, format) ? of(self).begin(op, known(options)) : JF_E_INVALID; });
        };
        t.control = [](jf_instance* self, jf_op op, const jf_stt_control* control) {
            return guarded(nullptr, [&] { return JF_HAS(control, jf_stt_control, value) ? of(self).control(op, known(control)) : JF_E_INVALID; });
        };
        t.push = [](jf_instance* self, jf_op op, const jf_frame* frame) {
            return guarded(nullptr, [&] { return JF_HAS(frame, jf_frame, data) ? of(self).push(op, *frame) : JF_E_INVALID; });
        };
        t.close = [](jf_instance* self, jf_op op) { return guarded(nullptr, [&] { return of(self).close(op); }); };
        return t;
    }();
    return &functions;
}

}  // namespace jackfield::sdk::stt
