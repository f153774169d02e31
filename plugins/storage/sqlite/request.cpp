#include "request.hpp"

#include "number_arrays.hpp"
#include "search.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace jackfield::sqlite {
namespace {

constexpr std::uint32_t most_terms = 200;
constexpr std::uint32_t most_fields = 1000;    // SQLite refuses rows of more than 2000 columns
constexpr std::uint32_t most_choices = 10000;  // of one IN
constexpr std::uint32_t most_edges = 100000;
constexpr std::uint32_t most_includes = 16;

/// Length of the well-formed UTF-8 sequence at `s`, 0 when there is none (RFC 3629, section 4).
std::size_t sequence_length(const unsigned char* s, std::size_t left) {
    const auto tail = [&](std::size_t i) { return i < left && (s[i] & 0xc0) == 0x80; };
    if (s[0] < 0x80) return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) return tail(1) ? 2 : 0;
    if ((s[0] & 0xf0) == 0xe0) {
        if (!tail(1) || !tail(2)) return 0;
        if (s[0] == 0xe0 && s[1] < 0xa0) return 0;
        return s[0] == 0xed && s[1] > 0x9f ? 0 : 3;
    }
    if (s[0] < 0xf0 || s[0] > 0xf4 || !tail(1) || !tail(2) || !tail(3)) return 0;
    if (s[0] == 0xf0 && s[1] < 0x90) return 0;
    return s[0] == 0xf4 && s[1] > 0x8f ? 0 : 4;
}

bool is_text(std::string_view text) {
    const auto* s = reinterpret_cast<const unsigned char*>(text.data());
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t n = sequence_length(s + i, text.size() - i);
        if (n == 0 || s[i] == 0) return false;
        i += n;
    }
    return true;
}

[[noreturn]] void wrong(const Field& field, const std::string& why) { invalid("field '" + field.name + "' " + why); }

void check_content(const Field& field, const jf_value& value) {
    switch (value.type) {
        case JF_VALUE_REAL:
            if (!std::isfinite(value.f)) wrong(field, "takes a finite number");
            break;
        case JF_VALUE_TEXT:
        case JF_VALUE_JSON: read_text(value.s, "field '" + field.name + "'"); break;
        case JF_VALUE_BYTES:
            if (value.s.len > 0 && !value.s.ptr) wrong(field, "has a length without bytes");
            break;
        case JF_VALUE_BOOL:
            if (value.i != 0 && value.i != 1) wrong(field, "takes 0 or 1");
            break;
        default: break;
    }
}

void check_type(const Field& field, const jf_value& value) {
    if (value.type != field.type)
        wrong(field, "takes " + std::string(type_name(field.type)) + ", not " + std::string(type_name(value.type)));
    check_content(field, value);
}

/// Where a request's terms and columns may lead.
struct Scope {
    const Collection& collection;
    const Catalogue& catalogue;
    std::string_view tenant;  // as the caller gave it
};

/// The collection that a reference leads to.
Catalogue::Entry follow(const Scope& scope, std::uint16_t number) {
    const Field& field = scope.collection.at(number);
    if (field.references.empty()) wrong(field, "refers to no collection");
    Catalogue::Entry target = scope.catalogue.find(field.references);
    if (!target) wrong(field, "refers to collection '" + field.references + "', which is not declared");
    target->tenant_of(scope.tenant);
    return target;
}

void read_words(const Field& field, const jf_value& value, Term& term) {
    if (!field.searchable()) wrong(field, "is not declared with TEXT_SEARCH");
    check_type(field, value);
    term.words = match_words(&field, sdk::view(value.s));
}

