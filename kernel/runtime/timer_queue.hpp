#pragma once

#include <map>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/unique_function.hpp"

namespace jackfield::runtime {

/// Timers of one shard, ordered by time, then by order of arrival. One thread.
class TimerQueue {
  public:
    std::uint64_t add(base::MonoTime at, base::Task task) {
        const std::uint64_t id = ++last_id_;
        entries_.emplace(Key{at.ns, id}, std::move(task));
        times_.emplace(id, at.ns);
        return id;
    }
    void cancel(std::uint64_t id) {
        const auto found = times_.find(id);
        if (found == times_.end()) return;
        entries_.erase(Key{found->second, id});
        times_.erase(found);
    }
    bool empty() const { return entries_.empty(); }
    /// The earliest; not when empty.
    base::MonoTime next() const { return {entries_.begin()->first.at_ns}; }
    /// Takes the earliest task when it is due at `now`, else an empty one.
    base::Task take_due(base::MonoTime now) {
        if (entries_.empty() || entries_.begin()->first.at_ns > now.ns) return {};
        const auto first = entries_.begin();
        base::Task task = std::move(first->second);
        times_.erase(first->first.id);
        entries_.erase(first);
        return task;
    }

  private:
    struct Key {
        std::int64_t at_ns;
        std::uint64_t id;
        auto operator<=>(const Key&) const = default;
    };
    std::map<Key, base::Task> entries_;
    std::unordered_map<std::uint64_t, std::int64_t> times_;
    std::uint64_t last_id_ = 0;
};

}  // namespace jackfield::runtime
