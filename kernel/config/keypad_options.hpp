#pragma once

#include "config/option_table.hpp"

#include <chrono>
#include <string>

namespace jackfield::config {

/// Where keys are heard: as events beside the audio, as tones in it, or (automatic) as tones where
/// the carrier says that it sends no events.
enum class DtmfSource { automatic, events, inband, both };

/// `[agents.x.keypad]`: what a caller's keys are, and when an entry of several is complete.
struct KeypadOptions {
    using ms = std::chrono::milliseconds;

    DtmfSource dtmf = DtmfSource::automatic;
    /// 0: as many as the model expects, or any number.
    int max_digits = 0;
    /// One of 0-9 * # A-D, or empty.
    std::string terminator = "#";
    ms inter_digit{3000};
    /// 0: as turn.nudge_after_ms.
    ms first_digit{0};
};

OptionTable keypad_option_table();

KeypadOptions read_keypad_options(const Value& checked, Problems& problems);

}  // namespace jackfield::config
