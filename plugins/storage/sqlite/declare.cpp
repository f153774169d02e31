#include "declare.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace jackfield::sqlite {
namespace {

/// Begins a write transaction; rolls it back unless commit() came through.
class Transaction {
  public:
    explicit Transaction(Connection& connection) : connection_(connection) { connection_.execute("BEGIN IMMEDIATE"); }
    ~Transaction() { connection_.rollback(); }
    void commit() { connection_.execute("COMMIT"); }

  private:
    Connection& connection_;
};

/// The collections as the file has them; another process may have declared some.
std::map<std::uint32_t, Collection> stored_collections(Connection& connection) {
    std::map<std::uint32_t, Collection> collections;
    {
        Statement row = connection.prepare(Sql("SELECT number, name, scope FROM _jf_collections"));
        while (row.step()) {
            Collection& collection = collections[static_cast<std::uint32_t>(row.integer(0))];
            collection.number = static_cast<std::uint32_t>(row.integer(0));
            collection.name = row.text(1);
            collection.scope = static_cast<std::uint32_t>(row.integer(2));
        }
    }
    {
        Statement row = connection.prepare(
            Sql("SELECT collection, name, type, flags, refers_to FROM _jf_fields ORDER BY collection, number"));
        while (row.step()) {
            Field& field = collections[static_cast<std::uint32_t>(row.integer(0))].fields.emplace_back();
            field.name = row.text(1);
            field.type = static_cast<std::uint16_t>(row.integer(2));
            field.flags = static_cast<std::uint16_t>(row.integer(3));
            field.references = row.text(4);
            field.column = quoted(field.name);
        }
    }
    Statement row = connection.prepare(
        Sql("SELECT collection, position, is_unique, field FROM _jf_indexes ORDER BY collection, position, place"));
    while (row.step()) {
        std::vector<Index>& indexes = collections[static_cast<std::uint32_t>(row.integer(0))].indexes;
        if (static_cast<std::size_t>(row.integer(1)) >= indexes.size()) indexes.emplace_back();
        indexes.back().unique = row.integer(2) != 0;
        indexes.back().fields.push_back(static_cast<std::uint16_t>(row.integer(3)));
    }
    return collections;
}

std::string column_definition(const Field& field) {
    static constexpr std::string_view types[] = {"", "INTEGER", "REAL", "TEXT", "BLOB", "INTEGER", "INTEGER", "TEXT"};
    std::string out = field.column + ' ' + std::string(types[field.type]);
    if (field.not_null()) out += " NOT NULL";
    // SQLite names the constraint when it is broken: the field.
    const std::string check = " CONSTRAINT " + field.column + " CHECK (";
    if (field.type == JF_VALUE_BOOL) out += check + field.column + " IN (0, 1))";
    if (field.type == JF_VALUE_JSON) out += check + field.column + " IS NULL OR json_valid(" + field.column + "))";
    if (field.type == JF_VALUE_REAL) out += check + "abs(" + field.column + ") <= 1.7976931348623157e308)";
    return out;
}

void make_table(Connection& writer, const Collection& collection) {
    std::string sql = "CREATE TABLE " + collection.table() +
                      " (_id TEXT NOT NULL, _tenant TEXT NOT NULL, _rev INTEGER NOT NULL, _created INTEGER NOT NULL,"
                      " _updated INTEGER NOT NULL";
    for (const Field& field : collection.fields) sql += ", " + column_definition(field);
    writer.execute(sql + ", PRIMARY KEY (_tenant, _id)) STRICT");
}

std::string index_columns(const Collection& collection, const Index& index) {
    std::string columns = "_tenant";
    for (const std::uint16_t field : index.fields) columns += ", " + collection.at(field).column;
    return columns;
}

void make_index(Connection& writer, const Collection& collection, std::size_t position) {
    const Index& index = collection.indexes[position];
    // The id at the end of an ordinary index serves the order of a query, where it breaks ties.
    const std::string columns = index_columns(collection, index) + (index.unique ? "" : ", _id");
    try {
        writer.execute(std::string("CREATE ") + (index.unique ? "UNIQUE " : "") + "INDEX \"" + collection.name + "#" +
                       std::to_string(position) + "\" ON " + collection.table() + " (" + columns + ")");
    } catch (const StoreFailure& failure) {
        if (failure.constraint != StoreFailure::Constraint::unique) throw;
        conflict("collection '" + collection.name + "' holds records that break its new unique index " + std::to_string(position));
    }
}

void describe_field(Connection& writer, const Collection& collection, std::size_t position) {
    const Field& field = collection.fields[position];
    Sql sql("INSERT INTO _jf_fields (collection, number, name, type, flags, refers_to) VALUES (");
    sql.integer(collection.number) << ", ";
    sql.integer(static_cast<std::int64_t>(JF_FIELD_FIRST + position)) << ", ";
    sql.text(field.name) << ", ";
    sql.integer(field.type) << ", ";
    sql.integer(field.flags) << ", ";
    sql.text(field.references) << ")";
    writer.prepare(sql).run();
}

void describe_index(Connection& writer, const Collection& collection, std::size_t position) {
    const Index& index = collection.indexes[position];
    for (std::size_t place = 0; place < index.fields.size(); ++place) {
        Sql sql("INSERT INTO _jf_indexes (collection, position, is_unique, place, field) VALUES (");
        sql.integer(collection.number) << ", ";
        sql.integer(static_cast<std::int64_t>(position)) << ", ";
        sql.integer(index.unique ? 1 : 0) << ", ";
        sql.integer(static_cast<std::int64_t>(place)) << ", ";
        sql.integer(index.fields[place]) << ")";
        writer.prepare(sql).run();
    }
}

/// CONFLICT when what stands is not how `wanted` begins, or the other way round.
void check_same(const Collection& stands, const Collection& wanted) {
    const std::string where = "collection '" + stands.name + "' ";
    if (stands.scope != wanted.scope) conflict(where + "stands with another scope");
    for (std::size_t i = 0; i < std::min(stands.fields.size(), wanted.fields.size()); ++i) {
        const Field& old = stands.fields[i];
        const Field& now = wanted.fields[i];
        const std::string number = "field " + std::to_string(JF_FIELD_FIRST + i);
        if (old.name != now.name)
            conflict(where + "has '" + old.name + "' as " + number + ", not '" + now.name + "': append new fields, keep old ones");
        if (old.type != now.type)
            conflict(where + "has '" + old.name + "' as " + std::string(type_name(old.type)) + ", not " +
                     std::string(type_name(now.type)) + ": declare a new field and copy");
        if (old.not_null() != now.not_null()) conflict(where + "has '" + old.name + "' with another NOT_NULL");
        if (old.references != now.references)
            conflict(where + "has '" + old.name + "' referring to '" + old.references + "', not '" + now.references + "'");
    }
    for (std::size_t i = 0; i < std::min(stands.indexes.size(), wanted.indexes.size()); ++i)
        if (!(stands.indexes[i] == wanted.indexes[i]))
            conflict(where + "has another index " + std::to_string(i) + ": append new indexes, keep old ones");
}

bool holds(const Collection& stands, const Collection& wanted) {
    return stands.fields.size() >= wanted.fields.size() && stands.indexes.size() >= wanted.indexes.size();
}

void make(Connection& writer, Collection& wanted) {
    {
        Sql sql("INSERT INTO _jf_collections (name, scope, version) VALUES (");
        sql.text(wanted.name) << ", ";
        sql.integer(wanted.scope) << ", 1) RETURNING number";
        Statement row = writer.prepare(sql);
        row.step();
        wanted.number = static_cast<std::uint32_t>(row.integer(0));
        row.run();
    }
    make_table(writer, wanted);
    for (std::size_t i = 0; i < wanted.fields.size(); ++i) describe_field(writer, wanted, i);
    for (std::size_t i = 0; i < wanted.indexes.size(); ++i) {
        make_index(writer, wanted, i);
        describe_index(writer, wanted, i);
    }
}

void add_field(Connection& writer, const Collection& collection, std::size_t position) {
    const Field& field = collection.fields[position];
    if (field.not_null()) {
        Statement any = writer.prepare(Sql("SELECT 1 FROM " + collection.table() + " LIMIT 1"));
        if (any.step())
            conflict("collection '" + collection.name + "' holds records, which lack the new field '" + field.name + "': add it without NOT_NULL");
    }
    writer.execute("ALTER TABLE " + collection.table() + " ADD COLUMN " + column_definition(field));
    describe_field(writer, collection, position);
}

void extend(Connection& writer, Collection& stands, const Collection& wanted) {
    for (std::size_t i = stands.fields.size(); i < wanted.fields.size(); ++i) {
        stands.fields.push_back(wanted.fields[i]);
        add_field(writer, stands, i);
    }
    for (std::size_t i = stands.indexes.size(); i < wanted.indexes.size(); ++i) {
        stands.indexes.push_back(wanted.indexes[i]);
        make_index(writer, stands, i);
        describe_index(writer, stands, i);
    }
    Sql sql("UPDATE _jf_collections SET version = version + 1 WHERE number = ");
    sql.integer(stands.number);
    writer.prepare(sql).run();
}

}  // namespace

