#pragma once

#include <atomic>
#include <string>

#include "connection.hpp"
#include "request.hpp"
#include "rows.hpp"

namespace jackfield::sqlite {

/// Answers the query's rows into the sink, a buffer at a time, and returns the cursor: empty when there are no more rows.
std::string run_query(Connection& connection, const QueryRequest& query, const RowSink& sink);

}  // namespace jackfield::sqlite
