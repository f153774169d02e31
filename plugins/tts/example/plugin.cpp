// tts/example: the smallest voice there is. Every letter and digit sounds as a pair of tones, one of six low ones and one of six high ones, much
// as telephone keys do; everything else is a pause. stt/example understands it. Copy the folder, put a real voice into synthesise().

#include <jackfield/sdk/tts.hpp>

#include <cmath>
#include <string_view>
#include <vector>

namespace jackfield::tts_example {

// Six by six pairs for a-z and 0-9. The same two rows stand in stt/example.
constexpr double low_hz[] = {560, 640, 720, 800, 880, 960};
constexpr double high_hz[] = {1120, 1240, 1360, 1480, 1600, 1720};
constexpr int tone_ms = 60;
constexpr int gap_ms = 40;
constexpr int pause_ms = 160; // what is neither letter nor digit, once between words
constexpr double pi = 3.14159265358979323846;

/// 0..35, or -1 for what has no tones.
int number_of(char c) {
    if (c >= 'a' && c <= 'z') return c - 'a';
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= '0' && c <= '9') return 26 + c - '0';
    return -1;
}

class Tones final : public sdk::tts::Synthesiser {
  public:
    explicit Tones(int level) : level_(level) {}

    /// Called on a pool thread; several streams may be in here at the same time, so nothing of the object changes.
    void synthesise(std::string_view text, sdk::tts::Sink& sink) override {
        bool between_words = true;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const int number = number_of(text[i]);
            std::vector<std::int16_t> samples;
            if (number >= 0) append_tones(samples, sink.rate_hz(), number);
            else if (!between_words) append_silence(samples, sink.rate_hz(), pause_ms);
            between_words = number < 0;
            // The third argument says how far in the text the caller is when these samples have been heard.
            if (!sink.audio(samples.data(), samples.size(), i + 1)) return; // nobody listens any more
        }
    }

  private:
    static void append_silence(std::vector<std::int16_t>& out, std::uint32_t rate_hz, int ms) {
        out.resize(out.size() + rate_hz * static_cast<std::size_t>(ms) / 1000);
    }
    void append_tones(std::vector<std::int16_t>& out, std::uint32_t rate_hz, int number) const {
        const double low = low_hz[number / 6], high = high_hz[number % 6];
        const auto n = rate_hz * static_cast<std::size_t>(tone_ms) / 1000;
        for (std::size_t i = 0; i < n; ++i) {
            const double t = static_cast<double>(i) / rate_hz;
            out.push_back(static_cast<std::int16_t>(level_ * (std::sin(2 * pi * low * t) + std::sin(2 * pi * high * t))));
        }
        append_silence(out, rate_hz, gap_ms);
    }

    const int level_;
};

/// The instance. Speaker does the rest of jf.tts/1: it cuts text into pieces, runs them one after the other on the host's worker threads, counts
/// credit, encodes, forgets on clear(), completes once.
class Voice final : public sdk::tts::Speaker {
  public:
    static std::unique_ptr<Voice> create(sdk::Host host, const sdk::Config& config) {
        return std::make_unique<Voice>(host, static_cast<int>(config.integer("level", 6000)));
    }
    Voice(sdk::Host host, int level) : Speaker(host, {}), tones_(std::make_shared<Tones>(level)) {}

    const void* query(std::string_view interface_id) {
        return interface_id == JF_TTS_V1 ? sdk::tts::table<Voice>() : nullptr;
    }

  protected:
    std::shared_ptr<sdk::tts::Synthesiser> voice(std::string_view name, std::string_view) override {
        if (!name.empty() && name != "tones") throw sdk::Failure(JF_E_NOT_FOUND, "the one voice of this plugin is 'tones'");
        return tones_;
    }

  private:
    const std::shared_ptr<Tones> tones_;
};

}  // namespace jackfield::tts_example

JACKFIELD_MODULE(jackfield::tts_example::Voice)
