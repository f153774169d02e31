#include "phrase.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace jackfield::scripted {
namespace {

using Element = Phrase::Element;
using Sequence = Phrase::Sequence;

// A phrase is compared in all its forms at each turn; more than this is a sign of two phrases written as one.
constexpr std::size_t max_alternatives = 64;
constexpr std::size_t max_elements = 40;
constexpr int max_depth = 4;

struct Part {
    std::vector<Sequence> alternatives;
    std::string jsgf;
};

/// The words as a recogniser's dictionary has them: the matcher's joined and written-out forms go back to what is said.
std::string spoken_form(const Sequence& words) {
    static const std::map<std::pair<std::string, std::string>, std::string> contractions{
        {{"i", "would"}, "i'd"},   {{"i", "am"}, "i'm"},       {{"what", "is"}, "what's"},
        {{"that", "is"}, "that's"}, {{"it", "is"}, "it's"},     {{"i", "have"}, "i've"},
        {{"can", "not"}, "can't"},  {{"do", "not"}, "don't"}};
    std::string out;
    const auto add = [&](const std::string& text) { out += (out.empty() ? "" : " ") + text; };
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i].text;
        const auto found = i + 1 < words.size() ? contractions.find({word, words[i + 1].text}) : contractions.end();
        if (found != contractions.end()) {
            add("( " + word + " " + words[++i].text + " | " + found->second + " )");
        } else {
            add(word == "oclock" ? "o'clock" : word == "am" && i > 0 && words[i - 1].text != "i" ? "a m" : word == "pm" ? "p m" : word);
        }
    }
    return out;
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    /// Up to the end, or to one of `until` at this depth.
    bool sequence(std::string_view until, int depth, Part& out) {
        if (depth > max_depth) return fail("groups are nested too deeply (at most 4)");
        out.alternatives = {{}};
        while (at_ < text_.size() && until.find(text_[at_]) == std::string_view::npos) {
            Part part;
            if (!element(depth, part)) return false;
            if (!append(part, out)) return false;
        }
        return true;
    }
    std::string problem;

  private:
    bool fail(std::string text) {
        problem = std::move(text);
        return false;
    }

    bool append(const Part& part, Part& out) {
        std::vector<Sequence> longer;
        for (const Sequence& head : out.alternatives)
            for (const Sequence& tail : part.alternatives) {
                if (longer.size() >= max_alternatives)
                    return fail("the phrase has more than 64 forms; write it as several phrases");
                Sequence both = head;
                both.insert(both.end(), tail.begin(), tail.end());
                if (both.size() > max_elements) return fail("the phrase is longer than 40 words");
                longer.push_back(std::move(both));
            }
        out.alternatives = std::move(longer);
        if (!part.jsgf.empty()) out.jsgf += (out.jsgf.empty() ? "" : " ") + part.jsgf;
        return true;
    }

    bool element(int depth, Part& out) {
        const char c = text_[at_];
        if (c == '(' || c == '[') return group(c == '(' ? ')' : ']', depth, out);
        if (c == '{') return slot(out);
        if (c == ')' || c == ']' || c == '}' || c == '|')
            return fail(std::string("unexpected '") + c + "'; alternatives stand in parentheses");
        if (c == '*') {
            ++at_;
            out.alternatives = {{{Element::Kind::anything, "*"}}};
            return true;
        }
        std::size_t end = at_;
        while (end < text_.size() && std::string_view("()[]{}|*").find(text_[end]) == std::string_view::npos) ++end;
        Sequence words;
        for (std::string& word : words_of(text_.substr(at_, end - at_))) words.push_back({Element::Kind::word, std::move(word)});
        out.jsgf = spoken_form(words);
        out.alternatives = {std::move(words)};
        at_ = end;
        return true;
    }

    bool slot(Part& out) {
        const std::size_t end = text_.find('}', at_);
        if (end == std::string_view::npos) return fail("'{' without '}'");
        const std::string name(text_.substr(at_ + 1, end - at_ - 1));
        if (name.empty()) return fail("'{}' names no slot");
        at_ = end + 1;
        out.alternatives = {{{Element::Kind::slot, name}}};
        out.jsgf = "<slot_" + name + ">";
        return true;
    }

    bool group(char closing, int depth, Part& out) {
        ++at_;
        const std::string until{'|', closing};
        std::string jsgf;
        bool may_be_empty = closing == ']';
        while (true) {
            Part choice;
            if (!sequence(until, depth + 1, choice)) return false;
            if (at_ >= text_.size()) return fail(std::string("'") + closing + "' is missing");
            for (Sequence& sequence : choice.alternatives) out.alternatives.push_back(std::move(sequence));
            if (choice.jsgf.empty()) may_be_empty = true;
            else jsgf += (jsgf.empty() ? "" : " | ") + choice.jsgf;
            if (text_[at_++] == closing) break;
        }
        if (closing == ']') out.alternatives.push_back({});
        if (!jsgf.empty()) out.jsgf = may_be_empty ? "[ " + jsgf + " ]" : "( " + jsgf + " )";
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

double weight(const std::string& word) { return is_stop_word(word) ? 0.2 : 1.0; }

/// Fits the whole sequence to all the words. Each (element, word) is tried once.
class WholeMatch {
  public:
    WholeMatch(const Sequence& sequence, const Words& words, const Phrase::ReadSlot& read)
        : sequence_(sequence), words_(words), read_(read), failed_((sequence.size() + 1) * (words.size() + 1)) {}

    bool fits(std::size_t i, std::size_t j) {
        if (i == sequence_.size()) return j == words_.size();
        const std::size_t cell = i * (words_.size() + 1) + j;
        if (failed_[cell]) return false;
        if (try_from(i, j)) return true;
        failed_[cell] = true;
        return false;
    }

  private:
    bool try_from(std::size_t i, std::size_t j) {
        const Element& element = sequence_[i];
        switch (element.kind) {
            case Element::Kind::word:
                return j < words_.size() && words_[j] == element.text && fits(i + 1, j + 1);
            case Element::Kind::slot: {
                const std::size_t length = j < words_.size() && read_ ? read_(element.text, j) : 0;
                return length > 0 && fits(i + 1, std::min(j + length, words_.size()));
            }
            case Element::Kind::anything:
                return fits(i + 1, j) || (j < words_.size() && fits(i, j + 1));
        }
        return false;
    }

    const Sequence& sequence_;
    const Words& words_;
    const Phrase::ReadSlot& read_;
    std::vector<bool> failed_;
};

/// How much of the phrase's words is there, in order, and how little else.
double nearness(const Sequence& sequence, const Words& words) {
    double of_phrase = 0, of_words = 0;
    int telling = 0;
    for (const Element& element : sequence) {
        if (element.kind != Element::Kind::word) continue;
        of_phrase += weight(element.text);
        telling += !is_stop_word(element.text);
    }
    // One telling word alone is too little to go by: "book" is also in "I read a book".
    if (telling < 2) return 0;
    for (const std::string& word : words) of_words += weight(word);

    std::vector<double> row(words.size() + 1, 0.0);
    for (const Element& element : sequence) {
        if (element.kind != Element::Kind::word) continue;
        double diagonal = 0;
        for (std::size_t j = 0; j < words.size(); ++j) {
            const double above = row[j + 1];
            row[j + 1] = words[j] == element.text ? std::max(above, diagonal + weight(element.text)) : std::max(above, row[j]);
            diagonal = above;
        }
    }
    const double common = row.back();
    return 0.95 * (0.8 * common / of_phrase + 0.2 * (of_words > 0 ? common / of_words : 0));
}

bool shares_a_word(const Sequence& sequence, const Words& words) {
    bool has_word = false;
    for (const Element& element : sequence) {
        if (element.kind != Element::Kind::word) continue;
        has_word = true;
        if (std::find(words.begin(), words.end(), element.text) != words.end()) return true;
    }
    return !has_word;
}

}  // namespace

