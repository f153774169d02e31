#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config.hpp"

namespace jackfield::desk {

/// A function as the host lists it.
struct Function {
    const char* name;
    std::uint32_t flags; ///< JF_TOOL_*
    const char* description;
    std::string parameters; ///< JSON Schema
};

/// What a desk of this configuration offers.
std::vector<Function> functions_of(const Config& config);

/// The text members of a JSON object; numbers as they are written. Empty when it is none.
class Arguments {
  public:
    static Arguments parse(std::string_view json);
    std::string operator[](std::string_view name) const;

  private:
    std::vector<std::pair<std::string, std::string>> members_;
};

/// `{"found":true,"name":...,"text":...}`, or what there is to ask for. Compares words without case and punctuation.
std::string lookup(const Config& config, const Arguments& arguments);

/// `{"date":...,"weekday":...,"open":...,"hours":[...]}`; without a date, of the day that it is.
std::string hours(const Config& config, const Arguments& arguments, const Moment& now);

/// `{"error":"..."}`
std::string refusal(std::string_view text);

}  // namespace jackfield::desk