Term read_term(const jf_term& given, const Scope& scope) {
    Term term{given.field, given.verb, given.value, {}, {}, {}};
    if (given.via != 0) {
        term.via.reference = given.via;
        term.via.target = follow(scope, given.via);
        term.via.tenant = term.via.target->tenant_of(scope.tenant);
    }
    const Collection& collection = given.via ? *term.via.target : scope.collection;
    const Field& field = collection.at(given.field);
    if (field.dropped()) wrong(field, "is dropped");
    switch (given.verb) {
        case JF_TERM_IS_NULL:
        case JF_TERM_NOT_NULL: return term;
        case JF_TERM_TEXT: read_words(field, given.value, term); return term;
        case JF_TERM_PREFIX:
        case JF_TERM_CONTAINS:
            if (field.type != JF_VALUE_TEXT) wrong(field, "is no text: it has no prefix and no part");
            check_type(field, given.value);
            return term;
        default: break;
    }
    if (given.verb > JF_TERM_IN) unsupported("term verb " + std::to_string(given.verb) + " is unknown");
    if (field.type == JF_VALUE_JSON) wrong(field, "is JSON, which has no order and no equality here");
    if (given.verb != JF_TERM_IN) {
        if (given.value.type == JF_VALUE_NULL) wrong(field, "is compared with null: use IS_NULL or NOT_NULL");
        check_type(field, given.value);
        return term;
    }
    term.any = read_plain<jf_value>(given.more, most_choices, "the values of IN");
    if (given.value.type != JF_VALUE_NULL) term.any.push_back(given.value);
    for (const jf_value& value : term.any) check_type(field, value);
    return term;
}

std::vector<Term> read_where(const jf_array& given, const Scope& scope, const char* what = "where") {
    std::vector<Term> where;
    for (const jf_term& term : read_structs<jf_term>(given, most_terms, what)) where.push_back(read_term(term, scope));
    return where;
}

std::vector<jf_order> read_order(const jf_array& given, const Collection& collection, bool may_rank = false) {
    std::vector<jf_order> order = read_structs<jf_order>(given, 16, "order");
    for (const jf_order& by : order) {
        const Field& field = by.field == JF_FIELD_RANK && may_rank ? rank_field() : collection.at(by.field);
        if (field.dropped()) wrong(field, "is dropped");
        if (field.type == JF_VALUE_JSON) wrong(field, "is JSON, which has no order");
        if (by.descending > 1) wrong(field, "is ordered neither up (0) nor down (1)");
    }
    return order;
}

std::vector<std::uint16_t> read_fields(const jf_array& given, const Collection& collection, const char* what) {
    std::vector<std::uint16_t> fields = read_plain<std::uint16_t>(given, most_fields, what);
    for (const std::uint16_t field : fields) collection.at(field);
    return fields;
}

void read_aggregates(const jf_query& query, QueryRequest& request) {
    const Collection& collection = *request.collection;
    request.aggregates = read_structs<jf_aggregate>(query.aggregates, 64, "aggregates");
    request.edges = read_plain<std::int64_t>(query.bucket_edges, most_edges, "bucket_edges");
    if (request.aggregates.empty()) {
        if (!request.group.empty() || !request.edges.empty()) invalid("group and bucket_edges need aggregates");
        return;
    }
    if (!request.include.empty() || !request.columns.empty()) invalid("aggregates go with neither fields, columns nor include");
    for (const jf_aggregate& aggregate : request.aggregates) {
        const Field& field = collection.at(aggregate.field);
        const bool number = field.type == JF_VALUE_INT || field.type == JF_VALUE_REAL;
        if (field.dropped()) wrong(field, "is dropped");
        if (aggregate.verb == JF_AGGREGATE_SUM_EACH) {
            if (field.type != JF_VALUE_JSON) wrong(field, "is no JSON: it has no elements to add up");
            continue;
        }
        if (aggregate.verb > JF_AGGREGATE_AVG) unsupported("aggregate verb " + std::to_string(aggregate.verb) + " is unknown");
        if ((aggregate.verb == JF_AGGREGATE_SUM || aggregate.verb == JF_AGGREGATE_AVG) && !number)
            wrong(field, "is no number: it has no sum and no average");
        if (aggregate.verb != JF_AGGREGATE_COUNT && field.type == JF_VALUE_JSON) wrong(field, "is JSON, which has no order");
    }
    for (const std::uint16_t field : request.group)
        if (collection.at(field).type == JF_VALUE_JSON) wrong(collection.at(field), "is JSON, which has no equality here");
    for (const jf_order& by : request.order)
        if (std::find(request.group.begin(), request.group.end(), by.field) == request.group.end())
            wrong(collection.at(by.field), "orders groups but is not in group");
    if (request.edges.empty()) return;
    if (request.group.empty()) invalid("bucket_edges need a field: the last of group");
    const Field& bucketed = collection.at(request.group.back());
    if (bucketed.type != JF_VALUE_INT && bucketed.type != JF_VALUE_TIME && bucketed.type != JF_VALUE_REAL)
        wrong(bucketed, "is neither number nor time: it has no buckets");
    if (std::adjacent_find(request.edges.begin(), request.edges.end(), std::greater_equal<>()) != request.edges.end())
        invalid("bucket_edges do not ascend");
}

