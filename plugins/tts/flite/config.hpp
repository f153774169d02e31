#pragma once

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/sdk/tts.hpp>

#include <string>

namespace jackfield::tts_flite {

/// The options of plugin.json.
struct Config {
    std::string voice = "slt";
    double speed = 1.0;
    int pitch_hz = 0;
    double gain_db = 0;

    static Config from(const sdk::Config& given);
    sdk::tts::Options stream_options() const;
};

}  // namespace jackfield::tts_flite
