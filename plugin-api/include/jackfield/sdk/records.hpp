#pragma once

// C++20 comfort for users and providers of jf.records/1: values, collections, queries and writes that own their memory. A builder's
// abi() borrows from the builder: it is good until the builder is changed, moved or destroyed.

#include <jackfield/records.h>
#include <jackfield/sdk/plugin.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace jackfield::sdk {

/// UTC microseconds since 1970.
struct Time {
    std::int64_t us = 0;
    friend auto operator<=>(const Time&, const Time&) = default;
};
struct Bytes {
    std::string data;
    friend auto operator<=>(const Bytes&, const Bytes&) = default;
};
struct Json {
    std::string text;
    friend auto operator<=>(const Json&, const Json&) = default;
};

/// One owned field value. Converts from what a caller has at hand; a wrong accessor answers the type's zero, never throws.
class Value {
  public:
    Value() = default;
    Value(std::nullptr_t) {}
    template <std::integral T>
    Value(T v) {
        if constexpr (std::same_as<T, bool>) value_ = v;
        else value_ = static_cast<std::int64_t>(v);
    }
    template <std::floating_point T>
    Value(T v) : value_(static_cast<double>(v)) {}
    Value(std::string v) : value_(std::move(v)) {}
    Value(std::string_view v) : value_(std::string(v)) {}
    Value(const char* v) : value_(std::string(v)) {}
    Value(Bytes v) : value_(std::move(v)) {}
    Value(Time v) : value_(v) {}
    Value(Json v) : value_(std::move(v)) {}
    template <typename T>
    Value(const std::optional<T>& v) : Value(v ? Value(*v) : Value()) {}
    /// Copies.
    explicit Value(const jf_value& v) {
        switch (v.type) {
            case JF_VALUE_INT: value_ = v.i; break;
            case JF_VALUE_REAL: value_ = v.f; break;
            case JF_VALUE_TEXT: value_ = std::string(view(v.s)); break;
            case JF_VALUE_BYTES: value_ = Bytes{std::string(view(v.s))}; break;
            case JF_VALUE_TIME: value_ = Time{v.i}; break;
            case JF_VALUE_BOOL: value_ = v.i != 0; break;
            case JF_VALUE_JSON: value_ = Json{std::string(view(v.s))}; break;
            default: break;
        }
    }

    /// JF_VALUE_*
    std::uint32_t type() const { return static_cast<std::uint32_t>(value_.index()); }
    bool is_null() const { return type() == JF_VALUE_NULL; }

    /// INT, TIME or BOOL as a number.
    std::int64_t integer() const {
        if (const auto* i = std::get_if<std::int64_t>(&value_)) return *i;
        if (const auto* t = std::get_if<Time>(&value_)) return t->us;
        if (const auto* b = std::get_if<bool>(&value_)) return *b ? 1 : 0;
        return 0;
    }
    double real() const {
        const auto* f = std::get_if<double>(&value_);
        return f ? *f : static_cast<double>(integer());
    }
    bool boolean() const { return integer() != 0; }
    /// TEXT, JSON or BYTES as they stand.
    const std::string& text() const {
        static const std::string none;
        if (const auto* s = std::get_if<std::string>(&value_)) return *s;
        if (const auto* j = std::get_if<Json>(&value_)) return j->text;
        if (const auto* b = std::get_if<Bytes>(&value_)) return b->data;
        return none;
    }
    Time time() const { return {integer()}; }

    /// Borrows the text from this value.
    jf_value abi() const {
        jf_value out{};
        out.type = type();
        if (const auto* f = std::get_if<double>(&value_)) out.f = *f;
        else out.i = integer();
        out.s = str(text());
        return out;
    }

    friend bool operator==(const Value&, const Value&) = default;

  private:
    // In the order of JF_VALUE_*, so that the index is the type.
    std::variant<std::monostate, std::int64_t, double, std::string, Bytes, Time, bool, Json> value_;
};

