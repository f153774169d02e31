#pragma once

#include <cstdint>

#include "config.hpp"
#include "decoder.hpp"

namespace jackfield::pocketsphinx {

/// Whether what was heard is believed. The library forces anything that is said into the grammar, and its own confidence is always
/// 0 for grammars, so this looks at how far the words' sounds lie from the best that the model could have made of them.
struct Verdict {
    enum class Reason { accepted, no_speech, no_path, too_fast, too_far };
    Reason reason = Reason::no_speech;
    double distance = 0;    // nats per frame, with what the words left unexplained added
    float confidence = 0;   // of the words, from the same distance

    bool accepted() const { return reason == Reason::accepted; }
};

Verdict judge(const Heard& heard, std::uint32_t speech_ms, const Options& options);

/// 0.5 at `margin`, 0.9 two nats nearer.
float confidence_of(double distance, double margin);

const char* name_of(Verdict::Reason reason);

}  // namespace jackfield::pocketsphinx
