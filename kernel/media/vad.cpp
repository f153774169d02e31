#include "media/vad.hpp"

#include "media/level.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <speex/speex_preprocess.h>

// The Debian package exports the detector but does not ship its header. The shapes are those of
// release 0.3, checked against the library's code: create takes nothing and returns the handle,
// process takes the length as size_t.
extern "C" {
struct WebRtcVadInst;
WebRtcVadInst* WebRtcVad_Create();
void WebRtcVad_Free(WebRtcVadInst* handle);
int WebRtcVad_Init(WebRtcVadInst* handle);
int WebRtcVad_set_mode(WebRtcVadInst* handle, int mode);
int WebRtcVad_Process(WebRtcVadInst* handle,
                      int rate_hz,
                      const std::int16_t* frame,
                      std::size_t frame_length);
}

namespace jackfield::media {
namespace {

constexpr std::size_t longest_frame = 48000 * 30 / 1000;
// Below this nothing is taken for speech, however quiet the line behind it is.
constexpr float energy_least_dbov = -52.0F;
constexpr float energy_first_floor_dbov = -60.0F;
constexpr float energy_highest_floor_dbov = -30.0F;
// The floor climbs by 3 dB a second, slowly enough for a long sentence, and sinks with the first
// quiet frames.
constexpr float floor_rise_db_per_second = 3.0F;
constexpr float floor_fall = 0.3F;
constexpr std::array<float, 4> margin_db = {6.0F, 9.0F, 12.0F, 15.0F};

// On a line as quiet as this WebRTC's detector needs no help, and noise suppression is most of what hearing costs.
constexpr float quiet_line_dbov = -58.0F;
// On a noisy one it needs none either for frames that stand this far above the noise, and those this near to it are the noise: so near that
// steady noise hardly leaves the band, and no word fits into it.
constexpr float clear_of_noise_db = 12.0F;
constexpr float within_noise_db = 3.5F;
// What is louder than this is no line's noise but a person with breath.
constexpr float loudest_noise_dbov = -34.0F;
// The detector holds on for some frames after a word, so that soft sounds don't break it: only then begins a pause.
constexpr int noise_row_of_a_pause = 5;
// Of a pause, one frame in so many goes to the denoiser, which learns the noise's spectrum.
constexpr int noise_frames_a_lesson = 8;

bool is_one_of(int value, std::initializer_list<int> allowed) {
    return std::find(allowed.begin(), allowed.end(), value) != allowed.end();
}

base::Error refuse(const std::string& what) {
    return base::Error(base::ErrorCode::invalid, "voice detector: " + what);
}

}  // namespace

struct Vad::Engines {
    struct FreeDetector {
        void operator()(WebRtcVadInst* handle) const { WebRtcVad_Free(handle); }
    };
    struct FreeDenoiser {
        void operator()(SpeexPreprocessState* state) const {
            speex_preprocess_state_destroy(state);
        }
    };

