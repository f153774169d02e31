#include "ear.hpp"

#include <algorithm>
#include <utility>

namespace jackfield::telephony_sim {

bool Ear::hear(std::span<const std::uint8_t> codes, std::uint64_t at_ms) {
    // Most of what comes is silence.
    if (!in_word_ && std::equal(codes.begin(), codes.end(), sim::packet_of(sim::quiet).begin(), sim::packet_of(sim::quiet).end())) return false;
    bool audible = false;
    for (const std::uint8_t code : codes) {
        if ((code & 0x7f) < quiet_from) {
            audible = true;
            quiet_ = 0;
            hear_sample(code, at_ms);
        } else if (in_word_ && ++quiet_ >= gap_samples) {
            close();
        }
    }
    return audible;
}

void Ear::hear_sample(std::uint8_t code, std::uint64_t at_ms) {
    if (!in_word_) {
        in_word_ = true;
        word_ = {};
        word_.at_ms = at_ms;
        half_votes_ = level_votes_ = run_ = 0;
    }
    ++word_.samples;
    const bool positive = code & 0x80;
    if (run_ > 0 && positive != positive_) vote_run();
    positive_ = positive;
    ++run_;
    const auto level = static_cast<std::uint8_t>(code & 0x7f);
    if (level_votes_ == 0) level_ = level;
    if (level == level_) ++level_votes_;
    else --level_votes_;
}

void Ear::vote_run() {
    if (half_votes_ == 0) half_ = run_;
    if (run_ == half_) ++half_votes_;
    else --half_votes_;
    run_ = 0;
}

void Ear::close() {
    if (!std::exchange(in_word_, false)) return;
    word_.half_period = half_votes_ > 0 && half_ >= 2 && half_ <= 17 ? half_ : 0;
    word_.amplitude = level_votes_ > 0 && level_ >= 0x10 && level_ <= 0x1f ? level_ - 0x10u : 16;
    words_.push_back(word_);
    quiet_ = 0;
}

std::string to_text(const std::vector<Ear::Word>& words) {
    std::string out;
    for (const Ear::Word& word : words) {
        out += std::to_string(word.at_ms) + ' ';
        if (word.half_period == 0) out += '?';
        else if (word.amplitude == 16) out += '?' + std::to_string(word.half_period);
        else out += std::to_string(word.amplitude * 16 + word.half_period - 2);
        out += ' ' + std::to_string(word.samples) + ';';
    }
    return out;
}

}  // namespace jackfield::telephony_sim