void prepare_storage(Connection& writer) {
    Transaction transaction(writer);
    {
        Statement format = writer.prepare(Sql("PRAGMA user_version"));
        if (format.step() && format.integer(0) == storage_format) return;
    }
    writer.execute(
        "CREATE TABLE _jf_collections (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
        " scope INTEGER NOT NULL, version INTEGER NOT NULL) STRICT;"
        "CREATE TABLE _jf_fields (collection INTEGER NOT NULL REFERENCES _jf_collections, number INTEGER NOT NULL,"
        " name TEXT NOT NULL, type INTEGER NOT NULL, flags INTEGER NOT NULL, refers_to TEXT NOT NULL,"
        " PRIMARY KEY (collection, number), UNIQUE (collection, name)) STRICT;"
        "CREATE TABLE _jf_indexes (collection INTEGER NOT NULL REFERENCES _jf_collections, position INTEGER NOT NULL,"
        " is_unique INTEGER NOT NULL, place INTEGER NOT NULL, field INTEGER NOT NULL,"
        " PRIMARY KEY (collection, position, place)) STRICT;"
        "PRAGMA application_id = " + std::to_string(application_id) + ";"
        "PRAGMA user_version = " + std::to_string(storage_format));
    transaction.commit();
}

void load_catalogue(Connection& connection, Catalogue& catalogue) {
    for (auto& [number, collection] : stored_collections(connection)) catalogue.put(std::move(collection));
}

std::uint32_t declare(Connection& writer, Catalogue& catalogue, Collection wanted) {
    // Nothing to do is the common case, at every start, and takes no lock.
    if (const Catalogue::Entry known = catalogue.find(wanted.name)) {
        check_same(*known, wanted);
        if (holds(*known, wanted)) return known->number;
    }
    Transaction transaction(writer);
    std::optional<Collection> stands;
    for (auto& [number, collection] : stored_collections(writer))
        if (collection.name == wanted.name) stands = std::move(collection);
    if (!stands) {
        make(writer, wanted);
        stands = std::move(wanted);
    } else {
        check_same(*stands, wanted);
        if (!holds(*stands, wanted)) extend(writer, *stands, wanted);
    }
    transaction.commit();
    const std::uint32_t number = stands->number;
    catalogue.put(std::move(*stands));
    return number;
}

}  // namespace jackfield::sqlite
