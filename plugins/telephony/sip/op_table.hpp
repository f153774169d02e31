#pragma once

// From an op to its leg, without a lock on the reader's side: media_out() looks up every packet
// here.

#include <jackfield/base.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace jackfield::sip {

/// A fixed open-addressed table. find() takes no lock and allocates nothing; insert() and erase()
/// are serialised by their caller.
///
/// Why a reader can't see a leg that is gone: calls about one op are serial (plugin ABI, rule 14),
/// so nobody looks an op up while that same op is being entered or removed, and other ops' entries
/// are only compared by key. An op's key is never used again.
template <typename T>
class OpTable {
  public:
    explicit OpTable(std::size_t capacity) {
        while (size_ < capacity * 8 || size_ < 64) size_ *= 2;
        entries_ = std::make_unique<Entry[]>(size_);
    }

    T* find(jf_op op) const {
        for (std::size_t i = 0; i < probes; ++i) {
            const Entry& entry = at(op, i);
            if (entry.key.load(std::memory_order_acquire) == op)
                return entry.value.load(std::memory_order_relaxed);
        }
        return nullptr;
    }

    /// False when all places that the op may take are occupied: with an eighth of the table in use,
    /// practically never.
    bool insert(jf_op op, T* value) {
        for (std::size_t i = 0; i < probes; ++i) {
            Entry& entry = at(op, i);
            if (entry.key.load(std::memory_order_relaxed) != JF_NO_OP) continue;
            entry.value.store(value, std::memory_order_relaxed);
            entry.key.store(op, std::memory_order_release);
            return true;
        }
        return false;
    }

    void erase(jf_op op) {
        for (std::size_t i = 0; i < probes; ++i) {
            Entry& entry = at(op, i);
            if (entry.key.load(std::memory_order_relaxed) != op) continue;
            entry.key.store(JF_NO_OP, std::memory_order_release);
            return;
        }
    }

  private:
    struct Entry {
        std::atomic<jf_op> key{JF_NO_OP};
        std::atomic<T*> value{nullptr};
    };
    // Every reader looks at all of an op's places, so that removal needs no marks that would fill
    // the table over the months.
    static constexpr std::size_t probes = 16;

    const Entry& at(jf_op op, std::size_t i) const {
        return entries_[(hash(op) + i) & (size_ - 1)];
    }
    Entry& at(jf_op op, std::size_t i) { return entries_[(hash(op) + i) & (size_ - 1)]; }
    static std::size_t hash(jf_op op) {
        return static_cast<std::size_t>((op * 0x9e3779b97f4a7c15u) >> 32);
    }

    std::size_t size_ = 64;
    std::unique_ptr<Entry[]> entries_;
};

}  // namespace jackfield::sip
