#include <algorithm>
#include <cmath>
#include <map>

#include "json_text.hpp"
#include "match.hpp"

/// Store::query: rows as they are, or groups of them.
namespace example {

using jackfield::sdk::column_of;
using jackfield::sdk::Failure;
using jackfield::sdk::Json;
using jackfield::sdk::Time;

namespace {

struct Found {
    const Record* record;
    double rank;
    std::vector<Value> key;
};

/// One aggregate of one group, value by value.
class Sum {
  public:
    void add(const Aggregate& aggregate, const Value& value) {
        if (value.is_null()) return;
        ++n_;
        switch (aggregate.verb) {
            case JF_AGGREGATE_COUNT: return;
            case JF_AGGREGATE_MIN:
                if (n_ == 1 || less(value, value_)) value_ = value;
                return;
            case JF_AGGREGATE_MAX:
                if (n_ == 1 || less(value_, value)) value_ = value;
                return;
            case JF_AGGREGATE_SUM_EACH: return add_each(value);
            default: real_ += value.real(); return add_up(aggregate, value);
        }
    }
    Value result(const Aggregate& aggregate) const {
        if (aggregate.verb == JF_AGGREGATE_COUNT) return n_;
        if (n_ == 0) return {};
        if (aggregate.verb == JF_AGGREGATE_AVG) return finite(real_ / static_cast<double>(n_));
        return value_;
    }

  private:
    static double finite(double value) {
        if (!std::isfinite(value)) throw Failure(JF_E_INVALID, "a sum is no finite number any more");
        return value;
    }
    void add_each(const Value& value) {
        const auto sum = added_up(n_ == 1 ? "[]" : value_.text(), value.text());
        if (!sum) throw Failure(JF_E_INVALID, "SUM_EACH met JSON that is no array of numbers");
        value_ = Json{*sum};
    }
    void add_up(const Aggregate& aggregate, const Value& value) {
        if (aggregate.verb != JF_AGGREGATE_SUM) return;
        if (value.type() == JF_VALUE_REAL) value_ = finite(real_);
        else {
            std::int64_t sum = 0;
            if (__builtin_add_overflow(value_.integer(), value.integer(), &sum)) throw Failure(JF_E_INVALID, "a sum is beyond 64 bits");
            value_ = sum;
        }
    }