/// A collection's declaration. Fields are numbered in the order of their declaration, for ever.
class Collection {
  public:
    Collection(std::string name, std::uint32_t scope) : name_(std::move(name)), scope_(scope) {}

    Collection& field(std::string name, std::uint16_t type, std::uint16_t flags = 0, std::string references = {}) {
        fields_.push_back({std::move(name), std::move(references), type, flags});
        return *this;
    }
    /// The fields by name; one that was not declared makes the declaration invalid, which declare() then says.
    Collection& index(std::initializer_list<std::string_view> fields, std::uint32_t flags = 0) {
        Index& made = indexes_.emplace_back();
        made.flags = flags;
        for (const std::string_view name : fields) made.fields.push_back(number(name));
        return *this;
    }
    Collection& unique(std::initializer_list<std::string_view> fields) { return index(fields, JF_INDEX_UNIQUE); }

    /// Of the declaration, from 1: a later one may rename, retype and drop fields, which a migration then does.
    Collection& version(std::uint32_t number) { return version_ = number, *this; }

    const std::string& name() const { return name_; }
    std::uint32_t scope() const { return scope_; }
    std::size_t field_count() const { return fields_.size(); }
    /// The field's number, UINT16_MAX when there is none of that name.
    std::uint16_t number(std::string_view name) const {
        for (std::size_t i = 0; i < fields_.size(); ++i)
            if (fields_[i].name == name) return static_cast<std::uint16_t>(JF_FIELD_FIRST + i);
        return UINT16_MAX;
    }

    const jf_collection* abi() const {
        abi_fields_.clear();
        for (const FieldEntry& field : fields_) {
            jf_field& out = abi_fields_.emplace_back(make<jf_field>());
            out.type = field.type;
            out.flags = field.flags;
            out.name = str(field.name);
            out.references = str(field.references);
        }
        abi_indexes_.clear();
        for (const Index& index : indexes_) {
            jf_index& out = abi_indexes_.emplace_back(make<jf_index>());
            out.flags = index.flags;
            out.fields = array(index.fields);
        }
        abi_ = make<jf_collection>();
        abi_.scope = scope_;
        abi_.name = str(name_);
        abi_.fields = array(abi_fields_);
        abi_.indexes = array(abi_indexes_);
        abi_.version = version_;
        return &abi_;
    }

  private:
    struct FieldEntry {
        std::string name, references;
        std::uint16_t type, flags;
    };
    struct Index {
        std::uint32_t flags = 0;
        std::vector<std::uint16_t> fields;
    };
    std::string name_;
    std::uint32_t scope_;
    std::uint32_t version_ = 0;
    std::vector<FieldEntry> fields_;
    std::vector<Index> indexes_;
    mutable std::vector<jf_field> abi_fields_;
    mutable std::vector<jf_index> abi_indexes_;
    mutable jf_collection abi_{};
};

