#include "vectors_builder.hpp"

#include <algorithm>

namespace jackfield::sqlite {
namespace {

/// What a graph does not cover yet is compared one by one; beyond this many it is worth a job.
constexpr std::size_t longest_tail = 1024;
/// Dead slots are passed through by every search: a set is made anew when they are a quarter of it, and enough to matter.
constexpr std::size_t least_dead = 1024;
/// A set that was used so lately is not dropped for another one.
constexpr std::uint64_t recent_ns = 10'000'000'000;
/// A graph is made in slices of so many vectors; between two of them those that wait to be in memory are read.
constexpr std::size_t slice = 256;

}  // namespace

VectorBuilder::VectorBuilder(sdk::Host host, Store& store, VectorCache& cache, const VectorOptions& options)
    : host_(host), store_(store), cache_(cache), options_(options), worker_(host.facility<jf_host_worker_v1>(JF_FACILITY_WORKER)) {
    if (!worker_) host_.log(JF_LOG_WARN, "sqlite.vectors_without_worker");
}

VectorBuilder::~VectorBuilder() {
    stopping_ = true;
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return running_ == 0; });
}

bool VectorBuilder::stop(std::chrono::milliseconds budget) {
    stopping_ = true;
    std::unique_lock lock(mutex_);
    for (const VectorCache::Entry& entry : queue_) entry->queued = false;
    queue_.clear();
    return ended_.wait_for(lock, budget, [&] { return running_ == 0; });
}

void VectorBuilder::resume() { stopping_ = false; }

bool VectorBuilder::wants_graph(const VectorSet& set) const { return !options_.exact(set.rows(), set.measure().dim); }

bool VectorBuilder::too_dead(const VectorSet& set) const {
    const std::size_t dead = set.dead();
    return dead >= least_dead && dead * 3 >= set.rows();
}

bool VectorBuilder::wants_work(const CachedVectors& entry) const {
    const std::shared_ptr<VectorSet> set = entry.being_built();
    if (!set || set != entry.serving() || too_dead(*set)) return true;
    return wants_graph(*set) && (!set->has_graph() || set->uncovered() >= longest_tail);
}

void VectorBuilder::look_after(const VectorCache::Entry& entry) {
    if (!worker_ || stopping_ || host_.now_ns() < entry->not_before || entry->queued.exchange(true)) return;
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(entry);
    }
    start_jobs();
}

void VectorBuilder::start_jobs() {
    while (true) {
        {
            const std::lock_guard lock(mutex_);
            if (running_ >= std::min(options_.builders, queue_.size()) || stopping_) return;
            ++running_;
        }
        jf_op op = JF_NO_OP;
        const jf_sink with = sink();
        jf_status status = host_.table()->op_open(host_.ctx(), JF_NO_OP, &with, &op);
        if (status == JF_OK)
            status = worker_->start(
                host_.ctx(), op,
                [](void* self, jf_op) -> jf_status {
                    return sdk::guarded(nullptr, [&] { static_cast<VectorBuilder*>(self)->run_job(); });
                },
                this);
        if (status == JF_OK) continue;
        // The pool is full: what waits is looked after when the next search or write asks again.
        if (op != JF_NO_OP) host_.cancel(op);
        const std::lock_guard lock(mutex_);
        --running_;
        for (const VectorCache::Entry& entry : queue_) entry->queued = false;
        queue_.clear();
        ended_.notify_all();
        return;
    }
}

void VectorBuilder::run_job() {
    std::unique_lock lock(mutex_);
    while (!queue_.empty() && !stopping_) {
        const VectorCache::Entry entry = std::move(queue_.front());
        queue_.pop_front();
        entry->queued = false;
        // Asked for again while another job has it: that job looks once more before it lets go.
        if (entry->worked_on.exchange(true)) continue;
        lock.unlock();
        attend(*entry, [&] { work_on(*entry); });
        lock.lock();
    }
    --running_;
    ended_.notify_all();
}

/// For an entry that was marked as worked on.
template <typename Work>
void VectorBuilder::attend(CachedVectors& entry, Work work) {
    try {
        work();
    } catch (const Stopped&) {
        entry.not_before = host_.now_ns() + pause_ns;
    } catch (const std::exception& problem) {
        entry.not_before = host_.now_ns() + pause_ns;
        if (!stopping_) host_.log(JF_LOG_WARN, "sqlite.vectors_not_loaded", {{"space", entry.space()->name}, {"error", problem.what()}});
    }
    entry.worked_on = false;
}

