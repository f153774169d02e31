#pragma once

#include <atomic>

#include "vectors_set.hpp"

namespace jackfield::sqlite {

/// Offers the nearest of the vectors whose bits are set, from slot `first` on, as if each of them had been compared. Throws StoreFailure when cancelled.
void scan(const VectorSet& set, const VectorSet::View& view, const float* query, const Bits& bits, std::size_t first, Nearest& nearest,
          const std::atomic<bool>& cancelled);

}  // namespace jackfield::sqlite
