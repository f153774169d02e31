#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "vectors_distance.hpp"

namespace jackfield::sqlite {

/// One bit for each slot of a set, as it stood at one moment.
class Bits {
  public:
    explicit Bits(std::size_t n = 0) : size_(n), words_((n + 63) / 64) {}
    std::size_t size() const { return size_; }
    std::vector<std::uint64_t>& words() { return words_; }
    const std::vector<std::uint64_t>& words() const { return words_; }
    bool test(std::size_t i) const { return i < size_ && (words_[i / 64] >> (i % 64) & 1) != 0; }
    void set(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << (i % 64); }
    /// How many are set from `first` on.
    std::size_t count(std::size_t first = 0) const;
    Bits& operator&=(const Bits& other);

  private:
    std::size_t size_;
    std::vector<std::uint64_t> words_;
};

/// A vector found, the smaller distance the nearer.
struct Near {
    float distance;
    std::uint32_t slot;
    friend bool operator<(const Near& a, const Near& b) {
        return a.distance != b.distance ? a.distance < b.distance : a.slot < b.slot;
    }
};

/// The nearest few of what is offered.
class Nearest {
  public:
    explicit Nearest(std::size_t most) : most_(most) {}
    bool full() const { return heap_.size() >= most_; }
    float worst() const { return heap_.front().distance; }
    std::size_t most() const { return most_; }
    void offer(Near near);
    /// Nearest first.
    std::vector<Near> take();

  private:
    std::size_t most_;
    std::vector<Near> heap_;
};

/// How near two vectors are: 1 - dot, or the squared distance.
struct Measure {
    Distance function = nullptr;
    std::size_t dim = 0;
    bool dot = true;

    float operator()(const float* a, const float* b) const {
        const float value = function(a, b, dim);
        return dot ? 1 - value : value;
    }
};

/// A hierarchical navigable small world (Malkov and Yashunin, 2018) over vectors that stand elsewhere and stay there. hnswlib makes the links; the
/// search is ours, since that of hnswlib 0.6 knows no filter and takes no lock against insertions.
class Graph {
  public:
    struct Shape {
        std::size_t links = 16;
        std::size_t build_width = 128;
    };
    /// `measure` is copied.
    Graph(const Measure& measure, Shape shape, std::size_t capacity);
    ~Graph();
    Graph(const Graph&) = delete;

    /// Links the vector; `values` must stay while the graph does. One thread at a time; searches go on meanwhile.
    void add(const float* values, std::uint32_t slot);
    /// Leaves a slot out whose vector has died already.
    void pass(std::uint32_t slot) { covered_.store(slot + std::size_t{1}, std::memory_order_release); }
    std::size_t size() const { return size_.load(std::memory_order_acquire); }
    /// Slots below were added or passed, in their order.
    std::size_t covered() const { return covered_.load(std::memory_order_acquire); }
    std::size_t bytes() const;
    /// What a graph of that many vectors would take.
    static std::size_t bytes_of(std::size_t vectors, Shape shape);

    struct Search {
        std::size_t width;        ///< how many candidates are kept: more finds better
        std::size_t most_visited; ///< after which the search gives up
        const std::atomic<bool>& cancelled;
    };
    /// The nearest of the allowed slots, nearest first, at most `width`. None when it gave up.
    std::optional<std::vector<Near>> search(const float* query, const Bits& allowed, const Search& search) const;

  private:
    class Index;
    void reserve(std::size_t capacity);
    std::shared_lock<std::shared_mutex> enter() const;

    Measure measure_;
    Shape shape_;
    std::unique_ptr<Index> index_;
    std::atomic<std::size_t> size_{0};
    std::atomic<std::size_t> covered_{0};
    // Growing moves the links. Who grows waits at the gate with it closed, so that a stream of searches can't keep it waiting.
    mutable std::mutex gate_;
    mutable std::shared_mutex moving_;
};

}  // namespace jackfield::sqlite