Phrase::Parsed Phrase::parse(std::string_view pattern) {
    Parser parser(pattern);
    Part part;
    if (!parser.sequence("", 0, part)) return {std::nullopt, parser.problem};
    std::erase_if(part.alternatives, [](const Sequence& sequence) { return sequence.empty(); });
    if (part.alternatives.empty()) return {std::nullopt, "the phrase has no words"};
    Phrase phrase;
    phrase.alternatives_ = std::move(part.alternatives);
    phrase.jsgf_ = std::move(part.jsgf);
    return {std::move(phrase), {}};
}

double Phrase::score(const Words& words, const ReadSlot& read) const {
    double best = 0;
    for (const Sequence& sequence : alternatives_) {
        if (!shares_a_word(sequence, words)) continue;
        const bool open_ended = std::any_of(sequence.begin(), sequence.end(),
                                            [](const Element& e) { return e.kind == Element::Kind::anything; });
        if (WholeMatch(sequence, words, read).fits(0, 0)) {
            if (!open_ended) return 1.0;
            best = std::max(best, 0.96);
        } else {
            best = std::max(best, nearness(sequence, words));
        }
    }
    return best;
}

std::vector<std::string> Phrase::texts() const {
    std::vector<std::string> out;
    for (const Sequence& sequence : alternatives_) {
        Words words;
        bool plain = true;
        for (const Element& element : sequence) {
            if (element.kind == Element::Kind::word) words.push_back(element.text);
            else if (element.kind == Element::Kind::slot) plain = false;
        }
        if (plain && !words.empty()) out.push_back(join(words));
    }
    return out;
}

std::vector<std::string> Phrase::slots() const {
    std::set<std::string> names;
    for (const Sequence& sequence : alternatives_)
        for (const Element& element : sequence)
            if (element.kind == Element::Kind::slot) names.insert(element.text);
    return {names.begin(), names.end()};
}

}  // namespace jackfield::scripted
