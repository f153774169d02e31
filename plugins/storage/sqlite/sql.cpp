#include "sql.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>

#include "number_arrays.hpp"
#include "search.hpp"

namespace jackfield::sqlite {
namespace {

/// The least text that is greater than every text with this prefix. Bytes of UTF-8 end at 0xf4, so the last one can always grow; the
/// result need not be UTF-8, since SQLite compares bytes.
std::string after_prefix(std::string_view prefix) {
    std::string out(prefix);
    out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) + 1);
    return out;
}

void append_own_term(Sql& sql, const Collection& collection, const Term& term, std::string_view tenant, std::string_view table) {
    static constexpr std::string_view comparison[] = {" = ", " <> ", " < ", " <= ", " > ", " >= "};
    const std::string column = qualified(collection, term.field, table);
    switch (term.verb) {
        case JF_TERM_TEXT:
            if (term.words.empty()) {
                sql << "0";
                return;
            }
            sql << table << "._row IN (SELECT rowid FROM " << search_table(collection) << " WHERE " << search_table(collection) << " MATCH ";
            sql.owned_text(match_in_tenant(tenant, term.words)) << ")";
            return;
        case JF_TERM_IS_NULL: sql << column << " IS NULL"; return;
        case JF_TERM_NOT_NULL: sql << column << " IS NOT NULL"; return;
        case JF_TERM_CONTAINS: sql << "instr(" << column << ", " << term.value << ") > 0"; return;
        case JF_TERM_PREFIX:
            if (term.value.s.len == 0) {
                sql << column << " IS NOT NULL";
                return;
            }
            sql << column << " >= " << term.value << " AND " << column << " < ";
            sql.owned_text(after_prefix({term.value.s.ptr, static_cast<std::size_t>(term.value.s.len)}));
            return;
        case JF_TERM_IN:
            if (term.any.empty()) {
                sql << "0";
                return;
            }
            sql << column << " IN (";
            for (std::size_t i = 0; i < term.any.size(); ++i) sql << (i ? ", " : "") << term.any[i];
            sql << ")";
            return;
        default: sql << column << comparison[term.verb] << term.value;
    }
}

void append_term(Sql& sql, const Collection& collection, std::string_view tenant, const Term& term) {
    if (!term.via.reference) return append_own_term(sql, collection, term, tenant, "t");
    sql << "EXISTS (SELECT 1 FROM " << term.via.target->table() << " AS v WHERE v._tenant = ";
    sql.text(term.via.tenant) << " AND v._id = " << qualified(collection, term.via.reference) << " AND ";
    append_own_term(sql, *term.via.target, term, term.via.tenant, "v");
    sql << ")";
}

void append_json_string(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (c == '\n') out += "\\n";
        else if (c == '\t') out += "\\t";
        else if (byte < 0x20) ((out += "\\u00") += hex[byte >> 4]) += hex[byte & 15];
        else out += c;
    }
    out += '"';
}

/// A value as one JSON element.
std::string element_of(const jf_value& value) {
    const std::string_view text(value.s.len ? value.s.ptr : "", static_cast<std::size_t>(value.s.len));
    char digits[40];
    switch (value.type) {
        case JF_VALUE_NULL: return "null";
        case JF_VALUE_BOOL: return value.i ? "true" : "false";
        case JF_VALUE_JSON: return std::string(text);
        case JF_VALUE_REAL: return {digits, std::to_chars(digits, digits + sizeof digits, value.f).ptr};
        case JF_VALUE_TEXT: {
            std::string out;
            append_json_string(out, text);
            return out;
        }
        default: return std::to_string(value.i);
    }
}

void append_edit(Sql& sql, const Field& field, const Edit& edit) {
    const std::string& column = field.column;
    sql << column << " = ";
    switch (edit.verb) {
        case JF_EDIT_UNSET: sql << "NULL"; return;
        case JF_EDIT_ADD_EACH: sql << "jf_add_each(" << column << ", " << edit.value << ")"; return;
        case JF_EDIT_INC: sql << "coalesce(" << column << ", 0) + " << edit.value; return;
        case JF_EDIT_MAX:
            sql << "max(coalesce(" << column << ", " << edit.value << "), " << edit.value << ")";
            return;
        case JF_EDIT_APPEND:
            if (field.type == JF_VALUE_TEXT) {
                sql << "coalesce(" << column << ", '') || " << edit.value;
                return;
            }
            // json() refuses what is no JSON: "1, 2" would otherwise become two elements.
            sql << "jf_append(" << column << ", json(";
            sql.owned_text(element_of(edit.value)) << "))";
            return;
        default: sql << edit.value;
    }
}

