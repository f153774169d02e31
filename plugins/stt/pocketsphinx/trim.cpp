#include "trim.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::pocketsphinx {

std::uint64_t Utterance::Speech::position_of(std::size_t index) const {
    const auto after = std::upper_bound(pieces.begin(), pieces.end(), index,
                                        [](std::size_t wanted, const Piece& piece) { return wanted < piece.at; });
    if (after == pieces.begin()) return from;
    return std::min(to, std::prev(after)->position + (index - std::prev(after)->at));
}

void Utterance::add(std::span<const std::int16_t> samples, std::uint64_t position) {
    if (!partial_.empty() && position != partial_position_ + partial_.size()) {
        partial_.resize(frame_, 0);
        close_frame();
    }
    while (!samples.empty()) {
        if (partial_.empty()) partial_position_ = position;
        const std::size_t n = std::min(samples.size(), frame_ - partial_.size());
        partial_.insert(partial_.end(), samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(n));
        samples = samples.subspan(n);
        position += n;
        if (partial_.size() == frame_) close_frame();
    }
}

void Utterance::close_frame() {
    double power = 1e-3;
    for (const std::int16_t s : partial_) power += static_cast<double>(s) * s;
    const double rms = std::sqrt(power / static_cast<double>(frame_));
    const auto level = static_cast<float>(20 * std::log10(rms / 32768.0));
    peak_db_ = std::max(peak_db_, level);
    samples_.insert(samples_.end(), partial_.begin(), partial_.end());
    frames_.push_back({partial_position_, level});
    partial_.clear();
    forget_oldest();
}

void Utterance::forget_oldest() {
    const std::size_t keep = peak_db_ < limits_.min_level_db ? margin : limits_.max_ms / 10;
    // A quarter more than is kept, so that the buffers are not moved for each frame.
    if (frames_.size() <= keep + keep / 4) return;
    const std::size_t drop = frames_.size() - keep;
    frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(drop));
    samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(drop * frame_));
    peak_db_ = -100;
    for (const Frame& frame : frames_) peak_db_ = std::max(peak_db_, frame.level_db);
}

void Utterance::clear() {
    samples_.clear();
    frames_.clear();
    partial_.clear();
    peak_db_ = -100;
}

double Utterance::threshold_db() const {
    double threshold = std::max(peak_db_ - limits_.speech_range_db, limits_.min_level_db);
    if (frames_.size() >= 30) {
        // On a noisy line the quietest tenth is the noise. Of audio that is speech throughout it is speech, hence the bound.
        std::vector<float> levels;
        levels.reserve(frames_.size());
        for (const Frame& frame : frames_) levels.push_back(frame.level_db);
        const auto tenth = levels.begin() + static_cast<std::ptrdiff_t>(levels.size() / 10);
        std::nth_element(levels.begin(), tenth, levels.end());
        threshold = std::max(threshold, std::min(*tenth + 6.0, peak_db_ - 18.0));
    }
    return threshold;
}

std::uint32_t Utterance::speech_ms() const {
    const double threshold = threshold_db();
    return static_cast<std::uint32_t>(10 * std::count_if(frames_.begin(), frames_.end(), [&](const Frame& frame) {
        return frame.level_db >= threshold;
    }));
}

std::uint32_t Utterance::pause_ms() const {
    const double threshold = threshold_db();
    std::uint32_t frames = 0;
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame, ++frames)
        if (frame->level_db >= threshold) return frames * 10;
    return 0;
}

std::uint64_t Utterance::speech_end() const {
    const double threshold = threshold_db();
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame)
        if (frame->level_db >= threshold) return frame->position + frame_;
    return 0;
}

Utterance::Speech Utterance::speech() const {
    Speech out;
    const double threshold = threshold_db();
    std::size_t kept_until = 0;  // frames before this are decided
    for (std::size_t i = 0; i < frames_.size(); ++i) {
        if (frames_[i].level_db < threshold) continue;
        const std::size_t first = std::max(kept_until, i >= margin ? i - margin : 0);
        const std::size_t last = std::min(frames_.size(), i + margin + 1);
        for (std::size_t k = first; k < last; ++k) {
            if (out.pieces.empty() || frames_[k].position != frames_[k - 1].position + frame_ || k > kept_until)
                out.pieces.push_back({out.samples.size(), frames_[k].position});
            const auto begin = samples_.begin() + static_cast<std::ptrdiff_t>(k * frame_);
            out.samples.insert(out.samples.end(), begin, begin + static_cast<std::ptrdiff_t>(frame_));
            kept_until = k + 1;
        }
    }
    if (!out.pieces.empty()) {
        out.from = out.pieces.front().position;
        out.to = frames_[kept_until - 1].position + frame_;
    }
    return out;
}

}  // namespace jackfield::pocketsphinx
