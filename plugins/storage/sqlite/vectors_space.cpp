#include "vectors_space.hpp"

#include <cmath>
#include <mutex>

#include "request.hpp"

namespace jackfield::sqlite {
namespace {

constexpr std::string_view metric_names[] = {"cosine", "dot", "l2"};

std::string column_definition(const Field& field) {
    static constexpr std::string_view types[] = {"", "INTEGER", "REAL", "TEXT", "BLOB", "INTEGER", "INTEGER", "TEXT"};
    // NOT NULL is checked when a vector is read, so that an attribute can be added to a space that holds some.
    std::string out = field.column + ' ' + std::string(types[field.type]);
    if (field.type == JF_VALUE_JSON) out += " CONSTRAINT " + field.column + " CHECK (" + field.column + " IS NULL OR json_valid(" + field.column + "))";
    return out;
}

bool has_spaces(Connection& connection) {
    Statement row = connection.prepare(Sql("SELECT 1 FROM sqlite_schema WHERE name = '_jf_vector_spaces'"));
    return row.step();
}

std::map<std::uint32_t, VectorSpace> stored_spaces(Connection& connection) {
    std::map<std::uint32_t, VectorSpace> spaces;
    if (!has_spaces(connection)) return spaces;
    {
        Statement row = connection.prepare(Sql("SELECT number, name, scope, dim, metric FROM _jf_vector_spaces"));
        while (row.step()) {
            VectorSpace& space = spaces[static_cast<std::uint32_t>(row.integer(0))];
            space.name = row.text(1);
            space.dim = static_cast<std::uint32_t>(row.integer(3));
            space.metric = static_cast<std::uint32_t>(row.integer(4));
            space.collection.number = static_cast<std::uint32_t>(row.integer(0));
            space.collection.name = space.name + "#vectors";
            space.collection.scope = static_cast<std::uint32_t>(row.integer(2));
        }
    }
    Statement row = connection.prepare(Sql("SELECT space, name, type, flags FROM _jf_vector_attributes ORDER BY space, number"));
    while (row.step()) {
        Field& field = spaces[static_cast<std::uint32_t>(row.integer(0))].collection.fields.emplace_back();
        field.name = row.text(1);
        field.type = static_cast<std::uint16_t>(row.integer(2));
        field.flags = static_cast<std::uint16_t>(row.integer(3));
        field.column = quoted(field.name);
    }
    return spaces;
}

void make_own_tables(Connection& writer) {
    // `version` counts the changes of a tenant's vectors in a space: a set in memory knows by it whether another process has written meanwhile.
    writer.execute(
        "CREATE TABLE IF NOT EXISTS _jf_vector_spaces (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
        " scope INTEGER NOT NULL, dim INTEGER NOT NULL, metric INTEGER NOT NULL) STRICT;"
        "CREATE TABLE IF NOT EXISTS _jf_vector_attributes (space INTEGER NOT NULL REFERENCES _jf_vector_spaces, number INTEGER NOT NULL,"
        " name TEXT NOT NULL, type INTEGER NOT NULL, flags INTEGER NOT NULL, PRIMARY KEY (space, number), UNIQUE (space, name)) STRICT;"
        "CREATE TABLE IF NOT EXISTS _jf_vector_sets (space INTEGER NOT NULL REFERENCES _jf_vector_spaces, tenant TEXT NOT NULL,"
        " version INTEGER NOT NULL, vectors INTEGER NOT NULL, PRIMARY KEY (space, tenant)) STRICT");
}

void describe_attribute(Connection& writer, const VectorSpace& space, std::size_t position) {
    const Field& field = space.collection.fields[position];
    Sql sql("INSERT INTO _jf_vector_attributes (space, number, name, type, flags) VALUES (");
    sql.integer(space.number()) << ", ";
    sql.integer(static_cast<std::int64_t>(JF_FIELD_FIRST + position)) << ", ";
    sql.text(field.name) << ", ";
    sql.integer(field.type) << ", ";
    sql.integer(field.flags) << ")";
    writer.prepare(sql).run();
}

void make_space(Connection& writer, VectorSpace& wanted) {
    {
        Sql sql("INSERT INTO _jf_vector_spaces (name, scope, dim, metric) VALUES (");
        sql.text(wanted.name) << ", ";
        sql.integer(wanted.collection.scope) << ", ";
        sql.integer(wanted.dim) << ", ";
        sql.integer(wanted.metric) << ") RETURNING number";
        Statement row = writer.prepare(sql);
        row.step();
        wanted.collection.number = static_cast<std::uint32_t>(row.integer(0));
        row.run();
    }
    // _row is named, since VACUUM would give unnamed row numbers anew.
    std::string sql = "CREATE TABLE " + wanted.rows() +
                      " (_row INTEGER PRIMARY KEY, _id TEXT NOT NULL, _tenant TEXT NOT NULL, _rev INTEGER NOT NULL,"
                      " _created INTEGER NOT NULL, _updated INTEGER NOT NULL";
    for (const Field& field : wanted.collection.fields) sql += ", " + column_definition(field);
    writer.execute(sql + ", UNIQUE (_tenant, _id)) STRICT");
    writer.execute("CREATE TABLE " + wanted.values() + " (_row INTEGER PRIMARY KEY REFERENCES " + wanted.rows() +
                   " ON DELETE CASCADE, _values BLOB NOT NULL CHECK (length(_values) = " + std::to_string(wanted.dim * sizeof(float)) +
                   ")) STRICT");
    for (std::size_t i = 0; i < wanted.collection.fields.size(); ++i) describe_attribute(writer, wanted, i);
}

/// CONFLICT when what stands is not how `wanted` begins, or the other way round.
void check_same(const VectorSpace& stands, const VectorSpace& wanted) {
    const std::string where = "vector space '" + stands.name + "' ";
    if (stands.collection.scope != wanted.collection.scope) conflict(where + "stands with another scope");
    if (stands.dim != wanted.dim)
        conflict(where + "has " + std::to_string(stands.dim) + " dimensions, not " + std::to_string(wanted.dim) +
                 ": vectors of another model need a space of their own");
    if (stands.metric != wanted.metric)
        conflict(where + "stands with the metric " + std::string(metric_names[stands.metric]) + ", not " + std::string(metric_names[wanted.metric]));
    const std::vector<Field>& old = stands.collection.fields;
    const std::vector<Field>& now = wanted.collection.fields;
    for (std::size_t i = 0; i < std::min(old.size(), now.size()); ++i)
        if (old[i].name != now[i].name || old[i].type != now[i].type || old[i].flags != now[i].flags)
            conflict(where + "has '" + old[i].name + "' (" + std::string(type_name(old[i].type)) + ") as attribute " +
                     std::to_string(JF_FIELD_FIRST + i) + ", not '" + now[i].name + "' (" + std::string(type_name(now[i].type)) +
                     "): append new attributes, keep old ones");
}

void add_attributes(Connection& writer, VectorSpace& stands, const VectorSpace& wanted) {
    for (std::size_t i = stands.collection.fields.size(); i < wanted.collection.fields.size(); ++i) {
        stands.collection.fields.push_back(wanted.collection.fields[i]);
        writer.execute("ALTER TABLE " + stands.rows() + " ADD COLUMN " + column_definition(stands.collection.fields[i]));
        describe_attribute(writer, stands, i);
    }
}

bool holds(const VectorSpace& stands, const VectorSpace& wanted) {
    return stands.collection.fields.size() >= wanted.collection.fields.size();
}

}  // namespace

Measure VectorSpace::measure() const {
    const Distances& distances = best_distances();
    const bool l2 = metric == JF_METRIC_L2;
    return {l2 ? distances.squared_l2 : distances.dot, dim, !l2};
}

std::vector<std::uint16_t> VectorSpace::attribute_types() const {
    std::vector<std::uint16_t> types;
    for (const Field& field : collection.fields) types.push_back(field.type);
    return types;
}

float VectorSpace::score(float distance) const { return metric == JF_METRIC_L2 ? -std::sqrt(std::max(distance, 0.0f)) : 1 - distance; }

VectorSpaces::Entry VectorSpaces::at(std::uint32_t number) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_number_.find(number);
    if (found == by_number_.end())
        throw StoreFailure(JF_E_NOT_FOUND, "no vector space " + std::to_string(number) + ": ensure it first and use the number that this answers");
    return found->second;
}

