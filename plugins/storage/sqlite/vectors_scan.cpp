#include "vectors_scan.hpp"

#include <algorithm>
#include <bit>

#include "failure.hpp"
#include "vectors_codes.hpp"

namespace jackfield::sqlite {
namespace {

constexpr std::size_t looks_between_checks = 4096;
constexpr std::size_t bytes_of_a_line = 64;  // of the processor's cache
/// How many vectors ahead codes are fetched: with a filter's gaps between them the processor does not guess which come next.
constexpr std::size_t ahead = 6;

void check_cancelled(const std::atomic<bool>& cancelled) {
    if (cancelled.load(std::memory_order_relaxed)) throw StoreFailure(JF_E_CANCELLED, "cancelled");
}

std::vector<std::uint32_t> slots_of(const Bits& bits, std::size_t first) {
    std::vector<std::uint32_t> slots;
    slots.reserve(bits.count(first));
    for (std::size_t i = first / 64; i < bits.words().size(); ++i) {
        std::uint64_t word = bits.words()[i];
        if (i == first / 64) word &= ~std::uint64_t{0} << (first % 64);
        for (; word != 0; word &= word - 1) slots.push_back(static_cast<std::uint32_t>(i * 64 + static_cast<std::size_t>(std::countr_zero(word))));
    }
    return slots;
}

/// What may still be among the nearest: the vectors that can be nearer than the last of those that surely are near, by how near they can be.
class Contenders {
  public:
    Contenders(const Measure& measure, const float* query, std::size_t most) : dim_(measure.dim), query_(measure, query), sure_(most) {}

    void look_at(const VectorChunk& chunk, std::uint32_t slot) {
        const std::size_t place = slot % slots_per_chunk;
        const CodedQuery::Bounds bounds = query_.bounds(chunk.codes.get() + place * dim_, chunk.facts[place]);
        if (sure_.full() && bounds.least > sure_.worst()) return;
        sure_.offer({bounds.most, slot});
        open_.push_back({bounds.least, slot});
    }
    void fetch(const VectorChunk& chunk, std::uint32_t slot) const {
        const std::size_t place = slot % slots_per_chunk;
        for (std::size_t at = 0; at < dim_; at += bytes_of_a_line) __builtin_prefetch(chunk.codes.get() + place * dim_ + at);
        __builtin_prefetch(&chunk.facts[place]);
    }
    /// Compares them, the likeliest first, until none that is left can be nearer.
    template <typename Compare>
    void settle(Nearest& nearest, Compare compare) {
        const auto farther = [](const Near& a, const Near& b) { return b < a; };
        std::make_heap(open_.begin(), open_.end(), farther);
        for (; !open_.empty(); open_.pop_back()) {
            if (nearest.full() && open_.front().distance > nearest.worst()) return;
            std::pop_heap(open_.begin(), open_.end(), farther);
            nearest.offer({compare(open_.back().slot), open_.back().slot});
        }
    }

  private:
    std::size_t dim_;
    CodedQuery query_;
    Nearest sure_;  // by how far they can be
    std::vector<Near> open_;
};

}  // namespace

void scan(const VectorSet& set, const VectorSet::View& view, const float* query, const Bits& bits, std::size_t first, Nearest& nearest,
          const std::atomic<bool>& cancelled) {
    const Measure& measure = set.measure();
    const auto compare = [&](std::uint32_t slot) { return measure(query, view.values(slot, measure.dim)); };
    const auto chunk_of = [&](std::uint32_t slot) -> const VectorChunk& { return *(*view.chunks)[slot / slots_per_chunk]; };
    const std::vector<std::uint32_t> slots = slots_of(bits, first);
    // Where most would be compared anyway, codes decide nothing.
    const bool coded = slots.size() > 4 * nearest.most();
    Contenders contenders(measure, query, nearest.most());
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (i % looks_between_checks == 0) check_cancelled(cancelled);
        if (!coded) {
            nearest.offer({compare(slots[i]), slots[i]});
            continue;
        }
        if (i + ahead < slots.size()) contenders.fetch(chunk_of(slots[i + ahead]), slots[i + ahead]);
        contenders.look_at(chunk_of(slots[i]), slots[i]);
    }
    contenders.settle(nearest, compare);
}

}  // namespace jackfield::sqlite
