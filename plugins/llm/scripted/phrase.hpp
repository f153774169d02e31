#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "words.hpp"

namespace jackfield::scripted {

/// One way of saying something: "(book|make) [an] appointment on {day}". `[...]` may be left out, `(a|b)` is a choice, `*` stands
/// for any words, `{day}` for a value of that slot.
class Phrase {
  public:
    struct Element {
        enum class Kind { word, anything, slot };
        Kind kind;
        std::string text;  // the word or the slot's name
    };
    using Sequence = std::vector<Element>;

    /// Reads a slot's value at a word: the number of words it takes, 0 for none.
    using ReadSlot = std::function<std::size_t(const std::string& slot, std::size_t at)>;

    struct Parsed;
    static Parsed parse(std::string_view pattern);

    /// 1 when an alternative fits whole, a little less with `*`; lower for what is only near, 0 for nothing in common.
    double score(const Words& words, const ReadSlot& read) const;

    const std::vector<Sequence>& alternatives() const { return alternatives_; }
    /// The phrase as a JSGF expansion, without its `*`; empty when nothing is left. Slots become "<slot_NAME>".
    const std::string& jsgf() const { return jsgf_; }
    /// The alternatives in plain words; those with slots or nothing but `*` are left out.
    std::vector<std::string> texts() const;
    std::vector<std::string> slots() const;

  private:
    std::vector<Sequence> alternatives_;
    std::string jsgf_;
};

struct Phrase::Parsed {
    std::optional<Phrase> phrase;
    std::string problem;  // when there is none
};

}  // namespace jackfield::scripted
