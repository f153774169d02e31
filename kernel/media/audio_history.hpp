#pragma once

#include "media/g711.hpp"
#include "media/types.hpp"

#include <chrono>
#include <memory>
#include <span>

namespace jackfield::media {

/// The last seconds of one leg, kept as G.711 and read by sample position: pre-roll for a
/// recogniser that is opened when somebody already speaks, and what its replacement is fed again.
/// Allocates only in the constructor.
class AudioHistory {
  public:
    /// What may be retained of a call at all.
    static constexpr std::chrono::seconds longest{12};

    explicit AudioHistory(G711Law law, std::chrono::milliseconds keep = longest);

    /// Samples that are there already are passed over; a hole before `pts` becomes silence. A hole
    /// longer than the history, or a `pts` that lies that far back, begins the history anew.
    void append(SamplePos pts, std::span<const std::uint8_t> codes);

    /// Copies from `from` on, as much as is there, and returns how much; 0 when `from` is outside
    /// begin()..end().
    std::size_t read(SamplePos from, std::span<std::uint8_t> out) const;
    std::size_t read(SamplePos from, std::span<std::int16_t> out) const;

    /// The oldest sample that is kept, and the one after the newest.
    SamplePos begin() const { return begin_; }
    SamplePos end() const { return end_; }
    std::size_t capacity() const { return capacity_; }
    G711Law law() const { return law_; }
    void clear();

  private:
    void put(std::span<const std::uint8_t> codes);
    std::size_t index_of(SamplePos position) const;
    std::size_t readable(SamplePos from, std::size_t wanted) const;

    G711Law law_;
    std::size_t capacity_;
    std::unique_ptr<std::uint8_t[]> ring_;
    SamplePos begin_ = 0;
    SamplePos end_ = 0;
};

}  // namespace jackfield::media
