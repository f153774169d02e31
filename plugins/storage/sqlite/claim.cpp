#include "claim.hpp"

#include <algorithm>

#include "sql.hpp"

namespace jackfield::sqlite {
namespace {

std::uint32_t limit_of(const WriteRequest& write) { return write.limit == 0 ? 1 : write.limit; }

std::vector<std::int64_t> numbers_of(Connection& writer, const Sql& sql) {
    std::vector<std::int64_t> out;
    Statement row = writer.prepare(sql);
    while (row.step()) out.push_back(row.integer(0));
    return out;
}

std::vector<std::int64_t> choose_in_order(Connection& writer, const WriteRequest& write) {
    const Collection& collection = *write.collection;
    Sql sql("SELECT t._rowid_ FROM ");
    sql << collection.table() << " AS t";
    append_where(sql, collection, write.tenant, write.id, write.where);
    append_order(sql, collection, total_order(write.order));
    (sql << " LIMIT ").integer(limit_of(write));
    return numbers_of(writer, sql);
}

/// " FROM ... WHERE ...": the records that wait.
void append_waiting(Sql& sql, const WriteRequest& write) {
    sql << " FROM " << write.collection->table() << " AS t";
    append_where(sql, *write.collection, write.tenant, write.id, write.where);
}

/// Every value of the field among the waiting records, each found by a step to the next greater one. With an index on what `where` fixes and then this
/// field a step is a seek, however many records of one value wait.
void append_values(Sql& sql, const WriteRequest& write, const std::string& field) {
    sql << "steps(value) AS (SELECT min(" << field << ")";
    append_waiting(sql, write);
    sql << " UNION ALL SELECT (SELECT min(" << field << ")";
    append_waiting(sql, write);
    sql << " AND " << field << " > steps.value) FROM steps WHERE steps.value IS NOT NULL), "
        << "shares(value) AS (SELECT value FROM steps WHERE value IS NOT NULL UNION ALL SELECT NULL WHERE EXISTS (SELECT 1";
    append_waiting(sql, write);
    sql << " AND " << field << " IS NULL))";
}

/// How many of each value are under way.
void append_busy(Sql& sql, const WriteRequest& write, const std::string& field) {
    sql << ", busy(value, n) AS (";
    if (write.fair_busy.empty()) {
        sql << "SELECT NULL, 0 WHERE 0)";
        return;
    }
    sql << "SELECT " << field << ", count(*) FROM " << write.collection->table() << " AS t";
    append_where(sql, *write.collection, write.tenant, {}, write.fair_busy);
    sql << " GROUP BY 1)";
}

/// Of each value the first few records, as many as the claim could take; of those the ones whose turn comes first. A record's turn is the number of records
/// of its value that are under way or stand before it.
std::vector<std::int64_t> choose_fairly(Connection& writer, const WriteRequest& write) {
    const Collection& collection = *write.collection;
    const std::string field = qualified(collection, write.fair_by);
    const std::vector<jf_order> order = total_order(write.order);
    Sql sql("WITH RECURSIVE ");
    append_values(sql, write, field);
    append_busy(sql, write, field);
    sql << ", first AS (SELECT c._rowid_ AS number, coalesce((SELECT n FROM busy WHERE busy.value IS shares.value), 0) AS n, shares.value AS value FROM "
        << "shares JOIN " << collection.table() << " AS c ON c._rowid_ IN (SELECT t._rowid_";
    append_waiting(sql, write);
    sql << " AND " << field << " IS shares.value";
    append_order(sql, collection, order);
    (sql << " LIMIT ").integer(limit_of(write)) << ")), turns AS (SELECT first.number AS number, first.n + row_number() OVER (PARTITION BY first.value";
    append_order(sql, collection, order);
    sql << ") AS turn FROM first JOIN " << collection.table() << " AS t ON t._rowid_ = first.number)"
        << " SELECT turns.number FROM turns JOIN " << collection.table() << " AS t ON t._rowid_ = turns.number";
    if (write.fair_most != 0) (sql << " WHERE turns.turn <= ").integer(write.fair_most);
    sql << " ORDER BY turns.turn";
    for (const jf_order& by : order) sql << ", " << qualified(collection, by.field) << (by.descending ? " DESC" : "");
    (sql << " LIMIT ").integer(limit_of(write));
    return numbers_of(writer, sql);
}

}  // namespace

std::vector<std::int64_t> choose_claimed(Connection& writer, const WriteRequest& write) {
    return write.fair_by ? choose_fairly(writer, write) : choose_in_order(writer, write);
}

}  // namespace jackfield::sqlite
