#pragma once

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/sdk/tts.hpp>

#include <string>
#include <string_view>

namespace jackfield::tts_espeak_ng {

/// The options of plugin.json.
struct Config {
    std::string command = "espeak-ng";
    std::string voice;
    int words_per_minute = 165;
    int pitch = 50;
    double gain_db = 0;
    int child_timeout_ms = 4000;

    static Config from(const sdk::Config& given);
    sdk::tts::Options stream_options() const;
    /// What -v gets: the stream's own voice, the configured one, the language's, US English; the
    /// first that is not empty. Throws Failure when it could be taken for something else than a
    /// voice.
    std::string voice_for(std::string_view name, std::string_view language) const;
};

}  // namespace jackfield::tts_espeak_ng
