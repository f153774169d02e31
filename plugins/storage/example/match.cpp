#include "match.hpp"

#include <algorithm>
#include <cmath>

namespace example {

using jackfield::sdk::column_of;
using jackfield::sdk::Failure;

namespace {

bool matches(const Term& term, const Record& record, const Follow& follow) {
    const Record* const subject = term.via ? follow(record, term.via) : &record;
    if (!subject) return false;
    const Value& value = field_of(*subject, term.field);
    if (term.verb == JF_TERM_IS_NULL) return value.is_null();
    if (value.is_null()) return false;
    if (term.verb == JF_TERM_NOT_NULL) return true;
    if (term.verb == JF_TERM_IN) return std::find(term.values.begin(), term.values.end(), value) != term.values.end();
    if (term.verb == JF_TERM_TEXT) {
        const std::vector<std::string> words = words_of(value.text());
        return !term.phrases.empty() && std::all_of(term.phrases.begin(), term.phrases.end(), [&](const Phrase& p) { return times(p, words) > 0; });
    }
    const Value& other = term.values.front();
    switch (term.verb) {
        case JF_TERM_EQ: return value == other;
        case JF_TERM_NE: return !(value == other);
        case JF_TERM_LT: return less(value, other);
        case JF_TERM_LE: return !less(other, value);
        case JF_TERM_GT: return less(other, value);
        case JF_TERM_GE: return !less(value, other);
        case JF_TERM_PREFIX: return value.text().starts_with(other.text());
        default: return value.text().find(other.text()) != std::string::npos;  // CONTAINS
    }
}

/// What a cursor goes with.
std::string shape_of(const Query& query) {
    Packer shape;
    shape.number(query.collection).text(query.tenant);
    for (const Term& term : query.where) {
        shape.number(term.via).number(term.field).number(term.verb);
        for (const Value& value : term.values) shape.value(value);
    }
    for (const Order& by : query.order) shape.number(by.field).number(by.descending);
    for (const Phrase& phrase : query.text)
        for (const std::string& word : phrase.words) shape.text(word);
    for (const std::uint16_t field : query.group) shape.number(field);
    return shape.bytes();
}

}  // namespace

bool less(const Value& a, const Value& b) {
    if (a.is_null() || b.is_null()) return a.is_null() && !b.is_null();
    if (a.type() == JF_VALUE_TEXT || a.type() == JF_VALUE_BYTES) return a.text() < b.text();
    if (a.type() == JF_VALUE_REAL) return a.real() < b.real();
    return a.integer() < b.integer();
}

const Value& field_of(const Record& record, std::uint16_t field) {
    static const Value none;
    const std::size_t column = column_of(field);
    return column < record.size() ? record[column] : none;
}

bool matches(const std::vector<Term>& where, const Record& record, const Follow& follow) {
    return std::all_of(where.begin(), where.end(), [&](const Term& term) { return matches(term, record, follow); });
}

bool matches(const std::vector<Phrase>& text, const Declaration& declared, const Record& record) {
    return std::all_of(text.begin(), text.end(), [&](const Phrase& phrase) {
        for (std::size_t i = 0; i < declared.fields.size(); ++i)
            if ((declared.fields[i].flags & JF_FIELD_TEXT_SEARCH) &&
                times(phrase, words_of(field_of(record, static_cast<std::uint16_t>(JF_FIELD_FIRST + i)).text())) > 0)
                return true;
        return false;
    });
}

double rank_of(const Query& query, const Declaration& declared, const Record& record) {
    std::size_t found = 0, length = 1;
    const auto add = [&](std::uint16_t field, const std::vector<Phrase>& phrases) {
        const std::vector<std::string> words = words_of(field_of(record, field).text());
        length += words.size();
        for (const Phrase& phrase : phrases) found += times(phrase, words);
    };
    for (const Term& term : query.where)
        if (term.verb == JF_TERM_TEXT && term.via == 0) add(term.field, term.phrases);
    for (std::size_t i = 0; i < declared.fields.size() && !query.text.empty(); ++i)
        if (declared.fields[i].flags & JF_FIELD_TEXT_SEARCH) add(static_cast<std::uint16_t>(JF_FIELD_FIRST + i), query.text);
    return static_cast<double>(found) / std::sqrt(static_cast<double>(length));
}

std::vector<Order> total(std::vector<Order> order) {
    const bool descending = !order.empty() && order.back().descending;
    order.push_back({JF_FIELD_ID, descending});
    return order;
}

std::vector<Value> key_of(const std::vector<Order>& order, const Record& record, double rank) {
    std::vector<Value> key;
    for (const Order& by : order) key.push_back(by.field == JF_FIELD_RANK ? Value(rank) : field_of(record, by.field));
    return key;
}

bool before(const std::vector<Order>& order, const std::vector<Value>& a, const std::vector<Value>& b) {
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (less(a[i], b[i])) return !order[i].descending;
        if (less(b[i], a[i])) return order[i].descending;
    }
    return false;
}

std::string cursor_behind(const Query& query, const std::vector<Value>& key) {
    Packer cursor;
    cursor.text(shape_of(query));
    for (const Value& value : key) cursor.value(value);
    return cursor.bytes();
}

std::vector<Value> read_cursor(const Query& query, std::size_t values) {
    std::vector<Value> key;
    if (query.cursor.empty()) return key;
    Unpacker in(query.cursor);
    if (in.text() != shape_of(query)) throw Failure(JF_E_INVALID, "cursor does not belong to this query");
    for (std::size_t i = 0; i < values; ++i) key.push_back(in.value());
    if (!in.at_end()) throw Failure(JF_E_INVALID, "cursor does not belong to this query");
    return key;
}

}  // namespace example
