#include "tables.hpp"

#include "search.hpp"
#include "sql.hpp"

namespace jackfield::sqlite {
namespace {

Field read_field_row(const Statement& row, int first) {
    Field field;
    field.name = row.text(first);
    field.type = static_cast<std::uint16_t>(row.integer(first + 1));
    field.flags = static_cast<std::uint16_t>(row.integer(first + 2));
    field.references = row.text(first + 3);
    field.column = field.dropped() ? "NULL" : quoted(field.name);
    return field;
}

void read_index_row(const Statement& row, int first, std::vector<Index>& indexes) {
    if (static_cast<std::size_t>(row.integer(first)) >= indexes.size()) indexes.emplace_back();
    indexes.back().unique = row.integer(first + 1) != 0;
    indexes.back().fields.push_back(static_cast<std::uint16_t>(row.integer(first + 2)));
}

bool table_has_row_column(Connection& connection, const std::string& name) {
    Sql sql("SELECT 1 FROM pragma_table_info(");
    sql.text(name) << ") WHERE name = '_row'";
    Statement row = connection.prepare(sql);
    return row.step();
}

/// Fields and indexes under `owner` into tables that have the same columns.
void insert_parts(Connection& writer, const Collection& collection, std::int64_t owner, const std::string& fields, const std::string& indexes) {
    for (std::size_t i = 0; i < collection.fields.size(); ++i) {
        const Field& field = collection.fields[i];
        Sql sql("INSERT INTO " + fields + " VALUES (");
        sql.integer(owner) << ", ";
        sql.integer(static_cast<std::int64_t>(JF_FIELD_FIRST + i)) << ", ";
        sql.text(field.name) << ", ";
        sql.integer(field.type) << ", ";
        sql.integer(field.flags) << ", ";
        sql.text(field.references) << ")";
        writer.prepare(sql).run();
    }
    for (std::size_t i = 0; i < collection.indexes.size(); ++i)
        for (std::size_t place = 0; place < collection.indexes[i].fields.size(); ++place) {
            Sql sql("INSERT INTO " + indexes + " VALUES (");
            sql.integer(owner) << ", ";
            sql.integer(static_cast<std::int64_t>(i)) << ", ";
            sql.integer(collection.indexes[i].unique ? 1 : 0) << ", ";
            sql.integer(static_cast<std::int64_t>(place)) << ", ";
            sql.integer(collection.indexes[i].fields[place]) << ")";
            writer.prepare(sql).run();
        }
}

void delete_parts(Connection& writer, std::int64_t owner, const std::string& fields, const std::string& indexes, const char* column) {
    for (const std::string& table : {fields, indexes}) {
        Sql sql("DELETE FROM " + table + " WHERE " + column + " = ");
        sql.integer(owner);
        writer.prepare(sql).run();
    }
}

std::optional<std::int64_t> description_number(Connection& connection, std::string_view name, std::string_view purpose) {
    Sql sql("SELECT number FROM _jf_descriptions WHERE name = ");
    sql.text(name) << " AND purpose = ";
    sql.text(purpose);
    Statement row = connection.prepare(sql);
    if (!row.step()) return std::nullopt;
    return row.integer(0);
}

std::string index_name(const Collection& collection, std::size_t position) {
    return quoted(collection.name + "#" + std::to_string(position));
}

}  // namespace

std::map<std::uint32_t, Collection> stored_collections(Connection& connection) {
    std::map<std::uint32_t, Collection> collections;
    {
        Statement row = connection.prepare(Sql("SELECT number, name, scope, declared FROM _jf_collections"));
        while (row.step()) {
            Collection& collection = collections[static_cast<std::uint32_t>(row.integer(0))];
            collection.number = static_cast<std::uint32_t>(row.integer(0));
            collection.name = row.text(1);
            collection.scope = static_cast<std::uint32_t>(row.integer(2));
            collection.version = static_cast<std::uint32_t>(row.integer(3));
        }
    }
    for (auto& [number, collection] : collections) collection.has_row_column = table_has_row_column(connection, collection.name);
    {
        Statement row = connection.prepare(
            Sql("SELECT collection, name, type, flags, refers_to FROM _jf_fields ORDER BY collection, number"));
        while (row.step())
            collections[static_cast<std::uint32_t>(row.integer(0))].fields.push_back(read_field_row(row, 1));
    }
    Statement row = connection.prepare(
        Sql("SELECT collection, position, is_unique, field FROM _jf_indexes ORDER BY collection, position, place"));
    while (row.step()) read_index_row(row, 1, collections[static_cast<std::uint32_t>(row.integer(0))].indexes);
    return collections;
}

std::optional<Collection> stored_collection(Connection& connection, std::string_view name) {
    for (auto& [number, collection] : stored_collections(connection))
        if (collection.name == name) return std::move(collection);
    return std::nullopt;
}

void describe(Connection& writer, Collection& collection) {
    Sql sql(collection.number ? "UPDATE _jf_collections SET version = version + 1, declared = "
                              : "INSERT INTO _jf_collections (version, declared, name, scope) VALUES (1, ");
    sql.integer(collection.version);
    if (collection.number) {
        (sql << " WHERE number = ").integer(collection.number);
    } else {
        (sql << ", ").text(collection.name);
        (sql << ", ").integer(collection.scope) << ")";
    }
    sql << " RETURNING number";
    {
        Statement row = writer.prepare(sql);
        if (row.step()) collection.number = static_cast<std::uint32_t>(row.integer(0));
        row.run();
    }
    delete_parts(writer, collection.number, "_jf_fields", "_jf_indexes", "collection");
    insert_parts(writer, collection, collection.number, "_jf_fields", "_jf_indexes");
}

void keep_description(Connection& writer, const Collection& collection, std::string_view purpose) {
    forget_description(writer, collection.name, purpose);
    Sql sql("INSERT INTO _jf_descriptions (name, purpose, scope, declared) VALUES (");
    sql.text(collection.name) << ", ";
    sql.text(purpose) << ", ";
    sql.integer(collection.scope) << ", ";
    sql.integer(collection.version) << ")";
    writer.prepare(sql).run();
    const std::optional<std::int64_t> number = description_number(writer, collection.name, purpose);
    insert_parts(writer, collection, *number, "_jf_description_fields", "_jf_description_indexes");
}

std::optional<Collection> kept_description(Connection& connection, std::string_view name, std::string_view purpose) {
    const std::optional<std::int64_t> number = description_number(connection, name, purpose);
    if (!number) return std::nullopt;
    Collection collection;
    {
        Sql sql("SELECT name, scope, declared FROM _jf_descriptions WHERE number = ");
        sql.integer(*number);
        Statement row = connection.prepare(sql);
        if (!row.step()) return std::nullopt;
        collection.name = row.text(0);
        collection.scope = static_cast<std::uint32_t>(row.integer(1));
        collection.version = static_cast<std::uint32_t>(row.integer(2));
    }
    {
        Sql sql("SELECT name, type, flags, refers_to FROM _jf_description_fields WHERE description = ");
        sql.integer(*number) << " ORDER BY number";
        Statement row = connection.prepare(sql);
        while (row.step()) collection.fields.push_back(read_field_row(row, 0));
    }
    Sql sql("SELECT position, is_unique, field FROM _jf_description_indexes WHERE description = ");
    sql.integer(*number) << " ORDER BY position, place";
    Statement row = connection.prepare(sql);
    while (row.step()) read_index_row(row, 0, collection.indexes);
    return collection;
}

void forget_description(Connection& writer, std::string_view name, std::string_view purpose) {
    const std::optional<std::int64_t> number = description_number(writer, name, purpose);
    if (!number) return;
    delete_parts(writer, *number, "_jf_description_fields", "_jf_description_indexes", "description");
    Sql sql("DELETE FROM _jf_descriptions WHERE number = ");
    sql.integer(*number);
    writer.prepare(sql).run();
}

std::vector<std::string> described(Connection& connection, std::string_view purpose) {
    std::vector<std::string> out;
    Sql sql("SELECT name FROM _jf_descriptions WHERE purpose = ");
    sql.text(purpose) << " ORDER BY name";
    Statement row = connection.prepare(sql);
    while (row.step()) out.emplace_back(row.text(0));
    return out;
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

void make_table(Connection& writer, const Collection& collection, const std::string& name) {
    // The row number is a column of its own, since VACUUM may change the implicit one, which text search refers to.
    std::string sql = "CREATE TABLE " + quoted(name) +
                      " (_row INTEGER PRIMARY KEY, _id TEXT NOT NULL, _tenant TEXT NOT NULL, _rev INTEGER NOT NULL,"
                      " _created INTEGER NOT NULL, _updated INTEGER NOT NULL";
    for (const Field& field : collection.fields)
        if (!field.dropped()) sql += ", " + column_definition(field);
    writer.execute(sql + ", UNIQUE (_tenant, _id)) STRICT");
}

void make_index(Connection& writer, const Collection& collection, std::size_t position) {
    const Index& index = collection.indexes[position];
    std::string columns = "_tenant";
    for (const std::uint16_t field : index.fields) columns += ", " + collection.at(field).column;
    // The id at the end of an ordinary index serves the order of a query, where it breaks ties.
    if (!index.unique) columns += ", _id";
    try {
        writer.execute(std::string("CREATE ") + (index.unique ? "UNIQUE " : "") + "INDEX " + index_name(collection, position) + " ON " +
                       collection.table() + " (" + columns + ")");
    } catch (const StoreFailure& failure) {
        if (failure.constraint != StoreFailure::Constraint::unique) throw;
        conflict("collection '" + collection.name + "' holds records that break its new unique index " + std::to_string(position));
    }
}

void rebuild_table(Connection& writer, const Collection& stands, const Collection& wanted, const std::vector<std::string>& values,
                   const std::string& joins) {
    const std::string temporary = wanted.name + "#new";
    drop_search(writer, stands);
    make_table(writer, wanted, temporary);
    std::string columns = "_row, _id, _tenant, _rev, _created, _updated";
    std::string from = "t._rowid_, t._id, t._tenant, t._rev, t._created, t._updated";
    std::size_t next = 0;
    for (const Field& field : wanted.fields) {
        if (field.dropped()) continue;
        columns += ", " + field.column;
        from += ", " + values.at(next++);
    }
    writer.execute("INSERT INTO " + quoted(temporary) + " (" + columns + ") SELECT " + from + " FROM " + stands.table() + " AS t" + joins);
    writer.execute("DROP TABLE " + stands.table());
    writer.execute("ALTER TABLE " + quoted(temporary) + " RENAME TO " + wanted.table());
    for (std::size_t i = 0; i < wanted.indexes.size(); ++i) make_index(writer, wanted, i);
    make_search(writer, wanted);
}

std::uint64_t count_rows(Connection& connection, const Collection& collection, const std::string& condition) {
    Statement row = connection.prepare(Sql("SELECT count(*) FROM " + collection.table() + " AS t" + (condition.empty() ? "" : " WHERE " + condition)));
    return row.step() ? static_cast<std::uint64_t>(row.integer(0)) : 0;
}

}  // namespace jackfield::sqlite