std::string_view trimmed(std::string_view json) {
    const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
    while (!json.empty() && space(json.front())) json.remove_prefix(1);
    while (!json.empty() && space(json.back())) json.remove_suffix(1);
    return json;
}

/// jf_append(array, element): the array's text with the element at its end.
void append_function(sqlite3_context* context, int, sqlite3_value** values) {
    const auto* element = reinterpret_cast<const char*>(sqlite3_value_text(values[1]));
    const auto element_size = static_cast<std::size_t>(sqlite3_value_bytes(values[1]));
    std::string_view old = "[]";
    if (sqlite3_value_type(values[0]) != SQLITE_NULL) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
        old = trimmed({text, static_cast<std::size_t>(sqlite3_value_bytes(values[0]))});
    }
    if (old.size() < 2 || old.front() != '[') {
        sqlite3_result_error(context, "jf: the field holds JSON that is no array: nothing can be appended", -1);
        return;
    }
    try {
        std::string out(old.substr(0, old.size() - 1));
        if (!trimmed(std::string_view(out).substr(1)).empty()) out += ',';
        out.append(element, element_size) += ']';
        sqlite3_result_text64(context, out.data(), out.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } catch (const std::bad_alloc&) {
        sqlite3_result_error_nomem(context);
    }
}

template <typename T>
void bucket_result(sqlite3_context* context, const std::vector<std::int64_t>& edges, T value) {
    const auto above = std::upper_bound(edges.begin(), edges.end(), value, [](T v, std::int64_t edge) {
        return v < static_cast<T>(edge);
    });
    if (above != edges.begin()) sqlite3_result_int64(context, above - edges.begin() - 1);
}

/// jf_bucket(edges, value): index of the last edge <= value; null for a null and for what lies below the first edge.
void bucket_function(sqlite3_context* context, int, sqlite3_value** values) {
    // The edges are the same for every row: unpacked once per statement.
    auto* edges = static_cast<std::vector<std::int64_t>*>(sqlite3_get_auxdata(context, 0));
    std::unique_ptr<std::vector<std::int64_t>> made;
    if (!edges) {
        const auto bytes = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
        const void* blob = sqlite3_value_blob(values[0]);
        try {
            made = std::make_unique<std::vector<std::int64_t>>(bytes / sizeof(std::int64_t));
        } catch (const std::bad_alloc&) {
            sqlite3_result_error_nomem(context);
            return;
        }
        if (blob) std::memcpy(made->data(), blob, made->size() * sizeof(std::int64_t));
        edges = made.get();
    }
    if (sqlite3_value_type(values[1]) == SQLITE_INTEGER) bucket_result(context, *edges, sqlite3_value_int64(values[1]));
    else if (sqlite3_value_type(values[1]) == SQLITE_FLOAT) bucket_result(context, *edges, sqlite3_value_double(values[1]));
    if (made)
        sqlite3_set_auxdata(context, 0, made.release(), [](void* p) { delete static_cast<std::vector<std::int64_t>*>(p); });
}

}  // namespace

Sql& Sql::operator<<(const jf_value& value) {
    text_ += '?';
    values_.push_back(value);
    return *this;
}
Sql& Sql::integer(std::int64_t value) {
    jf_value v{};
    v.type = JF_VALUE_INT;
    v.i = value;
    return *this << v;
}
Sql& Sql::text(std::string_view borrowed) {
    jf_value v{};
    v.type = JF_VALUE_TEXT;
    v.s = {borrowed.data(), borrowed.size()};
    return *this << v;
}
Sql& Sql::blob(std::string_view borrowed) {
    jf_value v{};
    v.type = JF_VALUE_BYTES;
    v.s = {borrowed.data(), borrowed.size()};
    return *this << v;
}
Sql& Sql::owned_text(std::string value) { return text(owned_.emplace_back(std::move(value))); }

