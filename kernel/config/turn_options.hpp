#pragma once

#include "config/option_table.hpp"

#include <chrono>
#include <string>

namespace jackfield::config {

/// What hears the caller speak: the packaged WebRTC VAD after noise suppression, without it, or a
/// level threshold.
enum class VadKind { denoised, plain, energy };

/// What happens to the agent's speech while it is open whether the caller interrupts.
enum class WhileDeciding { pause, quieter };

/// How one agent takes turns. Each field is the TOML option of its name with `_ms`
/// (`[agents.x.turn] endpoint_ms`); the values here are the defaults, and turn_options.cpp says
/// what each one does.
struct TurnOptions {
    using ms = std::chrono::milliseconds;

    ms speech_start{100};
    ms speech_stop{200};
    ms endpoint{600};
    ms endpoint_cap{3000};
    bool adaptive_endpoint = true;
    ms endpoint_least{300};
    ms endpoint_most{1500};
    ms dictation_endpoint{1500};
    ms dictation_endpoint_cap{4000};
    ms stuck_turn{5000};
    /// -1 ms: the recogniser's own 99th percentile, less speech_stop.
    ms final_wait{-1};
    ms pre_roll{500};
    bool speculate = true;
    ms speculate_within{10000};
    int speculate_tries = 3;
    ms barge_in{200};
    WhileDeciding while_deciding = WhileDeciding::pause;
    ms barge_in_confirm{500};
    /// Instead of barge_in on a line that gives the agent's own voice back; zero: nobody looks for it.
    ms barge_in_echo{320};
    int barge_in_words = 2;
    ms resume_after{600};
    ms greeting_protected{500};
    ms backchannel_guard{1000};
    int first_flush_chars = 30;
    ms first_flush{250};
    ms play_cushion{60};
    ms play_ahead{200};
    ms nudge_after{10000};
    int nudges = 1;
    ms hang_up_after_silence{25000};
    ms max_call{600000};
    ms no_media_timeout{30000};
    ms media_timeout{15000};
    ms dead_air{1500};
    ms dead_air_words{4000};
    ms filler_repeat{4000};
    int fillers_most = 3;
    ms tool_filler{700};
    ms tool_timeout{8000};
    bool waiting_tone = true;
    ms stt_timeout{1000};
    ms llm_timeout{3000};
    ms tts_timeout{1500};
    ms hedge_floor{600};
    ms answer_after{0};
    VadKind vad = VadKind::denoised;
    int vad_mode = 2;
};

OptionTable turn_option_table();

/// Reads a value that `check(turn_option_table(), ...)` returned, and reports options that
/// contradict each other.
TurnOptions read_turn_options(const Value& checked, Problems& problems);

}  // namespace jackfield::config