/// The terms that Query and Write share; all of them hold. A null matches is_null() only, not even ne().
template <typename Derived>
class Terms {
  public:
    Derived& eq(std::uint16_t field, Value v) { return term(field, JF_TERM_EQ, std::move(v)); }
    Derived& ne(std::uint16_t field, Value v) { return term(field, JF_TERM_NE, std::move(v)); }
    Derived& lt(std::uint16_t field, Value v) { return term(field, JF_TERM_LT, std::move(v)); }
    Derived& le(std::uint16_t field, Value v) { return term(field, JF_TERM_LE, std::move(v)); }
    Derived& gt(std::uint16_t field, Value v) { return term(field, JF_TERM_GT, std::move(v)); }
    Derived& ge(std::uint16_t field, Value v) { return term(field, JF_TERM_GE, std::move(v)); }
    Derived& prefix(std::uint16_t field, std::string v) { return term(field, JF_TERM_PREFIX, std::move(v)); }
    Derived& contains(std::uint16_t field, Value v) { return term(field, JF_TERM_CONTAINS, std::move(v)); }
    Derived& is_null(std::uint16_t field) { return term(field, JF_TERM_IS_NULL, {}); }
    Derived& not_null(std::uint16_t field) { return term(field, JF_TERM_NOT_NULL, {}); }
    /// An empty list matches nothing.
    Derived& in(std::uint16_t field, std::vector<Value> values) {
        terms_.push_back({field, JF_TERM_IN, values.empty() ? Value() : values.front(), std::move(values), 0});
        return self();
    }
    /// Every word stands in the field.
    Derived& words(std::uint16_t field, std::string v) { return term(field, JF_TERM_TEXT, std::move(v)); }
    Derived& term(std::uint16_t field, std::uint16_t verb, Value value) { return via(0, field, verb, std::move(value)); }
    /// On a field of the record that the reference `reference` names.
    Derived& via(std::uint16_t reference, std::uint16_t field, std::uint16_t verb, Value value) {
        terms_.push_back({field, verb, std::move(value), {}, reference});
        return self();
    }
    Derived& order_by(std::uint16_t field, bool descending = false) {
        jf_order& order = orders_.emplace_back(make<jf_order>());
        order.field = field;
        order.descending = descending ? 1 : 0;
        return self();
    }

  protected:
    jf_array abi_where() const {
        abi_more_.clear();
        abi_terms_.clear();
        abi_more_.reserve(terms_.size());
        for (const Term& term : terms_) {
            std::vector<jf_value>& more = abi_more_.emplace_back();
            for (const Value& value : term.more) more.push_back(value.abi());
            jf_term& out = abi_terms_.emplace_back(make<jf_term>());
            out.field = term.field;
            out.verb = term.verb;
            out.value = term.value.abi();
            out.more = array(more);
            out.via = term.via;
        }
        return array(abi_terms_);
    }
    jf_array abi_order() const { return array(orders_); }

  private:
    struct Term {
        std::uint16_t field, verb;
        Value value;
        std::vector<Value> more;
        std::uint16_t via;
    };
    Derived& self() { return static_cast<Derived&>(*this); }

    std::vector<Term> terms_;
    std::vector<jf_order> orders_;
    mutable std::vector<jf_term> abi_terms_;
    mutable std::vector<std::vector<jf_value>> abi_more_;
};

/// Query(calls, tenant).eq(agent, "reception").order_by(JF_FIELD_CREATED, true).limit(50)
class Query : public Terms<Query> {
  public:
    explicit Query(std::uint32_t collection, std::string tenant = {})
        : collection_(collection), tenant_(std::move(tenant)) {}

    Query& id(std::string id) { return eq(JF_FIELD_ID, std::move(id)); }
    Query& limit(std::uint32_t rows) { return limit_ = rows, *this; }
    Query& fields(std::vector<std::uint16_t> fields) { return fields_ = std::move(fields), *this; }
    Query& include(std::uint16_t reference) { return include_.push_back(reference), *this; }
    /// Exactly these columns, in the order of the calls; with `via` the referenced record's field.
    Query& column(std::uint16_t field, std::uint16_t via = 0) {
        jf_column& made = columns_.emplace_back(make<jf_column>());
        made.field = field;
        made.via = via;
        return *this;
    }
    Query& after(std::string cursor) { return cursor_ = std::move(cursor), *this; }
    Query& text(std::string words) { return text_ = std::move(words), *this; }

