#include "query.hpp"

#include <algorithm>

#include "cursor.hpp"
#include "search.hpp"
#include "sql.hpp"

namespace jackfield::sqlite {
namespace {

struct Selection {
    std::vector<std::uint16_t> types;  // of the columns that the caller sees
    std::string columns;

    void add(const std::string& column, std::uint16_t type) {
        if (!columns.empty()) columns += ", ";
        columns += column;
        types.push_back(type);
    }
    void add_all(const Collection& collection, const std::string& prefix) {
        if (!columns.empty()) columns += ", ";
        columns += all_columns(collection, prefix);
        const std::vector<std::uint16_t> more = collection.column_types();
        types.insert(types.end(), more.begin(), more.end());
    }
};

std::string join_name(std::size_t i) { return "r" + std::to_string(i); }

Selection select_records(const QueryRequest& query) {
    Selection selection;
    for (const QueryRequest::Column& column : query.columns) {
        if (column.include < 0) {
            selection.add(qualified(*query.collection, column.field), order_field(*query.collection, column.field).type);
            continue;
        }
        const auto i = static_cast<std::size_t>(column.include);
        const Collection& target = *query.include[i].target;
        selection.add(qualified(target, column.field, join_name(i)), target.at(column.field).type);
    }
    if (!query.columns.empty()) return selection;
    selection.add_all(*query.collection, "t.");
    for (std::size_t i = 0; i < query.include.size(); ++i) selection.add_all(*query.include[i].target, join_name(i) + '.');
    return selection;
}

void append_joins(Sql& sql, const QueryRequest& query) {
    for (std::size_t i = 0; i < query.include.size(); ++i) {
        const Collection& target = *query.include[i].target;
        const std::string name = join_name(i);
        sql << " LEFT JOIN " << target.table() << " AS " << name << " ON " << name << "._tenant = ";
        sql.text(target.tenant_of(query.raw_tenant)) << " AND " << name << "._id = " << qualified(*query.collection, query.include[i].field);
    }
}

/// Passes rows on; returns how many. One more than the limit was asked for: it tells whether there are more.
struct Passed {
    std::uint64_t rows = 0;
    bool more = false;
};
template <typename OnLast>
Passed pass_rows(Statement& row, std::uint32_t limit, RowBuffer& buffer, const RowSink& sink, OnLast on_last) {
    Passed passed;
    while (row.step()) {
        if (passed.rows == limit) {
            passed.more = true;
            break;
        }
        buffer.add(row);
        if (++passed.rows == limit) on_last(row);
        if (!buffer.full()) continue;
        sink(buffer);
        buffer.clear();
    }
    if (!buffer.empty()) sink(buffer);
    return passed;
}

/// The records that match all words, with their rank, apart: FTS5 computes the rank only where it looks for the words itself.
void append_ranked(Sql& sql, const QueryRequest& query) {
    const Collection& collection = *query.collection;
    std::string match;
    bool nothing = false;
    for (const Term& term : query.where) {
        if (term.verb != JF_TERM_TEXT || term.via.reference) continue;
        nothing |= term.words.empty();
        match += (match.empty() ? "(" : " AND (") + term.words + ")";
    }
    // The tenant's column is no word of the record: it weighs nothing.
    const std::string index = search_table(collection);
    sql << "WITH s AS MATERIALIZED (SELECT rowid AS _number, -bm25(" << index << ", 0.0) AS _rank FROM " << index << " WHERE ";
    if (nothing) sql << "0) ";
    else (sql << index << " MATCH ").owned_text(match_in_tenant(query.tenant, match)) << ") ";
}

std::string run_records(Connection& connection, const QueryRequest& query, const RowSink& sink) {
    const Collection& collection = *query.collection;
    const std::vector<jf_order> order = total_order(query.order);
    const Selection selection = select_records(query);
    const Cursor from = query.cursor.empty() ? Cursor{} : read_cursor(query, query.cursor);

    Sql sql;
    if (query.ranked) append_ranked(sql, query);
    sql << "SELECT " << selection.columns;
    for (const jf_order& by : order) sql << ", " << qualified(collection, by.field);
    sql << " FROM ";
    if (query.ranked) sql << "s JOIN " << collection.table() << " AS t ON t._row = s._number";
    else sql << collection.table() << " AS t";
    append_joins(sql, query);
    std::vector<Term> where = query.where;
    if (query.ranked) std::erase_if(where, [](const Term& term) { return term.verb == JF_TERM_TEXT && !term.via.reference; });
    append_where(sql, collection, query.tenant, {}, where);
    if (!from.last.empty()) append_after(sql, collection, order, from.last);
    append_order(sql, collection, order);
    (sql << " LIMIT ").integer(static_cast<std::int64_t>(query.limit) + 1);

    Statement row = connection.prepare(sql);
    RowBuffer buffer(selection.types);
    std::string cursor;
    const Passed passed = pass_rows(row, query.limit, buffer, sink, [&](const Statement& last) {
        Cursor to;
        for (std::size_t i = 0; i < order.size(); ++i)
            to.last.push_back(column_value(last, static_cast<int>(selection.types.size() + i), order_field(collection, order[i].field).type));
        cursor = write_cursor(query, to);
    });
    return passed.more ? cursor : std::string();
}

std::uint16_t aggregate_type(const Collection& collection, const jf_aggregate& aggregate) {
    if (aggregate.verb == JF_AGGREGATE_COUNT) return JF_VALUE_INT;
    if (aggregate.verb == JF_AGGREGATE_AVG) return JF_VALUE_REAL;
    if (aggregate.verb == JF_AGGREGATE_SUM_EACH) return JF_VALUE_JSON;
    return collection.at(aggregate.field).type;
}

/// ORDER BY positions of the columns: as asked, then the other groups, which makes it total.
void append_group_order(Sql& sql, const QueryRequest& query) {
    std::vector<std::string> parts;
    std::vector<bool> used(query.group.size(), false);
    for (const jf_order& by : query.order) {
        const auto place = static_cast<std::size_t>(
            std::find(query.group.begin(), query.group.end(), by.field) - query.group.begin());
        if (used[place]) continue;
        used[place] = true;
        parts.push_back(std::to_string(place + 1) + (by.descending ? " DESC" : ""));
    }
    for (std::size_t i = 0; i < used.size(); ++i)
        if (!used[i]) parts.push_back(std::to_string(i + 1));
    for (std::size_t i = 0; i < parts.size(); ++i) sql << (i ? ", " : " ORDER BY ") << parts[i];
}

std::string run_aggregates(Connection& connection, const QueryRequest& query, const RowSink& sink) {
    static constexpr std::string_view functions[] = {"count", "sum", "min", "max", "avg", "jf_sum_each"};
    const Collection& collection = *query.collection;
    const Cursor from = query.cursor.empty() ? Cursor{} : read_cursor(query, query.cursor);
    std::vector<std::uint16_t> types;

    Sql sql("SELECT ");
    for (std::size_t i = 0; i < query.group.size(); ++i) {
        const bool bucketed = !query.edges.empty() && i + 1 == query.group.size();
        const std::string column = qualified(collection, query.group[i]);
        types.push_back(bucketed ? std::uint16_t{JF_VALUE_INT} : collection.at(query.group[i]).type);
        if (!bucketed) {
            sql << column << ", ";
            continue;
        }
        sql << "jf_bucket(";
        sql.blob({reinterpret_cast<const char*>(query.edges.data()), query.edges.size() * sizeof(std::int64_t)});
        sql << ", " << column << "), ";
    }
    for (std::size_t i = 0; i < query.aggregates.size(); ++i) {
        const jf_aggregate& aggregate = query.aggregates[i];
        sql << (i ? ", " : "") << functions[aggregate.verb] << "(" << qualified(collection, aggregate.field) << ")";
        types.push_back(aggregate_type(collection, aggregate));
    }
    sql << " FROM " << collection.table() << " AS t";
    append_where(sql, collection, query.tenant, {}, query.where);
    for (std::size_t i = 0; i < query.group.size(); ++i) sql << (i ? ", " : " GROUP BY ") << std::to_string(i + 1);
    append_group_order(sql, query);
    (sql << " LIMIT ").integer(static_cast<std::int64_t>(query.limit) + 1);
    (sql << " OFFSET ").integer(static_cast<std::int64_t>(from.groups));

    Statement row = connection.prepare(sql);
    RowBuffer buffer(types);
    const Passed passed = pass_rows(row, query.limit, buffer, sink, [](const Statement&) {});
    if (!passed.more) return {};
    Cursor to;
    to.groups = from.groups + passed.rows;
    return write_cursor(query, to);
}

}  // namespace

std::string run_query(Connection& connection, const QueryRequest& query, const RowSink& sink) {
    return query.aggregates.empty() ? run_records(connection, query, sink) : run_aggregates(connection, query, sink);
}

}  // namespace jackfield::sqlite
