#pragma once

// The text side of a voice that synthesises piece by piece: what was given, what may be spoken by
// now, and where to cut it. No threads, no clock.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::sdk::tts {

/// Where text is cut. A sentence's end always cuts. A comma cuts late only: every cut costs the
/// sentence its melody.
struct CutRules {
    std::size_t clause_min = 80;  /// bytes before a comma, colon or semicolon cuts
    std::size_t piece_max = 200;  /// bytes after which text is cut between words, wherever that is
};

/// A stretch of text that is synthesised at once. `from` and `to` are byte offsets in all text
/// given to the stream.
struct Piece {
    std::string text;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};

/// Characters, that is bytes that do not continue one.
inline std::size_t count_characters(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;
    }));
}

/// Something that a voice would pronounce: a letter or a digit, or anything beyond ASCII.
inline bool is_speakable(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c & 0x80);
    });
}

namespace detail {

inline bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
inline bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool is_closing(char c) {
    return c == ')' || c == ']' || c == '"' || c == '\'';
}

inline std::size_t past_spaces(std::string_view text, std::size_t at) {
    while (at < text.size() && is_space(text[at])) ++at;
    return at;
}

/// True when the word that ends before `dot` is a title or an initial, which a full stop does not
/// end a sentence after.
inline bool is_abbreviation(std::string_view text, std::size_t dot) {
    std::size_t from = dot;
    while (from > 0 && is_letter(text[from - 1])) --from;
    const std::size_t length = dot - from;
    if (length == 1) return true;
    if (length == 0 || length > 4) return false;
    std::array<char, 4> lower{};
    for (std::size_t i = 0; i < length; ++i) lower[i] = static_cast<char>(text[from + i] | 0x20);
    const std::string_view word(lower.data(), length);
    for (const std::string_view title :
         {"mr", "mrs", "ms", "dr", "st", "prof", "jr", "sr", "rev", "no", "vs", "gen", "lt", "mt"})
        if (word == title) return true;
    return false;
}

/// The end of the sentence whose stop stands at `at`, with the spaces after it; 0 when it ends
/// none, or when that can't be known before more text arrives.
inline std::size_t sentence_end(std::string_view text, std::size_t at) {
    const char stop = text[at];
    if (stop == '\n') return past_spaces(text, at);
    if (stop != '.' && stop != '!' && stop != '?') return 0;
    std::size_t end = at;
    while (end < text.size() && (text[end] == '.' || text[end] == '!' || text[end] == '?')) ++end;
    while (end < text.size() && is_closing(text[end])) ++end;
    const bool plain_dot = stop == '.' && end == at + 1;
    if (plain_dot && is_abbreviation(text, at)) return 0;
    // "3." may become "3.5".
    if (end == text.size()) return plain_dot && at > 0 && is_digit(text[at - 1]) ? 0 : end;
    if (!is_space(text[end])) return 0;
    const std::size_t next = past_spaces(text, end);
    if (stop == '.' && next < text.size() && text[next] >= 'a' && text[next] <= 'z') return 0;
    return next;
}

/// The end of the clause whose mark stands at `at`; 0 for none.
inline std::size_t clause_end(std::string_view text, std::size_t at) {
    const char mark = text[at];
    if (mark != ',' && mark != ';' && mark != ':') return 0;
    if (at + 1 >= text.size() || !is_space(text[at + 1])) return 0;
    return past_spaces(text, at + 1);
}

/// A cut within the first `longest` bytes, after a space if there is one, and never inside a
/// character.
inline std::size_t forced_cut(std::string_view text, std::size_t longest) {
    const std::size_t space = text.substr(0, longest).find_last_of(" \t\r\n");
    if (space != std::string_view::npos && space > 0) return space + 1;
    std::size_t cut = longest;
    while (cut > 1 && (static_cast<unsigned char>(text[cut]) & 0xc0u) == 0x80u) --cut;
    return cut;
}

}  // namespace detail

/// How many bytes of `text` may be spoken as one piece; 0 when more should come first.
inline std::size_t find_cut(std::string_view text, const CutRules& rules) {
    for (std::size_t at = 0; at < text.size() && at < rules.piece_max; ++at) {
        if (const std::size_t end = detail::sentence_end(text, at)) return end;
        if (at + 1 < rules.clause_min) continue;
        if (const std::size_t end = detail::clause_end(text, at)) return end;
    }
    return text.size() > rules.piece_max ? detail::forced_cut(text, rules.piece_max) : 0;
}

/// The text of one stream that waits to be spoken.
class TextQueue {
  public:
    explicit TextQueue(CutRules rules = {}) : rules_(rules) {}

    void append(std::string_view text) {
        text_ += text;
        given_ += text.size();
    }
    /// Everything given so far may be spoken without waiting for more.
    void flush() { flushed_ = text_.size(); }
    void clear() {
        text_.clear();
        flushed_ = 0;
    }

    /// Bytes given since the stream opened, cleared ones included.
    std::uint64_t given() const { return given_; }
    std::size_t waiting_characters() const { return count_characters(text_); }
    bool empty() const { return text_.empty(); }

    /// The first piece that may be spoken now. It stays in the queue until it is dropped.
    std::optional<Piece> next() const {
        const std::string_view part =
            flushed_ ? std::string_view(text_).substr(0, flushed_) : std::string_view(text_);
        std::size_t cut = find_cut(part, rules_);
        if (cut == 0 && flushed_) cut = flushed_;
        if (cut == 0) return std::nullopt;
        const std::uint64_t from = given_ - text_.size();
        return Piece{text_.substr(0, cut), from, from + cut};
    }
    void drop(const Piece& piece) {
        text_.erase(0, piece.text.size());
        flushed_ -= std::min(flushed_, piece.text.size());
    }

  private:
    CutRules rules_;
    std::string text_;
    std::size_t flushed_ = 0;  // bytes of text_ that were flushed
    std::uint64_t given_ = 0;
};

}  // namespace jackfield::sdk::tts
