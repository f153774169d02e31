#include "voice.hpp"

#include "child.hpp"
#include "wav.hpp"

#include <jackfield/sdk/speex_resampler.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace jackfield::tts_espeak_ng {
namespace {

// Two minutes: ten times what the longest piece takes to say. More is a program that is not
// espeak-ng.
constexpr std::size_t longest_speech_s = 120;

struct Speech {
    std::vector<std::int16_t> samples;
    std::uint32_t rate_hz = 0;
    bool stopped = false;
};

sdk::Failure failure_of(const Config& config, const ChildOutcome& outcome) {
    std::string text = config.command;
    if (outcome.kind == ChildOutcome::timed_out)
        text += " did not finish in " + std::to_string(config.child_timeout_ms) + " ms";
    else if (outcome.kind == ChildOutcome::killed_by_signal)
        text += " was ended by signal " + std::to_string(outcome.code);
    else
        text += " ended with status " + std::to_string(outcome.code);
    if (!outcome.complaint.empty()) text += ": " + outcome.complaint;
    const jf_status code = outcome.kind == ChildOutcome::timed_out ? JF_E_TIMEOUT : JF_E_PEER_LOST;
    return sdk::Failure(code, text, JF_RETRY_OTHER_PROVIDER, outcome.code);
}

Speech speak(const Config& config,
             const std::string& voice,
             std::string_view text,
             const std::function<bool()>& stopped) {
    const std::string input = plain_text(text);
    Speech speech;
    WavReader wav;
    bool too_long = false;
    ChildTask task;
    // The text never goes by argument: there it could be read by every user of the machine, and
    // taken for an option.
    task.arguments = {config.command,
                      "--stdout",
                      "--stdin",
                      "-b",
                      "1",
                      "-v",
                      voice,
                      "-s",
                      std::to_string(config.words_per_minute),
                      "-p",
                      std::to_string(config.pitch)};
    task.input = input;
    task.timeout = std::chrono::milliseconds(config.child_timeout_ms);
    task.stopped = stopped;
    task.on_output = [&](const std::uint8_t* bytes, std::size_t n) {
        if (!wav.feed(bytes, n, speech.samples)) return false;
        too_long = speech.samples.size() > longest_speech_s * wav.rate_hz();
        return !too_long;
    };
    const ChildOutcome outcome = run_child(task);

    speech.rate_hz = wav.rate_hz();
    if (!wav.problem().empty())
        throw sdk::Failure(
            JF_E_PEER_LOST,
            config.command + " answered with something else than speech: " + wav.problem(),
            JF_RETRY_OTHER_PROVIDER);
    if (too_long)
        throw sdk::Failure(
            JF_E_PEER_LOST, config.command + " never stops speaking", JF_RETRY_OTHER_PROVIDER);
    speech.stopped = outcome.kind == ChildOutcome::stopped;
    if (speech.stopped) return speech;
    if (outcome.kind != ChildOutcome::exited || outcome.code != 0 || speech.rate_hz == 0)
        throw failure_of(config, outcome);
    return speech;
}

/// The program says nothing about when it says which word, so words are taken to last as long as
/// they are written.
std::size_t bytes_spoken(std::string_view text, std::size_t at, std::size_t of) {
    if (at >= of) return text.size();
    const std::size_t reached =
        static_cast<std::size_t>(static_cast<std::uint64_t>(text.size()) * at / of);
    const std::size_t space = text.substr(0, reached).rfind(' ');
    return space == std::string_view::npos ? 0 : space + 1;
}

class Voice final : public sdk::tts::Synthesiser {
  public:
    Voice(const Config& config, std::string name) : config_(config), name_(std::move(name)) {}

    void synthesise(std::string_view text, sdk::tts::Sink& sink) override {
        // The whole piece first: the program needs some 10 ms for 10 s of speech, and one that
        // fails half-way has then said nothing that another voice would say again.
        const Speech speech = speak(config_, name_, text, [&sink] { return sink.stopped(); });
        if (speech.stopped || speech.samples.empty()) return;

        sdk::SpeexResampler resampler(speech.rate_hz, sink.rate_hz());
        std::vector<std::int16_t> out;
        const std::size_t step = speech.rate_hz / 50;
        for (std::size_t at = 0; at < speech.samples.size(); at += step) {
            const std::size_t n = std::min(step, speech.samples.size() - at);
            resampler.process(speech.samples.data() + at, n, out);
            if (!sink.audio(
                    out.data(), out.size(), bytes_spoken(text, at + n, speech.samples.size())))
                return;
        }
        resampler.finish(out);
        sink.audio(out.data(), out.size(), text.size());
    }

  private:
    Config config_;
    std::string name_;
};

}  // namespace

std::shared_ptr<sdk::tts::Synthesiser> make_voice(const Config& config, std::string name) {
    return std::make_shared<Voice>(config, std::move(name));
}

void try_voice(const Config& config, const std::string& name) {
    speak(config, name, "a", [] { return false; });
}

std::string plain_text(std::string_view text) {
    std::string out(text);
    for (std::size_t at = 0; at < out.size();) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(out[i]); };
        const unsigned char lead = byte(at);
        std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                                                           : 0;
        bool well_formed =
            length != 0 && at + length <= out.size() && (lead >= 0x20 && lead != 0x7f);
        for (std::size_t i = 1; well_formed && i < length; ++i)
            well_formed = (byte(at + i) & 0xc0u) == 0x80u;
        if (!well_formed) {
            out[at] = ' ';
            length = 1;
        }
        at += length;
    }
    return out;
}

}  // namespace jackfield::tts_espeak_ng
