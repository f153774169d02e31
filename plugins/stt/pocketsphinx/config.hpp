#pragma once

#include <jackfield/sdk/plugin.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace jackfield::pocketsphinx {

/// The options of plugin.json, where each is described.
struct Options {
    std::string model_dir;
    std::string dictionary;
    std::vector<std::string> pronunciations;
    std::size_t decoders = 4;
    std::size_t max_decoders = 8;
    std::size_t searches_per_decoder = 16;
    std::size_t max_streams = 512;
    std::size_t max_waiting = 64;
    std::uint32_t buffer_ms = 12000;
    std::uint32_t max_utterance_ms = 15000;
    std::vector<std::string> default_phrases;
    double join_probability = 0.05;
    double carrier_probability = 0.02;
    std::vector<std::string> carrier_phrases;
    double image_db = -9;
    double reject_margin = 6.4;
    std::uint32_t min_speech_ms = 120;
    double min_level_db = -55;
    double speech_range_db = 30;
    double max_words_per_s = 7;
    std::uint32_t eager_pause_ms = 160;
    std::uint32_t partial_interval_ms = 400;
};

/// Throws sdk::Failure for options that contradict each other.
Options read_options(const sdk::Config& config);

/// Throws sdk::Failure with the missing path and the package that has it.
void check_model(const Options& options);

}  // namespace jackfield::pocketsphinx
