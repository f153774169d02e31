#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "simulators/plugins/spoken.hpp"

namespace jackfield::telephony_sim {

/// What a caller makes of the agent's audio: the words of a simulated voice by their tones, also those that are cut, faded, ducked or do
/// not begin with a packet. A word ends where it is quiet for 10 ms.
class Ear {
  public:
    struct Word {
        std::uint64_t at_ms = 0;
        unsigned half_period = 0;    ///< of the tone, in samples; 0: no tone
        unsigned amplitude = 0;      ///< 0 to 15; 16: not at its full loudness
        std::uint64_t samples = 0;
    };

    /// One packet, at so many milliseconds since the answer. True when something in it was audible.
    bool hear(std::span<const std::uint8_t> codes, std::uint64_t at_ms);
    /// Nothing more comes.
    void close();

    const std::vector<Word>& words() const { return words_; }

  private:
    void hear_sample(std::uint8_t code, std::uint64_t at_ms);
    void vote_run();

    static constexpr unsigned gap_samples = 80;
    static constexpr std::uint8_t quiet_from = 0x60; ///< of the code without its sign, which grows as it gets quieter

    std::vector<Word> words_;
    Word word_;
    bool in_word_ = false;
    unsigned quiet_ = 0;
    bool positive_ = false;
    unsigned run_ = 0;
    // Majority votes over the word.
    unsigned half_ = 0;
    unsigned half_votes_ = 0;
    std::uint8_t level_ = 0;
    unsigned level_votes_ = 0;
};

/// "at tone samples;" of each: the tone, ?h where only the half period h is known, ? where nothing is.
std::string to_text(const std::vector<Ear::Word>& words);

}  // namespace jackfield::telephony_sim