    std::unique_ptr<WebRtcVadInst, FreeDetector> detector;
    std::unique_ptr<SpeexPreprocessState, FreeDenoiser> denoiser;
    std::array<std::int16_t, longest_frame> scratch{};
};

Vad::Vad(const VadOptions& options, std::size_t frame_samples, std::unique_ptr<Engines> engines)
    : options_(options),
      frame_samples_(frame_samples),
      skip_below_(options.skip_below_dbov <= -127.0F
                      ? -1.0F
                      : dbov_to_mean_square(options.skip_below_dbov)),
      floor_(dbov_to_mean_square(energy_first_floor_dbov)),
      floor_rise_(std::pow(
          10.0F,
          floor_rise_db_per_second * static_cast<float>(options.frame_ms) / 1000.0F / 10.0F)),
      frames_a_second_(1000 / options.frame_ms),
      margin_(std::pow(10.0F, margin_db[static_cast<std::size_t>(options.aggressiveness)] / 10.0F)),
      engines_(std::move(engines)) {}

Vad::~Vad() = default;

base::Result<std::unique_ptr<Vad>> Vad::create(const VadOptions& options) {
    if (options.aggressiveness < 0 || options.aggressiveness > 3) {
        return refuse("aggressiveness is 0 to 3, not " + std::to_string(options.aggressiveness));
    }
    if (!is_one_of(options.frame_ms, {10, 20, 30})) {
        return refuse("a frame is 10, 20 or 30 ms, not " + std::to_string(options.frame_ms));
    }
    if (!is_one_of(options.rate_hz, {8000, 16000, 32000, 48000})) {
        return refuse("the rate is 8, 16, 32 or 48 kHz, not " + std::to_string(options.rate_hz));
    }
    const int samples = options.rate_hz / 1000 * options.frame_ms;
    std::unique_ptr<Engines> engines;
    if (options.mode != VadMode::energy) {
        engines = std::make_unique<Engines>();
        engines->detector.reset(WebRtcVad_Create());
        if (engines->detector == nullptr || WebRtcVad_Init(engines->detector.get()) != 0 ||
            WebRtcVad_set_mode(engines->detector.get(), options.aggressiveness) != 0) {
            return base::Error(base::ErrorCode::internal, "voice detector: WebRTC's did not start");
        }
    }
    if (options.mode == VadMode::denoised) {
        engines->denoiser.reset(speex_preprocess_state_init(samples, options.rate_hz));
        if (engines->denoiser == nullptr) {
            return base::Error(base::ErrorCode::internal, "voice detector: no denoiser");
        }
        // Its own detector stays off: it is weaker, and it announces itself on stderr.
        int on = 1;
        int off = 0;
        SpeexPreprocessState* state = engines->denoiser.get();
        speex_preprocess_ctl(state, SPEEX_PREPROCESS_SET_DENOISE, &on);
        speex_preprocess_ctl(state, SPEEX_PREPROCESS_SET_AGC, &off);
        speex_preprocess_ctl(state, SPEEX_PREPROCESS_SET_DEREVERB, &off);
    }
    return std::unique_ptr<Vad>(
        new Vad(options, static_cast<std::size_t>(samples), std::move(engines)));
}

bool Vad::process(std::span<const std::int16_t> frame) {
    if (frame.size() != frame_samples_) return false;
    const float loudness = mean_square(frame);
    note_noise(loudness);
    if (loudness < skip_below_) {
        ++skipped_frames_;
        return false;
    }
    if (options_.mode == VadMode::energy) return louder_than_floor(loudness);

    const std::int16_t* samples = frame.data();
    if (engines_->denoiser != nullptr) {
        const Standing standing = standing_of(loudness);
        const bool pause = in_a_pause(standing);
        if (pause && standing == Standing::in_the_noise && ++noise_frames_ % noise_frames_a_lesson != 0) return false;
        if (standing != Standing::clear) {
            ++denoised_frames_;
            std::copy(frame.begin(), frame.end(), engines_->scratch.begin());
            speex_preprocess_run(engines_->denoiser.get(), engines_->scratch.data());
            samples = engines_->scratch.data();
        }
        if (pause) return false;
    }
    return WebRtcVad_Process(engines_->detector.get(), options_.rate_hz, samples, frame_samples_) ==
           1;
}

/// The line's noise is what is left between words: the quietest frame of the last second or two.
void Vad::note_noise(float mean_square) {
    quietest_now_ = std::min(quietest_now_, mean_square);
    if (++frames_of_second_ < frames_a_second_) return;
    quietest_before_ = quietest_now_;
    quietest_now_ = std::numeric_limits<float>::max();
    frames_of_second_ = 0;
}

Vad::Standing Vad::standing_of(float mean_square) const {
    static const float quiet = dbov_to_mean_square(quiet_line_dbov);
    static const float loudest = dbov_to_mean_square(loudest_noise_dbov);
    static const float clear = std::pow(10.0F, clear_of_noise_db / 10.0F);
    static const float within = std::pow(10.0F, within_noise_db / 10.0F);
    const float noise = std::min(quietest_now_, quietest_before_);
    if (noise < quiet || mean_square > noise * clear) return Standing::clear;
    // The second before is needed to know noise from the first sound of a call.
    const bool known = quietest_before_ < std::numeric_limits<float>::max() && noise < loudest;
    return known && mean_square < noise * within ? Standing::in_the_noise : Standing::doubtful;
}

/// Whether the last frames were the line's noise and this one is, or merely sticks out: the next will tell a word from a crackle.
bool Vad::in_a_pause(Standing standing) {
    const bool pause = noise_row_ >= noise_row_of_a_pause && standing != Standing::clear;
    if (standing == Standing::in_the_noise) {
        noise_row_ = std::min(noise_row_ + 1, noise_row_of_a_pause + 3);
    } else {
        noise_row_ = standing == Standing::clear ? 0 : std::max(noise_row_ - 2, 0);
    }
    return pause;
}

bool Vad::louder_than_floor(float mean_square) {
    static const float least = dbov_to_mean_square(energy_least_dbov);
    static const float highest_floor = dbov_to_mean_square(energy_highest_floor_dbov);
    const bool voiced = mean_square > floor_ * margin_ && mean_square > least;
    if (mean_square < floor_) {
        floor_ += (mean_square - floor_) * floor_fall;
    } else {
        floor_ = std::min(floor_ * floor_rise_, highest_floor);
    }
    return voiced;
}

}  // namespace jackfield::media
