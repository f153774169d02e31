#include "driver.hpp"

#include <algorithm>
#include <mutex>

namespace jackfield::pocketsphinx {
namespace {

class Spinning {
  public:
    explicit Spinning(std::atomic_flag& flag) : flag_(flag) {
        while (flag_.test_and_set(std::memory_order_acquire)) {
        }
    }
    ~Spinning() { flag_.clear(std::memory_order_release); }
    Spinning(const Spinning&) = delete;
    Spinning& operator=(const Spinning&) = delete;

  private:
    std::atomic_flag& flag_;
};

/// Ends the streams that are still open when quiesce's budget is over; frees itself.
class Deadline : public sdk::OpUser {
  public:
    explicit Deadline(std::function<void()> over) : over_(std::move(over)) {}

  private:
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<Deadline> self(this);
        over_();
    }
    std::function<void()> over_;
};

Recogniser& self_of(jf_instance* instance) { return *reinterpret_cast<Recogniser*>(instance); }

const jf_stt_v1* functions() {
    static const jf_stt_v1 table = [] {
        jf_stt_v1 t = sdk::make<jf_stt_v1>();
        t.open = [](jf_instance* self, jf_op op, const jf_stt_open* options, jf_error* error) {
            return sdk::guarded(error, [&] { return options ? self_of(self).open(op, sdk::known(options)) : JF_E_INVALID; });
        };
        t.control = [](jf_instance* self, jf_op op, const jf_stt_control* control) {
            return sdk::guarded(nullptr, [&] { return control ? self_of(self).control(op, *control) : JF_E_INVALID; });
        };
        t.push = [](jf_instance* self, jf_op op, const jf_frame* frame) {
            return sdk::guarded(nullptr, [&] { return frame ? self_of(self).push(op, *frame) : JF_E_INVALID; });
        };
        t.close = [](jf_instance* self, jf_op op) {
            return sdk::guarded(nullptr, [&] { return self_of(self).close(op); });
        };
        return t;
    }();
    return &table;
}

}  // namespace

std::shared_ptr<Stream> Streams::find(jf_op op) const {
    Shard& at = shard(op);
    const Spinning lock(at.busy);
    for (const auto& [known, stream] : at.streams)
        if (known == op) return stream;
    return nullptr;
}

void Streams::add(jf_op op, std::shared_ptr<Stream> stream) {
    Shard& at = shard(op);
    ++size_;
    const Spinning lock(at.busy);
    at.streams.emplace_back(op, std::move(stream));
}

std::size_t Streams::remove(jf_op op) {
    std::shared_ptr<Stream> last;  // freed after the lock
    Shard& at = shard(op);
    const Spinning lock(at.busy);
    const auto found = std::find_if(at.streams.begin(), at.streams.end(), [&](const auto& entry) { return entry.first == op; });
    if (found == at.streams.end()) return size_;
    last = std::move(found->second);
    at.streams.erase(found);
    return --size_;
}

std::vector<std::shared_ptr<Stream>> Streams::all() const {
    std::vector<std::shared_ptr<Stream>> out;
    for (Shard& at : shards_) {
        const Spinning lock(at.busy);
        for (const auto& [op, stream] : at.streams) out.push_back(stream);
    }
    return out;
}

std::unique_ptr<Recogniser> Recogniser::create(sdk::Host host, const sdk::Config& config) {
    Options options = read_options(config);
    check_model(options);
    return std::make_unique<Recogniser>(host, std::move(options));
}

void Recogniser::start(jf_op op) {
    // One job makes them all: the library can't make two at a time anyway.
    const auto work = [](void* user, jf_op) -> jf_status {
        const std::unique_ptr<std::pair<Recogniser*, jf_op>> job(static_cast<std::pair<Recogniser*, jf_op>*>(user));
        Engine& engine = job->first->engine_;
        jf_error error = sdk::make<jf_error>();
        const jf_status status = sdk::guarded(&error, [&] {
            while (engine.pool.size() < engine.options.decoders) engine.pool.warm();
            // The first grammar costs a disk's worth of dictionary pages; better now than in a call.
            bool made = false;
            const auto vocabulary = engine.vocabularies.get({}, made);
            if (vocabulary->network.empty())
                throw sdk::Failure(JF_E_INVALID, "default_phrases: the dictionary has none of them");
        });
        if (status == JF_OK) {
            engine.host.log(JF_LOG_INFO, "stt.ready", {{"decoders", std::to_string(engine.pool.size())}});
            engine.host.complete(job->second);
        } else {
            engine.host.table()->complete(engine.host.ctx(), job->second, status, nullptr, &error);
        }
        return status;
    };
    const jf_op job = engine_.host.open(JF_NO_OP, engine_.ignored);
    auto user = std::make_unique<std::pair<Recogniser*, jf_op>>(this, op);
    const jf_status status = engine_.worker->start(engine_.host.ctx(), job, work, user.get());
    if (status != JF_OK) {
        engine_.host.cancel(job);
        throw sdk::Failure(status, "the host's worker pool takes no job", JF_RETRY_AFTER);
    }
    static_cast<void>(user.release());  // the job's
}

