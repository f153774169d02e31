#pragma once

// One jf.tts/1 instance on the test host, and what its streams said. The plugin is linked into the
// test, so that sanitizers see it.

#include "support/test_host.hpp"

#include <jackfield/jackfield.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::test {

struct SpokenEvent {
    std::uint32_t type = 0;
    std::uint64_t pos = 0;
    jf_frame frame{};  // of JF_EV_AUDIO; its data stands in `bytes`
    std::string bytes;
};

/// A stream as the host sees it. Written under the test host's lock: read it inside wait_until() or
/// after the completion.
struct Spoken {
    jf_op op = JF_NO_OP;
    std::vector<SpokenEvent> events;
    std::uint64_t samples = 0;
    int completions = 0;
    jf_status status = JF_OK;
    std::optional<jf_tts_usage> usage;
    std::string error;
    std::uint64_t granted = 0;  // credit given, 0 unbounded
    bool overran = false;

    int count(std::uint32_t type) const {
        int n = 0;
        for (const SpokenEvent& event : events) n += event.type == type;
        return n;
    }
    std::vector<std::int16_t> pcm() const {
        std::vector<std::int16_t> out;
        for (const SpokenEvent& event : events) {
            if (event.type != JF_EV_AUDIO || event.frame.codec != JF_CODEC_L16) continue;
            const std::size_t before = out.size();
            out.resize(before + event.bytes.size() / 2);
            std::memcpy(out.data() + before, event.bytes.data(), event.bytes.size());
        }
        return out;
    }
    double rms() const {
        double sum = 0;
        const auto samples_of = pcm();
        for (const std::int16_t s : samples_of) sum += static_cast<double>(s) * s;
        return samples_of.empty() ? 0 : std::sqrt(sum / static_cast<double>(samples_of.size()));
    }
};

class SpeechBench {
  public:
    using Options = std::vector<std::pair<std::string, std::string>>;

    explicit SpeechBench(const Options& options = {}) {
        table_ = *host_.table();
        real_emit() = table_.emit;
        table_.emit =
            [](jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) -> jf_status {
            if (refusals() > 0) {
                --refusals();
                return JF_E_AGAIN;
            }
            return real_emit()(ctx, op, events, n);
        };
        refusals() = 0;
        std::vector<jf_pair> pairs;
        for (const auto& [key, value] : options) pairs.push_back({sdk::str(key), sdk::str(value)});
        jf_error error = sdk::make<jf_error>();
        created_ = jf_module_entry_v1()->create(&table_,
                                                sdk::str("tts/under_test"),
                                                sdk::str("{}"),
                                                sdk::array(pairs),
                                                &instance_,
                                                &functions_,
                                                &error);
        failure_ = error.text;
        if (created_ != JF_OK) return;
        const jf_op op =
            host_.start_op({}, [this](jf_op, jf_status status, const jf_event*, const jf_error*) {
                started_ = status;
            });
        started_ = functions_->start(instance_, op, &error);
        failure_ = error.text;
        tts_ = static_cast<const jf_tts_v1*>(functions_->query(instance_, sdk::str(JF_TTS_V1)));
    }
    ~SpeechBench() {
        if (!instance_) return;
        for (Spoken& stream : streams_) functions_->cancel(instance_, stream.op);
        // The pool may still be at work for a stream that is over.
        host_.wait_until([this] { return host_.open_ops() == (started_ == JF_OK ? 0u : 1u); });
        functions_->destroy(instance_);
        EXPECT_EQ(host_.double_completions(), 0);
    }
    SpeechBench(const SpeechBench&) = delete;

    jf_status created() const { return created_; }
    jf_status started() const { return started_; }
    const std::string& failure() const { return failure_; }
    TestHost& host() { return host_; }
    const jf_tts_v1& tts() const { return *tts_; }
    jf_instance* instance() const { return instance_; }
    const jf_instance_v1& functions() const { return *functions_; }
    /// The next `n` emits are answered with AGAIN.
    static void refuse_emits(int n) { refusals() = n; }
    static int emits_to_refuse() { return refusals(); }

    jf_tts_open options(std::uint16_t codec = JF_CODEC_L16, std::uint32_t rate_hz = 8000) const {
        jf_tts_open open = sdk::make<jf_tts_open>();
        open.format = sdk::make<jf_format>();
        open.format.codec = codec;
        open.format.channels = 1;
        open.format.rate_hz = rate_hz;
        open.format.ptime_ms = 20;
        return open;
    }
    Spoken& open(std::uint64_t credit = 0) {
        jf_tts_open wanted = options();
        wanted.credit = credit;
        return open(wanted);
    }
    Spoken& open(const jf_tts_open& wanted) {
        Spoken& stream = streams_.emplace_back();
        stream.granted = wanted.credit;
        stream.op = host_.start_op(
            [&stream](jf_op, const jf_event& event) { take(stream, event); },
            [&stream](jf_op, jf_status status, const jf_event* last, const jf_error* error) {
                ++stream.completions;
                stream.status = status;
                if (last && last->type == JF_EV_TTS_USAGE)
                    stream.usage = *sdk::data_of<jf_tts_usage>(*last);
                if (error) stream.error = error->text;
            });
        jf_error error = sdk::make<jf_error>();
        const jf_status status = tts_->open(instance_, stream.op, &wanted, &error);
        failure_ = error.text;
        if (status != JF_OK) {
            stream.status = status;
            host_.table()->complete(host_.table()->ctx, stream.op, status, nullptr, nullptr);
        }
        return stream;
    }
    jf_status text(const Spoken& stream, std::string_view words, std::uint32_t flush = JF_TTS_END) {
        jf_tts_text text = sdk::make<jf_tts_text>();
        text.flush = flush;
        text.text = sdk::str(words);
        return tts_->text(instance_, stream.op, &text);
    }
    void credit(Spoken& stream, std::uint64_t samples) {
        // Under the lock of the test host's callbacks: they compare with it.
        host_.wait_until([&] { return stream.granted += samples, true; });
        tts_->credit(instance_, stream.op, samples);
    }
    bool wait_done(const Spoken& stream) {
        return host_.wait_done(stream.op, std::chrono::seconds(40));
    }
    /// Until nothing is on the pool any more and `streams` ops are left.
    bool wait_idle(std::size_t streams = 1) {
        return host_.wait_until([this, streams] { return host_.open_ops() == streams; });
    }

  private:
    static std::atomic<int>& refusals() {
        static std::atomic<int> count{0};
        return count;
    }
    using Emit = decltype(jf_host_v1::emit);
    static Emit& real_emit() {
        static Emit emit = nullptr;
        return emit;
    }

    static void take(Spoken& stream, const jf_event& event) {
        SpokenEvent copy;
        copy.type = event.type;
        copy.pos = event.pos;
        if (event.type == JF_EV_AUDIO) {
            copy.frame = *sdk::data_of<jf_frame>(event);
            copy.bytes = sdk::view(copy.frame.data);
            stream.samples += copy.frame.samples;
            if (stream.granted != 0 && stream.samples > stream.granted) stream.overran = true;
        }
        stream.events.push_back(std::move(copy));
    }

    TestHost host_;
    jf_host_v1 table_{};
    jf_instance* instance_ = nullptr;
    const jf_instance_v1* functions_ = nullptr;
    const jf_tts_v1* tts_ = nullptr;
    jf_status created_ = JF_E_INTERNAL;
    jf_status started_ = JF_E_INTERNAL;
    std::string failure_;
    std::deque<Spoken> streams_;
};

}  // namespace jackfield::test
