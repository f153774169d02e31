#include "requests.hpp"

#include <algorithm>
#include <cmath>

#include "json_text.hpp"
#include "structs.hpp"

namespace example {

using jackfield::sdk::Failure;
using jackfield::sdk::view;

namespace {

std::vector<std::uint16_t> read_numbers(const jf_array& array, const char* what) {
    std::vector<std::uint16_t> out;
    if (array.n > 0 && (!array.ptr || array.stride < sizeof(std::uint16_t))) invalid(std::string(what) + " is no valid array");
    for (std::uint32_t i = 0; i < array.n; ++i) out.push_back(*JF_AT(std::uint16_t, array, i));
    return out;
}

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF; and no zero byte.
bool is_text(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        const std::size_t length = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
        if (length == 0 || c == 0 || i + length > text.size()) return false;
        std::uint32_t point = length == 1 ? c : c & (0x7fu >> length);
        for (std::size_t n = 1; n < length; ++n) {
            const auto next = static_cast<unsigned char>(text[i + n]);
            if ((next & 0xc0) != 0x80) return false;
            point = point << 6 | (next & 0x3f);
        }
        if ((length == 3 && (point < 0x800 || (point >= 0xd800 && point < 0xe000))) || (length == 4 && (point < 0x10000 || point > 0x10ffff))) return false;
        i += length;
    }
    return true;
}

}  // namespace

std::string read_text(jf_str text, const char* what) {
    if (text.len > 0 && !text.ptr) invalid(std::string(what) + " has a length without text");
    if (!is_text(view(text))) invalid(std::string(what) + " is not UTF-8, or holds a zero byte");
    return std::string(view(text));
}

