#pragma once

#include "media/types.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace jackfield::media {

struct AudioCheckOptions {
    int rate_hz = narrowband_hz;
    /// Silence this long between two pieces of speech is a hole. People pause too, but not in
    /// digital silence.
    std::chrono::milliseconds gap{15};
    /// Longer silence is a pause.
    std::chrono::milliseconds longest_gap{400};
    std::int16_t silence = 16;
    /// How loud both edges of a hole are.
    float speech_dbov = -45.0F;
    /// A step that neither the slope before it nor the sound around it explains. With these figures
    /// half of the cuts through a voice are found, and 20 minutes of human speech show one false
    /// click in 20 s.
    float click_least = 2000.0F;
    float click_ratio = 3.0F;
};

struct AudioGap {
    SamplePos from = 0;
    SamplePos samples = 0;
};

struct AudioDefects {
    std::vector<AudioGap> gaps;
    std::vector<SamplePos> clicks;
};

/// Looks through recorded audio for holes within speech and for clicks: what a listener would
/// complain about. For tests and reports, not for the audio path.
AudioDefects check_audio(std::span<const std::int16_t> audio,
                         const AudioCheckOptions& options = {});

}  // namespace jackfield::media