std::string qualified(const Collection& collection, std::uint16_t field, std::string_view table) {
    if (field == JF_FIELD_RANK) return "s._rank";
    const Field& found = collection.at(field);
    return found.dropped() ? found.column : std::string(table) + '.' + found.column;
}

void append_where(Sql& sql,
                  const Collection& collection,
                  std::string_view tenant,
                  std::string_view id,
                  const std::vector<Term>& where) {
    sql << " WHERE t._tenant = ";
    sql.text(tenant);
    if (!id.empty()) (sql << " AND t._id = ").text(id);
    for (const Term& term : where) {
        sql << " AND ";
        append_term(sql, collection, tenant, term);
    }
}

const Field& order_field(const Collection& collection, std::uint16_t field) {
    return field == JF_FIELD_RANK ? rank_field() : collection.at(field);
}

std::vector<jf_order> total_order(const std::vector<jf_order>& order) {
    std::vector<jf_order> total;
    for (const jf_order& by : order) {
        total.push_back(by);
        if (by.field == JF_FIELD_ID) return total;
    }
    // Ties go the way of the last field, so that an index on it serves both.
    jf_order by_id = sdk::make<jf_order>();
    by_id.field = JF_FIELD_ID;
    by_id.descending = order.empty() ? 0 : order.back().descending;
    total.push_back(by_id);
    return total;
}

void append_order(Sql& sql, const Collection& collection, const std::vector<jf_order>& total) {
    sql << " ORDER BY ";
    for (std::size_t i = 0; i < total.size(); ++i)
        sql << (i ? ", " : "") << qualified(collection, total[i].field) << (total[i].descending ? " DESC" : "");
}

void append_after(Sql& sql,
                  const Collection& collection,
                  const std::vector<jf_order>& total,
                  const std::vector<jf_value>& last) {
    // The first field bounds the scan by itself: the alternatives below would not let an index seek.
    if (last[0].type != JF_VALUE_NULL && order_field(collection, total[0].field).not_null())
        sql << " AND " << qualified(collection, total[0].field) << (total[0].descending ? " <= " : " >= ") << last[0];
    sql << " AND (0";
    for (std::size_t n = 0; n < total.size(); ++n) {
        sql << " OR (1";
        for (std::size_t i = 0; i < n; ++i) sql << " AND " << qualified(collection, total[i].field) << " IS " << last[i];
        const std::string column = qualified(collection, total[n].field);
        const bool from_null = last[n].type == JF_VALUE_NULL;
        // Null is the least value, as SQLite orders it.
        sql << " AND ";
        if (total[n].descending) {
            if (from_null) sql << "0";
            else sql << "(" << column << " < " << last[n] << " OR " << column << " IS NULL)";
        } else {
            if (from_null) sql << column << " IS NOT NULL";
            else sql << column << " > " << last[n];
        }
        sql << ")";
    }
    sql << ")";
}

void append_edits(Sql& sql, const Collection& collection, const std::vector<Edit>& edits) {
    for (std::size_t i = 0; i < edits.size(); ++i) {
        if (i) sql << ", ";
        append_edit(sql, collection.at(edits[i].field), edits[i]);
    }
}

std::string all_columns(const Collection& collection, std::string_view prefix) {
    std::string out;
    const auto add = [&](const Field& field) {
        if (!out.empty()) out += ", ";
        if (!field.dropped()) out += prefix;
        out += field.column;
    };
    for (const Field& field : own_fields()) add(field);
    for (const Field& field : collection.fields) add(field);
    return out;
}

int register_functions(sqlite3* connection) {
    constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    const int result = sqlite3_create_function_v2(connection, "jf_append", 2, flags, nullptr, append_function, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) return result;
    const int bucket = sqlite3_create_function_v2(connection, "jf_bucket", 2, flags, nullptr, bucket_function, nullptr, nullptr, nullptr);
    return bucket != SQLITE_OK ? bucket : register_array_functions(connection);
}

}  // namespace jackfield::sqlite
