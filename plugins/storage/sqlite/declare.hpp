#pragma once

#include <cstdint>

#include "connection.hpp"
#include "schema.hpp"

namespace jackfield::sqlite {

/// Makes the tables that describe the collections, in a file that has none.
void prepare_storage(Connection& writer);

void load_catalogue(Connection& connection, Catalogue& catalogue);

/// Makes or extends the collection, in one transaction, and answers its number. CONFLICT: it stands with other types.
std::uint32_t declare(Connection& writer, Catalogue& catalogue, Collection wanted);

}  // namespace jackfield::sqlite
