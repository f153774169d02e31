#include "write.hpp"

#include <optional>

#include "claim.hpp"
#include "search.hpp"
#include "sql.hpp"

namespace jackfield::sqlite {
namespace {

const jf_value* value_of(const WriteRequest& write, std::uint16_t field) {
    for (const Edit& edit : write.values)
        if (edit.field == field) return &edit.value;
    return nullptr;
}

struct Standing {
    std::int64_t row = 0;
    std::uint64_t revision = 0;
};

std::optional<Standing> first_of(Connection& writer, const Sql& sql) {
    Statement row = writer.prepare(sql);
    if (!row.step()) return std::nullopt;
    return Standing{row.integer(0), static_cast<std::uint64_t>(row.integer(1))};
}

/// The record that an UPSERT or INSERT_OR_GET means: by id, or by the unique index that it names.
std::optional<Standing> find_standing(Connection& writer, const WriteRequest& write) {
    const Collection& collection = *write.collection;
    Sql sql("SELECT t._rowid_, t._rev FROM ");
    sql << collection.table() << " AS t";
    append_where(sql, collection, write.tenant, write.unique ? std::string_view() : write.id, {});
    if (write.unique)
        for (const std::uint16_t field : write.unique->fields) {
            sql << " AND " << qualified(collection, field) << " = ";
            if (field == JF_FIELD_ID) sql.text(write.id);
            else sql << *value_of(write, field);
        }
    return first_of(writer, sql);
}

/// CONFLICT unless the record has the revision that the caller read.
void check_revision(const WriteRequest& write, const std::optional<Standing>& standing) {
    if (write.expect_rev == 0 || (standing && standing->revision == write.expect_rev)) return;
    conflict(standing ? "the record in '" + write.collection->name + "' has revision " + std::to_string(standing->revision) + ", not " +
                            std::to_string(write.expect_rev)
                      : "the record in '" + write.collection->name + "' does not stand any more");
}

void check_revision_by_id(Connection& writer, const WriteRequest& write) {
    if (write.expect_rev == 0) return;
    Sql sql("SELECT t._rowid_, t._rev FROM ");
    sql << write.collection->table() << " AS t";
    append_where(sql, *write.collection, write.tenant, write.id, {});
    check_revision(write, first_of(writer, sql));
}

void insert(Connection& writer, const WriteRequest& write, std::int64_t now_us) {
    const Collection& collection = *write.collection;
    Sql sql("INSERT INTO ");
    sql << collection.table() << " (_tenant, _id, _rev, _created, _updated";
    for (const Edit& edit : write.values) sql << ", " << collection.at(edit.field).column;
    sql << ") VALUES (";
    sql.text(write.tenant) << ", ";
    sql.text(write.id) << ", 1, ";
    sql.integer(now_us) << ", ";
    sql.integer(now_us);
    for (const Edit& edit : write.values) sql << ", " << edit.value;
    sql << ")";
    writer.prepare(sql).run();
}

void append_stamp(Sql& sql, std::int64_t now_us) {
    sql << "_rev = _rev + 1, _updated = ";
    sql.integer(now_us);
}

void check_complete(const WriteRequest& write) {
    for (std::size_t i = 0; i < write.collection->fields.size(); ++i) {
        const Field& field = write.collection->fields[i];
        if (field.not_null() && !value_of(write, static_cast<std::uint16_t>(JF_FIELD_FIRST + i)))
            invalid("field '" + field.name + "' is missing, and the record is new");
    }
}

void upsert(Connection& writer, const WriteRequest& write, std::int64_t now_us, WriteResult& result) {
    const Collection& collection = *write.collection;
    const std::optional<Standing> standing = find_standing(writer, write);
    check_revision(write, standing);
    result.affected += 1;
    result.revision = standing ? standing->revision + 1 : 1;
    if (!standing) {
        check_complete(write);
        insert(writer, write, now_us);
        return;
    }
    const std::vector<Edit>& edits = write.edits.empty() ? write.values : write.edits;
    Sql sql("UPDATE ");
    sql << collection.table() << " AS t SET ";
    append_edits(sql, collection, edits);
    if (!edits.empty()) sql << ", ";
    append_stamp(sql, now_us);
    (sql << " WHERE t._rowid_ = ").integer(standing->row);
    writer.prepare(sql).run();
}

/// What a write answers is kept until its transaction is durable: it has to stay small.
constexpr std::size_t most_answer_bytes = std::size_t{64} << 20;

void add_row(WriteResult& result, const Collection& collection, std::size_t first_buffer, const Statement& row) {
    if (result.rows.size() == first_buffer || result.rows.back().full()) result.rows.emplace_back(collection.column_types());
    const std::size_t before = result.rows.back().bytes();
    result.rows.back().add(row);
    result.bytes += result.rows.back().bytes() - before;
    if (result.bytes > most_answer_bytes)
        throw StoreFailure(JF_E_QUOTA, "the records to answer have more than 64 MiB; take fewer at a time");
}

void insert_or_get(Connection& writer, const WriteRequest& write, std::int64_t now_us, WriteResult& result) {
    const Collection& collection = *write.collection;
    std::optional<Standing> standing = find_standing(writer, write);
    if (!standing) {
        insert(writer, write, now_us);
        result.affected += 1;
        standing = find_standing(writer, write);
    }
    result.revision = standing->revision;
    Sql sql("SELECT ");
    sql << all_columns(collection, "t.") << " FROM " << collection.table() << " AS t WHERE t._rowid_ = ";
    sql.integer(standing->row);
    Statement row = writer.prepare(sql);
    if (row.step()) add_row(result, collection, result.rows.size(), row);
}

/// " WHERE ...": the records meant; with a limit the first ones of the order.
void append_meant(Sql& sql, const WriteRequest& write) {
    const Collection& collection = *write.collection;
    if (write.limit == 0) return append_where(sql, collection, write.tenant, write.id, write.where);
    sql << " WHERE t._rowid_ IN (SELECT t._rowid_ FROM " << collection.table() << " AS t";
    append_where(sql, collection, write.tenant, write.id, write.where);
    append_order(sql, collection, total_order(write.order));
    (sql << " LIMIT ").integer(write.limit) << ")";
}

void update(Connection& writer, const WriteRequest& write, std::int64_t now_us, WriteResult& result) {
    const Collection& collection = *write.collection;
    check_revision_by_id(writer, write);
    Sql sql("UPDATE ");
    sql << collection.table() << " AS t SET ";
    append_edits(sql, collection, write.edits);
    sql << ", ";
    append_stamp(sql, now_us);
    append_meant(sql, write);
    sql << " RETURNING _rev";
    Statement row = writer.prepare(sql);
    std::uint64_t count = 0;
    std::uint64_t revision = 0;
    for (; row.step(); ++count) revision = static_cast<std::uint64_t>(row.integer(0));
    result.affected += count;
    result.revision = count == 1 ? revision : 0;
}

void remove(Connection& writer, const WriteRequest& write, WriteResult& result) {
    check_revision_by_id(writer, write);
    Sql sql("DELETE FROM ");
    sql << write.collection->table() << " AS t";
    append_meant(sql, write);
    writer.prepare(sql).run();
    result.affected += writer.changes();
    result.revision = 0;
}

/// Nobody else can claim meanwhile: there is one writer, and the transaction holds the file's write lock.
void claim(Connection& writer, const WriteRequest& write, std::int64_t now_us, WriteResult& result) {
    const Collection& collection = *write.collection;
    check_revision_by_id(writer, write);
    const std::vector<std::int64_t> rows = choose_claimed(writer, write);
    const std::size_t first_buffer = result.rows.size();
    result.revision = 0;
    for (const std::int64_t number : rows) {
        Sql sql("UPDATE ");
        sql << collection.table() << " AS t SET ";
        append_edits(sql, collection, write.edits);
        sql << ", ";
        append_stamp(sql, now_us);
        (sql << " WHERE t._rowid_ = ").integer(number) << " RETURNING " << all_columns(collection, "");
        Statement row = writer.prepare(sql);
        while (row.step()) {
            add_row(result, collection, first_buffer, row);
            if (rows.size() == 1) result.revision = static_cast<std::uint64_t>(row.integer(JF_FIELD_REV));
        }
    }
    result.affected += rows.size();
}

void apply_verb(Connection& writer, const WriteRequest& write, std::int64_t now_us, WriteResult& result) {
    switch (write.verb) {
        case JF_WRITE_INSERT:
            insert(writer, write, now_us);
            result.affected += 1;
            result.revision = 1;
            return;
        case JF_WRITE_UPSERT: return upsert(writer, write, now_us, result);
        case JF_WRITE_INSERT_OR_GET: return insert_or_get(writer, write, now_us, result);
        case JF_WRITE_UPDATE_WHERE: return update(writer, write, now_us, result);
        case JF_WRITE_DELETE_WHERE: return remove(writer, write, result);
        default: return claim(writer, write, now_us, result);
    }
}

/// SQLite says which columns stood in the way ("UNIQUE constraint failed: test.leads._tenant, test.leads.owner"): the index in the caller's words.
[[noreturn]] void explain_unique(const Collection& collection, std::string_view said) {
    const std::string where = "collection '" + collection.name + "' has a record with ";
    const auto columns_of = [&](const std::vector<std::string>& names) {
        std::string out = collection.name + "._tenant";
        for (const std::string& name : names) out += ", " + collection.name + '.' + name;
        return out;
    };
    if (said.ends_with(": " + columns_of({"_id"}))) conflict(where + "this id already");
    for (std::size_t i = 0; i < collection.indexes.size(); ++i) {
        std::vector<std::string> names, shown;
        for (const std::uint16_t number : collection.indexes[i].fields) {
            const Field& field = collection.at(number);
            names.push_back(field.column.substr(field.column.front() == '"', field.column.size() - 2 * (field.column.front() == '"')));
            shown.push_back(field.name);
        }
        if (!collection.indexes[i].unique || !said.ends_with(": " + columns_of(names))) continue;
        std::string list;
        for (const std::string& name : shown) list += (list.empty() ? "" : ", ") + name;
        conflict(where + "these values of unique index " + std::to_string(i) + " (" + list + ") already");
    }
    conflict(where + "these values of a unique index: " + std::string(said));
}

}  // namespace

void apply_write(Connection& writer, const WriteRequest& write, std::int64_t now_us, WriteResult& result) {
    const std::uint64_t before = result.affected;
    try {
        apply_verb(writer, write, now_us, result);
    } catch (const StoreFailure& failure) {
        if (failure.constraint == StoreFailure::Constraint::unique) explain_unique(*write.collection, failure.what());
        throw;
    }
    if ((write.flags & JF_WRITE_REQUIRE) != 0 && result.affected == before)
        conflict("no record of '" + write.collection->name + "' was affected, and the write requires one");
    if ((write.flags & JF_WRITE_ERASE) != 0) compact_search(writer, *write.collection);
}

}  // namespace jackfield::sqlite
