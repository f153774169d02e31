#include "vectors_rows.hpp"

#include <cstring>

#include "rows.hpp"
#include "sql.hpp"

namespace jackfield::sqlite {
namespace {

std::string_view bytes_of(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// Counts a change of `by` vectors; the version after it.
std::uint64_t count_change(Connection& writer, const VectorSpace& space, std::string_view tenant, std::int64_t by) {
    Sql sql("INSERT INTO _jf_vector_sets (space, tenant, version, vectors) VALUES (");
    sql.integer(space.number()) << ", ";
    sql.text(tenant) << ", 1, ";
    sql.integer(by) << ") ON CONFLICT (space, tenant) DO UPDATE SET version = version + 1, vectors = vectors + excluded.vectors RETURNING version";
    Statement row = writer.prepare(sql);
    row.step();
    const auto version = static_cast<std::uint64_t>(row.integer(0));
    row.run();
    return version;
}

std::int64_t upsert_attributes(Connection& writer, const VectorUpsert& upsert, const VectorRow& vector, std::int64_t now_us, bool& is_new) {
    const std::vector<Field>& fields = upsert.space->collection.fields;
    Sql sql("INSERT INTO ");
    sql << upsert.space->rows() << " (_tenant, _id, _rev, _created, _updated";
    for (const Field& field : fields) sql << ", " << field.column;
    sql << ") VALUES (";
    sql.text(upsert.tenant) << ", ";
    sql.text(vector.id) << ", 1, ";
    sql.integer(now_us) << ", ";
    sql.integer(now_us);
    for (const jf_value& value : vector.attributes) sql << ", " << value;
    sql << ") ON CONFLICT (_tenant, _id) DO UPDATE SET _rev = _rev + 1, _updated = excluded._updated";
    for (const Field& field : fields) sql << ", " << field.column << " = excluded." << field.column;
    sql << " RETURNING _row, _rev";
    Statement row = writer.prepare(sql);
    row.step();
    const std::int64_t number = row.integer(0);
    is_new = row.integer(1) == 1;
    row.run();
    return number;
}

/// What `remove` means, without the ids.
void append_removed(Sql& sql, const VectorRemove& remove, std::string_view id) {
    sql << "DELETE FROM " << remove.space->rows() << " AS t";
    append_where(sql, remove.space->collection, remove.tenant, id, remove.where);
    sql << " RETURNING _row";
}

}  // namespace

VectorsWritten upsert_rows(Connection& writer, const VectorUpsert& upsert, std::int64_t now_us) {
    VectorsWritten out;
    std::int64_t made = 0;
    for (const VectorRow& vector : upsert.rows) {
        bool is_new = false;
        const std::int64_t number = upsert_attributes(writer, upsert, vector, now_us, is_new);
        made += is_new ? 1 : 0;
        out.rows.push_back(number);
        Sql sql("INSERT INTO ");
        sql << upsert.space->values() << " (_row, _values) VALUES (";
        sql.integer(number) << ", ";
        sql.blob(bytes_of(vector.values)) << ") ON CONFLICT (_row) DO UPDATE SET _values = excluded._values";
        writer.prepare(sql).run();
    }
    out.version = count_change(writer, *upsert.space, upsert.tenant, made);
    return out;
}

VectorsWritten remove_rows(Connection& writer, const VectorRemove& remove) {
    VectorsWritten out;
    const auto run = [&](std::string_view id) {
        Sql sql;
        append_removed(sql, remove, id);
        Statement row = writer.prepare(sql);
        while (row.step()) out.rows.push_back(row.integer(0));
    };
    if (remove.ids.empty()) run({});
    for (const std::string_view id : remove.ids) run(id);
    out.version = count_change(writer, *remove.space, remove.tenant, -static_cast<std::int64_t>(out.rows.size()));
    return out;
}

VectorCount count_vectors(Connection& reader, const VectorSpace& space, std::string_view tenant) {
    Sql sql("SELECT version, vectors FROM _jf_vector_sets WHERE space = ");
    sql.integer(space.number()) << " AND tenant = ";
    sql.text(tenant);
    Statement row = reader.prepare(sql);
    if (!row.step()) return {};
    return {static_cast<std::uint64_t>(row.integer(0)), static_cast<std::uint64_t>(row.integer(1))};
}

std::vector<VectorPlace> places_of_vectors(Connection& reader) {
    std::vector<VectorPlace> out;
    {
        Statement table = reader.prepare(Sql("SELECT 1 FROM sqlite_schema WHERE name = '_jf_vector_sets'"));
        if (!table.step()) return out;
    }
    Statement row = reader.prepare(Sql("SELECT space, tenant, vectors FROM _jf_vector_sets WHERE vectors > 0 ORDER BY vectors DESC"));
    while (row.step())
        out.push_back({static_cast<std::uint32_t>(row.integer(0)), std::string(row.text(1)), static_cast<std::uint64_t>(row.integer(2))});
    return out;
}

void read_vectors(Connection& reader, const VectorSpace& space, std::string_view tenant, const std::vector<Term>& where, bool with_attributes,
                  const std::function<void(const StoredVector&)>& each) {
    Sql sql("SELECT t._row, v._values");
    if (with_attributes)
        for (const Field& field : space.collection.fields) sql << ", t." << field.column;
    sql << " FROM " << space.rows() << " AS t CROSS JOIN " << space.values() << " AS v ON v._row = t._row";
    append_where(sql, space.collection, tenant, {}, where);
    std::vector<float> values(space.dim);
    std::vector<jf_value> attributes;
    StoredVector stored{0, values.data(), attributes};
    Statement row = reader.prepare(sql);
    while (row.step()) {
        stored.row = row.integer(0);
        const std::string_view blob = row.text(1);
        std::memcpy(values.data(), blob.data(), std::min(blob.size(), values.size() * sizeof(float)));
        attributes.clear();
        if (with_attributes)
            for (std::size_t i = 0; i < space.collection.fields.size(); ++i)
                attributes.push_back(column_value(row, static_cast<int>(2 + i), space.collection.fields[i].type));
        each(stored);
    }
}

std::vector<std::int64_t> matching_rows(Connection& reader, const VectorSpace& space, std::string_view tenant, const std::vector<Term>& where) {
    Sql sql("SELECT t._row FROM ");
    sql << space.rows() << " AS t";
    append_where(sql, space.collection, tenant, {}, where);
    sql << " ORDER BY t._row";
    std::vector<std::int64_t> rows;
    Statement row = reader.prepare(sql);
    while (row.step()) rows.push_back(row.integer(0));
    return rows;
}

void VectorAnswer::settle() {
    std::size_t at = 0;
    for (jf_value& value : values) {
        value.s.ptr = value.s.len > 0 ? text.data() + at : nullptr;
        at += static_cast<std::size_t>(value.s.len);
    }
}

bool read_answer(Connection& reader, const VectorQuery& query, std::int64_t row, VectorAnswer& out) {
    const Collection& collection = query.space->collection;
    Sql sql("SELECT t._id");
    for (const std::uint16_t field : query.fields) sql << ", " << qualified(collection, field);
    sql << " FROM " << query.space->rows() << " AS t WHERE t._tenant = ";
    sql.text(query.tenant) << " AND t._row = ";
    sql.integer(row);
    Statement answer = reader.prepare(sql);
    if (!answer.step()) return false;
    out.id = answer.text(0);
    for (std::size_t i = 0; i < query.fields.size(); ++i) {
        const jf_value value = column_value(answer, static_cast<int>(1 + i), collection.at(query.fields[i]).type);
        out.text += sdk::view(value.s);
        out.values.push_back(value);
    }
    return true;
}

}  // namespace jackfield::sqlite