/// Where in `include` the reference stands; put there when it does not yet.
int include_of(const Scope& scope, std::uint16_t reference, QueryRequest& request) {
    for (std::size_t i = 0; i < request.include.size(); ++i)
        if (request.include[i].field == reference) return static_cast<int>(i);
    if (request.include.size() == most_includes) invalid("more than " + std::to_string(most_includes) + " references are followed");
    request.include.push_back({reference, follow(scope, reference)});
    return static_cast<int>(request.include.size()) - 1;
}

void read_columns(const jf_query& query, const Scope& scope, QueryRequest& request) {
    for (const std::uint16_t number : read_plain<std::uint16_t>(query.include, most_includes, "include"))
        request.include.push_back({number, follow(scope, number)});
    for (const std::uint16_t number : read_plain<std::uint16_t>(query.fields, most_fields, "fields"))
        request.columns.push_back({number, -1});
    // An included record stands behind the fields that were asked for, whole.
    if (!request.columns.empty())
        for (std::size_t i = 0; i < request.include.size(); ++i) {
            const Collection& target = *request.include[i].target;
            for (std::uint16_t n = 0; n < own_fields().size(); ++n) request.columns.push_back({n, static_cast<int>(i)});
            for (std::size_t n = 0; n < target.fields.size(); ++n)
                request.columns.push_back({static_cast<std::uint16_t>(JF_FIELD_FIRST + n), static_cast<int>(i)});
        }
    const std::vector<jf_column> columns = read_structs<jf_column>(query.columns, most_fields, "columns");
    if (!columns.empty() && (query.fields.n > 0 || query.include.n > 0)) invalid("columns stand instead of fields and include");
    for (const jf_column& column : columns)
        request.columns.push_back({column.field, column.via ? include_of(scope, column.via, request) : -1});
    for (const QueryRequest::Column& column : request.columns) {
        if (column.field == JF_FIELD_RANK && column.include < 0) request.ranked = true;
        else (column.include < 0 ? scope.collection : *request.include[static_cast<std::size_t>(column.include)].target).at(column.field);
    }
}

void read_search(const jf_query& query, QueryRequest& request) {
    const std::string_view words = read_text(query.text, "text");
    if (!words.empty()) {
        if (!request.collection->has_search()) invalid("collection '" + request.collection->name + "' has no field with TEXT_SEARCH");
        Term term{JF_FIELD_ID, JF_TERM_TEXT, {}, {}, match_words(nullptr, words), {}};
        request.where.push_back(std::move(term));
    }
    for (const jf_order& by : request.order) request.ranked |= by.field == JF_FIELD_RANK;
    const bool has_words = std::any_of(request.where.begin(), request.where.end(),
                                       [](const Term& term) { return term.verb == JF_TERM_TEXT && !term.via.reference; });
    if (request.ranked && !has_words) invalid("RANK goes with text, or with a TEXT term on the collection's own field");
}

