#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace jackfield::base {

/// A regular expression of somebody else's (a tool's or a plugin's JSON Schema), matched in time linear in the text: RE2, since std::regex
/// backtracks, and 13 plus signs are enough for it to hold a call's thread for hours. ECMAScript's look-around and back references don't compile.
class Pattern {
  public:
    explicit Pattern(const std::string& expression);
    ~Pattern();
    Pattern(Pattern&&) noexcept;

    /// False: it doesn't compile, or would take more memory than it is worth.
    bool valid() const;
    /// Somewhere in the text, as JSON Schema means `pattern`.
    bool found_in(std::string_view text) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace jackfield::base
