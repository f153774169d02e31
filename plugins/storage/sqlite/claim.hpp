#pragma once

#include <cstdint>
#include <vector>

#include "connection.hpp"
#include "request.hpp"

namespace jackfield::sqlite {

/// Row numbers of the records that a CLAIM means, in the order in which it answers them.
std::vector<std::int64_t> choose_claimed(Connection& writer, const WriteRequest& write);

}  // namespace jackfield::sqlite
