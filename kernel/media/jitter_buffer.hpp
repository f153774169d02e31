#pragma once

#include "base/clock.hpp"
#include "media/concealer.hpp"
#include "media/types.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace jackfield::media {

struct JitterOptions {
    /// How much is gathered before a stretch of audio begins to play: the least delay.
    base::Milliseconds start{40};
    /// The delay once a packet came too late for that.
    base::Milliseconds target{60};
    /// The delay that no jitter exceeds: what comes later is lost.
    base::Milliseconds most{120};
};

enum class JitterOutput : std::uint8_t {
    nothing,    ///< nothing ever arrived: silence
    audio,      ///< all of it as it was sent
    concealed,  ///< some of it is made up
    noise,      ///< the far end sends nothing: noise at the line's own level
};

struct JitterCounters {
    std::uint64_t packets = 0;
    std::uint64_t late = 0;        ///< packets
    std::uint64_t duplicate = 0;
    std::uint64_t lost_samples = 0;
    std::uint64_t concealed_samples = 0;
    std::uint64_t noise_samples = 0;
    std::uint64_t stretched_samples = 0;  ///< put in, to wait longer
    std::uint64_t squeezed_samples = 0;   ///< left out, to wait less
    std::uint64_t skipped_samples = 0;    ///< left out at once: more than `most` had piled up
    std::uint64_t resyncs = 0;
};

/// Turns packets that come when they like into one packet every 20 ms, for a leg that is joined to another. Waits as long as this
/// network asks for, and lengthens or shortens by whole pitch periods, which nobody hears, when that changes or the two clocks differ.
/// Holes are concealed, silence that is not sent becomes noise. Fixed storage, no clock of its own.
class JitterBuffer {
  public:
    explicit JitterBuffer(const JitterOptions& options = {});

    /// One packet of at most 200 ms that arrived at `now`. Its end may be dropped, its copy too.
    void push(SamplePos pts, std::span<const std::int16_t> pcm, base::MonoTime now);
    /// Every 20 ms.
    JitterOutput pop(std::span<std::int16_t, packet_samples> out);

    /// How long the newest sample has still to wait.
    base::Milliseconds depth() const;
    /// What the delay is being steered to.
    base::Milliseconds wanted() const;
    const JitterCounters& counters() const { return counters_; }

  private:
    static constexpr SamplePos ring_samples = 4096;
    static constexpr std::size_t bucket_count = 8;

    struct Spread {
        std::int64_t least_ns = 0;
        std::int64_t most_ns = 0;
        bool any = false;
    };

    static std::size_t place(SamplePos pts) { return static_cast<std::size_t>(pts & (ring_samples - 1)); }
    bool present(SamplePos pts) const { return present_[place(pts)] != 0; }
    void begin_time_line(SamplePos pts);
    void measure(SamplePos end, base::MonoTime now);
    void drop_to(SamplePos pts);
    SamplePos depth_samples() const { return newest_end_ - play_; }
    SamplePos wanted_samples() const;
    void take(std::span<std::int16_t> out);
    bool whole(SamplePos from, SamplePos to) const;
    bool squeeze(std::span<std::int16_t, packet_samples> out);
    bool stretch(std::span<std::int16_t, packet_samples> out);
    bool steer(std::span<std::int16_t, packet_samples> out);
    JitterOutput dry(std::span<std::int16_t, packet_samples> out);
    void age();

    SamplePos start_;
    SamplePos target_;
    SamplePos most_;
    std::array<std::int16_t, ring_samples> ring_{};
    std::array<std::uint8_t, ring_samples> present_{};
    Concealer concealer_;

    bool started_ = false;   ///< a packet has arrived
    bool playing_ = false;
    bool played_ = false;    ///< something was
    SamplePos play_ = 0;     ///< the next sample to give out
    SamplePos newest_end_ = 0;
    SamplePos stalled_ = 0;  ///< made up while nothing was there to play
    SamplePos packet_ = packet_samples;  ///< the longest packet of late
    int waited_ = 0;         ///< pops since a stretch of audio began to gather
    int unsteady_ = 0;       ///< pops for which the delay stays at `target` at least
    int since_steer_ = 0;
    SamplePos deepest_ = 0;  ///< since then
    int until_bucket_ = 0;
    std::size_t bucket_ = 0;
    std::array<Spread, bucket_count> spread_{};
    std::int64_t transit_ns_ = 0;
    JitterCounters counters_;
};

}  // namespace jackfield::media
