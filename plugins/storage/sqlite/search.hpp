#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "connection.hpp"
#include "schema.hpp"

// Text search: one FTS5 index beside a collection that has searchable fields, "<collection>#text". It keeps no copy of the texts (external content)
// and follows the table by triggers, so that both change in the same transaction, whoever writes.

namespace jackfield::sqlite {

/// "test.turns#text", quoted.
std::string search_table(const Collection& collection);

/// FTS5's expression for the words that a caller gives: all of them, in any order, in the field, or each in some field when it is null. Empty when
/// there are none. Every word becomes a string of FTS5's, so that nothing in it is syntax.
std::string match_words(const Field* field, std::string_view words);
/// Narrows an expression to a tenant's records. The tenant is compared again with the table's own column: this only spares looking at
/// other tenants' records.
std::string match_in_tenant(std::string_view tenant, const std::string& expression);

/// Makes the index over what stands, instead of the one there may be; only removes it when no field is searchable.
void make_search(Connection& writer, const Collection& collection);
void drop_search(Connection& writer, const Collection& collection);
/// Merges the index's segments, after which nothing of removed records is left in them.
void compact_search(Connection& writer, const Collection& collection);

}  // namespace jackfield::sqlite
