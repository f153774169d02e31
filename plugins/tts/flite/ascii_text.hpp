#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::tts_flite {

/// Text as Flite can read it, and where each byte of it came from.
struct AsciiText {
    std::string text;
    /// One more than text has bytes: origin[i] is how many bytes of the original stand before
    /// text[i].
    std::vector<std::size_t> origin;

    std::size_t original_offset(std::size_t at) const {
        return origin[at < origin.size() ? at : origin.size() - 1];
    }
};

/// Flite's English front end reads ASCII, and takes bytes above it for letters that its lexicon
/// can't spell. Typographic marks and accented Latin letters get their plain forms, other
/// characters become spaces, so that no input reaches Flite unseen. Runs of more than 40 letters or
/// digits are broken: no word is that long, and Flite's time grows with the square of it.
AsciiText to_ascii(std::string_view utf8);

}  // namespace jackfield::tts_flite
