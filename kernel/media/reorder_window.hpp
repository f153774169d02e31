#pragma once

#include "base/clock.hpp"
#include "media/g711.hpp"
#include "media/types.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace jackfield::media {

struct ReorderOptions {
    G711Law law = G711Law::mu;
    /// How long a packet waits for the one before it.
    base::Milliseconds wait{20};
    /// How much of a hole is filled with the fading repetition of what came before; the rest is
    /// silence.
    base::Milliseconds conceal{60};
    /// A jump of the sender's time line by more than this is a new time line, not a loss.
    base::Milliseconds resync{1000};
};

enum class PieceKind : std::uint8_t { audio, concealed, silence };

/// Up to 20 ms of one leg, in order.
struct Piece {
    PieceKind kind = PieceKind::audio;
    /// The sender's time line began anew with this piece.
    bool resync = false;
    /// Where the piece lies on the sender's time line.
    SamplePos pts = 0;
    /// Where it lies on ours: begins at 0, never goes back, has no hole except before a resync,
    /// where the time that passed between the arrivals is left out.
    SamplePos position = 0;
    /// Borrowed until the next push or pop.
    std::span<const std::uint8_t> codes;
};

struct ReorderCounters {
    std::uint64_t packets = 0;
    std::uint64_t late = 0;
    std::uint64_t duplicate = 0;
    std::uint64_t overflow = 0;
    std::uint64_t reordered = 0;
    std::uint64_t missing_samples = 0;
    std::uint64_t resyncs = 0;
};

/// Puts a leg's packets in order, waiting as little as that takes, and fills what never came.
/// Packets of any length are taken; storage is fixed. Where nothing is out of order, nothing waits.
class ReorderWindow {
  public:
    explicit ReorderWindow(const ReorderOptions& options = {});

    enum class Taken : std::uint8_t { stored, late, duplicate, overflow };
    /// Copies one packet that arrived at `now`. Call pop() until it is empty afterwards.
    Taken push(SamplePos pts, std::span<const std::uint8_t> codes, base::MonoTime now);
    /// The next piece in order, or nothing until a packet arrives or next_deadline() has come.
    std::optional<Piece> pop(base::MonoTime now);
    /// When pop() gives up on the hole before the oldest waiting packet; nothing when no packet
    /// waits.
    std::optional<base::MonoTime> next_deadline() const;

    const ReorderCounters& counters() const { return counters_; }
    /// The position after the last piece.
    SamplePos position() const { return position_; }

  private:
    static constexpr std::size_t slot_count = 32;
    // With so many slots in use waiting has no point: the sender is not late, a packet is lost.
    static constexpr std::size_t pressure = 24;

    struct Slot {
        SamplePos pts = 0;
        std::size_t size = 0;
        base::MonoTime arrived;
        std::array<std::uint8_t, packet_samples> codes{};
    };

    Slot& slot(std::size_t place) { return slots_[order_[place]]; }
    const Slot& slot(std::size_t place) const { return slots_[order_[place]]; }
    Taken refuse_old(SamplePos pts);
    Taken store(SamplePos pts, std::span<const std::uint8_t> codes, base::MonoTime now);
    void drop_front();
    void begin_time_line(SamplePos pts);
    bool was_emitted(SamplePos pts) const;
    Piece fill(SamplePos missing);
    Piece take_front();
    void remember(const Slot& from, std::span<const std::uint8_t> codes);

    ReorderOptions options_;
    SamplePos conceal_samples_;
    SamplePos resync_samples_;
    std::array<Slot, slot_count> slots_;
    // The slots in use, by pts; behind `used_` the free ones.
    std::array<std::uint8_t, slot_count> order_{};
    std::size_t used_ = 0;

    bool started_ = false;
    bool resync_pending_ = false;
    int late_in_a_row_ = 0;
    SamplePos next_ = 0;
    SamplePos position_ = 0;
    // What arrived last and was given out: the anchor between positions and the clock.
    SamplePos anchor_position_ = 0;
    base::MonoTime anchor_arrived_;
    SamplePos filled_ = 0;
    std::array<std::uint8_t, packet_samples> last_{};
    std::size_t last_size_ = 0;
    std::array<std::uint8_t, packet_samples> made_{};
    std::array<SamplePos, 8> emitted_{};
    std::size_t emitted_at_ = 0;
    std::size_t emitted_count_ = 0;
    ReorderCounters counters_;
};

}  // namespace jackfield::media
