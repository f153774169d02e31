#include "speech_prompts.hpp"

#include "media/wav.hpp"

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

namespace jackfield::media {
namespace {

const std::string folder = "/usr/share/asterisk/sounds/en_US_f_Allison";
const char* const install =
    "human recordings are missing: apt-get install asterisk-core-sounds-en-wav";

}  // namespace

std::vector<std::int16_t> human_prompt(const std::string& name) {
    base::Result<WavFile> file = read_wav(folder + "/" + name + ".wav");
    if (!file) {
        ADD_FAILURE() << install << " (" << file.error().text() << ")";
        return {};
    }
    return file->channel(0);
}

std::vector<std::vector<std::int16_t>> human_sentences() {
    std::vector<std::vector<std::int16_t>> sentences;
    std::error_code code;
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
        if (entry.path().extension() == ".wav") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
        base::Result<WavFile> file = read_wav(path.string());
        if (file && file->info.rate_hz == 8000 && file->info.frames() > 8000) {
            sentences.push_back(file->channel(0));
        }
    }
    if (sentences.empty()) ADD_FAILURE() << install;
    return sentences;
}

}  // namespace jackfield::media
