#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "request.hpp"

namespace jackfield::sqlite {

/// Where a page of rows ended: the values that the last row has in the order's fields. For groups: how many were answered.
struct Cursor {
    std::vector<jf_value> last;  // borrowed from the bytes
    std::uint64_t groups = 0;
};

/// Changes when the collection, tenant, terms (not their values), order or grouping do: a cursor goes with one shape.
std::uint64_t shape_of(const QueryRequest& query);

std::string write_cursor(const QueryRequest& query, const Cursor& cursor);

/// The bytes come back from outside and may be anything. INVALID: not one of this query's.
Cursor read_cursor(const QueryRequest& query, std::string_view bytes);

}  // namespace jackfield::sqlite
