#pragma once

// The built plugin on a test host, driven as a call would: mu-law in 20 ms packets with the pre-roll and the silence that the host's
// VAD leaves around speech, then FINALIZE.

#include <dlfcn.h>

#include <jackfield/jackfield.h>
#include <jackfield/sdk/plugin.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "recordings.hpp"
#include "support/test_host.hpp"

namespace jackfield::test {

struct Said {
    std::uint32_t type = 0;
    std::uint64_t pos = 0;
    std::string text;
    float confidence = -1;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    struct Word {
        std::string text;
        std::uint64_t from;
        std::uint64_t to;
    };
    std::vector<Word> words;
};

class TestRecogniser {
  public:
    using Options = std::vector<std::pair<std::string, std::string>>;

    explicit TestRecogniser(const Options& options = {}) {
        const std::string file = std::string(JACKFIELD_BINARY_DIR) + "/plugins/stt/pocketsphinx.so";
        void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (!handle) throw std::runtime_error(std::string("apt install libpocketsphinx3: ") + dlerror());
        const auto entry = reinterpret_cast<const jf_module_v1* (*)()>(dlsym(handle, "jf_module_entry_v1"));
        const jf_module_v1* module = entry();
        std::string json = "{";
        std::vector<jf_pair> pairs;
        for (const auto& [key, value] : options) pairs.push_back({sdk::str(key), sdk::str(value)});
        for (const auto& [key, value] : options) json += '"' + key.substr(0, key.find('.')) + "\":0,";
        json.back() = '}';
        jf_error error = sdk::make<jf_error>();
        if (module->create(host.table(), sdk::str("stt/pocketsphinx"), sdk::str(options.empty() ? "{}" : json),
                           sdk::array(pairs), &instance, &functions, &error) != JF_OK)
            throw std::runtime_error(error.text);
        stt = static_cast<const jf_stt_v1*>(functions->query(instance, sdk::str(JF_STT_V1)));
    }

    ~TestRecogniser() {
        if (!instance) return;
        host.wait_until([&] { return host.open_ops() == 0; });
        functions->destroy(instance);
    }

    jf_status start() {
        jf_status result = JF_E_TIMEOUT;
        const jf_op op = host.start_op({}, [&](jf_op, jf_status status, const jf_event*, const jf_error* error) {
            result = status;
            if (error) start_error = error->text;
        });
        functions->start(instance, op, nullptr);
        host.wait_done(op, std::chrono::seconds(30));
        host.poll();
        return result;
    }

    TestHost host;
    jf_instance* instance = nullptr;
    const jf_instance_v1* functions = nullptr;
    const jf_stt_v1* stt = nullptr;
    std::string start_error;
};

class TestStream {
  public:
    explicit TestStream(TestRecogniser& recogniser, const std::vector<std::string>& phrases = {}, std::string grammar = {},
                        std::uint32_t flags = 0, std::uint16_t codec = JF_CODEC_PCMU)
        : recogniser_(recogniser), codec_(codec) {
        op = recogniser.host.start_op([this](jf_op, const jf_event& event) { note(event); },
                                      [this](jf_op, jf_status done, const jf_event* last, const jf_error*) {
                                          status = done;
                                          if (last && last->type == JF_EV_STT_USAGE)
                                              usage_ms = sdk::data_of<jf_stt_usage>(*last)->audio_ms;
                                      });
        jf_stt_open options = sdk::make<jf_stt_open>();
        options.flags = flags;
        options.format = sdk::make<jf_format>();
        options.format.codec = codec;
        options.format.channels = 1;
        options.format.rate_hz = 8000;
        options.language = sdk::str("en-US");
        with_hints(phrases, grammar, [&](const jf_hints& hints) {
            options.hints = &hints;
            jf_error error = sdk::make<jf_error>();
            opened = recogniser_.stt->open(recogniser_.instance, op, &options, &error);
            return opened;
        });
        if (opened != JF_OK) recogniser_.host.host().complete(op, opened);  // not accepted: the host's to drop
    }
    ~TestStream() {
        if (recogniser_.host.is_open(op)) {
            recogniser_.functions->cancel(recogniser_.instance, op);
            recogniser_.host.wait_done(op);
        }
    }

