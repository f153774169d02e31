#include "ascii_text.hpp"

#include <cstdint>

namespace jackfield::tts_flite {
namespace {

struct Decoded {
    std::uint32_t code;
    std::size_t length;
};

/// One character; a byte that begins none decodes to itself alone, as a space.
Decoded decode(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
    if (length == 1 || at + length > text.size()) return {' ', 1};
    std::uint32_t code = lead & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xc0u) != 0x80u) return {' ', 1};
        code = code << 6 | (byte(at + i) & 0x3fu);
    }
    return {code, length};
}

// U+00C0 to U+00FF, the accented letters of western Europe.
constexpr std::string_view latin_1[64] = {
    "A", "A", "A", "A", "A", "A", "AE", "C", "E", "E", "E", "E", "I", "I", "I",  "I",   //
    "D", "N", "O", "O", "O", "O", "O",  " ", "O", "U", "U", "U", "U", "Y", "Th", "ss",  //
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",   //
    "d", "n", "o", "o", "o", "o", "o",  " ", "o", "u", "u", "u", "u", "y", "th", "y"};

std::string_view plain_form(std::uint32_t code) {
    if (code >= 0xc0 && code <= 0xff) return latin_1[code - 0xc0];
    switch (code) {
        case 0x2018:
        case 0x2019:
        case 0x02bc:
            return "'";
        case 0x201c:
        case 0x201d:
        case 0xab:
        case 0xbb:
            return "\"";
        case 0x2010:
        case 0x2011:
            return "-";
        case 0x2012:
        case 0x2013:
        case 0x2014:
        case 0x2026:
            return ", ";
        case 0xa3:
            return " pounds ";
        case 0x20ac:
            return " euros ";
        case 0xb0:
            return " degrees ";
        case 0x152:
            return "OE";
        case 0x153:
            return "oe";
        case 0x160:
            return "S";
        case 0x161:
            return "s";
        case 0x17d:
            return "Z";
        case 0x17e:
            return "z";
        default:
            return " ";
    }
}

bool is_word_byte(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

AsciiText to_ascii(std::string_view utf8) {
    constexpr std::size_t longest_word = 40;
    AsciiText out;
    std::size_t word = 0;
    const auto put = [&](char c, std::size_t origin) {
        word = is_word_byte(c) ? word + 1 : 0;
        if (word > longest_word) {
            out.text += ' ';
            out.origin.push_back(origin);
            word = 1;
        }
        out.text += c;
        out.origin.push_back(origin);
    };
    for (std::size_t at = 0; at < utf8.size();) {
        const Decoded character = decode(utf8, at);
        if (character.code < 0x80) {
            put(character.code >= 0x20 && character.code != 0x7f ? static_cast<char>(character.code)
                                                                 : ' ',
                at);
        } else {
            for (const char c : plain_form(character.code)) put(c, at);
        }
        at += character.length;
    }
    out.origin.push_back(utf8.size());
    return out;
}

}  // namespace jackfield::tts_flite
