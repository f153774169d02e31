#pragma once

// RTP (RFC 3550) as pure state machines: fed packets and time, no sockets, no allocation, no clock.

#include <jackfield/host.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace jackfield::sip {

struct RtpPacket {
    std::uint8_t payload_type = 0;
    bool marker = false;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t ssrc = 0;
    std::span<const std::uint8_t> payload;  // borrowed from the datagram
};

/// Nothing when the datagram isn't a well-formed RTP packet; RTCP (payload types 72 to 76) isn't
/// one either.
std::optional<RtpPacket> parse_rtp(std::span<const std::uint8_t> datagram);

inline constexpr std::size_t rtp_header_size = 12;
/// Writes the fixed header to the first rtp_header_size bytes of `out`.
void write_rtp_header(std::uint8_t* out,
                      std::uint8_t payload_type,
                      bool marker,
                      std::uint16_t sequence,
                      std::uint32_t timestamp,
                      std::uint32_t ssrc);

/// Decides from whom media is taken and to whom it is sent: symmetric RTP (RFC 4961) that a third
/// party can't move.
///
/// The address that signalling named is believed at once. Any other source has to show
/// `needed_in_a_row` packets of one SSRC with consecutive sequence numbers before it is latched,
/// and only while nothing is latched. A latch stays until signalling names another address; the one
/// exception is the signalled address itself within `reclaim_ns` of it being named, so that whoever
/// sends first by a few packets doesn't keep the caller's own media out for the whole call.
class SourceLatch {
  public:
    static constexpr unsigned needed_in_a_row = 4;
    static constexpr std::uint64_t reclaim_ns = 5'000'000'000;

    /// Signalling named (or confirmed) where the far end's media comes from. The same address again
    /// changes nothing.
    void signalled(const jf_endpoint& remote, std::uint64_t now_ns);
    /// True when the packet is the far end's.
    bool accept(const jf_endpoint& from,
                std::uint32_t ssrc,
                std::uint16_t sequence,
                std::uint64_t now_ns);
    /// Where to send. The port is 0 while unknown.
    const jf_endpoint& target() const { return latched_ ? source_ : signalled_; }
    bool latched() const { return latched_; }

  private:
    struct Candidate {
        jf_endpoint from{};
        std::uint32_t ssrc = 0;
        std::uint16_t next = 0;
        unsigned in_a_row = 0;
    };
    bool learn(const jf_endpoint& from, std::uint32_t ssrc, std::uint16_t sequence);

    jf_endpoint signalled_{};
    jf_endpoint source_{};
    std::uint64_t signalled_at_ = 0;
    bool latched_ = false;
    // Several are followed at once: with a single one, packets of an attacker between the caller's
    // would keep both from ever being consecutive.
    std::array<Candidate, 4> candidates_{};
    unsigned next_slot_ = 0;
};

struct RtpStatistics {
    std::uint64_t received = 0;
    std::uint64_t lost = 0;
    std::uint32_t jitter_us = 0;
};

/// Follows one stream of packets: timestamps become samples since the stream's start, across wraps,
/// new SSRCs and restarted timelines; counts what is lost and measures jitter (RFC 3550 6.4.1, A.3,
/// A.8).
class RtpReceiver {
  public:
    explicit RtpReceiver(std::uint32_t clock_hz = 8000) : clock_hz_(clock_hz) {}

    struct Position {
        std::uint64_t pts = 0;
        bool discontinuity = false;  // a new SSRC or timeline
        bool stale = false;          // from before the start of the stream: drop it
    };
    Position accept(const RtpPacket& packet, std::uint64_t now_ns);
    RtpStatistics statistics() const;

    /// What a report says of the present source.
    struct Reception {
        std::uint32_t ssrc = 0;
        std::uint64_t expected = 0;
        std::uint64_t received = 0;
        std::uint32_t highest_sequence = 0;  // with the count of wraps above it
        std::uint32_t jitter = 0;            // clock units
    };
    std::optional<Reception> reception() const;

  private:
    void restart(const RtpPacket& packet, std::uint64_t now_ns);
    void count_sequence(std::uint16_t sequence);
    void measure_jitter(std::uint32_t timestamp, std::uint64_t now_ns);
    std::uint64_t lost_of_this_source() const;

    std::uint32_t clock_hz_;
    bool started_ = false;
    std::uint32_t ssrc_ = 0;
    std::uint32_t last_timestamp_ = 0;
    std::uint64_t last_pts_ = 0;
    std::uint64_t last_arrival_ns_ = 0;
    // Sequence numbers of the present source, extended.
    std::uint64_t base_sequence_ = 0;
    std::uint64_t highest_sequence_ = 0;
    std::uint64_t received_of_this_source_ = 0;
    std::uint64_t received_before_ = 0;
    std::uint64_t lost_before_ = 0;
    double jitter_ = 0;  // in clock units
};

/// Numbers and stamps outgoing packets. Sequence, timestamp and SSRC start at random values (RFC
/// 3550 5.1).
class RtpSender {
  public:
    RtpSender(std::uint16_t sequence,
              std::uint32_t timestamp,
              std::uint32_t ssrc,
              std::uint32_t clock_hz = 8000)
        : sequence_(sequence), base_timestamp_(timestamp), ssrc_(ssrc), clock_hz_(clock_hz) {}

    /// The timestamp of a frame at the writer's position `pts`: it follows pts as long as that
    /// keeps step with real time, and the clock where it doesn't (a writer that stops counting in
    /// silence, or starts again at 0).
    std::uint32_t stamp(std::uint64_t pts, std::uint32_t samples, std::uint64_t now_ns);
    /// The timestamp of this moment, for what has no pts (telephone events).
    std::uint32_t stamp_now(std::uint64_t now_ns);
    std::uint16_t next_sequence() { return sequence_++; }
    std::uint32_t ssrc() const { return ssrc_; }

  private:
    std::uint64_t clock_units(std::uint64_t now_ns) const;

    std::uint16_t sequence_;
    std::uint32_t base_timestamp_;
    std::uint32_t ssrc_;
    std::uint32_t clock_hz_;
    bool started_ = false;
    std::uint64_t started_ns_ = 0;
    std::uint64_t last_pts_ = 0;
    std::uint64_t position_ = 0;  // units since start, of the frame stamped last
    std::uint64_t position_end_ = 0;
};

}  // namespace jackfield::sip
