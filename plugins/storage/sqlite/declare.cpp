#include "declare.hpp"

#include <algorithm>
#include <optional>

#include "search.hpp"
#include "tables.hpp"

namespace jackfield::sqlite {
namespace {

/// How `wanted` differs from what stands in more than appended fields and indexes; empty when it does not.
std::string difference(const Collection& stands, const Collection& wanted) {
    if (stands.scope != wanted.scope) return "stands with another scope";
    for (std::size_t i = 0; i < std::min(stands.fields.size(), wanted.fields.size()); ++i) {
        const Field& old = stands.fields[i];
        const Field& now = wanted.fields[i];
        if (old.dropped() && now.dropped()) continue;
        const std::string number = "field " + std::to_string(JF_FIELD_FIRST + i);
        if (old.dropped() != now.dropped()) return "has '" + old.name + "' as " + number + (old.dropped() ? " dropped" : " standing");
        if (old.name != now.name) return "has '" + old.name + "' as " + number + ", not '" + now.name + "': append new fields, keep old ones";
        if (old.type != now.type)
            return "has '" + old.name + "' as " + std::string(type_name(old.type)) + ", not " + std::string(type_name(now.type)) +
                   ": declare a new field and copy";
        if (old.not_null() != now.not_null()) return "has '" + old.name + "' with another NOT_NULL";
        if (old.references != now.references)
            return "has '" + old.name + "' referring to '" + old.references + "', not '" + now.references + "'";
    }
    for (std::size_t i = 0; i < std::min(stands.indexes.size(), wanted.indexes.size()); ++i)
        if (!(stands.indexes[i] == wanted.indexes[i]))
            return "has another index " + std::to_string(i) + ": append new indexes, keep old ones";
    return {};
}

/// Nothing of `wanted` is missing.
bool holds(const Collection& stands, const Collection& wanted) {
    if (stands.fields.size() < wanted.fields.size() || stands.indexes.size() < wanted.indexes.size()) return false;
    for (std::size_t i = 0; i < wanted.fields.size(); ++i)
        if (wanted.fields[i].searchable() && !stands.fields[i].searchable()) return false;
    return stands.version >= wanted.version;
}

void make(Connection& writer, Collection& wanted) {
    make_table(writer, wanted, wanted.name);
    for (std::size_t i = 0; i < wanted.indexes.size(); ++i) make_index(writer, wanted, i);
    make_search(writer, wanted);
    describe(writer, wanted);
}

void add_field(Connection& writer, const Collection& collection, const Field& field) {
    if (field.dropped()) return;
    if (field.not_null() && count_rows(writer, collection) > 0)
        conflict("collection '" + collection.name + "' holds records, which lack the new field '" + field.name + "': add it without NOT_NULL");
    writer.execute("ALTER TABLE " + collection.table() + " ADD COLUMN " + column_definition(field));
}

/// The rows as they are, in a table whose row numbers stay.
void give_row_column(Connection& writer, Collection& collection) {
    std::vector<std::string> values;
    for (const Field& field : collection.fields)
        if (!field.dropped()) values.push_back("t." + field.column);
    rebuild_table(writer, collection, collection, values);
    collection.has_row_column = true;
}

void extend(Connection& writer, Collection& stands, const Collection& wanted) {
    bool search_changes = false;
    for (std::size_t i = 0; i < wanted.fields.size(); ++i) {
        const Field& field = wanted.fields[i];
        const bool is_new = i >= stands.fields.size();
        if (field.searchable() && (is_new || !stands.fields[i].searchable())) search_changes = true;
        if (is_new) {
            add_field(writer, stands, field);
            stands.fields.push_back(field);
        } else if (field.searchable()) {
            stands.fields[i].flags |= JF_FIELD_TEXT_SEARCH;
        }
    }
    for (std::size_t i = stands.indexes.size(); i < wanted.indexes.size(); ++i) {
        stands.indexes.push_back(wanted.indexes[i]);
        make_index(writer, stands, i);
    }
    if (search_changes && !stands.has_row_column) give_row_column(writer, stands);
    else if (search_changes) make_search(writer, stands);
    stands.version = std::max(stands.version, wanted.version);
    describe(writer, stands);
}

/// The declaration does not fit. A later one waits for the operator.
[[noreturn]] void refuse(Connection& writer, const Collection& stands, const Collection& wanted, const std::string& how) {
    const std::string name = "collection '" + stands.name + "' ";
    const std::string versions = "version " + std::to_string(stands.version) + " of '" + stands.name + "'";
    if (wanted.version < stands.version)
        conflict("the database has " + versions + " and this program knows version " + std::to_string(wanted.version) +
                 ": use the later program, or take the migration back with `jackfield store rollback`");
    if (wanted.version == stands.version) conflict(name + how);
    Transaction transaction(writer);
    keep_description(writer, wanted, "pending");
    transaction.commit();
    conflict("the database has " + versions + " and this program wants version " + std::to_string(wanted.version) + ": it " + how +
             "; see `jackfield store plan` and run `jackfield store migrate`");
}

constexpr const char* format_1 =
    "CREATE TABLE _jf_collections (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " scope INTEGER NOT NULL, version INTEGER NOT NULL) STRICT;"
    "CREATE TABLE _jf_fields (collection INTEGER NOT NULL REFERENCES _jf_collections, number INTEGER NOT NULL,"
    " name TEXT NOT NULL, type INTEGER NOT NULL, flags INTEGER NOT NULL, refers_to TEXT NOT NULL,"
    " PRIMARY KEY (collection, number), UNIQUE (collection, name)) STRICT;"
    "CREATE TABLE _jf_indexes (collection INTEGER NOT NULL REFERENCES _jf_collections, position INTEGER NOT NULL,"
    " is_unique INTEGER NOT NULL, place INTEGER NOT NULL, field INTEGER NOT NULL,"
    " PRIMARY KEY (collection, position, place)) STRICT;";

/// Versions of declarations, migrations, and text search, which format 1 promised nowhere: what its fields say of it had no effect.
constexpr const char* format_2 =
    "ALTER TABLE _jf_collections ADD COLUMN declared INTEGER NOT NULL DEFAULT 0;"
    "UPDATE _jf_fields SET flags = flags & 1;"
    "CREATE TABLE _jf_descriptions (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, purpose TEXT NOT NULL,"
    " scope INTEGER NOT NULL, declared INTEGER NOT NULL, UNIQUE (name, purpose)) STRICT;"
    "CREATE TABLE _jf_description_fields (description INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, type INTEGER NOT NULL,"
    " flags INTEGER NOT NULL, refers_to TEXT NOT NULL, PRIMARY KEY (description, number)) STRICT;"
    "CREATE TABLE _jf_description_indexes (description INTEGER NOT NULL, position INTEGER NOT NULL, is_unique INTEGER NOT NULL,"
    " place INTEGER NOT NULL, field INTEGER NOT NULL, PRIMARY KEY (description, position, place)) STRICT;"
    "CREATE TABLE _jf_migrations (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, from_version INTEGER NOT NULL,"
    " to_version INTEGER NOT NULL, at INTEGER NOT NULL, rows INTEGER NOT NULL, backup TEXT NOT NULL, undone INTEGER NOT NULL) STRICT;";

}  // namespace