    jf_status push(const std::vector<std::int16_t>& samples) {
        jf_status worst = JF_OK;
        for (std::size_t at = 0; at < samples.size(); at += 160) {
            const std::size_t n = std::min<std::size_t>(160, samples.size() - at);
            std::vector<std::uint8_t> bytes;
            for (std::size_t i = 0; i < n; ++i) {
                if (codec_ == JF_CODEC_PCMU) {
                    bytes.push_back(to_mu_law(samples[at + i]));
                } else {
                    bytes.push_back(static_cast<std::uint8_t>(samples[at + i] & 0xff));
                    bytes.push_back(static_cast<std::uint8_t>((samples[at + i] >> 8) & 0xff));
                }
            }
            jf_frame frame = sdk::make<jf_frame>();
            frame.codec = codec_;
            frame.channels = 1;
            frame.rate_hz = 8000;
            frame.samples = static_cast<std::uint32_t>(n);
            frame.pts = pts;
            frame.data = {bytes.data(), bytes.size()};
            if (const jf_status result = recogniser_.stt->push(recogniser_.instance, op, &frame); result != JF_OK) worst = result;
            pts += n;
        }
        return worst;
    }

    /// Low noise, as a line has.
    jf_status push_silence(std::size_t ms) {
        std::vector<std::int16_t> samples(ms * 8);
        for (std::int16_t& s : samples) s = static_cast<std::int16_t>((seed_ = seed_ * 1103515245u + 12345u) % 17) - 8;
        return push(samples);
    }

    jf_status control(std::uint32_t verb, std::uint64_t value = 0) {
        jf_stt_control control = sdk::make<jf_stt_control>();
        control.verb = verb;
        control.value = value;
        return recogniser_.stt->control(recogniser_.instance, op, &control);
    }

    jf_status hints(const std::vector<std::string>& phrases, const std::string& grammar = {}) {
        return with_hints(phrases, grammar, [&](const jf_hints& hints) {
            jf_stt_control control = sdk::make<jf_stt_control>();
            control.verb = JF_STT_HINTS;
            control.hints = &hints;
            return recogniser_.stt->control(recogniser_.instance, op, &control);
        });
    }

    /// The answer to FINALIZE.
    Said finalize() {
        const std::uint64_t value = ++turn_;
        const std::size_t before = answers.size();
        control(JF_STT_FINALIZE, value);
        if (!recogniser_.host.wait_until([&] { return answers.size() > before; }, std::chrono::seconds(30))) return {};
        return answers.back();
    }

    Said hear(const std::vector<std::int16_t>& samples) {
        push_silence(500);
        push(samples);
        push_silence(300);
        return finalize();
    }

    jf_op op = JF_NO_OP;
    jf_status opened = JF_OK;
    jf_status status = JF_E_TIMEOUT;
    std::uint64_t usage_ms = 0;
    std::uint64_t pts = 0;
    std::vector<Said> answers;
    std::vector<Said> partials;

  private:
    template <typename Use>
    jf_status with_hints(const std::vector<std::string>& phrases, const std::string& grammar, const Use& use) {
        std::vector<jf_str> strings;
        for (const std::string& phrase : phrases) strings.push_back(sdk::str(phrase));
        jf_hints hints = sdk::make<jf_hints>();
        hints.phrases = sdk::array(strings);
        hints.grammar = sdk::str(grammar);
        return use(hints);
    }

    void note(const jf_event& event) {
        const jf_text* text = sdk::data_of<jf_text>(event);
        if (!text) return;
        Said said;
        said.type = event.type;
        said.pos = event.pos;
        said.text = sdk::view(text->text);
        said.confidence = text->confidence;
        said.from = text->audio_from;
        said.to = text->audio_to;
        for (std::uint32_t i = 0; i < text->words.n; ++i) {
            const jf_word* word = JF_AT(jf_word, text->words, i);
            said.words.push_back({std::string(sdk::view(word->text)), word->audio_from, word->audio_to});
        }
        (event.type == JF_EV_PARTIAL ? partials : answers).push_back(std::move(said));
    }

    TestRecogniser& recogniser_;
    const std::uint16_t codec_;
    std::uint64_t turn_ = 0;
    std::uint32_t seed_ = 1;
};

}  // namespace jackfield::test
