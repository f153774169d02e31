#include "config.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace jackfield::pocketsphinx {
namespace {

std::vector<std::string> list_or(const sdk::Config& config, std::string_view key, std::initializer_list<const char*> otherwise) {
    std::vector<std::string> given = config.list(key);
    // An empty array and an absent one look alike in the flattened pairs; the checked JSON tells them apart.
    if (!given.empty() || config.json().find('"' + std::string(key) + '"') != std::string::npos) return given;
    return {otherwise.begin(), otherwise.end()};
}

template <typename T>
T whole(const sdk::Config& config, std::string_view key, T otherwise) {
    return static_cast<T>(std::max<std::int64_t>(0, config.integer(key, static_cast<std::int64_t>(otherwise))));
}

}  // namespace

Options read_options(const sdk::Config& config) {
    Options o;
    o.model_dir = config.text("model_dir", "/usr/share/pocketsphinx/model/en-us/en-us");
    o.dictionary = config.text("dictionary", "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict");
    o.pronunciations = config.list("pronunciations");
    o.decoders = whole(config, "decoders", o.decoders);
    o.max_decoders = whole(config, "max_decoders", o.max_decoders);
    o.searches_per_decoder = std::max<std::size_t>(1, whole(config, "searches_per_decoder", o.searches_per_decoder));
    o.max_streams = whole(config, "max_streams", o.max_streams);
    o.max_waiting = whole(config, "max_waiting", o.max_waiting);
    o.buffer_ms = whole(config, "buffer_ms", o.buffer_ms);
    o.max_utterance_ms = whole(config, "max_utterance_ms", o.max_utterance_ms);
    o.default_phrases = list_or(config, "default_phrases",
                                {"yes", "no", "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
                                 "help", "operator"});
    o.join_probability = config.real("join_probability", o.join_probability);
    o.carrier_probability = config.real("carrier_probability", o.carrier_probability);
    o.carrier_phrases = list_or(config, "carrier_phrases", {"please", "thank you", "um", "uh"});
    o.image_db = config.real("image_db", o.image_db);
    o.reject_margin = config.real("reject_margin", o.reject_margin);
    o.min_speech_ms = whole(config, "min_speech_ms", o.min_speech_ms);
    o.min_level_db = config.real("min_level_db", o.min_level_db);
    o.speech_range_db = config.real("speech_range_db", o.speech_range_db);
    o.max_words_per_s = config.real("max_words_per_s", o.max_words_per_s);
    o.eager_pause_ms = whole(config, "eager_pause_ms", o.eager_pause_ms);
    o.partial_interval_ms = whole(config, "partial_interval_ms", o.partial_interval_ms);
    if (o.decoders == 0 || o.max_decoders < o.decoders)
        throw sdk::Failure(JF_E_INVALID, "max_decoders must be at least decoders, and decoders at least 1");
    return o;
}

void check_model(const Options& options) {
    std::error_code ignored;
    // libpocketsphinx ends the process for some damaged models: absence at least is found out here.
    for (const char* file : {"mdef", "means", "variances", "transition_matrices", "feat.params", "noisedict"}) {
        const std::filesystem::path path = std::filesystem::path(options.model_dir) / file;
        if (!std::filesystem::exists(path, ignored))
            throw sdk::Failure(JF_E_NOT_FOUND, "model_dir: " + path.string() + " is missing: apt install pocketsphinx-en-us");
    }
    if (!std::filesystem::exists(options.dictionary, ignored))
        throw sdk::Failure(JF_E_NOT_FOUND, "dictionary: " + options.dictionary + " is missing: apt install pocketsphinx-en-us");
}

}  // namespace jackfield::pocketsphinx