    Query& group_by(std::uint16_t field) { return group_.push_back(field), *this; }
    /// Groups by the bucket that the field's value falls into; call it after the group_by()s.
    Query& bucket_by(std::uint16_t field, std::vector<std::int64_t> edges) {
        edges_ = std::move(edges);
        return group_by(field);
    }
    Query& count(std::uint16_t field = JF_FIELD_ID) { return aggregate(field, JF_AGGREGATE_COUNT); }
    Query& sum(std::uint16_t field) { return aggregate(field, JF_AGGREGATE_SUM); }
    Query& min(std::uint16_t field) { return aggregate(field, JF_AGGREGATE_MIN); }
    Query& max(std::uint16_t field) { return aggregate(field, JF_AGGREGATE_MAX); }
    Query& avg(std::uint16_t field) { return aggregate(field, JF_AGGREGATE_AVG); }
    Query& sum_each(std::uint16_t field) { return aggregate(field, JF_AGGREGATE_SUM_EACH); }
    Query& aggregate(std::uint16_t field, std::uint16_t verb) {
        jf_aggregate& made = aggregates_.emplace_back(make<jf_aggregate>());
        made.field = field;
        made.verb = verb;
        return *this;
    }

    const jf_query* abi() const {
        abi_ = make<jf_query>();
        abi_.collection = collection_;
        abi_.limit = limit_;
        abi_.tenant = str(tenant_);
        abi_.where = abi_where();
        abi_.order = abi_order();
        abi_.fields = array(fields_);
        abi_.include = array(include_);
        abi_.group = array(group_);
        abi_.aggregates = array(aggregates_);
        abi_.bucket_edges = array(edges_);
        abi_.cursor = bytes(cursor_);
        abi_.text = str(text_);
        abi_.columns = array(columns_);
        return &abi_;
    }

  private:
    std::uint32_t collection_;
    std::uint32_t limit_ = 0;
    std::string tenant_, cursor_, text_;
    std::vector<std::uint16_t> fields_, include_, group_;
    std::vector<jf_aggregate> aggregates_;
    std::vector<jf_column> columns_;
    std::vector<std::int64_t> edges_;
    mutable jf_query abi_{};
};

/// Write::insert(calls, tenant, id).set(agent, "reception"), Write::update(calls, tenant, id).inc(turns, 1)
class Write : public Terms<Write> {
  public:
    static Write insert(std::uint32_t collection, std::string tenant, std::string id) {
        return Write(JF_WRITE_INSERT, collection, std::move(tenant), std::move(id));
    }
    static Write upsert(std::uint32_t collection, std::string tenant, std::string id) {
        return Write(JF_WRITE_UPSERT, collection, std::move(tenant), std::move(id));
    }
    static Write insert_or_get(std::uint32_t collection, std::string tenant, std::string id) {
        return Write(JF_WRITE_INSERT_OR_GET, collection, std::move(tenant), std::move(id));
    }
    /// Without an id: every record of the tenant that the terms match.
    static Write update(std::uint32_t collection, std::string tenant, std::string id = {}) {
        return Write(JF_WRITE_UPDATE_WHERE, collection, std::move(tenant), std::move(id));
    }
    static Write remove(std::uint32_t collection, std::string tenant, std::string id = {}) {
        return Write(JF_WRITE_DELETE_WHERE, collection, std::move(tenant), std::move(id));
    }
    static Write claim(std::uint32_t collection, std::string tenant) {
        return Write(JF_WRITE_CLAIM, collection, std::move(tenant), {});
    }

