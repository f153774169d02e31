#pragma once

#include <cstdint>
#include <string>

namespace jackfield::sqlite {

/// SQL that turns the value of `expression` from one type of field into another; null where it has no counterpart.
std::string converted(const std::string& expression, std::uint16_t from, std::uint16_t to);

/// What a field without null holds in records that never had a value for it.
std::string empty_value(std::uint16_t type);

}  // namespace jackfield::sqlite
