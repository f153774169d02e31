#include "config.hpp"

#include <algorithm>

namespace jackfield::tts_espeak_ng {
namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// espeak-ng takes a voice for a file name below its data folder, so no dots and slashes.
bool is_voice(std::string_view name) {
    return !name.empty() && name.size() <= 40 && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
           });
}

int clamped(const sdk::Config& given, std::string_view key, int otherwise, int low, int high) {
    return static_cast<int>(std::clamp<std::int64_t>(given.integer(key, otherwise), low, high));
}

}  // namespace

Config Config::from(const sdk::Config& given) {
    Config config;
    config.command = given.text("command", config.command);
    config.voice = given.text("voice", config.voice);
    config.words_per_minute = clamped(given, "words_per_minute", config.words_per_minute, 80, 400);
    config.pitch = clamped(given, "pitch", config.pitch, 0, 99);
    config.gain_db = std::clamp(given.real("gain_db", config.gain_db), -40.0, 20.0);
    config.child_timeout_ms =
        clamped(given, "child_timeout_ms", config.child_timeout_ms, 100, 60'000);
    if (config.command.empty()) throw sdk::Failure(JF_E_INVALID, "command is empty");
    return config;
}

sdk::tts::Options Config::stream_options() const {
    sdk::tts::Options options;
    options.gain_db = gain_db;
    return options;
}

std::string Config::voice_for(std::string_view name, std::string_view language) const {
    std::string wanted(name.empty() ? voice : name);
    if (wanted.empty()) {
        wanted = language.empty() ? "en-us" : std::string(language);
        for (char& c : wanted) c = c == '_' ? '-' : is_letter(c) ? static_cast<char>(c | 0x20) : c;
    }
    if (!is_voice(wanted))
        throw sdk::Failure(JF_E_INVALID, "espeak-ng can have no voice of that name");
    return wanted;
}

}  // namespace jackfield::tts_espeak_ng