void check_edit_kind(const Field& field, const Edit& edit) {
    const bool counts = field.type == JF_VALUE_INT || field.type == JF_VALUE_REAL || field.type == JF_VALUE_TIME;
    switch (edit.verb) {
        case JF_EDIT_SET:
            if (edit.value.type != JF_VALUE_NULL) return check_type(field, edit.value);
            [[fallthrough]];
        case JF_EDIT_UNSET:
            if (field.not_null()) wrong(field, "may not be null");
            return;
        case JF_EDIT_ADD_EACH:
            if (field.type != JF_VALUE_JSON) wrong(field, "is no JSON: it has no elements to add to");
            check_type(field, edit.value);
            if (!NumberArray::parse(sdk::view(edit.value.s))) wrong(field, "takes a JSON array of numbers to add");
            return;
        case JF_EDIT_INC:
            if (!counts) wrong(field, "is neither number nor time: it can't be increased");
            if (edit.value.type == JF_VALUE_INT && field.type == JF_VALUE_TIME) return;
            return check_type(field, edit.value);
        case JF_EDIT_MAX:
            if (!counts && field.type != JF_VALUE_TEXT) wrong(field, "has no greatest value");
            return check_type(field, edit.value);
        case JF_EDIT_APPEND:
            if (field.type == JF_VALUE_TEXT) return check_type(field, edit.value);
            if (field.type != JF_VALUE_JSON) wrong(field, "is neither text nor JSON: nothing can be appended");
            if (edit.value.type == JF_VALUE_BYTES) wrong(field, "is JSON, which has no bytes");
            return check_content(field, edit.value);
        default: unsupported("edit verb " + std::to_string(edit.verb) + " is unknown");
    }
}

std::vector<Edit> read_edits(const jf_array& given, const Collection& collection, const char* what) {
    std::vector<Edit> edits;
    std::set<std::uint16_t> seen;
    for (const jf_edit& edit : read_structs<jf_edit>(given, most_fields, what)) {
        const Field& field = collection.at(edit.field);
        if (edit.field < JF_FIELD_FIRST) wrong(field, "is kept by the storage and can't be written");
        if (field.dropped()) wrong(field, "is dropped");
        if (!seen.insert(edit.field).second) wrong(field, "stands twice in " + std::string(what));
        const Edit& made = edits.emplace_back(Edit{edit.field, edit.verb, edit.value});
        check_edit_kind(field, made);
    }
    return edits;
}

const jf_value* value_of(const WriteRequest& request, std::uint16_t field) {
    for (const Edit& edit : request.values)
        if (edit.field == field) return &edit.value;
    return nullptr;
}

void check_insert(const WriteRequest& request) {
    if (request.id.empty()) invalid("id is missing");
    if (!request.edits.empty() && request.verb != JF_WRITE_UPSERT) invalid("edits of a record that stands go with UPSERT");
    if (!request.where.empty() || !request.order.empty()) invalid("an insert takes values, neither where nor order");
    if ((request.flags & JF_WRITE_ERASE) != 0) invalid("ERASE goes with UPDATE_WHERE and DELETE_WHERE");
    if (request.expect_rev != 0 && request.verb != JF_WRITE_UPSERT) invalid("an insert expects no revision");
    if (request.unique) {
        if (!request.unique->unique) invalid("unique_index names an index that is not unique");
        for (const std::uint16_t number : request.unique->fields) {
            const Field& field = request.collection->at(number);
            if (number == JF_FIELD_ID) continue;
            const jf_value* value = value_of(request, number);
            if (!value || value->type == JF_VALUE_NULL) wrong(field, "is missing: the unique index needs it");
        }
    }
    // UPSERT may leave out what an existing record has; write.cpp checks the rest when it has to insert.
    if (request.verb == JF_WRITE_UPSERT) return;
    for (std::size_t i = 0; i < request.collection->fields.size(); ++i) {
        const Field& field = request.collection->fields[i];
        if (field.not_null() && !value_of(request, static_cast<std::uint16_t>(JF_FIELD_FIRST + i)))
            wrong(field, "is missing");
    }
}

