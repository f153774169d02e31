#include <jackfield/sdk/records.hpp>

#include "faulty.hpp"
#include "plugins/storage/example/plugin.cpp"

#include <atomic>
#include <cstring>
#include <set>

namespace {

using faulty::is;
using jackfield::sdk::array;
using jackfield::sdk::Host;
using jackfield::sdk::make;
using jackfield::sdk::str;

const jf_records_v1* right = nullptr;
const jf_vectors_v1* right_vectors = nullptr;

/// Copies of a caller's structs, to be changed; none of what is no array.
template <typename T>
std::vector<T> copies(const jf_array& given) {
    std::vector<T> out;
    for (std::uint32_t i = 0; given.ptr && i < given.n; ++i) {
        T& made = out.emplace_back();
        const T* from = JF_AT(T, given, i);
        std::memcpy(&made, from, std::min<std::size_t>(from->struct_size, sizeof made));
        made.struct_size = sizeof made;
    }
    return out;
}

jf_status end_with(jf_op op, std::uint64_t affected) {
    jf_records_done done = make<jf_records_done>();
    done.affected = affected;
    const jf_event last = Host::event_of(JF_EV_RECORDS_DONE, &done, sizeof done, 0, 0);
    return faulty::real.complete(faulty::ctx_of_last, op, JF_OK, &last, nullptr);
}

// ---- jf.records/1

/// What a store does that knows its verbs by name only.
void spoil(std::vector<jf_term>& terms) {
    for (jf_term& term : terms) {
        if (is("takes_le_for_lt") && term.verb == JF_TERM_LE) term.verb = JF_TERM_LT;
        if (is("finds_parts_of_words") && term.verb == JF_TERM_TEXT) term.verb = JF_TERM_CONTAINS;
        if (is("ignores_references")) term.via = 0;
    }
}

jf_status query(jf_instance* self, jf_op op, const jf_query* given, jf_error* error) {
    jf_query changed = make<jf_query>();
    std::memcpy(&changed, given, std::min<std::size_t>(given->struct_size, sizeof changed));
    if (is("never_looks_beyond")) changed.struct_size = sizeof changed;
    else if (given->struct_size > sizeof changed) return right->query(self, op, given, error);
    std::vector<jf_term> where = copies<jf_term>(given->where);
    spoil(where);
    if (where.size() == given->where.n) changed.where = array(where);
    // What a plugin does that steps by its own sizeof.
    if (is("packs_terms") && given->where.n) changed.where = {given->where.ptr, given->where.n, sizeof(jf_term)};
    std::vector<jf_aggregate> aggregates = copies<jf_aggregate>(given->aggregates);
    for (jf_aggregate& one : aggregates)
        if (is("counts_nulls") && one.verb == JF_AGGREGATE_COUNT) one.field = JF_FIELD_ID;
    if (aggregates.size() == given->aggregates.n) changed.aggregates = array(aggregates);
    if (is("ignores_flags")) changed.flags = 0;
    if (is("counts_rows")) changed.cursor = {};
    if (is("forgets_tenants")) changed.tenant = str("acme");
    return right->query(self, op, &changed, error);
}

/// A write that answers as if it had been one.
bool pretends(jf_op op, const jf_write& write, const std::vector<jf_edit>& edits) {
    static std::atomic<int> increments{0};
    if (!is("loses_updates") || edits.empty() || edits[0].verb != JF_EDIT_INC || ++increments % 7) return false;
    end_with(op, write.limit == 0 ? 1 : write.limit);
    return true;
}

void spoil(jf_write& write, std::vector<jf_edit>& edits) {
    if (is("overwrites") && write.verb == JF_WRITE_INSERT) write.verb = JF_WRITE_UPSERT;
    if (is("forgets_edits_of_what_stands") && write.verb == JF_WRITE_UPSERT) edits.clear();
    if (is("ignores_revisions")) write.expect_rev = 0;
    if (is("ignores_limits") && write.verb != JF_WRITE_CLAIM) write.limit = 0;
    if (is("ignores_requirements")) write.flags &= ~JF_WRITE_REQUIRE;
    if (is("keeps_what_is_erased") && write.verb >= JF_WRITE_UPDATE_WHERE) write.flags &= ~JF_WRITE_ERASE;
    if (is("claims_in_any_order") && write.verb == JF_WRITE_CLAIM) write.order = {};
    if (is("claims_unfairly")) write.fair_by = 0, write.fair_most = 0, write.fair_busy = {};
    for (jf_edit& edit : edits)
        if (is("sets_for_inc") && edit.verb == JF_EDIT_INC) edit.verb = JF_EDIT_SET;
}

jf_status write(jf_instance* self, jf_op op, const jf_write* given, jf_error* error) {
    jf_write changed = *given;
    std::vector<jf_edit> edits = copies<jf_edit>(given->edits);
    std::vector<jf_term> where = copies<jf_term>(given->where);
    spoil(changed, edits);
    spoil(where);
    if (pretends(op, changed, edits)) return JF_OK;
    // Looks first and edits later, when another one has looked as well.
    if (is("claims_by_looking") && changed.verb == JF_WRITE_CLAIM) {
        jf_query look = make<jf_query>();
        look.collection = changed.collection;
        look.tenant = changed.tenant;
        look.where = array(where);
        look.order = changed.order;
        look.limit = std::max(changed.limit, 1u);
        return right->query(self, op, &look, error);
    }
    if (edits.size() == given->edits.n || is("forgets_edits_of_what_stands")) changed.edits = array(edits);
    if (where.size() == given->where.n) changed.where = array(where);
    return right->write(self, op, &changed, error);
}

jf_status batch(jf_instance* self, jf_op op, jf_array writes, jf_error* error) {
    std::vector<jf_write> all = copies<jf_write>(writes);
    std::vector<jf_edit> none;
    for (jf_write& one : all)
        if (is("ignores_requirements")) spoil(one, none);
    if (is("writes_halves") && all.size() > 1) all.pop_back();
    return right->batch(self, op, array(all), error);
}

jf_status watch(jf_instance* self, jf_op op, std::uint32_t collection, jf_str tenant, jf_error* error) {
    if (is("wakes_once")) return faulty::real.complete(faulty::ctx_of_last, op, JF_OK, nullptr, nullptr);
    return right->watch(self, op, collection, tenant, error);
}

jf_status declare(jf_instance* self, jf_op op, const jf_collection* collection, jf_error* error) {
    if (is("takes_any_name") && collection->name.len == 0) {
        jf_collection changed = *collection;
        changed.name = str("unnamed");
        return right->declare(self, op, &changed, error);
    }
    return right->declare(self, op, collection, error);
}

jf_status emit_rows(jf_host_ctx* ctx, jf_op op, const jf_event& event) {
    jf_rows rows = *static_cast<const jf_rows*>(event.data);
    std::vector<jf_value> values;
    for (std::uint32_t i = 0; i < rows.values.n; ++i) values.push_back(*JF_AT(jf_value, rows.values, i));
    for (jf_value& value : values)
        if (is("keeps_floats") && value.type == JF_VALUE_REAL) value.f = static_cast<double>(static_cast<float>(value.f));
    rows.values = array(values);
    const jf_event changed = Host::event_of(JF_EV_ROWS, &rows, sizeof rows, 0, 0);
    const jf_status status = faulty::real.emit(ctx, op, &changed, 1);
    return status == JF_E_AGAIN && is("drops_what_is_refused") ? JF_OK : status;
}

// ---- jf.vectors/1

jf_status ensure(jf_instance* self, jf_op op, const jf_vector_space* given, jf_error* error) {
    jf_vector_space changed = *given;
    // One space for each way in which it was ever asked for.
    const std::string another = std::string(jackfield::sdk::view(given->name)) + "." + std::to_string(given->dim) + std::to_string(given->attributes.n) +
                                std::to_string(given->attributes.n ? static_cast<const jf_field*>(given->attributes.ptr)->type : 0) + std::to_string(given->metric);
    if (is("makes_another_space")) changed.name = str(another);
    if (is("scores_by_distance") && changed.metric == JF_METRIC_COSINE) changed.metric = JF_METRIC_L2;
    return right_vectors->ensure(self, op, &changed, error);
}

jf_status upsert(jf_instance* self, jf_op op, const jf_vector_upsert* given, jf_error* error) {
    static std::set<std::string> known;
    jf_vector_upsert changed = *given;
    std::vector<jf_vector> vectors = copies<jf_vector>(given->vectors);
    if (is("never_replaces"))
        std::erase_if(vectors, [](const jf_vector& vector) { return !known.insert(std::string(jackfield::sdk::view(vector.id))).second; });
    // Writes as far as it gets.
    if (is("writes_what_is_good")) std::erase_if(vectors, [](const jf_vector& vector) { return vector.id.len == 0; });
    if (is("forgets_tenants")) changed.tenant = str("one");
    changed.vectors = array(vectors);
    return right_vectors->upsert(self, op, &changed, error);
}

jf_status search(jf_instance* self, jf_op op, const jf_vector_query* given, jf_error* error) {
    if (is("cancel_ignored")) return JF_OK;
    jf_vector_query changed = *given;
    if (is("forgets_tenants")) changed.tenant = str("one");
    if (is("takes_any_limit")) changed.limit = std::min(changed.limit, 10'000u);
    if (is("ignores_filters")) changed.where = {};
    // Filters what it has found: next to nothing is left.
    if (is("filters_afterwards") && given->where.n) changed.limit = 1;
    return right_vectors->search(self, op, &changed, error);
}

jf_status remove(jf_instance* self, jf_op op, const jf_vector_remove* given, jf_error* error) {
    jf_vector_remove changed = *given;
    if (is("removes_more") && changed.ids.n) changed.where = {};
    return right_vectors->remove(self, op, &changed, error);
}

jf_status stats(jf_instance* self, jf_op op, std::uint32_t space, jf_str tenant, jf_error* error) {
    return right_vectors->stats(self, op, space, is("counts_all") ? str("one") : tenant, error);
}

// ---- both

jf_status emit(jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) {
    if (events->type == JF_EV_WAKE && is("never_wakes")) return JF_OK;
    return events->type == JF_EV_ROWS ? emit_rows(ctx, op, *events) : faulty::real.emit(ctx, op, events, n);
}

jf_status complete(jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    static std::atomic<std::uint64_t> times{0};
    if (last && last->type == JF_EV_DECLARED && is("has_new_handles")) {
        jf_event changed = *last;
        changed.pos += ++times;
        return faulty::real.complete(ctx, op, status, &changed, error);
    }
    if (last && last->type == JF_EV_RECORDS_DONE && is("says_new_to_all")) {
        jf_records_done done = *static_cast<const jf_records_done*>(last->data);
        done.affected = 1;
        const jf_event changed = Host::event_of(last->type, &done, sizeof done, 0, 0);
        return faulty::real.complete(ctx, op, status, &changed, error);
    }
    return faulty::real.complete(ctx, op, status, last, error);
}

const jf_records_v1* wrong_records() {
    static jf_records_v1 wrong = *right;
    wrong.declare = declare;
    wrong.query = query;
    wrong.write = write;
    wrong.batch = batch;
    wrong.watch = watch;
    if (is("pretends_to_migrate"))
        wrong.migrate = [](jf_instance*, jf_op op, const jf_migrate*, jf_error*) -> jf_status {
            return faulty::real.complete(faulty::ctx_of_last, op, JF_OK, nullptr, nullptr);
        };
    return &wrong;
}

const jf_vectors_v1* wrong_vectors() {
    static jf_vectors_v1 wrong = *right_vectors;
    wrong.ensure = ensure;
    wrong.upsert = upsert;
    wrong.search = search;
    wrong.remove = remove;
    wrong.stats = stats;
    return &wrong;
}

const bool set = [] {
    faulty::host_faults = {emit, complete};
    faulty::before_start = [] {
        if (is("keeps_nothing"))
            for (const char* file : {"verify.journal", "verify.journal.vectors"}) ::unlink(file);
    };
    faulty::query_fault = [](const void* table, std::string_view id) -> const void* {
        if (id == JF_VECTORS_V1) {
            right_vectors = static_cast<const jf_vectors_v1*>(table);
            return wrong_vectors();
        }
        right = static_cast<const jf_records_v1*>(table);
        return wrong_records();
    };
    return true;
}();

}  // namespace

FAULTY_MODULE
