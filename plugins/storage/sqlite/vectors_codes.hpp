#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vectors_graph.hpp"

// Vectors in a byte per dimension, beside the floats. Looking through a quarter of the memory says of each vector how near it can be at the nearest and
// at the farthest; only where that does not decide are the floats compared. So an answer is exact, as if all of them had been.

namespace jackfield::sqlite {

/// What a vector's codes leave out: its dimension i is about scale * code i.
struct CodeFacts {
    float scale = 0;
    float error = 0;   ///< length of the difference between the vector and what the codes say
    float length = 0;  ///< of the vector
};

/// `codes` takes as many as there are values.
CodeFacts encode(const float* values, std::size_t dim, std::int8_t* codes);

class CodedQuery {
  public:
    CodedQuery(const Measure& measure, const float* query);

    /// The measure's distance, computed in floats, is between these. Infinite where nothing can be said.
    struct Bounds {
        float least, most;
    };
    Bounds bounds(const std::int8_t* codes, const CodeFacts& facts) const;

  private:
    const Measure measure_;
    const CodeDot dot_;
    std::vector<std::int8_t> codes_;
    CodeFacts facts_;
    double rounding_;  // of the floats that the distance is computed in, relative to the lengths
};

}  // namespace jackfield::sqlite