void check_change(const WriteRequest& request) {
    if (!request.values.empty()) invalid("an update takes edits, not values");
    if (request.unique) invalid("unique_index is for UPSERT and INSERT_OR_GET");
    if (request.expect_rev != 0 && request.id.empty()) invalid("expect_rev needs an id");
    const bool removes = request.verb == JF_WRITE_DELETE_WHERE;
    if (removes && !request.edits.empty()) invalid("a delete takes no edits");
    if (!removes && request.edits.empty()) invalid("edits are missing");
    if (request.verb == JF_WRITE_CLAIM && (request.flags & JF_WRITE_ERASE) != 0) invalid("ERASE goes with UPDATE_WHERE and DELETE_WHERE");
    if (request.verb == JF_WRITE_CLAIM && request.limit > most_choices)
        invalid("CLAIM takes at most " + std::to_string(most_choices) + " records at a time");
}

void read_fairness(const jf_write& write, const Scope& scope, WriteRequest& request) {
    if (write.fair_by == 0) {
        if (write.fair_most != 0 || write.fair_busy.n > 0) invalid("fair_most and fair_busy need fair_by");
        return;
    }
    if (write.verb != JF_WRITE_CLAIM) invalid("fair_by goes with CLAIM");
    const Field& field = scope.collection.at(write.fair_by);
    if (field.type == JF_VALUE_JSON || field.dropped()) wrong(field, "has no equality: nothing can be shared by it");
    request.fair_by = write.fair_by;
    request.fair_most = write.fair_most;
    request.fair_busy = read_where(write.fair_busy, scope, "fair_busy");
}

bool is_collection_name(std::string_view name) {
    if (name.empty() || name.size() > 120 || name[0] < 'a' || name[0] > 'z' || name.starts_with("sqlite_")) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    });
}
bool is_field_name(std::string_view name) {
    return name.size() <= 60 && is_collection_name(name) && name.find('.') == std::string_view::npos;
}

Field read_field(const jf_field& given) {
    Field field;
    field.name = read_text(given.name, "a field's name");
    field.type = given.type;
    field.flags = given.flags;
    field.references = read_text(given.references, "a field's reference");
    if (!is_field_name(field.name)) invalid("'" + field.name.substr(0, 60) + "' is no field name: [a-z][a-z0-9_]*, at most 60");
    field.column = quoted(field.name);
    if (field.type == JF_VALUE_NULL || field.type > JF_VALUE_JSON) wrong(field, "has no known type");
    if ((field.flags & ~(JF_FIELD_NOT_NULL | JF_FIELD_TEXT_SEARCH | JF_FIELD_DROPPED)) != 0)
        throw StoreFailure(JF_E_TOO_NEW, "field '" + field.name + "' has flags that this plugin does not know");
    if ((field.flags & JF_FIELD_TEXT_SEARCH) != 0 && field.type != JF_VALUE_TEXT) wrong(field, "is no text and can't be searched");
    if (field.dropped()) field.flags = JF_FIELD_DROPPED;
    if (field.dropped()) field.column = "NULL";
    if (field.references.empty()) return field;
    if (!is_collection_name(field.references)) wrong(field, "refers to no collection name");
    if (field.type != JF_VALUE_TEXT) wrong(field, "refers to a collection and has to be text");
    return field;
}

}  // namespace

void check_array(const jf_array& array, std::size_t least_stride, std::uint32_t most, const char* what) {
    if (array.n == 0) return;
    if (!array.ptr || array.stride < least_stride) invalid(std::string(what) + " is no valid array");
    if (array.n > most) invalid(std::string(what) + " has more than " + std::to_string(most) + " elements");
}

std::string_view read_text(jf_str text, std::string_view what) {
    if (text.len > 0 && !text.ptr) invalid(std::string(what) + " has a length without text");
    const std::string_view out = sdk::view(text);
    if (!is_text(out)) invalid(std::string(what) + " is not UTF-8 or holds a zero byte");
    return out;
}

