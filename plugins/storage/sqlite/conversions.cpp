#include "conversions.hpp"

#include <jackfield/records.h>

namespace jackfield::sqlite {
namespace {

std::string whole_of_text(const std::string& x) {
    // Only what reads back as itself: neither "12 apples" nor a number beyond 64 bits.
    return "CASE WHEN CAST(CAST(" + x + " AS INTEGER) AS TEXT) = trim(" + x + ") THEN CAST(" + x + " AS INTEGER) END";
}
std::string whole_of_real(const std::string& x) {
    return "CASE WHEN abs(" + x + ") < 9e15 AND " + x + " = CAST(" + x + " AS INTEGER) THEN CAST(" + x + " AS INTEGER) END";
}
std::string truth_of_text(const std::string& x) {
    return "CASE lower(trim(" + x + ")) WHEN 'true' THEN 1 WHEN '1' THEN 1 WHEN 'false' THEN 0 WHEN '0' THEN 0 END";
}
std::string word_of_truth(const std::string& x) { return "CASE " + x + " WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"; }

bool is_count(std::uint16_t type) { return type == JF_VALUE_INT || type == JF_VALUE_TIME || type == JF_VALUE_BOOL; }
bool is_text(std::uint16_t type) { return type == JF_VALUE_TEXT || type == JF_VALUE_JSON; }

std::string to_count(const std::string& x, std::uint16_t from) {
    if (is_count(from)) return x;
    if (from == JF_VALUE_REAL) return whole_of_real(x);
    return is_text(from) ? whole_of_text(x) : "NULL";
}

std::string to_text(const std::string& x, std::uint16_t from) {
    if (from == JF_VALUE_BOOL) return word_of_truth(x);
    if (from == JF_VALUE_BYTES) return "NULL";
    return from == JF_VALUE_JSON ? x : "CAST(" + x + " AS TEXT)";
}

}  // namespace

std::string converted(const std::string& x, std::uint16_t from, std::uint16_t to) {
    if (from == to) return x;
    switch (to) {
        case JF_VALUE_INT:
        case JF_VALUE_TIME: return to_count(x, from);
        case JF_VALUE_BOOL:
            if (is_text(from)) return truth_of_text(x);
            return "CASE WHEN (" + to_count(x, from) + ") IN (0, 1) THEN " + to_count(x, from) + " END";
        case JF_VALUE_REAL:
            if (is_count(from)) return "CAST(" + x + " AS REAL)";
            if (!is_text(from)) return "NULL";
            return "CASE WHEN json_valid(trim(" + x + ")) AND json_type(trim(" + x + ")) IN ('integer', 'real') THEN CAST(trim(" + x + ") AS REAL) END";
        case JF_VALUE_TEXT: return to_text(x, from);
        case JF_VALUE_JSON:
            if (from == JF_VALUE_TEXT) return "CASE WHEN json_valid(" + x + ") THEN " + x + " WHEN " + x + " IS NOT NULL THEN json_quote(" + x + ") END";
            return to_text(x, from);
        case JF_VALUE_BYTES: return is_text(from) ? "CAST(" + x + " AS BLOB)" : "NULL";
        default: return "NULL";
    }
}

std::string empty_value(std::uint16_t type) {
    switch (type) {
        case JF_VALUE_REAL: return "0.0";
        case JF_VALUE_TEXT: return "''";
        case JF_VALUE_BYTES: return "x''";
        case JF_VALUE_JSON: return "'null'";
        default: return "0";
    }
}

}  // namespace jackfield::sqlite