    Write& set(std::uint16_t field, Value v) { return edit(field, JF_EDIT_SET, std::move(v)); }
    Write& inc(std::uint16_t field, Value by) { return edit(field, JF_EDIT_INC, std::move(by)); }
    Write& max(std::uint16_t field, Value v) { return edit(field, JF_EDIT_MAX, std::move(v)); }
    Write& append(std::uint16_t field, Value v) { return edit(field, JF_EDIT_APPEND, std::move(v)); }
    Write& unset(std::uint16_t field) { return edit(field, JF_EDIT_UNSET, {}); }
    Write& add_each(std::uint16_t field, Json numbers) { return edit(field, JF_EDIT_ADD_EACH, std::move(numbers)); }
    Write& edit(std::uint16_t field, std::uint16_t verb, Value v) {
        (verb_ <= JF_WRITE_INSERT_OR_GET && !for_standing_ ? values_ : edits_).push_back({field, verb, std::move(v)});
        return *this;
    }
    /// Of an upsert: the edits after this are for the record that stands, those before for a new one.
    Write& if_stands() { return for_standing_ = true, *this; }
    /// CONFLICT when no record is affected.
    Write& require() { return flags_ |= JF_WRITE_REQUIRE, *this; }
    /// What goes is not to be found in the store's files either.
    Write& erase() { return flags_ |= JF_WRITE_ERASE, *this; }
    /// Of a claim: round and round the values of `field`, none of which gets beyond `most` (0: no bound).
    Write& fair_by(std::uint16_t field, std::uint32_t most = 0) {
        fair_by_ = field;
        fair_most_ = most;
        return *this;
    }
    /// Of a fair claim: records that match count as under way.
    Write& busy(std::uint16_t field, std::uint16_t verb, Value v) { return busy_.term(field, verb, std::move(v)), *this; }
    Write& expect_rev(std::uint64_t revision) { return expect_rev_ = revision, *this; }
    /// By the unique index at `position` of the declaration instead of by id.
    Write& by_index(std::uint32_t position) { return unique_index_ = position + 1, *this; }
    Write& limit(std::uint32_t records) { return limit_ = records, *this; }

    std::uint32_t verb() const { return verb_; }

    const jf_write* abi() const {
        abi_ = make<jf_write>();
        abi_.flags = flags_;
        abi_.verb = verb_;
        abi_.collection = collection_;
        abi_.tenant = str(tenant_);
        abi_.id = str(id_);
        abi_.expect_rev = expect_rev_;
        abi_.values = abi_edits(values_, abi_values_);
        abi_.edits = abi_edits(edits_, abi_edits_);
        abi_.where = abi_where();
        abi_.order = abi_order();
        abi_.unique_index = unique_index_;
        abi_.limit = limit_;
        abi_.fair_by = fair_by_;
        abi_.fair_most = fair_most_;
        abi_.fair_busy = busy_.abi_where();
        return &abi_;
    }

  private:
    struct Busy : Terms<Busy> {
        using Terms<Busy>::abi_where;
    };
    struct Edit {
        std::uint16_t field, verb;
        Value value;
    };
    static jf_array abi_edits(const std::vector<Edit>& edits, std::vector<jf_edit>& out) {
        out.clear();
        for (const Edit& edit : edits) {
            jf_edit& made = out.emplace_back(make<jf_edit>());
            made.field = edit.field;
            made.verb = edit.verb;
            made.value = edit.value.abi();
        }
        return array(out);
    }
    Write(std::uint32_t verb, std::uint32_t collection, std::string tenant, std::string id)
        : verb_(verb), collection_(collection), tenant_(std::move(tenant)), id_(std::move(id)) {}

    std::uint32_t verb_, collection_;
    std::string tenant_, id_;
    std::uint64_t expect_rev_ = 0;
    std::uint32_t unique_index_ = 0, limit_ = 0, flags_ = 0, fair_most_ = 0;
    std::uint16_t fair_by_ = 0;
    bool for_standing_ = false;
    std::vector<Edit> values_, edits_;
    Busy busy_;
    mutable std::vector<jf_edit> abi_values_, abi_edits_;
    mutable jf_write abi_{};
};

/// Writes that happen together or not at all.
class Batch {
  public:
    Batch& add(Write write) { return writes_.push_back(std::move(write)), *this; }
    bool empty() const { return writes_.empty(); }
    std::size_t size() const { return writes_.size(); }
    jf_array abi() const {
        abi_.clear();
        for (const Write& write : writes_) abi_.push_back(*write.abi());
        return array(abi_);
    }

  private:
    std::vector<Write> writes_;
    mutable std::vector<jf_write> abi_;
};