VectorSpaces::Entry VectorSpaces::find(const std::string& name) const {
    const std::shared_lock lock(mutex_);
    for (const auto& [number, entry] : by_number_)
        if (entry->name == name) return entry;
    return nullptr;
}

void VectorSpaces::put(VectorSpace space) {
    catalogue_.put(space.collection);
    const std::uint32_t number = space.number();
    auto entry = std::make_shared<const VectorSpace>(std::move(space));
    const std::unique_lock lock(mutex_);
    by_number_[number] = std::move(entry);
}

void load_vector_spaces(Connection& connection, VectorSpaces& spaces) {
    for (auto& [number, space] : stored_spaces(connection)) spaces.put(std::move(space));
}

VectorSpace read_vector_space(const jf_vector_space* given) {
    const jf_vector_space space = read_struct(given, "space");
    jf_collection attributes = sdk::make<jf_collection>();
    attributes.scope = space.scope;
    attributes.name = space.name;
    attributes.fields = space.attributes;
    VectorSpace out;
    out.collection = read_collection(&attributes);
    out.name = out.collection.name;
    out.collection.name += "#vectors";
    out.dim = space.dim;
    out.metric = space.metric;
    if (out.metric > JF_METRIC_L2) unsupported("metric " + std::to_string(out.metric) + " is unknown");
    if (out.dim == 0) invalid("a vector space has at least one dimension");
    if (out.dim > most_dimensions)
        unsupported(std::to_string(out.dim) + " dimensions: this storage takes up to " + std::to_string(most_dimensions));
    for (const Field& field : out.collection.fields) {
        if (!field.references.empty()) unsupported("attribute '" + field.name + "': attributes of vectors refer to no collection");
        if ((field.flags & JF_FIELD_TEXT_SEARCH) != 0) unsupported("attribute '" + field.name + "': attributes of vectors have no text search");
    }
    return out;
}

std::uint32_t ensure_vector_space(Connection& writer, VectorSpaces& spaces, VectorSpace wanted) {
    // Nothing to do is the common case, at every start, and takes no lock.
    if (const VectorSpaces::Entry known = spaces.find(wanted.name)) {
        check_same(*known, wanted);
        if (holds(*known, wanted)) return known->number();
    }
    VectorTransaction transaction(writer, "BEGIN IMMEDIATE");
    make_own_tables(writer);
    std::map<std::uint32_t, VectorSpace> stored = stored_spaces(writer);  // another process may have made some
    VectorSpace* stands = nullptr;
    for (auto& [number, space] : stored)
        if (space.name == wanted.name) stands = &space;
    if (!stands) {
        make_space(writer, wanted);
        stands = &wanted;
    } else {
        check_same(*stands, wanted);
        add_attributes(writer, *stands, wanted);
    }
    transaction.commit();
    const std::uint32_t number = stands->number();
    spaces.put(std::move(*stands));
    return number;
}

}  // namespace jackfield::sqlite
