#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <jackfield/sdk/records.hpp>

#include "vectors_rows.hpp"
#include "vectors_set.hpp"

namespace jackfield::sqlite {

struct VectorOptions {
    std::size_t exact_below = 60000;         ///< vectors that a search compares one by one
    std::size_t exact_bytes = 32u << 20;     ///< ... and what their codes may measure together, a byte for each dimension
    std::size_t memory = std::size_t{1} << 30;
    std::size_t set_memory = std::size_t{1} << 30;
    std::size_t search_width = 160;
    Graph::Shape graph;
    std::size_t builders = 1;

    bool exact(std::size_t vectors, std::size_t dim) const {
        return vectors < exact_below && vectors * dim <= exact_bytes;
    }
};

/// What a transaction changed in one tenant's vectors of one space, for the sets in memory. Owns all of it.
struct VectorChange {
    struct Put {
        std::int64_t row;
        std::vector<float> values;
        std::vector<sdk::Value> attributes;
    };
    std::uint64_t version = 0;
    std::vector<Put> puts;
    std::vector<std::int64_t> removes;
    std::size_t bytes() const;
};

/// One tenant's vectors of one space, as far as they are in memory.
///
/// A writer holds `order` from before its commit until it has applied the change, so that changes come in the order of their commits, and who
/// finds the database ahead of the memory knows whom to wait for.
class CachedVectors {
  public:
    CachedVectors(VectorSpaces::Entry space, std::string whose) : tenant(std::move(whose)), space_(std::move(space)) {}

    const std::string tenant;
    std::mutex order;
    std::atomic<std::uint64_t> last_used{0};  ///< by the host's clock
    std::atomic<std::uint64_t> not_before{0}; ///< when the builder may try again, after it failed or there was no room
    std::atomic<bool> queued{false};          ///< waits for the builder
    std::atomic<bool> worked_on{false};       ///< a builder has it

    VectorSpaces::Entry space() const;
    /// The space has got more attributes: what is in memory lacks them.
    void set_space(VectorSpaces::Entry space);

    void apply(const VectorChange& change);
    /// The set if it holds everything up to `version` at least, else null.
    std::shared_ptr<VectorSet> current(std::uint64_t version) const;
    std::shared_ptr<VectorSet> serving() const;
    /// What the builder works at: the successor while there is one.
    std::shared_ptr<VectorSet> being_built() const;
    void drop();
    std::size_t bytes() const;

    /// Reads the rows into a new set, while changes go on. False: another process wrote meanwhile, or there were too many changes.
    bool load(const std::function<std::uint64_t(VectorSet&)>& read);
    /// While there is no set and one is being read: until it is there, or `most` has passed.
    void wait_for_load(const std::atomic<bool>& cancelled, std::chrono::milliseconds most);
    /// The successor takes over from the set that serves.
    void promote();

  private:
    mutable std::mutex mutex_;
    VectorSpaces::Entry space_;
    std::shared_ptr<VectorSet> set_, next_;
    std::uint64_t version_ = 0;  // of both
    bool journaling_ = false, journal_lost_ = false;
    std::condition_variable load_ended_;
    std::vector<VectorChange> journal_;
    std::size_t journal_bytes_ = 0;
};

/// All that is in memory, within a budget.
class VectorCache {
  public:
    using Entry = std::shared_ptr<CachedVectors>;  // shared: an operation or the builder keeps one that is forgotten meanwhile

    Entry entry(const VectorSpaces::Entry& space, std::string_view tenant);
    Entry find(std::uint32_t space, std::string_view tenant) const;
    void space_changed(const VectorSpaces::Entry& space);
    /// Makes room for `bytes` more by dropping what was unused the longest, but nothing that was used after `recent`. False: there is none.
    bool make_room(const CachedVectors& for_whom, std::size_t bytes, std::size_t budget, std::uint64_t recent);
    std::size_t bytes() const;

  private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::uint32_t, std::string>, Entry> entries_;
};

}  // namespace jackfield::sqlite
