#pragma once

// How simulated people and machines speak: every word is a tone of its own, so that a simulated recogniser can write down what was said
// from nothing but the audio. Loud enough for any voice detector that goes by level. All of it PCMU at 8 kHz in packets of 20 ms.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::sim {

inline constexpr std::size_t packet_samples = 160;
inline constexpr std::uint64_t packet_ns = 20'000'000;
using Packet = std::array<std::uint8_t, packet_samples>;

/// What a packet sounds like: a word's number, or one of these two.
using Sound = std::uint8_t;
inline constexpr Sound noise = 0xfe; ///< a cough: voiced, and no word
inline constexpr Sound quiet = 0xff;

/// All that simulated callers can say.
inline constexpr std::array<std::string_view, 68> vocabulary = {
    "i",       "would",     "like",   "to",       "book",    "make",   "an",       "appointment", "need",    "want",  "monday", "tuesday",
    "wednesday", "thursday", "friday", "saturday", "sunday",  "at",     "nine",     "ten",         "eleven",  "two",   "three",  "four",
    "five",    "six",       "seven",  "eight",    "one",     "zero",   "thirty",   "in",          "the",     "morning", "afternoon", "yes",
    "no",      "please",    "thank",  "you",      "goodbye", "what",   "are",      "your",        "opening", "hours", "when",   "open",
    "can",     "speak",     "a",      "person",   "repeat",  "that",   "help",     "is",          "all",     "now",   "never",  "mind",
    "stop",    "wait",      "mhm",    "okay",     "banana",  "bicycle", "seventeen", "correct"};

inline std::optional<Sound> sound_of(std::string_view word) {
    const auto found = std::find(vocabulary.begin(), vocabulary.end(), word);
    if (found == vocabulary.end()) return std::nullopt;
    return static_cast<Sound>(found - vocabulary.begin());
}

/// Packets that a word lasts: 150 ms and 30 ms a letter, about the pace of a person on the telephone.
inline std::size_t packets_of(std::string_view word) { return (150 + 30 * word.size()) / 20; }

/// The sound's packet: a square wave whose amplitude (one of 16 loud mu-law codes) and half period (2 to 17 samples) say which it is. Each packet
/// starts the wave anew.
inline const Packet& packet_of(Sound sound) {
    static const auto all = [] {
        auto packets = std::make_unique<std::array<Packet, 256>>();
        for (std::size_t s = 0; s < 255; ++s) {
            const auto positive = static_cast<std::uint8_t>(0x90 + s / 16);
            const std::size_t half = s % 16 + 2;
            for (std::size_t i = 0; i < packet_samples; ++i)
                (*packets)[s][i] = static_cast<std::uint8_t>((i / half) % 2 ? positive & 0x7f : positive);
        }
        (*packets)[quiet].fill(0xff);
        return packets;
    }();
    return (*all)[sound];
}

/// What a packet of audio says. A packet that is no such wave (faded, cut, concealed) is noise where it is loud.
inline Sound hear(std::span<const std::uint8_t> codes) {
    if (codes.empty() || (codes[0] | 0x8f) == 0xff) return quiet;
    const std::size_t amplitude = static_cast<std::size_t>(codes[0] & 0x7f) - 0x10;
    std::size_t half = 1;
    while (half < codes.size() && codes[half] == codes[0]) ++half;
    if (amplitude > 15 || half < 2 || half > 17) return noise;
    return static_cast<Sound>(amplitude * 16 + half - 2);
}

/// Whether anybody would call the packet silent: a few samples tell.
inline bool is_audible(std::span<const std::uint8_t> codes) {
    for (std::size_t i = 0; i < codes.size(); i += 16)
        if ((codes[i] & 0x7f) < 0x60) return true;
    return false;
}

/// The tone in which a simulated voice says a word, any word.
inline Sound tone_of(std::string_view word) {
    std::uint32_t hash = 2166136261;
    for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
    return static_cast<Sound>(hash % 254);
}

/// The words of a text, packet by packet, with a short closure behind each.
inline std::vector<Sound> speak(std::string_view text) {
    std::vector<Sound> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (word.empty()) continue;
        out.insert(out.end(), packets_of(word), sound_of(word).value_or(noise));
        out.push_back(quiet);
    }
    return out;
}

}  // namespace jackfield::sim
