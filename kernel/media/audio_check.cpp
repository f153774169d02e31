#include "media/audio_check.hpp"

#include "media/level.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace jackfield::media {
namespace {

/// RMS of up to 20 ms on one side of a place.
bool is_speech(std::span<const std::int16_t> audio, float speech_dbov) {
    return !audio.empty() && mean_square(audio) >= dbov_to_mean_square(speech_dbov);
}

std::vector<AudioGap> find_gaps(std::span<const std::int16_t> audio,
                                const AudioCheckOptions& options) {
    const auto samples = [&](std::chrono::milliseconds duration) {
        return static_cast<std::size_t>(duration.count() * options.rate_hz / 1000);
    };
    const std::size_t edge = samples(std::chrono::milliseconds(packet_ms));
    std::vector<AudioGap> gaps;
    std::size_t at = 0;
    while (at < audio.size()) {
        if (std::abs(static_cast<int>(audio[at])) > options.silence) {
            ++at;
            continue;
        }
        const std::size_t from = at;
        while (at < audio.size() && std::abs(static_cast<int>(audio[at])) <= options.silence) ++at;
        const std::size_t length = at - from;
        if (length < samples(options.gap) || length > samples(options.longest_gap)) continue;
        const std::size_t before = std::min(from, edge);
        const std::size_t behind = std::min(audio.size() - at, edge);
        if (is_speech(audio.subspan(from - before, before), options.speech_dbov) &&
            is_speech(audio.subspan(at, behind), options.speech_dbov)) {
            gaps.push_back({static_cast<SamplePos>(from), static_cast<SamplePos>(length)});
        }
    }
    return gaps;
}

/// How far a sample lies from the straight line through the two before it.
float surprise(std::span<const std::int16_t> audio, std::size_t at) {
    const float expected =
        2.0F * static_cast<float>(audio[at - 1]) - static_cast<float>(audio[at - 2]);
    return std::abs(static_cast<float>(audio[at]) - expected);
}

std::vector<SamplePos> find_clicks(std::span<const std::int16_t> audio,
                                   const AudioCheckOptions& options) {
    const std::size_t around =
        static_cast<std::size_t>(options.rate_hz) / 200;  // 5 ms on each side
    std::vector<SamplePos> clicks;
    for (std::size_t at = 2; at < audio.size(); ++at) {
        const float here = surprise(audio, at);
        if (here < options.click_least) continue;
        // A step shows in its own sample and the two behind it, which therefore stay out of the
        // comparison. The pulses of a voice are as steep as many a click, but they come every few
        // milliseconds: what counts is the steepest nearby.
        float steepest = 0;
        const std::size_t first = at > around + 2 ? at - around : 2;
        const std::size_t last = std::min(audio.size(), at + around);
        for (std::size_t i = first; i < last; ++i) {
            if (i + 2 < at || i > at + 2) steepest = std::max(steepest, surprise(audio, i));
        }
        if (here < steepest * options.click_ratio) continue;
        clicks.push_back(static_cast<SamplePos>(at));
        at += 2;
    }
    return clicks;
}

}  // namespace

AudioDefects check_audio(std::span<const std::int16_t> audio, const AudioCheckOptions& options) {
    return {find_gaps(audio, options), find_clicks(audio, options)};
}

}  // namespace jackfield::media
