#include "media/reorder_window.hpp"

#include <algorithm>
#include <cstring>

namespace jackfield::media {
namespace {

SamplePos to_samples(base::Nanoseconds duration) {
    return duration.count() * (narrowband_hz / 1000) / 1'000'000;
}

// Reordering on real networks makes one packet late at a time. A fourth in a row means that the
// sender began a new time line which overlaps the old one.
constexpr int most_late_in_a_row = 3;

}  // namespace

ReorderWindow::ReorderWindow(const ReorderOptions& options)
    : options_(options),
      conceal_samples_(to_samples(options.conceal)),
      resync_samples_(to_samples(options.resync)) {
    for (std::size_t i = 0; i < slot_count; ++i) order_[i] = static_cast<std::uint8_t>(i);
}

ReorderWindow::Taken ReorderWindow::push(SamplePos pts,
                                         std::span<const std::uint8_t> codes,
                                         base::MonoTime now) {
    ++counters_.packets;
    if (codes.empty()) return Taken::duplicate;
    if (started_ && pts + static_cast<SamplePos>(codes.size()) <= next_) {
        const Taken taken = refuse_old(pts);
        if (taken != Taken::stored) return taken;
    }
    late_in_a_row_ = 0;
    Taken taken = Taken::stored;
    while (!codes.empty() && taken == Taken::stored) {
        const std::size_t n = std::min<std::size_t>(codes.size(), packet_samples);
        taken = store(pts, codes.first(n), now);
        codes = codes.subspan(n);
        pts += static_cast<SamplePos>(n);
    }
    return taken;
}

/// A packet from before what was given out. `stored` says that it begins a new time line and is to
/// be kept.
ReorderWindow::Taken ReorderWindow::refuse_old(SamplePos pts) {
    if (next_ - pts > resync_samples_) {
        begin_time_line(pts);
        return Taken::stored;
    }
    if (was_emitted(pts)) {
        ++counters_.duplicate;
        return Taken::duplicate;
    }
    if (++late_in_a_row_ > most_late_in_a_row) {
        begin_time_line(pts);
        return Taken::stored;
    }
    ++counters_.late;
    return Taken::late;
}

ReorderWindow::Taken ReorderWindow::store(SamplePos pts,
                                          std::span<const std::uint8_t> codes,
                                          base::MonoTime now) {
    std::size_t place = used_;
    while (place > 0 && slot(place - 1).pts > pts) --place;
    if (place > 0 && slot(place - 1).pts == pts) {
        ++counters_.duplicate;
        return Taken::duplicate;
    }
    if (used_ == slot_count) {
        ++counters_.overflow;
        return Taken::overflow;
    }
    if (place < used_) ++counters_.reordered;
    std::rotate(order_.begin() + static_cast<std::ptrdiff_t>(place),
                order_.begin() + static_cast<std::ptrdiff_t>(used_),
                order_.begin() + static_cast<std::ptrdiff_t>(used_) + 1);
    ++used_;
    Slot& free = slot(place);
    free.pts = pts;
    free.size = codes.size();
    free.arrived = now;
    std::memcpy(free.codes.data(), codes.data(), codes.size());
    return Taken::stored;
}

void ReorderWindow::begin_time_line(SamplePos pts) {
    // What still waits belongs to the time line that ended.
    counters_.late += used_;
    used_ = 0;
    next_ = pts;
    late_in_a_row_ = 0;
    resync_pending_ = true;
}

void ReorderWindow::drop_front() {
    std::rotate(
        order_.begin(), order_.begin() + 1, order_.begin() + static_cast<std::ptrdiff_t>(used_));
    --used_;
}

bool ReorderWindow::was_emitted(SamplePos pts) const {
    const auto end = emitted_.begin() + static_cast<std::ptrdiff_t>(emitted_count_);
    return std::find(emitted_.begin(), end, pts) != end;
}

std::optional<Piece> ReorderWindow::pop(base::MonoTime now) {
    while (used_ > 0) {
        const Slot& front = slot(0);
        if (!started_) {
            started_ = true;
            next_ = front.pts;
            anchor_arrived_ = front.arrived;
        }
        const SamplePos missing = front.pts - next_;
        if (missing > 0 && now < front.arrived + options_.wait && used_ < pressure)
            return std::nullopt;
        if (missing > resync_samples_) {
            next_ = front.pts;
            resync_pending_ = true;
        } else if (missing > 0) {
            return fill(missing);
        }
        if (front.pts + static_cast<SamplePos>(front.size) > next_) return take_front();
        ++counters_.late;
        drop_front();
    }
    return std::nullopt;
}

std::optional<base::MonoTime> ReorderWindow::next_deadline() const {
    if (used_ == 0) return std::nullopt;
    return slot(0).arrived + options_.wait;
}

/// Repeats the last packet backwards and forwards, so that the seams are continuous, and fades it.
Piece ReorderWindow::fill(SamplePos missing) {
    const auto n = static_cast<std::size_t>(std::min<SamplePos>(missing, packet_samples));
    Piece piece;
    piece.pts = next_;
    piece.position = position_;
    piece.codes = std::span(made_).first(n);
    if (filled_ >= conceal_samples_ || last_size_ == 0) {
        piece.kind = PieceKind::silence;
        fill_silence(options_.law, std::span(made_).first(n));
    } else {
        piece.kind = PieceKind::concealed;
        const std::size_t period = 2 * last_size_;
        for (std::size_t i = 0; i < n; ++i) {
            const SamplePos into = filled_ + static_cast<SamplePos>(i);
            const SamplePos gain = std::max<SamplePos>(0, conceal_samples_ - into);
            const std::size_t phase = static_cast<std::size_t>(into) % period;
            const std::size_t at = phase < last_size_ ? last_size_ - 1 - phase : phase - last_size_;
            const SamplePos sample =
                decode_sample(options_.law, last_[at]) * gain / conceal_samples_;
            made_[i] = encode_sample(options_.law, static_cast<std::int16_t>(sample));
        }
    }
    const auto samples = static_cast<SamplePos>(n);
    filled_ += samples;
    next_ += samples;
    position_ += samples;
    counters_.missing_samples += n;
    return piece;
}

Piece ReorderWindow::take_front() {
    const Slot& front = slot(0);
    Piece piece;
    if (resync_pending_) {
        const SamplePos by_clock = anchor_position_ + to_samples(front.arrived - anchor_arrived_);
        position_ = std::max(position_, by_clock);
        piece.resync = true;
        resync_pending_ = false;
        emitted_count_ = 0;
        emitted_at_ = 0;
        ++counters_.resyncs;
    }
    const auto known = static_cast<std::size_t>(next_ - front.pts);
    piece.pts = next_;
    piece.position = position_;
    piece.codes = std::span(front.codes).first(front.size).subspan(known);
    remember(front, piece.codes);
    next_ += static_cast<SamplePos>(piece.codes.size());
    position_ += static_cast<SamplePos>(piece.codes.size());
    // The slot is free again but its bytes stay until the next push.
    drop_front();
    return piece;
}

void ReorderWindow::remember(const Slot& from, std::span<const std::uint8_t> codes) {
    anchor_position_ = position_;
    anchor_arrived_ = from.arrived;
    filled_ = 0;
    std::memcpy(last_.data(), codes.data(), codes.size());
    last_size_ = codes.size();
    emitted_[emitted_at_] = from.pts;
    emitted_at_ = (emitted_at_ + 1) % emitted_.size();
    emitted_count_ = std::min(emitted_count_ + 1, emitted_.size());
}

}  // namespace jackfield::media