/// The column of a field in a row that has all of them: id, tenant, rev, created, updated, then the declared ones.
constexpr std::size_t column_of(std::uint16_t field) {
    return field < JF_FIELD_FIRST ? field : JF_FIELD_UPDATED + 1u + (field - JF_FIELD_FIRST);
}

/// An owned row.
class Row {
  public:
    Row() = default;
    explicit Row(std::vector<Value> values) : values_(std::move(values)) {}

    std::size_t size() const { return values_.size(); }
    /// By column; a null value beyond the last.
    const Value& operator[](std::size_t column) const {
        static const Value none;
        return column < values_.size() ? values_[column] : none;
    }
    /// By field number, in a row that was asked for with all fields.
    const Value& field(std::uint16_t number) const { return (*this)[column_of(number)]; }
    const std::string& id() const { return field(JF_FIELD_ID).text(); }
    std::uint64_t rev() const { return static_cast<std::uint64_t>(field(JF_FIELD_REV).integer()); }
    Time created() const { return field(JF_FIELD_CREATED).time(); }
    Time updated() const { return field(JF_FIELD_UPDATED).time(); }

    friend bool operator==(const Row&, const Row&) = default;

  private:
    std::vector<Value> values_;
};

/// Appends the rows of a JF_EV_ROWS event; false when the event is something else or does not hold whole rows.
inline bool read_rows(const jf_event& event, std::vector<Row>& out) {
    const auto* rows = event.type == JF_EV_ROWS ? data_of<jf_rows>(event) : nullptr;
    if (!rows || rows->columns == 0 || rows->values.n % rows->columns != 0) return false;
    if (rows->values.n > 0 && rows->values.stride < sizeof(jf_value)) return false;
    for (std::uint32_t first = 0; first < rows->values.n; first += rows->columns) {
        std::vector<Value> values;
        values.reserve(rows->columns);
        for (std::uint32_t i = 0; i < rows->columns; ++i)
            values.emplace_back(*JF_AT(jf_value, rows->values, first + i));
        out.emplace_back(std::move(values));
    }
    return true;
}

/// An owned step of a migration.
struct MigrationStep {
    std::uint32_t kind = 0, from_version = 0, to_version = 0, estimate_ms = 0, flags = 0;
    std::string collection, text;
    std::uint64_t rows = 0, lost = 0;
};

/// Everything that one op of jf.records/1 answers. Feed it from a sink's two callbacks.
struct RecordsReply {
    jf_status status = JF_OK;
    std::string error;
    std::uint32_t retry_class = JF_RETRY_NO;
    std::uint32_t retry_after_ms = 0;
    std::vector<Row> rows;
    std::uint32_t collection = 0; // of declare
    std::uint64_t affected = 0;
    std::uint64_t revision = 0;
    std::string cursor;
    std::vector<MigrationStep> steps; // of migrate

    void on_event(const jf_event& event) {
        if (event.type != JF_EV_MIGRATION) return static_cast<void>(read_rows(event, rows));
        if (const auto* step = data_of<jf_migration_step>(event))
            steps.push_back({step->kind, step->from_version, step->to_version, step->estimate_ms, step->flags,
                             std::string(view(step->collection)), std::string(view(step->text)), step->rows, step->lost});
    }
    void on_done(jf_status result, const jf_event* last, const jf_error* problem) {
        status = result;
        if (problem && result != JF_OK) {
            error = problem->text;
            retry_class = problem->retry_class;
            retry_after_ms = problem->retry_after_ms;
        }
        if (!last) return;
        if (last->type == JF_EV_DECLARED) collection = static_cast<std::uint32_t>(last->pos);
        const auto* done = last->type == JF_EV_RECORDS_DONE ? data_of<jf_records_done>(*last) : nullptr;
        if (!done) return;
        affected = done->affected;
        revision = done->revision;
        cursor = view(done->cursor);
    }
};

}  // namespace jackfield::sdk