    std::int64_t n_ = 0;
    double real_ = 0;
    Value value_;
};

Value bucket_of(const Value& value, const std::vector<std::int64_t>& edges) {
    if (value.is_null()) return {};
    const auto above = std::upper_bound(edges.begin(), edges.end(), value.integer());
    return above == edges.begin() ? Value() : Value(above - edges.begin() - 1);
}

/// An order of groups counts their columns: those that were asked for, then the rest.
std::vector<Order> order_of_groups(const Query& query) {
    std::vector<Order> order;
    const auto add = [&](std::uint16_t column, bool descending) {
        if (std::none_of(order.begin(), order.end(), [&](const Order& o) { return o.field == column; })) order.push_back({column, descending});
    };
    for (const Order& by : query.order) {
        const auto column = std::find(query.group.begin(), query.group.end(), by.field);
        add(static_cast<std::uint16_t>(column - query.group.begin()), by.descending);
    }
    for (std::uint16_t i = 0; i < query.group.size(); ++i) add(i, false);
    return order;
}

}  // namespace

const Declaration& Store::referenced(const Declaration& from, std::uint16_t via) const {
    const std::size_t position = via - std::size_t{JF_FIELD_FIRST};
    const std::string name = via >= JF_FIELD_FIRST && position < from.fields.size() ? from.fields[position].references : "";
    for (const Collection& collection : collections_)
        if (!name.empty() && collection.declared.name == name) return collection.declared;
    throw Failure(JF_E_INVALID, "field " + std::to_string(via) + " of collection '" + from.name + "' refers to no collection that was declared");
}

std::function<const Record*(const Record&, std::uint16_t)> Store::follow(const Declaration& from, const std::string& caller) const {
    return [this, &from, caller](const Record& record, std::uint16_t via) -> const Record* {
        const Declaration& target = referenced(from, via);
        const auto collection = std::find_if(collections_.begin(), collections_.end(), [&](const Collection& c) { return &c.declared == &target; });
        const auto records = collection->tenants.find(target.scope == JF_SCOPE_TENANT ? caller : "");
        if (records == collection->tenants.end()) return nullptr;
        const auto found = records->second.find(field_of(record, via).text());
        return found == records->second.end() ? nullptr : &found->second;
    };
}

Answer Store::query(const Query& query) const { return query.aggregates.empty() ? rows(query) : groups(query); }

Answer Store::rows(const Query& query) const {
    const Collection& collection = at(query.collection);
    const Follow follow = this->follow(collection.declared, query.caller);
    const std::vector<Order> order = total(query.order);
    const std::vector<Value> after = read_cursor(query, order.size());
    std::vector<Found> found;
    if (const auto tenant = collection.tenants.find(query.tenant); tenant != collection.tenants.end())
        for (const auto& [id, record] : tenant->second) {
            if (!matches(query.where, record, follow) || !matches(query.text, collection.declared, record)) continue;
            const double rank = rank_of(query, collection.declared, record);
            std::vector<Value> key = key_of(order, record, rank);
            if (after.empty() || before(order, after, key)) found.push_back({&record, rank, std::move(key)});
        }
    std::sort(found.begin(), found.end(), [&](const Found& a, const Found& b) { return before(order, a.key, b.key); });

    Answer answer;
    const std::size_t all = column_of(static_cast<std::uint16_t>(JF_FIELD_FIRST + collection.declared.fields.size()));
    for (std::size_t i = 0; i < found.size() && i < query.limit; ++i) {
        Record row;
        if (query.columns.empty()) {
            row = *found[i].record;
            row.resize(all);  // fields that came later
        }
        for (const Column& column : query.columns) {
            const Record* const subject = column.via ? follow(*found[i].record, column.via) : found[i].record;
            if (column.field == JF_FIELD_RANK) row.emplace_back(found[i].rank);
            else row.push_back(subject ? field_of(*subject, column.field) : Value());
        }
        answer.rows.emplace_back(std::move(row));
    }
    if (found.size() > query.limit) answer.cursor = cursor_behind(query, found[query.limit - 1].key);
    return answer;
}

Answer Store::groups(const Query& query) const {
    const Collection& collection = at(query.collection);
    const Follow follow = this->follow(collection.declared, query.caller);
    const std::vector<Order> order = order_of_groups(query);
    const auto arranged = [&](const Record& group) {
        std::vector<Value> key;
        for (const Order& by : order) key.push_back(group[by.field]);
        return key;
    };
    const auto first = [&](const Record& a, const Record& b) { return before(order, arranged(a), arranged(b)); };
    std::map<Record, std::vector<Sum>, decltype(first)> groups(first);
    // Without groups nothing is one row, too.
    if (query.group.empty()) groups[{}].resize(query.aggregates.size());
    if (const auto tenant = collection.tenants.find(query.tenant); tenant != collection.tenants.end())
        for (const auto& [id, record] : tenant->second) {
            if (!matches(query.where, record, follow) || !matches(query.text, collection.declared, record)) continue;
            Record key;
            for (const std::uint16_t field : query.group) key.push_back(field_of(record, field));
            if (!query.bucket_edges.empty()) key.back() = bucket_of(key.back(), query.bucket_edges);
            std::vector<Sum>& sums = groups[std::move(key)];
            sums.resize(query.aggregates.size());
            for (std::size_t i = 0; i < sums.size(); ++i) sums[i].add(query.aggregates[i], field_of(record, query.aggregates[i].field));
        }

    Answer answer;
    const std::vector<Value> after = read_cursor(query, order.size());
    for (const auto& [key, sums] : groups) {
        if (!after.empty() && !before(order, after, arranged(key))) continue;
        if (answer.rows.size() == query.limit) {
            std::vector<Value> last;
            for (const Order& by : order) last.push_back(answer.rows.back()[by.field]);
            answer.cursor = cursor_behind(query, last);
            break;
        }
        Record row = key;
        for (std::size_t i = 0; i < sums.size(); ++i) row.push_back(sums[i].result(query.aggregates[i]));
        answer.rows.emplace_back(std::move(row));
    }
    return answer;
}

}  // namespace example
