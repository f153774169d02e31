#include "vectors_store.hpp"

#include <algorithm>

#include "vectors_scan.hpp"

namespace jackfield::sqlite {
namespace {

const std::atomic<bool> never{false};

/// What a walk that meets no filter needs is some ten.
constexpr std::size_t looks_per_candidate = 20;
/// Values that are read from the file in a moment.
constexpr std::size_t soon_read = 8u << 20;
/// The builder is ahead by then: reading them again would take longer than waiting, unless it has come to a stand.
constexpr std::chrono::milliseconds longest_wait_for_load{10000};

void check_cancelled(const std::atomic<bool>& cancelled) {
    if (cancelled.load(std::memory_order_relaxed)) throw StoreFailure(JF_E_CANCELLED, "cancelled");
}

}  // namespace

VectorStore::VectorStore(sdk::Host host, std::shared_ptr<Store> store, const VectorOptions& options, std::function<std::int64_t()> utc_us)
    : host_(host), store_(std::move(store)), options_(options), utc_us_(std::move(utc_us)), builder_(host, *store_, cache_, options_) {
    store_->with_reader(never, [&](Connection& reader) { load_vector_spaces(reader, spaces_); });
}

void VectorStore::warm_up() {
    std::vector<VectorPlace> places;
    store_->with_reader(never, [&](Connection& reader) { places = places_of_vectors(reader); });
    // What is small enough waits for its first search.
    for (const VectorPlace& place : places) {
        const VectorSpaces::Entry space = spaces_.at(place.space);
        if (!options_.exact(place.vectors, space->dim) || place.vectors * space->dim * sizeof(float) > soon_read) builder_.look_after(cache_.entry(space, place.tenant));
    }
}

std::uint32_t VectorStore::ensure(VectorSpace wanted) {
    const VectorSpaces::Entry before = spaces_.find(wanted.name);
    std::uint32_t number = 0;
    store_->with_writer(never, [&](Connection& writer) { number = ensure_vector_space(writer, spaces_, std::move(wanted)); });
    const VectorSpaces::Entry after = spaces_.at(number);
    if (before && before != after) cache_.space_changed(after);
    return number;
}

VectorsWritten VectorStore::write(CachedVectors& entry, const std::atomic<bool>& cancelled, const Write& run,
                                  const std::function<void(const VectorsWritten&, VectorChange&)>& describe) {
    VectorsWritten written;
    store_->with_writer(cancelled, [&](Connection& writer) {
        VectorTransaction transaction(writer, "BEGIN IMMEDIATE");
        written = run(writer);
        VectorChange change;
        change.version = written.version;
        describe(written, change);
        check_cancelled(cancelled);
        const std::lock_guard order(entry.order);
        transaction.commit();
        entry.apply(change);
    });
    return written;
}

std::uint64_t VectorStore::upsert(const VectorUpsert& upsert, const std::atomic<bool>& cancelled) {
    if (upsert.rows.empty()) return 0;
    const VectorCache::Entry entry = cache_.entry(upsert.space, upsert.tenant);
    const VectorsWritten written = write(
        *entry, cancelled, [&](Connection& writer) { return upsert_rows(writer, upsert, utc_us_()); },
        [&](const VectorsWritten& done, VectorChange& change) {
            for (std::size_t i = 0; i < upsert.rows.size(); ++i) {
                VectorChange::Put& put = change.puts.emplace_back();
                put.row = done.rows[i];
                put.values = upsert.rows[i].values;
                for (const jf_value& value : upsert.rows[i].attributes) put.attributes.emplace_back(value);
            }
        });
    keep_within_budget(entry);
    return written.rows.size();
}

std::uint64_t VectorStore::remove(const VectorRemove& remove, const std::atomic<bool>& cancelled) {
    const VectorCache::Entry entry = cache_.entry(remove.space, remove.tenant);
    const VectorsWritten written = write(
        *entry, cancelled, [&](Connection& writer) { return remove_rows(writer, remove); },
        [](const VectorsWritten& done, VectorChange& change) { change.removes = done.rows; });
    if (entry->serving() && builder_.wants_work(*entry)) builder_.look_after(entry);
    return written.rows.size();
}

void VectorStore::keep_within_budget(const VectorCache::Entry& entry) {
    if (!entry->serving()) return;
    if (entry->bytes() > options_.set_memory || !cache_.make_room(*entry, 0, options_.memory, host_.now_ns())) {
        entry->drop();
        entry->not_before = host_.now_ns() + VectorBuilder::pause_ns;
    } else if (builder_.wants_work(*entry)) {
        builder_.look_after(entry);
    }
}

/// The set in memory when it holds all that is committed, else null: the search reads the rows then.
std::shared_ptr<VectorSet> VectorStore::set_for(const VectorQuery& query, Connection& reader) {
    const VectorCount count = count_vectors(reader, *query.space, query.tenant);
    if (count.vectors == 0) return nullptr;
    const VectorCache::Entry entry = cache_.entry(query.space, query.tenant);
    entry->last_used = host_.now_ns();
    std::shared_ptr<VectorSet> set = entry->current(count.version);
    if (!set && entry->serving()) {
        // Either a writer of ours is between its commit and the change in memory, or another process has written.
        const std::lock_guard order(entry->order);
        set = entry->current(count.version);
        if (!set) entry->drop();
    }
    if (builder_.wants_work(*entry)) builder_.look_after(entry);
    return set;
}

VectorStore::Ranked VectorStore::rank_in_memory(const VectorSet& set, const VectorQuery& query, Connection& reader,
                                                const std::atomic<bool>& cancelled) const {
    const VectorSet::View view = set.view();
    const std::size_t dim = set.measure().dim;
    Bits bits = view.alive;
    if (!query.where.empty() && !set.filter(view, query.where, bits)) {
        bits = view.alive;
        VectorSet::keep_rows(view, matching_rows(reader, *query.space, query.tenant, query.where), bits);
    }
    const std::size_t matching = bits.count();
    const bool by_graph = view.graph && !options_.exact(matching, dim) && query.limit < matching;
    Nearest nearest(query.limit);
    Ranked out;
    bool found = false;
    if (by_graph) {
        // A walk looks at whole vectors here and there, a comparison at a quarter of their size in a row: beyond a share the walk is the dearer way.
        const std::size_t width = std::max<std::size_t>(options_.search_width, query.limit + query.limit / 2);
        const Graph::Search how{width, std::max(matching / 4, looks_per_candidate * width), cancelled};
        if (const auto near = view.graph->search(query.values.data(), bits, how)) {
            for (const Near& one : *near) nearest.offer(one);
            found = true;
        }
        check_cancelled(cancelled);
    }
    out.exact = !found;
    scan(set, view, query.values.data(), bits, found ? view.indexed : 0, nearest, cancelled);
    for (const Near& near : nearest.take()) out.rows.emplace_back(near.distance, view.row(near.slot));
    return out;
}

VectorStore::Ranked VectorStore::rank_rows(const VectorQuery& query, Connection& reader) const {
    const Measure measure = query.space->measure();
    std::vector<std::int64_t> rows;
    Nearest nearest(query.limit);
    read_vectors(reader, *query.space, query.tenant, query.where, false, [&](const StoredVector& vector) {
        nearest.offer({measure(query.values.data(), vector.values), static_cast<std::uint32_t>(rows.size())});
        rows.push_back(vector.row);
    });
    Ranked out;
    for (const Near& near : nearest.take()) out.rows.emplace_back(near.distance, rows[near.slot]);
    return out;
}

VectorStore::Found VectorStore::search(const VectorQuery& query, const std::atomic<bool>& cancelled) {
    Found out;
    // Reading the same rows beside the builder would make both slower.
    if (const VectorCache::Entry entry = cache_.find(query.space->number(), query.tenant)) entry->wait_for_load(cancelled, longest_wait_for_load);
    store_->with_reader(cancelled, [&](Connection& reader) {
        const std::shared_ptr<VectorSet> set = set_for(query, reader);
        const Ranked ranked = set ? rank_in_memory(*set, query, reader, cancelled) : rank_rows(query, reader);
        out.exact = ranked.exact;
        for (const auto& [distance, row] : ranked.rows) {
            const float score = query.space->score(distance);
            if (score < query.least_score) break;
            VectorAnswer answer;
            if (!read_answer(reader, query, row, answer)) continue;  // removed meanwhile
            out.scores.push_back(score);
            out.answers.push_back(std::move(answer));
        }
    });
    return out;
}

VectorStore::Counts VectorStore::stats(std::uint32_t number, std::string_view given, const std::atomic<bool>& cancelled) {
    const VectorSpaces::Entry space = spaces_.at(number);
    const std::string_view tenant = space->collection.tenant_of(given);
    Counts out;
    out.dim = space->dim;
    store_->with_reader(cancelled, [&](Connection& reader) { out.vectors = count_vectors(reader, *space, tenant).vectors; });
    out.bytes = out.vectors * space->dim * sizeof(float);
    const VectorCache::Entry entry = cache_.find(number, tenant);
    if (!entry) return out;
    out.memory = entry->bytes();
    if (const std::shared_ptr<VectorSet> set = entry->serving()) {
        const VectorSet::View view = set->view();
        out.indexed = view.alive.count() - view.alive.count(view.indexed);
    }
    return out;
}

}  // namespace jackfield::sqlite
