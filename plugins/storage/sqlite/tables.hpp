#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connection.hpp"
#include "schema.hpp"

// What the file says about its collections, and the tables that they are. Two sets of describing tables: `_jf_collections` and its like for what
// stands, `_jf_descriptions` for declarations that wait for a migration and for what stood before one.

namespace jackfield::sqlite {

/// Begins a write transaction; rolls it back unless commit() came through.
class Transaction {
  public:
    explicit Transaction(Connection& connection) : connection_(connection) { connection_.execute("BEGIN IMMEDIATE"); }
    ~Transaction() { connection_.rollback(); }
    Transaction(const Transaction&) = delete;
    void commit() { connection_.execute("COMMIT"); }

  private:
    Connection& connection_;
};

/// The collections as the file has them; another process may have declared some.
std::map<std::uint32_t, Collection> stored_collections(Connection& connection);
std::optional<Collection> stored_collection(Connection& connection, std::string_view name);

/// The describing tables of a standing collection, made or replaced by what `collection` says; its number is set when it is new.
void describe(Connection& writer, Collection& collection);

/// A declaration kept apart: "pending", or "before" a migration. At most one of a purpose for each collection.
void keep_description(Connection& writer, const Collection& collection, std::string_view purpose);
std::optional<Collection> kept_description(Connection& connection, std::string_view name, std::string_view purpose);
void forget_description(Connection& writer, std::string_view name, std::string_view purpose);
/// Names of the collections that have one.
std::vector<std::string> described(Connection& connection, std::string_view purpose);

std::string column_definition(const Field& field);
/// CREATE TABLE under `name`, which is the collection's own or a temporary one.
void make_table(Connection& writer, const Collection& collection, const std::string& name);
void make_index(Connection& writer, const Collection& collection, std::size_t position);
/// Makes the table anew by what `wanted` says, with the rows of the old one: `values` are SQL expressions over the old table as `t`, one for each field of
/// `wanted` that has a column. Indexes and text search come with it.
void rebuild_table(Connection& writer, const Collection& stands, const Collection& wanted, const std::vector<std::string>& values,
                   const std::string& joins = {});

std::uint64_t count_rows(Connection& connection, const Collection& collection, const std::string& condition = {});

}  // namespace jackfield::sqlite
