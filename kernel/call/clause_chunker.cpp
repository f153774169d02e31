#include "call/clause_chunker.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace jackfield::call {
namespace {

enum class Stop : std::uint8_t { none, word, clause, sentence };

/// A place where the text may be cut: the kind of stop, and where the text behind it begins.
struct Cut {
    Stop stop = Stop::none;
    std::size_t end = 0;
};

constexpr std::array<std::string_view, 8> closers = {
    "\"", "'", ")", "]", "}", "\u201D", "\u2019", "\u00BB"};
constexpr std::array<std::string_view, 3> full_width_stops = {"\u3002", "\uFF01", "\uFF1F"};
constexpr std::string_view ellipsis = "\u2026";
constexpr std::array<std::string_view, 2> dashes = {"\u2014", "\u2013"};

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
/// Also the capitals of Latin-1 (\u00C4), which German and French sentences begin with.
bool is_capital_at(std::string_view text, std::size_t at) {
    if (at >= text.size()) return false;
    if (is_upper(text[at])) return true;
    if (text[at] != '\xC3' || at + 1 == text.size()) return false;
    const auto second = static_cast<unsigned char>(text[at + 1]);
    return second >= 0x80 && second <= 0x9E && second != 0x97;
}
bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

template <std::size_t N>
std::size_t length_of_any(std::string_view text,
                          std::size_t at,
                          const std::array<std::string_view, N>& list) {
    for (const std::string_view item : list) {
        if (text.substr(at).starts_with(item)) return item.size();
    }
    return 0;
}

bool contains(const std::vector<std::string_view>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
    while (at < text.size() && is_space(text[at])) ++at;
    return at;
}

bool has_new_line(std::string_view text, std::size_t from, std::size_t to) {
    return text.substr(from, to - from).find('\n') != std::string_view::npos;
}

std::size_t skip_closers(std::string_view text, std::size_t at) {
    while (const std::size_t n = length_of_any(text, at, closers)) at += n;
    return at;
}

/// The word that ends before `end`, with the full stops inside it and without an opening bracket or
/// quote.
std::string_view word_before(std::string_view text, std::size_t end) {
    std::size_t begin = end;
    while (begin > 0 && !is_space(text[begin - 1])) --begin;
    while (begin < end && (text[begin] == '(' || text[begin] == '"' || text[begin] == '\''))
        ++begin;
    return text.substr(begin, end - begin);
}

std::string lower(std::string_view word) {
    std::string out(word);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    return out;
}

bool is_initial(const SentenceRules& rules, std::string_view word) {
    return word.size() == 1 && is_upper(word[0]) && word[0] != rules.single_word;
}

bool is_number(std::string_view word) {
    return !word.empty() && std::all_of(word.begin(), word.end(), is_digit);
}

bool is_title(const SentenceRules& rules, std::string_view word) {
    return is_initial(rules, word) || contains(rules.titles, lower(word));
}

/// What the full stop behind `word` means, with `next` the first character of the word behind it, 0
/// when that is not known yet.
Stop full_stop(const SentenceRules& rules,
               std::string_view word,
               char next,
               bool capital_follows,
               bool at_line_start) {
    if (is_title(rules, word)) return Stop::none;
    // "1. Bring your card": a list, not a sentence.
    if (is_number(word) && at_line_start) return Stop::none;
    // "am 3. Mai": four digits are a year or a price, and end a sentence as any word does.
    if (rules.ordinal_stop && is_number(word) && word.size() <= 2) return Stop::none;
    const std::string low = lower(word);
    if (contains(rules.number_signs, low))
        return next == 0 || is_digit(next) ? Stop::none : Stop::sentence;
    if (contains(rules.shortenings, low)) return capital_follows ? Stop::sentence : Stop::none;
    return Stop::sentence;
}

Cut cut_at_marks(const SentenceRules& rules, std::string_view text, std::size_t at) {
    std::size_t end = at;
    std::size_t dots = 0;
    bool other = false;
    for (; end < text.size() && (text[end] == '.' || text[end] == '!' || text[end] == '?'); ++end) {
        (text[end] == '.' ? ++dots : dots);
        other = other || text[end] != '.';
    }
    if (text.substr(end).starts_with(ellipsis)) {
        end += ellipsis.size();
        dots += 3;
    }
    const std::size_t closed = skip_closers(text, end);
    // Nothing behind it yet: the number, the address or the ellipsis may go on.
    if (closed == text.size() || !is_space(text[closed])) return {Stop::none, closed};
    const std::size_t next = skip_spaces(text, closed);
    const char begins = next < text.size() ? text[next] : '\0';
    if (has_new_line(text, closed, next)) return {Stop::sentence, next};
    // "(at last!) we left": with a small letter behind it the sentence goes on.
    if (other) return {is_lower(begins) ? Stop::clause : Stop::sentence, next};
    if (dots > 1) return {is_capital_at(text, next) ? Stop::sentence : Stop::clause, next};
    const std::string_view word = word_before(text, at);
    const std::size_t begin = at - word.size();
    return {
        full_stop(
            rules, word, begins, is_capital_at(text, next), begin == 0 || text[begin - 1] == '\n'),
        next};
}

/// Looks at one place; `end` is where to look next, whether or not it is a stop.
Cut look(const SentenceRules& rules, std::string_view text, std::size_t at) {
    const char c = text[at];
    if (c == '.' || c == '!' || c == '?' || text.substr(at).starts_with(ellipsis))
        return cut_at_marks(rules, text, at);
    if (const std::size_t n = length_of_any(text, at, full_width_stops)) {
        return {Stop::sentence, skip_spaces(text, skip_closers(text, at + n))};
    }
    const std::size_t dash = length_of_any(text, at, dashes);
    if (c == ',' || c == ';' || c == ':' || dash > 0) {
        const std::size_t end = skip_closers(text, at + std::max<std::size_t>(dash, 1));
        if (end == text.size() || !is_space(text[end])) return {Stop::none, end};
        const std::size_t next = skip_spaces(text, end);
        return {has_new_line(text, end, next) ? Stop::sentence : Stop::clause, next};
    }
    if (!is_space(c)) return {Stop::none, at + 1};
    const std::size_t next = skip_spaces(text, at);
    if (at > 0 && has_new_line(text, at, next)) return {Stop::sentence, next};
    // "Dr." and the name stay together.
    const bool after_title =
        at > 0 && text[at - 1] == '.' && is_title(rules, word_before(text, at - 1));
    return {at == 0 || after_title ? Stop::none : Stop::word, next};
}

std::size_t count_chars(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

/// Without a character that has begun and not ended.
std::size_t whole_characters(std::string_view text, std::size_t size) {
    size = std::min(size, text.size());
    std::size_t lead = size;
    while (lead > 0 && is_continuation(text[lead - 1])) --lead;
    if (lead == 0) return size;
    const auto first = static_cast<unsigned char>(text[lead - 1]);
    const std::size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    return size - (lead - 1) < wanted ? lead - 1 : size;
}

/// The first stop of at least this kind with at least so many characters before it; 0 when there is
/// none.
std::size_t first_stop(const SentenceRules& rules,
                       std::string_view text,
                       Stop least,
                       std::size_t chars) {
    for (std::size_t at = 0; at < text.size();) {
        const Cut cut = look(rules, text, at);
        if (cut.stop >= least && count_chars(text.substr(0, cut.end)) >= chars) return cut.end;
        at = cut.end;
    }
    return 0;
}

/// The last stop of the strongest kind that there is.
std::size_t best_stop(const SentenceRules& rules, std::string_view text) {
    std::size_t clause = 0;
    std::size_t word = 0;
    for (std::size_t at = 0; at < text.size();) {
        const Cut cut = look(rules, text, at);
        if (cut.stop >= Stop::clause) clause = cut.end;
        if (cut.stop >= Stop::word) word = cut.end;
        at = cut.end;
    }
    return clause > 0 ? clause : word;
}

}  // namespace

std::vector<std::string> ClauseChunker::feed(std::string_view text, base::MonoTime now) {
    if (first_ && !first_token_ && !text.empty()) first_token_ = now;
    pending_ += text;
    return cut(now);
}

std::vector<std::string> ClauseChunker::poll(base::MonoTime now) {
    return cut(now);
}

std::optional<base::MonoTime> ClauseChunker::next_deadline() const {
    if (!first_ || overdue_ || !first_token_) return std::nullopt;
    return *first_token_ + options_.first_wait;
}

std::vector<std::string> ClauseChunker::flush() {
    std::vector<std::string> pieces;
    pending_.resize(whole_characters(pending_, pending_.size()));
    if (skip_spaces(pending_, 0) < pending_.size()) pieces.push_back(std::move(pending_));
    pending_.clear();
    first_ = true;
    overdue_ = false;
    first_token_.reset();
    return pieces;
}

std::vector<std::string> ClauseChunker::cut(base::MonoTime now) {
    if (first_ && first_token_ && now >= *first_token_ + options_.first_wait) overdue_ = true;
    std::vector<std::string> pieces;
    while (const std::size_t end = end_of_next()) {
        pieces.push_back(take(end));
        first_ = false;
        overdue_ = false;
    }
    return pieces;
}

/// Where the next piece ends, 0 when more text is needed.
std::size_t ClauseChunker::end_of_next() const {
    if (first_) {
        if (const std::size_t end =
                first_stop(*options_.sentences, pending_, Stop::clause, options_.first_chars))
            return end;
        if (overdue_) {
            if (const std::size_t end = best_stop(*options_.sentences, pending_)) return end;
        }
    } else if (const std::size_t end =
                   first_stop(*options_.sentences, pending_, Stop::sentence, 1)) {
        return end;
    }
    if (count_chars(pending_) <= options_.longest_chars) return 0;
    if (const std::size_t end = best_stop(*options_.sentences, pending_)) return end;
    return whole_characters(pending_, pending_.size());
}

std::string ClauseChunker::take(std::size_t size) {
    std::string piece = pending_.substr(0, size);
    pending_.erase(0, size);
    return piece;
}

}  // namespace jackfield::call
