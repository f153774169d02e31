#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace jackfield::sqlite {

/// Neither pointer need be aligned.
using Distance = float (*)(const float* a, const float* b, std::size_t n);
/// Of codes from -127 to 127, of which n are at most 65536.
using CodeDot = std::int32_t (*)(const std::int8_t* a, const std::int8_t* b, std::size_t n);

/// The distance functions in one set of the processor's instructions. The file is built for the oldest processor of its architecture; which set
/// is run is chosen when the program runs.
struct Distances {
    std::string_view name;
    Distance dot;
    Distance squared_l2;
    CodeDot code_dot;
};

/// What this processor can run: the plain loop first, the fastest last.
const std::vector<Distances>& runnable_distances();
const Distances& best_distances();

}  // namespace jackfield::sqlite
