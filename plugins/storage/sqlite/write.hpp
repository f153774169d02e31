#pragma once

#include <cstdint>
#include <vector>

#include "connection.hpp"
#include "request.hpp"
#include "rows.hpp"

namespace jackfield::sqlite {

struct WriteResult {
    std::uint64_t affected = 0;
    std::uint64_t revision = 0;  // of the one record written, else 0
    std::vector<RowBuffer> rows;
    std::size_t bytes = 0;  // of the rows
};

/// Carries the write out, inside a transaction of the caller's, and adds to `result`. After a throw the caller rolls back.
void apply_write(Connection& writer, const WriteRequest& write, std::int64_t now_us, WriteResult& result);

}  // namespace jackfield::sqlite
