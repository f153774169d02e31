#include "verdict.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::pocketsphinx {
namespace {

/// Of speech that no word explains: two nats a frame when it is all of it. Of 0 to 4 this parted the recordings best, with and without
/// added noise.
constexpr double unexplained_cost = 2.0;

}  // namespace

float confidence_of(double distance, double margin) {
    return static_cast<float>(1.0 / (1.0 + std::exp(1.1 * (distance - margin))));
}

Verdict judge(const Heard& heard, std::uint32_t speech_ms, const Options& options) {
    using Reason = Verdict::Reason;
    Verdict out;
    if (speech_ms < options.min_speech_ms) return out;
    out.reason = Reason::no_path;
    if (heard.words.empty() || heard.frames == 0) return out;

    const double unexplained = 1.0 - std::min(1.0, static_cast<double>(heard.word_frames) / heard.frames);
    out.distance = heard.distance + unexplained_cost * unexplained;
    out.confidence = confidence_of(out.distance, options.reject_margin);
    const double words_per_s = static_cast<double>(heard.words.size()) * 100.0 / std::max(1u, heard.word_frames);
    // A lone short word is not fast: "a" lasts a tenth of a second.
    if (heard.words.size() > 2 && words_per_s > options.max_words_per_s) out.reason = Reason::too_fast;
    else out.reason = out.distance > options.reject_margin ? Reason::too_far : Reason::accepted;
    return out;
}

const char* name_of(Verdict::Reason reason) {
    switch (reason) {
        case Verdict::Reason::accepted: return "accepted";
        case Verdict::Reason::no_speech: return "no_speech";
        case Verdict::Reason::no_path: return "no_path";
        case Verdict::Reason::too_fast: return "too_fast";
        case Verdict::Reason::too_far: return "too_far";
    }
    return "unknown";
}

}  // namespace jackfield::pocketsphinx