void prepare_storage(Connection& writer) {
    Transaction transaction(writer);
    std::int64_t format = 0;
    {
        Statement row = writer.prepare(Sql("PRAGMA user_version"));
        if (row.step()) format = row.integer(0);
    }
    if (format == storage_format) return;
    if (format < 1) writer.execute(format_1);
    if (format < 2) writer.execute(format_2);
    writer.execute("PRAGMA application_id = " + std::to_string(application_id) + ";PRAGMA user_version = " + std::to_string(storage_format));
    transaction.commit();
}

void load_catalogue(Connection& connection, Catalogue& catalogue) {
    for (auto& [number, collection] : stored_collections(connection)) catalogue.put(std::move(collection));
}

std::uint32_t declare(Connection& writer, Catalogue& catalogue, Collection wanted) {
    // Nothing to do is the common case, at every start, and takes no lock.
    if (const Catalogue::Entry known = catalogue.find(wanted.name))
        if (difference(*known, wanted).empty() && holds(*known, wanted)) return known->number;
    std::string how;
    std::optional<Collection> stands;
    {
        Transaction transaction(writer);
        stands = stored_collection(writer, wanted.name);
        if (!stands) {
            make(writer, wanted);
            stands = std::move(wanted);
        } else {
            how = difference(*stands, wanted);
            if (how.empty() && !holds(*stands, wanted)) extend(writer, *stands, wanted);
        }
        if (how.empty()) {
            forget_description(writer, stands->name, "pending");
            transaction.commit();
        }
    }
    if (!how.empty()) refuse(writer, *stands, wanted, how);
    const std::uint32_t number = stands->number;
    catalogue.put(std::move(*stands));
    return number;
}

}  // namespace jackfield::sqlite
