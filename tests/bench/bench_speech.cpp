#include "bench/bench_speech.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <vector>

#include "simulators/audio.hpp"

namespace jackfield::bench {
namespace {

namespace fs = std::filesystem;

/// Of two to five seconds each, as people are who choose an appointment; with shorter ones a call would be little else than turns.
const std::vector<std::vector<const char*>> utterances = {
    {"day-1", "at", "9", "a-m", "day-4", "at", "2", "p-m"},
    {"day-4", "at", "10", "a-m", "day-5"},
    {"2", "p-m", "day-2", "at", "11", "a-m", "day-3", "at", "9", "a-m"},
    {"day-5", "at", "11", "a-m"},
    {"10", "a-m", "day-1", "at", "3", "p-m"},
};

std::string prompts() {
    for (const char* folder : {"/usr/share/asterisk/sounds/en_US_f_Allison/digits/", "/usr/share/asterisk/sounds/en/digits/"})
        if (fs::exists(std::string(folder) + "day-1.wav")) return folder;
    throw std::runtime_error("no recorded speech: apt-get install asterisk-core-sounds-en-wav");
}

/// The prompts stand in silence; between the words of a sentence there is none.
sim::Pcm word_of(const std::string& file) {
    const sim::Pcm spoken = sim::read_speech(file);
    const auto loud = [](std::int16_t s) { return std::abs(s) > 300; };
    const auto first = std::find_if(spoken.begin(), spoken.end(), loud);
    const auto last = std::find_if(spoken.rbegin(), spoken.rend(), loud).base();
    return first < last ? sim::Pcm(first, last) : sim::Pcm();
}

void add_noise(sim::Pcm& samples, double dbov) {
    std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): every run is to hear the same noise
    // Twelve uniform values make a good enough normal one, and unlike std's distribution the same one everywhere.
    const double rms = 32768 * std::pow(10, dbov / 20);
    for (std::int16_t& sample : samples) {
        double normal = -6;
        for (int i = 0; i < 12; ++i) normal += static_cast<double>(random()) / static_cast<double>(std::mt19937::max());
        sample = static_cast<std::int16_t>(std::clamp(static_cast<double>(sample) + normal * rms, -32768.0, 32767.0));
    }
}

}  // namespace

double write_speech(const std::string& file, double share, std::optional<double> noise_dbov) {
    const std::string folder = prompts();
    sim::Wav wav;
    std::size_t voiced = 0;
    for (const auto& words : utterances) {
        std::size_t talked = 0;
        for (const char* word : words) {
            const sim::Pcm spoken = word_of(folder + word + ".wav");
            wav.samples.insert(wav.samples.end(), spoken.begin(), spoken.end());
            talked += spoken.size();
        }
        wav.samples.resize(wav.samples.size() + static_cast<std::size_t>(static_cast<double>(talked) * (1 - share) / share), 0);
        voiced += talked;
    }
    wav.samples.resize(wav.samples.size() / sim::frame_samples * sim::frame_samples);
    if (noise_dbov) add_noise(wav.samples, *noise_dbov);
    sim::write_wav(file, wav);
    return static_cast<double>(voiced) / static_cast<double>(wav.samples.size());
}

}  // namespace jackfield::bench
