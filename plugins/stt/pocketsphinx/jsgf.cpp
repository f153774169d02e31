#include "jsgf.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace jackfield::pocketsphinx {
namespace {

constexpr std::size_t max_bytes = 256 * 1024;
constexpr std::size_t max_rules = 4096;
constexpr int max_depth = 64;

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Grammar parse() {
        if (text_.size() > max_bytes) fail("the grammar is larger than 256 kB");
        header();
        while (skip(), at_ < text_.size()) statement();
        if (grammar_.public_rules.empty()) fail("no rule is public");
        return std::move(grammar_);
    }

  private:
    [[noreturn]] void fail(const std::string& what) const {
        const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size())), '\n');
        throw std::invalid_argument("line " + std::to_string(line) + ": " + what);
    }

    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool starts(std::string_view what) const { return text_.substr(std::min(at_, text_.size())).starts_with(what); }
    static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0'; }

    /// White space and comments.
    void skip() {
        while (at_ < text_.size()) {
            if (blank(peek())) ++at_;
            else if (starts("//")) at_ = std::min(text_.find('\n', at_), text_.size());
            else if (starts("/*")) {
                const std::size_t end = text_.find("*/", at_ + 2);
                if (end == text_.npos) fail("a comment is not closed");
                at_ = end + 2;
            } else return;
        }
    }

    bool accept(char c) {
        skip();
        if (at_ >= text_.size() || peek() != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) fail(std::string("'") + c + "' expected");
    }

    /// "#JSGF V1.0 UTF-8 en;", where the encoding and locale say nothing that matters here.
    void header() {
        if (starts("\xef\xbb\xbf")) at_ += 3;
        skip();
        if (!starts("#JSGF")) return;
        const std::size_t end = text_.find(';', at_);
        if (end == text_.npos) fail("';' expected after the header");
        at_ = end + 1;
    }

    static bool ends_token(char c) { return blank(c) || std::string_view(";=|*+<>()[]{}/\"").find(c) != std::string_view::npos; }

    std::string token() {
        skip();
        const std::size_t begin = at_;
        while (at_ < text_.size() && !ends_token(text_[at_])) ++at_;
        return std::string(text_.substr(begin, at_ - begin));
    }

    void statement() {
        const std::size_t begin = at_;
        std::string word = token();
        if (word == "grammar") {
            token();
            expect(';');
            return;
        }
        if (word == "import") fail("imports are not supported: write the rules out");
        const bool is_public = word == "public";
        if (!is_public && !word.empty()) {
            at_ = begin;
            fail("a rule expected");
        }
        const std::string name = rule_name();
        expect('=');
        Expansion expansion = alternatives(0);
        expect(';');
        if (name == "NULL" || name == "VOID") fail("<" + name + "> can't be defined");
        if (grammar_.rules.size() >= max_rules) fail("too many rules");
        if (!grammar_.rules.emplace(name, std::move(expansion)).second) fail("a rule is defined twice");
        if (is_public) grammar_.public_rules.push_back(name);
    }

    /// "<a>", or "<grammar.a>" as the grammar itself may write its own.
    std::string rule_name() {
        expect('<');
        const std::size_t end = text_.find('>', at_);
        if (end == text_.npos) fail("'>' expected");
        std::string_view name = text_.substr(at_, end - at_);
        if (const std::size_t dot = name.rfind('.'); dot != name.npos) name.remove_prefix(dot + 1);
        while (!name.empty() && blank(name.front())) name.remove_prefix(1);
        while (!name.empty() && blank(name.back())) name.remove_suffix(1);
        if (name.empty() || name.size() > 200) fail("a rule's name expected");
        at_ = end + 1;
        return std::string(name);
    }

    Expansion alternatives(int depth) {
        if (depth > max_depth) fail("nested too deeply");
        Expansion out;
        out.kind = Expansion::Kind::alternatives;
        double sum = 0;
        do {
            out.weights.push_back(weight());
            sum += out.weights.back();
            out.items.push_back(sequence(depth));
        } while (accept('|'));
        for (double& w : out.weights) w = sum > 0 ? w / sum : 1.0 / static_cast<double>(out.weights.size());
        if (out.items.size() == 1) return std::move(out.items.front());
        return out;
    }

    double weight() {
        if (!accept('/')) return 1;
        skip();
        double value = 0;
        const std::from_chars_result parsed = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
        if (parsed.ec != std::errc() || !(value >= 0) || value > 1e9) fail("a weight expected");
        at_ = static_cast<std::size_t>(parsed.ptr - text_.data());
        expect('/');
        return value;
    }

    Expansion sequence(int depth) {
        Expansion out;
        out.kind = Expansion::Kind::sequence;
        while (true) {
            skip();
            if (at_ >= text_.size() || std::string_view(";|)]").find(peek()) != std::string_view::npos) break;
            out.items.push_back(item(depth));
        }
        if (out.items.empty()) fail("something to say expected; <NULL> says nothing");
        return out.items.size() == 1 ? std::move(out.items.front()) : std::move(out);
    }

    Expansion item(int depth) {
        Expansion out = atom(depth);
        while (true) {
            if (accept('*')) out = wrap(Expansion::Kind::any_number, std::move(out));
            else if (accept('+')) out = wrap(Expansion::Kind::one_or_more, std::move(out));
            else if (accept('{')) tag();
            else return out;
            if (++operators_ > 100000) fail("too many operators");
        }
    }

    static Expansion wrap(Expansion::Kind kind, Expansion inner) {
        // (a*)+ and the like are a*; nesting them would only deepen the tree.
        if (inner.kind == Expansion::Kind::any_number || inner.kind == kind) return inner;
        if (inner.kind == Expansion::Kind::one_or_more) {
            inner.kind = kind;
            return inner;
        }
        Expansion out;
        out.kind = kind;
        out.items.push_back(std::move(inner));
        return out;
    }

    /// "{...}", where a backslash takes the next brace along.
    void tag() {
        while (at_ < text_.size() && peek() != '}') at_ += peek() == '\\' ? 2 : 1;
        if (at_ >= text_.size()) fail("a tag is not closed");
        ++at_;
    }

    Expansion atom(int depth) {
        if (accept('(')) {
            Expansion out = alternatives(depth + 1);
            expect(')');
            return out;
        }
        if (accept('[')) {
            Expansion out;
            out.kind = Expansion::Kind::optional;
            out.items.push_back(alternatives(depth + 1));
            expect(']');
            return out;
        }
        Expansion out;
        if (peek() == '<') {
            out.text = rule_name();
            out.kind = out.text == "NULL"   ? Expansion::Kind::null_
                       : out.text == "VOID" ? Expansion::Kind::void_
                                            : Expansion::Kind::rule;
            return out;
        }
        out.kind = Expansion::Kind::word;
        if (accept('"')) {
            while (at_ < text_.size() && peek() != '"') {
                if (peek() == '\\') ++at_;
                if (at_ < text_.size()) out.text += text_[at_++];
            }
            expect('"');
        } else {
            out.text = token();
        }
        if (out.text.empty()) fail("a word expected");
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t operators_ = 0;
    Grammar grammar_;
};

}  // namespace

bool parse_jsgf(std::string_view text, Grammar& out, std::string& problem) {
    try {
        out = Parser(text).parse();
        return true;
    } catch (const std::invalid_argument& reason) {
        problem = reason.what();
        return false;
    }
}

}  // namespace jackfield::pocketsphinx