/// A large graph takes a minute, and a search of what is not in memory reads it all from the file: nobody's searches wait for another one's graph.
void VectorBuilder::load_what_waits() {
    while (true) {
        VectorCache::Entry entry;
        {
            const std::lock_guard lock(mutex_);
            const auto waits = std::find_if(queue_.begin(), queue_.end(), [](const VectorCache::Entry& e) { return !e->serving() && !e->worked_on; });
            if (waits == queue_.end() || stopping_) return;
            entry = *waits;
            queue_.erase(waits);
            entry->queued = false;
            if (entry->worked_on.exchange(true)) continue;
        }
        attend(*entry, [&] {
            if (!entry->serving()) load(*entry);
        });
        // Its graph, if it wants one, has its turn behind the others. What could not be loaded is asked for by the next search.
        if (entry->serving() && wants_work(*entry)) look_after(entry);
    }
}

void VectorBuilder::work_on(CachedVectors& entry) {
    // As often as something came up while it was at work, within reason: the next search or write asks again.
    for (int round = 0; round < 4 && wants_work(entry); ++round) {
        std::shared_ptr<VectorSet> set = entry.being_built();
        if (!set || (set == entry.serving() && too_dead(*set))) {
            if (!load(entry)) continue;
            set = entry.being_built();
        }
        if (!set) continue;
        if (wants_graph(*set)) build_graph(entry, *set);
        if (set != entry.serving()) entry.promote();
    }
}

bool VectorBuilder::fits(const CachedVectors& entry, std::size_t bytes) {
    const std::uint64_t now = host_.now_ns();
    return bytes <= options_.set_memory && cache_.make_room(entry, bytes, options_.memory, now > recent_ns ? now - recent_ns : 0);
}

bool VectorBuilder::load(CachedVectors& entry) {
    const VectorSpaces::Entry space = entry.space();
    bool loaded = false;
    store_.with_reader(stopping_, [&](Connection& reader) {
        // All of it as of one moment.
        const VectorTransaction transaction(reader, "BEGIN");
        const VectorCount count = count_vectors(reader, *space, entry.tenant);
        const std::size_t graph = options_.exact(count.vectors, space->dim) ? 0 : Graph::bytes_of(count.vectors, options_.graph);
        const std::size_t bytes = count.vectors * VectorSet::bytes_of_a_vector(space->dim, space->attribute_types().size()) + graph;
        if (!fits(entry, bytes)) {
            host_.log(JF_LOG_INFO, "sqlite.vectors_too_large", {{"space", space->name}, {"vectors", std::to_string(count.vectors)}});
            throw Stopped{};
        }
        loaded = entry.load([&](VectorSet& set) {
            read_vectors(reader, *space, entry.tenant, {}, true, [&](const StoredVector& vector) {
                set.put(vector.row, vector.values, vector.attributes);
            });
            return count.version;
        });
    });
    return loaded;
}

void VectorBuilder::build_graph(CachedVectors& entry, VectorSet& set) {
    VectorSet::View view = set.view();
    std::shared_ptr<Graph> graph = view.graph;
    if (!graph) {
        if (!fits(entry, Graph::bytes_of(set.rows(), options_.graph))) throw Stopped{};
        graph = std::make_shared<Graph>(set.measure(), options_.graph, set.rows() + set.rows() / 8);
    }
    const std::uint64_t began = host_.now_ns();
    const std::size_t before = graph->covered();
    while (graph->covered() < view.slots) {
        for (std::size_t slot = graph->covered(); slot < view.slots; ++slot) {
            check_stop();
            if (slot % slice == 0) load_what_waits();
            const auto at = static_cast<std::uint32_t>(slot);
            if (view.alive.test(slot)) graph->add(view.values(at, set.measure().dim), at);
            else graph->pass(at);
        }
        view = set.view();
        if (view.slots - graph->covered() < longest_tail) break;
        if (entry.being_built().get() != &set) throw Stopped{};  // dropped meanwhile
    }
    if (view.graph) return;
    set.attach(graph);
    host_.log(JF_LOG_INFO, "sqlite.vectors_indexed",
              {{"space", entry.space()->name},
               {"vectors", std::to_string(graph->size() - before)},
               {"took_ms", std::to_string((host_.now_ns() - began) / 1000000)}});
}

}  // namespace jackfield::sqlite
