#include "vectors_graph.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <unordered_map>

// Its own vector code is chosen by how the file is compiled; ours is chosen when the program runs.
#define NO_MANUAL_VECTORIZATION
#include <hnswlib/hnswlib.h>

namespace jackfield::sqlite {
namespace {

constexpr std::size_t locks_per_graph = 65536;  // hnswlib's max_update_element_locks
constexpr std::size_t looks_between_checks = 256;

/// What the graph keeps of a vector is where it stands: the values are in the set already.
class PointerSpace : public hnswlib::SpaceInterface<float> {
  public:
    explicit PointerSpace(const Measure& measure) : measure_(measure) {}
    std::size_t get_data_size() override { return sizeof(const float*); }
    hnswlib::DISTFUNC<float> get_dist_func() override {
        return [](const void* a, const void* b, const void* measure) {
            return (*static_cast<const Measure*>(measure))(values_at(a), values_at(b));
        };
    }
    void* get_dist_func_param() override { return &measure_; }

    static const float* values_at(const void* where) {
        const float* values;
        std::memcpy(&values, where, sizeof values);
        return values;
    }

  private:
    Measure measure_;
};

void prefetch(const float* values) {
    for (std::size_t i = 0; i < 4; ++i) __builtin_prefetch(values + i * 16);
}

/// The near end of a heap of candidates.
bool farther(const Near& a, const Near& b) { return b < a; }

}  // namespace

std::size_t Bits::count(std::size_t first) const {
    if (first >= size_) return 0;
    std::size_t n = static_cast<std::size_t>(std::popcount(words_[first / 64] & (~std::uint64_t{0} << (first % 64))));
    for (std::size_t i = first / 64 + 1; i < words_.size(); ++i) n += static_cast<std::size_t>(std::popcount(words_[i]));
    return n;
}

Bits& Bits::operator&=(const Bits& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= i < other.words_.size() ? other.words_[i] : 0;
    return *this;
}

void Nearest::offer(Near near) {
    if (full()) {
        if (!(near < heap_.front())) return;
        std::pop_heap(heap_.begin(), heap_.end());
        heap_.back() = near;
    } else {
        heap_.push_back(near);
    }
    std::push_heap(heap_.begin(), heap_.end());
}

std::vector<Near> Nearest::take() {
    std::sort_heap(heap_.begin(), heap_.end());
    return std::move(heap_);
}

class Graph::Index {
  public:
    Index(const Measure& measure, Shape shape, std::size_t capacity)
        : space(measure), links(&space, capacity, shape.links, shape.build_width) {}

    struct Entry {
        hnswlib::tableint node;
        int level;
    };
    Entry entry() {
        const std::lock_guard lock(links.global);
        return {links.enterpoint_node_, links.maxlevel_};
    }
    const float* values(hnswlib::tableint node) const { return PointerSpace::values_at(links.getDataByInternalId(node)); }
    std::uint32_t slot(hnswlib::tableint node) const { return static_cast<std::uint32_t>(links.getExternalLabel(node)); }
    /// Copied under the node's lock: an insertion may be changing them.
    void neighbours(hnswlib::tableint node, int level, std::vector<hnswlib::tableint>& out) {
        const std::lock_guard lock(links.link_list_locks_[node]);
        hnswlib::linklistsizeint* list = links.get_linklist_at_level(node, level);
        out.assign(list + 1, list + 1 + links.getListCount(list));
    }

    PointerSpace space;
    hnswlib::HierarchicalNSW<float> links;
};

Graph::Graph(const Measure& measure, Shape shape, std::size_t capacity)
    : measure_(measure), shape_(shape), index_(std::make_unique<Index>(measure, shape, std::max<std::size_t>(capacity, 64))) {}

Graph::~Graph() = default;

std::size_t Graph::bytes_of(std::size_t vectors, Shape shape) {
    // Links of the lowest level, pointer and label; the levels above, one vector in `links` being on each next; a lock, an entry of the table of
    // labels, and the marks of a search.
    const std::size_t lowest = (2 * shape.links + 1) * sizeof(hnswlib::tableint) + sizeof(const float*) + sizeof(hnswlib::labeltype);
    const std::size_t above = (shape.links + 1) * sizeof(hnswlib::tableint) / (shape.links - 1) + sizeof(void*) + sizeof(int);
    return vectors * (lowest + above + sizeof(std::mutex) + 48) + locks_per_graph * sizeof(std::mutex);
}

std::size_t Graph::bytes() const { return bytes_of(size(), shape_); }

std::shared_lock<std::shared_mutex> Graph::enter() const {
    const std::lock_guard gate(gate_);
    return std::shared_lock(moving_);
}

void Graph::reserve(std::size_t capacity) {
    const std::lock_guard gate(gate_);
    const std::unique_lock lock(moving_);
    index_->links.resizeIndex(capacity);
}

void Graph::add(const float* values, std::uint32_t slot) {
    const std::size_t n = size_.load(std::memory_order_relaxed);
    if (n >= index_->links.max_elements_) reserve(n + n / 2 + 64);
    index_->links.addPoint(&values, slot);
    size_.store(n + 1, std::memory_order_release);
    pass(slot);
}

std::optional<std::vector<Near>> Graph::search(const float* query, const Bits& allowed, const Search& search) const {
    const std::size_t known = size();
    Nearest found(std::max<std::size_t>(search.width, 1));
    if (known == 0) return found.take();
    const auto inside = enter();

    std::vector<hnswlib::tableint> neighbours;
    const auto [entry, top_level] = index_->entry();
    hnswlib::tableint at = entry;
    float distance = measure_(query, index_->values(at));
    for (int level = top_level; level > 0; --level)
        for (bool moved = true; moved;) {
            moved = false;
            index_->neighbours(at, level, neighbours);
            for (const hnswlib::tableint next : neighbours) {
                const float d = measure_(query, index_->values(next));
                if (d >= distance) continue;
                distance = d;
                at = next;
                moved = true;
            }
        }

    // Nodes that a running insertion adds meanwhile may be beyond `known`: they are found next time, and until then by the scan of what no graph covers.
    Bits visited(std::max<std::size_t>(known, at + 1));
    std::vector<Near> open{{distance, at}};
    visited.set(at);
    if (allowed.test(index_->slot(at))) found.offer({distance, index_->slot(at)});
    std::size_t looks = 0;
    for (std::size_t steps = 0; !open.empty(); ++steps) {
        const Near nearest = open.front();
        if (found.full() && nearest.distance > found.worst()) break;
        if (looks > search.most_visited) return std::nullopt;
        if (steps % looks_between_checks == 0 && search.cancelled.load(std::memory_order_relaxed)) return std::nullopt;
        std::pop_heap(open.begin(), open.end(), farther);
        open.pop_back();

        index_->neighbours(nearest.slot, 0, neighbours);
        std::erase_if(neighbours, [&](hnswlib::tableint node) { return node >= visited.size() || visited.test(node); });
        for (const hnswlib::tableint node : neighbours) prefetch(index_->values(node));
        looks += neighbours.size();
        for (const hnswlib::tableint node : neighbours) {
            visited.set(node);
            const float d = measure_(query, index_->values(node));
            if (found.full() && d >= found.worst()) continue;
            open.push_back({d, node});
            std::push_heap(open.begin(), open.end(), farther);
            const std::uint32_t slot = index_->slot(node);
            if (allowed.test(slot)) found.offer({d, slot});
        }
    }
    return found.take();
}

}  // namespace jackfield::sqlite