namespace {

std::string tenant_of(const Declaration& declared, jf_str given) {
    const std::string tenant = read_text(given, "tenant");
    if (declared.scope == JF_SCOPE_HOST) return {};
    if (tenant.empty()) invalid("collection '" + declared.name + "' is tenant-scoped, and the tenant is missing");
    return tenant;
}

Field field_at(const Declaration& declared, std::uint16_t number) {
    static const Field own[] = {{"id", {}, JF_VALUE_TEXT, 0}, {"tenant", {}, JF_VALUE_TEXT, 0}, {"rev", {}, JF_VALUE_INT, 0},
                                {"created", {}, JF_VALUE_TIME, 0}, {"updated", {}, JF_VALUE_TIME, 0}};
    if (number <= JF_FIELD_UPDATED) return own[number];
    const std::size_t position = number - std::size_t{JF_FIELD_FIRST};
    if (number < JF_FIELD_FIRST || position >= declared.fields.size()) invalid("collection '" + declared.name + "' has no field " + std::to_string(number));
    return declared.fields[position];
}

Value read_content(const std::string& what, const jf_value& given) {
    if (given.type == JF_VALUE_REAL && !std::isfinite(given.f)) invalid(what + " takes a finite number");
    if (given.type == JF_VALUE_BOOL && given.i != 0 && given.i != 1) invalid(what + " takes 0 or 1");
    if (given.type == JF_VALUE_TEXT || given.type == JF_VALUE_JSON) read_text(given.s, what.c_str());
    if (given.type == JF_VALUE_JSON && !is_json(view(given.s))) invalid(what + " takes JSON");
    if (given.type == JF_VALUE_BYTES && given.s.len > 0 && !given.s.ptr) invalid(what + " has a length without bytes");
    return Value(given);
}

Value read_value(const Field& field, const jf_value& given) {
    const std::string what = "field '" + field.name + "'";
    if (given.type != field.type) invalid(what + " takes another type");
    return read_content(what, given);
}

/// `store` knows what references refer to; null: nothing is referred to.
Term read_term(const Store* store, const Declaration& declared, const jf_term& given) {
    if (given.via && !store) unsupported("attributes refer to nothing");
    const Declaration& subject = given.via ? store->referenced(declared, given.via) : declared;
    const Field field = field_at(subject, given.field);
    if (given.verb > JF_TERM_NOT_NULL) unsupported("term verb " + std::to_string(given.verb) + " is unknown");
    Term term{given.field, given.verb, {}, given.via, {}};
    if (given.verb == JF_TERM_IS_NULL || given.verb == JF_TERM_NOT_NULL) return term;
    if (given.verb == JF_TERM_TEXT) {
        if (!(field.flags & JF_FIELD_TEXT_SEARCH)) invalid("field '" + field.name + "' was declared without TEXT_SEARCH");
        term.phrases = read_phrases(read_value(field, given.value).text());
        return term;
    }
    if (field.type == JF_VALUE_JSON) invalid("field '" + field.name + "' is JSON, which has neither order nor equality");
    if ((given.verb == JF_TERM_PREFIX || given.verb == JF_TERM_CONTAINS) && field.type != JF_VALUE_TEXT) invalid("field '" + field.name + "' is no text");
    if (given.verb != JF_TERM_IN || given.value.type != JF_VALUE_NULL) term.values.push_back(read_value(field, given.value));
    if (given.verb != JF_TERM_IN) return term;
    if (given.more.n > 0 && (!given.more.ptr || given.more.stride < sizeof(jf_value))) invalid("the values of IN are no valid array");
    for (std::uint32_t i = 0; i < given.more.n; ++i) term.values.push_back(read_value(field, *JF_AT(jf_value, given.more, i)));
    return term;
}

std::vector<Term> read_where(const Store* store, const Declaration& declared, const jf_array& given) {
    std::vector<Term> where;
    for (const jf_term& term : read_structs<jf_term>(given, "where")) where.push_back(read_term(store, declared, term));
    return where;
}

std::vector<Order> read_order(const Declaration& declared, const jf_array& given) {
    std::vector<Order> order;
    for (const jf_order& by : read_structs<jf_order>(given, "order")) {
        if (by.field != JF_FIELD_RANK && field_at(declared, by.field).type == JF_VALUE_JSON) invalid("JSON has no order");
        if (by.descending > 1) invalid("an order goes up (0) or down (1)");
        order.push_back({by.field, by.descending == 1});
    }
    return order;
}

Edit read_edit(const Declaration& declared, const jf_edit& given) {
    const Field field = field_at(declared, given.field);
    const std::string what = "field '" + field.name + "'";
    if (given.field < JF_FIELD_FIRST) invalid(what + " is the store's own");
    const bool counts = field.type == JF_VALUE_INT || field.type == JF_VALUE_REAL || field.type == JF_VALUE_TIME;
    Edit edit{given.field, given.verb, {}};
    switch (given.verb) {
        case JF_EDIT_SET:
            if (given.value.type != JF_VALUE_NULL) {
                edit.value = read_value(field, given.value);
                return edit;
            }
            [[fallthrough]];
        case JF_EDIT_UNSET:
            if (field.flags & JF_FIELD_NOT_NULL) invalid(what + " may not be null");
            return edit;
        case JF_EDIT_INC:
            if (!counts) invalid(what + " can't be increased");
            // A TIME is moved by a number of microseconds.
            if (field.type == JF_VALUE_TIME && given.value.type == JF_VALUE_INT) edit.value = jackfield::sdk::Time{given.value.i};
            else edit.value = read_value(field, given.value);
            return edit;
        case JF_EDIT_MAX:
            if (!counts && field.type != JF_VALUE_TEXT) invalid(what + " has no greatest value");
            edit.value = read_value(field, given.value);
            return edit;
        case JF_EDIT_APPEND:
            edit.json = field.type == JF_VALUE_JSON;
            if (!edit.json && field.type != JF_VALUE_TEXT) invalid(what + " is neither text nor JSON: nothing can be appended");
            if (edit.json && (given.value.type == JF_VALUE_BYTES || given.value.type > JF_VALUE_JSON)) invalid(what + " is JSON, which has no such value");
            edit.value = edit.json ? read_content(what, given.value) : read_value(field, given.value);
            return edit;
        case JF_EDIT_ADD_EACH:
            if (field.type != JF_VALUE_JSON) invalid(what + " is no JSON: it has no elements to add to");
            edit.value = read_value(field, given.value);
            if (!is_number_array(edit.value.text())) invalid(what + " takes a JSON array of numbers to add");
            return edit;
        default: unsupported("edit verb " + std::to_string(given.verb) + " is unknown to this store");
    }
}

std::vector<Edit> read_edits(const Declaration& declared, const jf_array& given, const char* what) {
    std::vector<Edit> edits;
    for (const jf_edit& edit : read_structs<jf_edit>(given, what)) {
        if (std::any_of(edits.begin(), edits.end(), [&](const Edit& e) { return e.field == edit.field; })) invalid("a field stands twice");
        edits.push_back(read_edit(declared, edit));
    }
    return edits;
}

void check_insert(const Declaration& declared, const Write& write) {
    if (write.id.empty()) invalid("id is missing");
    if (!write.where.empty() || !write.order.empty()) invalid("an insert takes neither where nor order");
    if (write.erase) invalid("ERASE goes with UPDATE_WHERE and DELETE_WHERE");
    if (!write.edits.empty() && write.verb != JF_WRITE_UPSERT) invalid("edits of a record that stands go with UPSERT");
    if (write.expect_rev != 0 && write.verb != JF_WRITE_UPSERT) invalid("an insert expects no revision");
    for (const Edit& edit : write.values)
        if (edit.verb != JF_EDIT_SET) invalid("values are set");
    const auto given = [&](std::uint16_t field) {
        return field == JF_FIELD_ID || std::any_of(write.values.begin(), write.values.end(), [&](const Edit& e) { return e.field == field && !e.value.is_null(); });
    };
    if (write.unique && !write.unique->unique) invalid("unique_index names an index that is not unique");
    if (write.unique && !std::all_of(write.unique->fields.begin(), write.unique->fields.end(), given)) invalid("a value of the unique index is missing");
    if (write.verb == JF_WRITE_UPSERT) return;
    for (std::size_t i = 0; i < declared.fields.size(); ++i)
        if ((declared.fields[i].flags & JF_FIELD_NOT_NULL) && !given(static_cast<std::uint16_t>(JF_FIELD_FIRST + i)))
            invalid("field '" + declared.fields[i].name + "' is missing");
}

void check_change(const Write& write) {
    if (!write.values.empty()) invalid("an update takes edits, not values");
    if (write.unique) invalid("unique_index goes with UPSERT and INSERT_OR_GET");
    if (write.expect_rev != 0 && write.id.empty()) invalid("expect_rev needs an id");
    if ((write.verb == JF_WRITE_DELETE_WHERE) != write.edits.empty()) invalid("an update takes edits, a delete none");
    if (write.verb == JF_WRITE_CLAIM && write.erase) invalid("ERASE goes with UPDATE_WHERE and DELETE_WHERE");
    for (const Order& by : write.order)
        if (by.field == JF_FIELD_RANK) invalid("RANK goes with a query's text");
}

void read_fairness(const jf_write& write, const Store& store, const Declaration& declared, Write& out) {
    if (write.fair_by == 0) {
        if (write.fair_most != 0 || write.fair_busy.n > 0) invalid("fair_most and fair_busy need fair_by");
        return;
    }
    if (write.verb != JF_WRITE_CLAIM) invalid("fair_by goes with CLAIM");
    if (field_at(declared, write.fair_by).type == JF_VALUE_JSON) invalid("JSON has no equality: nothing can be shared by it");
    out.fair_by = write.fair_by;
    out.fair_most = write.fair_most;
    out.fair_busy = read_where(&store, declared, write.fair_busy);
}

/// What the answer's rows hold; none: every field of the record.
void read_columns(const jf_query& query, const Store& store, const Declaration& declared, Query& out) {
    const auto add = [&](std::uint16_t via, std::uint16_t field) {
        if (via != 0 || field != JF_FIELD_RANK) field_at(via ? store.referenced(declared, via) : declared, field);
        out.columns.push_back({via, field});
    };
    const auto add_all = [&](std::uint16_t via, const Declaration& of) {
        for (std::uint16_t field = JF_FIELD_ID; field <= JF_FIELD_UPDATED; ++field) add(via, field);
        for (std::size_t i = 0; i < of.fields.size(); ++i) add(via, static_cast<std::uint16_t>(JF_FIELD_FIRST + i));
    };
    const std::vector<jf_column> columns = read_structs<jf_column>(query.columns, "columns");
    const std::vector<std::uint16_t> include = read_numbers(query.include, "include");
    if (!columns.empty() && (query.fields.n > 0 || !include.empty())) invalid("columns stand instead of fields and include");
    for (const jf_column& column : columns) add(column.via, column.field);
    for (const std::uint16_t field : read_numbers(query.fields, "fields")) add(0, field);
    if (out.columns.empty() && !include.empty()) add_all(0, declared);
    for (const std::uint16_t via : include) add_all(via, store.referenced(declared, via));
}

void read_text_search(const jf_query& query, const Declaration& declared, Query& out) {
    if (query.text.len > 0) {
        out.text = read_phrases(read_text(query.text, "text"));
        // Words that come to none match nothing.
        if (out.text.empty()) out.where.push_back({JF_FIELD_ID, JF_TERM_IS_NULL, {}, 0, {}});
        if (std::none_of(declared.fields.begin(), declared.fields.end(), [](const Field& field) { return field.flags & JF_FIELD_TEXT_SEARCH; }))
            invalid("collection '" + declared.name + "' has no field with TEXT_SEARCH");
    }
    const bool searches = query.text.len > 0 || std::any_of(out.where.begin(), out.where.end(), [](const Term& t) { return t.verb == JF_TERM_TEXT && t.via == 0; });
    const bool ranked = std::any_of(out.order.begin(), out.order.end(), [](const Order& by) { return by.field == JF_FIELD_RANK; }) ||
                        std::any_of(out.columns.begin(), out.columns.end(), [](const Column& c) { return c.via == 0 && c.field == JF_FIELD_RANK; });
    if (ranked && !searches) invalid("RANK goes with text, or with a TEXT term on the collection's own field");
}

void read_groups(const jf_query& query, const Declaration& declared, Query& out) {
    if (query.aggregates.n == 0) {
        if (query.group.n > 0 || query.bucket_edges.n > 0) invalid("group and bucket_edges need aggregates");
        return;
    }
    if (!out.columns.empty()) invalid("a query with aggregates has the columns of its groups");
    out.group = read_numbers(query.group, "group");
    for (const std::uint16_t field : out.group)
        if (field_at(declared, field).type == JF_VALUE_JSON) invalid("JSON has no equality: no groups");
    for (const Order& by : out.order)
        if (std::find(out.group.begin(), out.group.end(), by.field) == out.group.end()) invalid("groups are ordered by fields of group");
    for (const jf_aggregate& given : read_structs<jf_aggregate>(query.aggregates, "aggregates")) {
        const Field field = field_at(declared, given.field);
        const bool number = field.type == JF_VALUE_INT || field.type == JF_VALUE_REAL;
        if (given.verb > JF_AGGREGATE_SUM_EACH) unsupported("aggregate " + std::to_string(given.verb) + " is unknown");
        if ((given.verb == JF_AGGREGATE_SUM || given.verb == JF_AGGREGATE_AVG) && !number) invalid("field '" + field.name + "' is no number");
        if (given.verb == JF_AGGREGATE_SUM_EACH ? field.type != JF_VALUE_JSON : given.verb != JF_AGGREGATE_COUNT && field.type == JF_VALUE_JSON)
            invalid("field '" + field.name + "' has no such aggregate");
        out.aggregates.push_back({given.field, given.verb});
    }
    if (query.bucket_edges.n == 0) return;
    if (!query.bucket_edges.ptr || query.bucket_edges.stride < sizeof(std::int64_t)) invalid("bucket_edges is no valid array");
    if (out.group.empty()) invalid("bucket_edges need a field in group");
    const std::uint16_t type = field_at(declared, out.group.back()).type;
    if (type != JF_VALUE_INT && type != JF_VALUE_TIME) invalid("buckets are of numbers and times");
    for (std::uint32_t i = 0; i < query.bucket_edges.n; ++i) out.bucket_edges.push_back(*JF_AT(std::int64_t, query.bucket_edges, i));
    if (!std::is_sorted(out.bucket_edges.begin(), out.bucket_edges.end())) invalid("bucket_edges do not ascend");
}

bool is_name(std::string_view name, bool dots) {
    const auto fits = [&](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (dots && c == '.'); };
    return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

std::vector<Term> read_attribute_terms(const Declaration& declared, const jf_array& given) { return read_where(nullptr, declared, given); }

Record read_attributes(const Declaration& declared, const std::string& id, const jf_array& given) {
    Record out{id};
    out.resize(jackfield::sdk::column_of(static_cast<std::uint16_t>(JF_FIELD_FIRST + declared.fields.size())));
    for (const Edit& edit : read_edits(declared, given, "attributes")) {
        if (edit.verb != JF_EDIT_SET) invalid("attributes are set");
        out[jackfield::sdk::column_of(edit.field)] = edit.value;
    }
    return out;
}

std::vector<std::uint16_t> read_fields(const Declaration& declared, const jf_array& given) {
    std::vector<std::uint16_t> out = read_numbers(given, "fields");
    for (const std::uint16_t field : out) field_at(declared, field);
    return out;
}

Declaration read_declaration(const jf_collection* given) {
    const jf_collection collection = read_struct(given, "collection");
    Declaration out;
    out.name = read_text(collection.name, "the collection's name");
    out.scope = collection.scope;
    if (!is_name(out.name, true)) invalid("'" + out.name + "' is no collection name");
    if (out.scope > JF_SCOPE_TENANT) invalid("the scope is unknown");
    for (const jf_field& field : read_structs<jf_field>(collection.fields, "fields")) {
        Field made{read_text(field.name, "a field's name"), read_text(field.references, "a reference"), field.type, field.flags};
        if (!is_name(made.name, false)) invalid("'" + made.name + "' is no field name");
        if (std::any_of(out.fields.begin(), out.fields.end(), [&](const Field& f) { return f.name == made.name; })) invalid("field '" + made.name + "' stands twice");
        if (made.type == JF_VALUE_NULL || made.type > JF_VALUE_JSON) invalid("field '" + made.name + "' has no known type");
        if ((made.flags & JF_FIELD_TEXT_SEARCH) && made.type != JF_VALUE_TEXT) invalid("field '" + made.name + "' is no text and can't be searched");
        if (!made.references.empty() && (made.type != JF_VALUE_TEXT || !is_name(made.references, true))) invalid("field '" + made.name + "' refers to no collection");
        if (made.flags & ~(JF_FIELD_NOT_NULL | JF_FIELD_TEXT_SEARCH)) throw Failure(JF_E_TOO_NEW, "field '" + made.name + "' has flags that this store does not know");
        out.fields.push_back(std::move(made));
    }
    for (const jf_index& index : read_structs<jf_index>(collection.indexes, "indexes")) {
        if (index.flags & ~JF_INDEX_UNIQUE) throw Failure(JF_E_TOO_NEW, "an index has flags that this store does not know");
        Index made{(index.flags & JF_INDEX_UNIQUE) != 0, read_numbers(index.fields, "an index's fields")};
        if (made.fields.empty()) invalid("an index has no fields");
        for (const std::uint16_t field : made.fields)
            if (field_at(out, field).type == JF_VALUE_JSON) invalid("JSON has no order: no index");
        out.indexes.push_back(std::move(made));
    }
    return out;
}

Query read_query(const jf_query* given, const Store& store) {
    const jf_query query = read_struct(given, "query");
    const Declaration& declared = store.declaration(query.collection);
    if (query.flags != 0) throw Failure(JF_E_TOO_NEW, "query flags that this store does not know");
    Query out;
    out.collection = query.collection;
    out.tenant = tenant_of(declared, query.tenant);
    out.caller = std::string(view(query.tenant));
    out.where = read_where(&store, declared, query.where);
    out.order = read_order(declared, query.order);
    read_columns(query, store, declared, out);
    read_text_search(query, declared, out);
    read_groups(query, declared, out);
    if (query.cursor.len > 0 && !query.cursor.ptr) invalid("cursor has a length without bytes");
    out.cursor = std::string(view(query.cursor));
    out.limit = query.limit == 0 ? 1000 : query.limit;
    return out;
}

Write read_write(const jf_write* given, const Store& store) {
    const jf_write write = read_struct(given, "write");
    const Declaration& declared = store.declaration(write.collection);
    if (write.verb > JF_WRITE_CLAIM) unsupported("write verb " + std::to_string(write.verb) + " is unknown");
    if ((write.flags & ~(JF_WRITE_REQUIRE | JF_WRITE_ERASE)) != 0) throw Failure(JF_E_TOO_NEW, "write flags that this store does not know");
    Write out;
    out.verb = write.verb;
    out.collection = write.collection;
    out.limit = write.limit;
    out.tenant = tenant_of(declared, write.tenant);
    out.caller = std::string(view(write.tenant));
    out.erase = (write.flags & JF_WRITE_ERASE) != 0;
    out.id = read_text(write.id, "id");
    out.expect_rev = write.expect_rev;
    out.values = read_edits(declared, write.values, "values");
    out.edits = read_edits(declared, write.edits, "edits");
    out.where = read_where(&store, declared, write.where);
    out.order = read_order(declared, write.order);
    read_fairness(write, store, declared, out);
    out.required = (write.flags & JF_WRITE_REQUIRE) != 0;
    if (write.unique_index > declared.indexes.size()) invalid("there is no index " + std::to_string(write.unique_index - 1));
    if (write.unique_index > 0) out.unique = &declared.indexes[write.unique_index - 1];
    if (write.verb <= JF_WRITE_INSERT_OR_GET) check_insert(declared, out);
    else check_change(out);
    return out;
}

std::vector<Write> read_writes(const jf_array& given, const Store& store) {
    std::vector<Write> out;
    if (given.n > 0 && (!given.ptr || given.stride < sizeof(std::uint32_t))) invalid("writes is no valid array");
    for (std::uint32_t i = 0; i < given.n; ++i) {
        const jf_write* write = JF_AT(jf_write, given, i);
        if (write->struct_size > given.stride) invalid("writes: an element is longer than the stride");
        out.push_back(read_write(write, store));
    }
    return out;
}

}  // namespace example
