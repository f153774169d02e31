#pragma once

#include "store.hpp"

namespace example {

/// Null before everything, then by type and value.
bool less(const Value& a, const Value& b);
/// Null where the record is older than the field.
const Value& field_of(const Record& record, std::uint16_t field);

using Follow = std::function<const Record*(const Record&, std::uint16_t via)>;
bool matches(const std::vector<Term>& where, const Record& record, const Follow& follow);
/// Each phrase stands in some field with TEXT_SEARCH.
bool matches(const std::vector<Phrase>& text, const Declaration& declared, const Record& record);
/// How well the record fits what the query searches for.
double rank_of(const Query& query, const Declaration& declared, const Record& record);

/// The order with the id at its end, in the direction of the last field: no two records are equal in it.
std::vector<Order> total(std::vector<Order> order);
std::vector<Value> key_of(const std::vector<Order>& order, const Record& record, double rank = 0);
bool before(const std::vector<Order>& order, const std::vector<Value>& a, const std::vector<Value>& b);

/// A cursor: a key in the order, behind what the query asks for. Whatever is written meanwhile, the next page begins behind that key.
std::string cursor_behind(const Query& query, const std::vector<Value>& key);
/// Throws INVALID when it is another query's, or none.
std::vector<Value> read_cursor(const Query& query, std::size_t values);

}  // namespace example
