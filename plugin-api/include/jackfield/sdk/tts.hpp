#pragma once

// jf.tts/1 for a voice that turns a piece of text into samples and blocks while it does so: a local
// synthesiser, a child process, a library. Derive Synthesiser (one function) and Speaker (one
// function); this header does the rest of the contract: text cut into pieces, one piece at a time
// on the worker facility, frames of the wanted codec with their text positions, credit, clear, a
// host that answers AGAIN, cancel, usage, exactly one completion.
//
//   class Robot : public tts::Synthesiser {
//       void synthesise(std::string_view text, tts::Sink& sink) override {
//           for (...) if (!sink.audio(samples, n, bytes_spoken)) return;   // false: nobody listens
//           any more
//       }
//   };
//   class Speaker : public tts::Speaker {
//     public:
//       static std::unique_ptr<Speaker> create(sdk::Host host, const sdk::Config& config);
//       const void* query(std::string_view id) { return id == JF_TTS_V1 ? tts::table<Speaker>() :
//       nullptr; }
//     protected:
//       std::shared_ptr<tts::Synthesiser> voice(std::string_view name, std::string_view language)
//       override;
//   };
//   JACKFIELD_MODULE(Speaker)
//
// The descriptor requires jf.host.worker/1 and jf.host.timer/1.

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/sdk/tts_stream.hpp>
#include <jackfield/tts.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace jackfield::sdk::tts {

/// The instance. Derive it and hand out voices; table<Derived>() is its jf.tts/1.
class Speaker {
  public:
    Speaker(Host host, Options options)
        : host_(host), options_(options), registry_(std::make_shared<detail::Registry>()) {}
    virtual ~Speaker() = default;
    Speaker(const Speaker&) = delete;
    Speaker& operator=(const Speaker&) = delete;

    void start(jf_op op) {
        prepare();
        registry_->resume();
        host_.complete(op);
    }
    void quiesce(jf_op op, std::uint32_t budget_ms) {
        if (!registry_->begin_quiesce(op)) {
            host_.complete(op);
            return;
        }
        auto give_up = [registry = registry_, host = host_] {
            if (const jf_op waiting = registry->end_quiesce(); waiting != JF_NO_OP)
                host.complete(waiting);
        };
        if (!detail::Timer::start(host_, op, std::uint64_t{budget_ms} * 1'000'000, give_up))
            give_up();
    }
    jf_status cancel(jf_op op) {
        const auto stream = registry_->find(op);
        return stream ? stream->cancel() : JF_E_INVALID;
    }

    jf_status open(jf_op op, const jf_tts_open& options) {
        if (registry_->quiescing()) throw Failure(JF_E_STATE, "this instance takes no more speech");
        check_format(options.format);
        auto synthesiser = voice(view(options.voice), view(options.language));
        if (registry_->find(op)) return JF_E_INVALID;
        registry_->add(op,
                       std::make_shared<detail::Stream>(
                           host_, op, std::move(synthesiser), registry_, options_, options));
        return JF_OK;
    }
    std::shared_ptr<detail::Stream> stream(jf_op op) const { return registry_->find(op); }

  protected:
    /// At start(), where blocking is allowed: whatever must be there before the first open().
    /// Throws Failure.
    virtual void prepare() {}
    /// The voice for a stream; both names may be empty. Called on a stream thread, so it must not
    /// block. Throws Failure.
    virtual std::shared_ptr<Synthesiser> voice(std::string_view name,
                                               std::string_view language) = 0;

    const Host& host() const { return host_; }

  private:
    static void check_format(const jf_format& format) {
        if (format.codec != JF_CODEC_L16 && format.codec != JF_CODEC_PCMU &&
            format.codec != JF_CODEC_PCMA)
            throw Failure(JF_E_UNSUPPORTED, "this voice speaks L16, PCMU and PCMA");
        if (format.channels > 1)
            throw Failure(JF_E_UNSUPPORTED, "this voice speaks in one channel");
        if (format.rate_hz < 8000 || format.rate_hz > 48000)
            throw Failure(JF_E_UNSUPPORTED, "this voice speaks at 8000 to 48000 Hz");
    }

    Host host_;
    Options options_;
    std::shared_ptr<detail::Registry> registry_;
};

/// The jf.tts/1 table of a class derived from Speaker.
template <typename Derived>
const jf_tts_v1* table() {
    static const auto on_stream = [](jf_instance* self, jf_op op, auto&& body) {
        return guarded(nullptr, [&]() -> jf_status {
            const auto stream = static_cast<Speaker&>(*reinterpret_cast<Derived*>(self)).stream(op);
            return stream ? body(*stream) : JF_E_INVALID;
        });
    };
    static const jf_tts_v1 functions = [] {
        jf_tts_v1 t = make<jf_tts_v1>();
        t.open = [](jf_instance* self, jf_op op, const jf_tts_open* options, jf_error* error) {
            return guarded(error, [&]() -> jf_status {
                if (!JF_HAS(options, jf_tts_open, credit)) return JF_E_INVALID;
                return static_cast<Speaker&>(*reinterpret_cast<Derived*>(self)).open(op, *options);
            });
        };
        t.text = [](jf_instance* self, jf_op op, const jf_tts_text* text) {
            return on_stream(self, op, [&](detail::Stream& stream) {
                return JF_HAS(text, jf_tts_text, text) ? stream.text(*text) : JF_E_INVALID;
            });
        };
        t.clear = [](jf_instance* self, jf_op op) {
            return on_stream(self, op, [](detail::Stream& stream) { return stream.clear(); });
        };
        t.credit = [](jf_instance* self, jf_op op, std::uint64_t samples) {
            return on_stream(
                self, op, [&](detail::Stream& stream) { return stream.credit(samples); });
        };
        t.close = [](jf_instance* self, jf_op op) {
            return on_stream(self, op, [](detail::Stream& stream) { return stream.close(); });
        };
        return t;
    }();
    return &functions;
}

}  // namespace jackfield::sdk::tts