QueryRequest read_query(const jf_query* given, const Catalogue& catalogue) {
    const jf_query query = read_struct(given, "query");
    QueryRequest request;
    request.collection = catalogue.at(query.collection);
    const Collection& collection = *request.collection;
    request.raw_tenant = read_text(query.tenant, "tenant");
    request.tenant = collection.tenant_of(request.raw_tenant);
    if (query.flags != 0) throw StoreFailure(JF_E_TOO_NEW, "query flags that this plugin does not know");
    const Scope scope{collection, catalogue, request.raw_tenant};
    request.where = read_where(query.where, scope);
    request.order = read_order(query.order, collection, query.aggregates.n == 0);
    request.group = read_fields(query.group, collection, "group");
    read_columns(query, scope, request);
    read_search(query, request);
    read_aggregates(query, request);
    if (query.cursor.len > 0 && !query.cursor.ptr) invalid("cursor has a length without bytes");
    request.cursor = sdk::view(query.cursor);
    request.limit = query.limit == 0 ? 1000 : query.limit;
    return request;
}

WriteRequest read_write(const jf_write* given, const Catalogue& catalogue) {
    const jf_write write = read_struct(given, "write");
    WriteRequest request;
    request.collection = catalogue.at(write.collection);
    const Collection& collection = *request.collection;
    request.verb = write.verb;
    if (write.verb > JF_WRITE_CLAIM) unsupported("write verb " + std::to_string(write.verb) + " is unknown");
    if ((write.flags & ~(JF_WRITE_REQUIRE | JF_WRITE_ERASE)) != 0)
        throw StoreFailure(JF_E_TOO_NEW, "write flags that this plugin does not know");
    request.flags = write.flags;
    const Scope scope{collection, catalogue, read_text(write.tenant, "tenant")};
    request.tenant = collection.tenant_of(scope.tenant);
    request.id = read_text(write.id, "id");
    request.expect_rev = write.expect_rev;
    request.values = read_edits(write.values, collection, "values");
    request.edits = read_edits(write.edits, collection, "edits");
    request.where = read_where(write.where, scope);
    request.order = read_order(write.order, collection);
    request.limit = write.limit;
    read_fairness(write, scope, request);
    for (const Edit& edit : request.values)
        if (edit.verb != JF_EDIT_SET) wrong(collection.at(edit.field), "has a verb other than SET in values");
    if (write.unique_index > 0) {
        if (write.unique_index > collection.indexes.size())
            invalid("collection '" + collection.name + "' has no index " + std::to_string(write.unique_index - 1));
        request.unique = &collection.indexes[write.unique_index - 1];
    }
    if (write.verb <= JF_WRITE_INSERT_OR_GET) check_insert(request);
    else check_change(request);
    return request;
}

Collection read_collection(const jf_collection* given) {
    const jf_collection declared = read_struct(given, "collection");
    Collection collection;
    collection.name = read_text(declared.name, "the collection's name");
    if (!is_collection_name(collection.name))
        invalid("'" + collection.name.substr(0, 60) + "' is no collection name: [a-z][a-z0-9_.]*, at most 120");
    collection.scope = declared.scope;
    collection.version = declared.version;
    if (collection.scope > JF_SCOPE_TENANT) invalid("collection '" + collection.name + "' has no known scope");
    std::set<std::string> names;
    for (const jf_field& field : read_structs<jf_field>(declared.fields, most_fields, "fields")) {
        collection.fields.push_back(read_field(field));
        if (!names.insert(collection.fields.back().name).second) wrong(collection.fields.back(), "stands twice");
    }
    for (const jf_index& given_index : read_structs<jf_index>(declared.indexes, 100, "indexes")) {
        Index& index = collection.indexes.emplace_back();
        if ((given_index.flags & ~JF_INDEX_UNIQUE) != 0)
            throw StoreFailure(JF_E_TOO_NEW, "an index has flags that this plugin does not know");
        index.unique = (given_index.flags & JF_INDEX_UNIQUE) != 0;
        index.fields = read_fields(given_index.fields, collection, "an index's fields");
        if (index.fields.empty()) invalid("collection '" + collection.name + "' has an index without fields");
        for (const std::uint16_t number : index.fields)
            if (collection.at(number).dropped()) wrong(collection.at(number), "is dropped: no index");
            else if (collection.at(number).type == JF_VALUE_JSON) wrong(collection.at(number), "is JSON, which has no order: no index");
    }
    return collection;
}

}  // namespace jackfield::sqlite