void Recogniser::quiesce(jf_op op, std::uint32_t budget_ms) {
    refusing_ = true;
    quiesce_op_ = op;
    if (streams_.size() == 0) {
        end_quiesce();
        return;
    }
    auto deadline = std::make_unique<Deadline>([this] {
        for (const auto& stream : streams_.all()) stream->finish(JF_E_CANCELLED);
        end_quiesce();
    });
    const jf_op timer = engine_.host.open(op, *deadline);
    if (engine_.timer->start(engine_.host.ctx(), timer, std::uint64_t{budget_ms} * 1'000'000) == JF_OK)
        static_cast<void>(deadline.release());  // frees itself in on_done
    else
        engine_.host.cancel(timer);
}

void Recogniser::end_quiesce() {
    if (const jf_op op = quiesce_op_.exchange(JF_NO_OP); op != JF_NO_OP) engine_.host.complete(op);
}

const void* Recogniser::query(std::string_view interface_id) {
    return interface_id == JF_STT_V1 ? functions() : nullptr;
}

jf_status Recogniser::cancel(jf_op op) {
    if (const auto stream = streams_.find(op)) {
        stream->finish(JF_E_CANCELLED);
        return JF_OK;
    }
    // A start that is cancelled ends when the decoders are made, within the second.
    return JF_E_INVALID;
}

jf_status Recogniser::open(jf_op op, const jf_stt_open& options) {
    const jf_format& format = options.format;
    const bool g711 = (format.codec == JF_CODEC_PCMU || format.codec == JF_CODEC_PCMA) && format.rate_hz == 8000;
    const bool linear = format.codec == JF_CODEC_L16 && (format.rate_hz == 8000 || format.rate_hz == 16000);
    if (!(g711 || linear) || format.channels > 1)
        throw sdk::Failure(JF_E_UNSUPPORTED, "formats are PCMU, PCMA and L16 at 8000 Hz, L16 at 16000 Hz, one channel");
    const std::string_view language = sdk::view(options.language);
    if (!language.empty() && language != "en" && !language.starts_with("en-"))
        throw sdk::Failure(JF_E_UNSUPPORTED, "the model is of English", JF_RETRY_OTHER_PROVIDER);
    if (refusing_) return JF_E_STATE;
    if (streams_.size() >= engine_.options.max_streams)
        throw sdk::Failure(JF_E_RATE, "max_streams are open", JF_RETRY_OTHER_PROVIDER);

    const auto stream = std::make_shared<Stream>(engine_, op, options, [this](jf_op closed) { stream_closed(closed); });
    streams_.add(op, stream);
    // Without hints too: the default grammar is compiled before the first word.
    jf_stt_control hints = sdk::make<jf_stt_control>();
    hints.verb = JF_STT_HINTS;
    hints.hints = options.hints;
    return stream->control(hints);
}

jf_status Recogniser::control(jf_op op, const jf_stt_control& control) {
    const auto stream = streams_.find(op);
    return stream ? stream->control(control) : JF_E_INVALID;
}

jf_status Recogniser::push(jf_op op, const jf_frame& frame) {
    const auto stream = streams_.find(op);
    return stream ? stream->push(frame) : JF_E_INVALID;
}

jf_status Recogniser::close(jf_op op) {
    const auto stream = streams_.find(op);
    return stream ? stream->close() : JF_E_INVALID;
}

void Recogniser::stream_closed(jf_op op) {
    if (streams_.remove(op) == 0 && refusing_) end_quiesce();
}

}  // namespace jackfield::pocketsphinx
