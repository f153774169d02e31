#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace jackfield::llm_example {

inline constexpr std::uint32_t own_dim = 64;

/// A vector of length 1 whose direction depends on the words of the text: each word's hash says where it adds, and with which sign, so that texts with
/// words in common are near one another (feature hashing, Weinberger et al. 2009).
std::vector<float> embed(std::string_view text, std::uint32_t dim);

}  // namespace jackfield::llm_example
