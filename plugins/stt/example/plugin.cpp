// stt/example: the smallest recogniser there is. It hears the pairs of tones that tts/example speaks for letters and digits, with one Goertzel
// filter a tone. Copy the folder, put a real recogniser into audio() and finalize().

#include <jackfield/sdk/stt.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace jackfield::stt_example {

// The same two rows stand in tts/example.
constexpr std::array<double, 6> low_hz = {560, 640, 720, 800, 880, 960};
constexpr std::array<double, 6> high_hz = {1120, 1240, 1360, 1480, 1600, 1720};
constexpr int block_ms = 20;
constexpr int blocks_of_a_key = 2;    // as long must a pair stand to be one
constexpr int blocks_of_a_pause = 5;  // as long must silence be to end a word
constexpr double pi = 3.14159265358979323846;

/// How loud `hz` is in the block (Goertzel 1958).
template <typename Samples>
double amplitude(const Samples& samples, double hz, std::uint32_t rate_hz) {
    const double k = 2 * std::cos(2 * pi * hz / rate_hz);
    double before = 0, now = 0;
    for (const double sample : samples) {
        const double next = sample + k * now - before;
        before = now;
        now = next;
    }
    return 2 * std::sqrt(std::max(0.0, now * now + before * before - k * now * before)) / static_cast<double>(samples.size());
}

/// One stream. Everything of it runs on one strand, so it needs no lock.
class Ear final : public sdk::stt::Stream {
  public:
    Ear(sdk::Host host, jf_op op, const jf_stt_open& options, double threshold)
        : Stream(host, op), rate_hz_(options.format.rate_hz), partials_(options.flags & JF_STT_PARTIALS), threshold_(threshold) {
        block_.reserve(rate_hz_ * block_ms / 1000);
    }

    void audio(const jf_frame& frame) override {
        const auto* samples = static_cast<const std::int16_t*>(frame.data.ptr);
        const std::size_t n = std::min<std::size_t>(frame.samples, frame.data.len / 2);
        for (std::size_t i = 0; i < n; ++i) {
            block_.push_back(samples[i]);
            if (block_.size() < rate_hz_ * block_ms / 1000) continue;
            hear(key_in_block());
            block_.clear();
        }
    }
    void finalize(std::uint64_t value) override {
        while (!words_.empty() && words_.back() == ' ') words_.pop_back();
        say(words_.empty() ? JF_EV_NO_MATCH : JF_EV_FINAL, words_, value);
        discard();
    }
    void discard() override {
        words_.clear();
        same_ = 0;
    }
    jf_status control(const jf_stt_control& control) override {
        // Hints cannot help this ear, and languages are all the same to it.
        return control.verb == JF_STT_HINTS || control.verb == JF_STT_MUTE || control.verb == JF_STT_LANGUAGE ? JF_OK : JF_E_UNSUPPORTED;
    }

  private:
    /// 0..35, or -1 for silence and for what is no pair.
    int key_in_block() const {
        const auto loudest = [&](const std::array<double, 6>& row, double& level, double& second) {
            int best = 0;
            for (int i = 0; i < 6; ++i) {
                const double here = amplitude(block_, row[static_cast<std::size_t>(i)], rate_hz_);
                if (here > level) second = level, level = here, best = i;
                else if (here > second) second = here;
            }
            return best;
        };
        double low = 0, high = 0, low_second = 0, high_second = 0;
        const int row = loudest(low_hz, low, low_second), column = loudest(high_hz, high, high_second);
        const bool pair = low > threshold_ && high > threshold_ && low > 2 * low_second && high > 2 * high_second && low < 6 * high && high < 6 * low;
        return pair ? row * 6 + column : -1;
    }
    void hear(int key) {
        same_ = key == key_ ? same_ + 1 : 1;
        key_ = key;
        if (key >= 0 && same_ == blocks_of_a_key) {
            words_ += static_cast<char>(key < 26 ? 'a' + key : '0' + key - 26);
            if (partials_) say(JF_EV_PARTIAL, words_);
        }
        if (key < 0 && same_ == blocks_of_a_pause && !words_.empty() && words_.back() != ' ') words_ += ' ';
    }

    const std::uint32_t rate_hz_;
    const bool partials_;
    const double threshold_;
    std::vector<double> block_;
    int key_ = -1;
    int same_ = 0; // blocks that were like the last one
    std::string words_;
};

/// The instance. Recogniser keeps the streams and completes them.
class Ears final : public sdk::stt::Recogniser {
  public:
    static std::unique_ptr<Ears> create(sdk::Host host, const sdk::Config& config) {
        return std::make_unique<Ears>(host, config.real("threshold", 300));
    }
    Ears(sdk::Host host, double threshold) : Recogniser(host), threshold_(threshold) {}

    const void* query(std::string_view interface_id) {
        return interface_id == JF_STT_V1 ? sdk::stt::table<Ears>() : nullptr;
    }

  protected:
    std::unique_ptr<sdk::stt::Stream> open(jf_op op, const jf_stt_open& options) override {
        const jf_format& format = options.format;
        if (format.codec != JF_CODEC_L16 || format.channels != 1 || format.rate_hz < 8000 || format.rate_hz > 48000)
            throw sdk::Failure(JF_E_UNSUPPORTED, "this ear hears one channel of L16 at 8000 to 48000 Hz");
        return std::make_unique<Ear>(host(), op, options, threshold_);
    }

  private:
    const double threshold_;
};

}  // namespace jackfield::stt_example

JACKFIELD_MODULE(jackfield::stt_example::Ears)
