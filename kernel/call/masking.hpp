#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jackfield::call {

/// The digits that a caller gave while nothing was to be kept of them, and how they are kept out of what the agent says back. The model and the
/// voice get them; what is stored doesn't.
class Masking {
  public:
    /// Words and keys of the caller's that are masked as a whole. Fewer than three digits are no number worth hiding.
    void keep(std::string_view text, std::string_view language);
    /// Runs of digits, written as figures or word by word ("4 1 1", "four one one"), that share four digits in a row with what was kept (or
    /// all of it, when it is shorter) become asterisks.
    std::string masked(std::string_view text, std::string_view language) const;

  private:
    std::vector<std::string> kept_;
};

}  // namespace jackfield::call
