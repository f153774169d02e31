#pragma once

#include "conformance/records/records_user.hpp"

#include <fmt/format.h>

/// The checks of jf.records/1 by subject, and what they share. records_suite.cpp has the table.
namespace jackfield::conformance::records {

using sdk::Query;
using sdk::Row;
using sdk::Value;
using sdk::Write;

// The collection that most checks use, and its fields' numbers.
inline constexpr std::uint16_t name = 8, score = 9, rating = 10, due = 11, open = 12, notes = 13, photo = 14;
sdk::Collection people(const std::string& check);
Write add(std::uint32_t h, const std::string& id, Value points = {});
std::string text(const Value& value);
void require_value(std::string_view what, const Value& got, const Value& wanted);
void require_ids(std::string_view what, const sdk::RecordsReply& reply, std::string_view wanted);
void require_affected(std::string_view what, const sdk::RecordsReply& reply, std::uint64_t wanted);
Row get(RecordsUser& user, std::uint32_t h, const std::string& id);

// records_values.cpp
void declares(Bench& bench);
void keeps_values(Bench& bench);
void insert_conflicts(Bench& bench);
void upserts(Bench& bench);
void insert_or_gets(Bench& bench);
void refuses_nonsense(Bench& bench);
void struct_sizes(Bench& bench);
// records_queries.cpp
void terms(Bench& bench);
void pages_exactly(Bench& bench);
void large_answers(Bench& bench);
void aggregates(Bench& bench);
void follows_references(Bench& bench);
void searches_text(Bench& bench);
void watches(Bench& bench);
// records_changes.cpp
void edits(Bench& bench);
void compares_and_sets(Bench& bench);
void changes_many(Bench& bench);
void batches(Bench& bench);
void tenants(Bench& bench);
void erases(Bench& bench);
// records_claims.cpp
void claims(Bench& bench);
void claims_once(Bench& bench);
void parallel_writers(Bench& bench);
// records_durability.cpp
void outlives_its_instance(Bench& bench);
void survives_kills(Bench& bench);
void refuses_while_quiescing(Bench& bench);
void mid_op(Bench& bench);

}  // namespace jackfield::conformance::records
