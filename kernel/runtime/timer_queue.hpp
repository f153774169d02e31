#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/unique_function.hpp"

namespace jackfield::runtime {

/// Timers of one shard, ordered by time, then by order of arrival. One thread. A heap with four children a node over slots that are used
/// again: calls move their timers with every event, and after the first few this allocates nothing.
class TimerQueue {
  public:
    std::uint64_t add(base::MonoTime at, base::Task task) {
        std::uint32_t index;
        if (free_.empty()) {
            index = static_cast<std::uint32_t>(slots_.size());
            slots_.emplace_back();
        } else {
            index = free_.back();
            free_.pop_back();
        }
        Slot& slot = slots_[index];
        slot.task = std::move(task);
        heap_.emplace_back();
        rise(heap_.size() - 1, Entry{at.ns, ++arrivals_, index});
        return std::uint64_t{slot.generation} << 32 | index;
    }
    void cancel(std::uint64_t id) {
        const auto index = static_cast<std::uint32_t>(id);
        if (index >= slots_.size() || slots_[index].generation != id >> 32) return;
        // Not destroyed in here: a task may own what cancels another timer.
        const base::Task gone = remove(slots_[index].at);
    }
    bool empty() const { return heap_.empty(); }
    std::size_t size() const { return heap_.size(); }
    /// The earliest; not when empty.
    base::MonoTime next() const { return {heap_.front().at_ns}; }
    /// Takes the earliest task when it is due at `now`, else an empty one.
    base::Task take_due(base::MonoTime now) {
        if (heap_.empty() || heap_.front().at_ns > now.ns) return {};
        return remove(0);
    }

  private:
    static constexpr std::size_t children = 4;
    struct Entry {
        std::int64_t at_ns;
        std::uint64_t arrival;
        std::uint32_t slot;
        bool before(const Entry& other) const { return at_ns != other.at_ns ? at_ns < other.at_ns : arrival < other.arrival; }
    };
    struct Slot {
        base::Task task;
        std::size_t at = 0;           ///< in the heap
        std::uint32_t generation = 1; ///< never 0, so that no id is 0
    };

    void put(std::size_t at, const Entry& entry) {
        heap_[at] = entry;
        slots_[entry.slot].at = at;
    }
    void rise(std::size_t at, Entry entry) {
        for (; at > 0 && entry.before(heap_[(at - 1) / children]); at = (at - 1) / children) put(at, heap_[(at - 1) / children]);
        put(at, entry);
    }
    void sink(std::size_t at, Entry entry) {
        while (true) {
            const std::size_t first = at * children + 1;
            if (first >= heap_.size()) break;
            std::size_t least = first;
            for (std::size_t child = first + 1; child < first + children && child < heap_.size(); ++child)
                if (heap_[child].before(heap_[least])) least = child;
            if (!heap_[least].before(entry)) break;
            put(at, heap_[least]);
            at = least;
        }
        put(at, entry);
    }
    base::Task remove(std::size_t at) {
        const std::uint32_t index = heap_[at].slot;
        Slot& slot = slots_[index];
        base::Task task = std::move(slot.task);
        if (++slot.generation == 0) slot.generation = 1;
        free_.push_back(index);
        const Entry last = heap_.back();
        heap_.pop_back();
        if (at == heap_.size()) return task;
        // The last entry fills the hole; it may belong above it as well as below.
        if (at > 0 && last.before(heap_[(at - 1) / children])) rise(at, last);
        else sink(at, last);
        return task;
    }

    std::vector<Entry> heap_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::uint64_t arrivals_ = 0;
};

}  // namespace jackfield::runtime
