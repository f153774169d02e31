#include "config.hpp"

#include <algorithm>

namespace jackfield::tts_flite {

Config Config::from(const sdk::Config& given) {
    Config config;
    config.voice = given.text("voice", config.voice);
    config.speed = std::clamp(given.real("speed", config.speed), 0.5, 2.0);
    config.pitch_hz = static_cast<int>(
        std::clamp<std::int64_t>(given.integer("pitch_hz", config.pitch_hz), 0, 400));
    config.gain_db = std::clamp(given.real("gain_db", config.gain_db), -40.0, 20.0);
    return config;
}

sdk::tts::Options Config::stream_options() const {
    sdk::tts::Options options;
    options.gain_db = gain_db;
    return options;
}

}  // namespace jackfield::tts_flite
