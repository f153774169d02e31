#pragma once

// RTCP (RFC 3550 6) of one stream in each direction, as a pure state machine: fed packets and time,
// no sockets, no clock.

#include "rtp.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace jackfield::sip {

/// How RTP and RTCP on one port are told apart (RFC 5761 4).
inline bool is_rtcp(std::span<const std::uint8_t> datagram) {
    return datagram.size() >= 2 && datagram[1] >= 192 && datagram[1] <= 223;
}

struct ReportBlock {
    std::uint8_t fraction_lost = 0;  // of 256, since the report before
    std::int32_t lost = 0;           // since the beginning; duplicates make it negative
    std::uint32_t highest_sequence = 0;
    std::uint32_t jitter = 0;  // clock units
    std::uint32_t last_report = 0;
    std::uint32_t since_last_report = 0;  // 1/65536 s
};

/// What a compound packet says, as far as it concerns a call of two.
struct RtcpPacket {
    std::uint32_t ssrc = 0;                 // who reports
    std::optional<std::uint64_t> ntp_time;  // a sender report's
    std::optional<ReportBlock> about_us;
    bool bye = false;
};

/// Nothing when it isn't a whole compound packet (RFC 3550 A.2).
std::optional<RtcpPacket> parse_rtcp(std::span<const std::uint8_t> datagram,
                                     std::uint32_t our_ssrc);

class RtcpSession {
  public:
    static constexpr std::size_t most_packet = 128;
    /// RFC 3550 6.2: five seconds, spread so that calls that began together don't report together.
    static constexpr std::uint64_t interval_ns = 5'000'000'000;

    /// `unix_ns` is the wall clock's time at `now_ns`; `random` spreads the reports.
    RtcpSession(std::uint64_t unix_ns, std::uint64_t now_ns, std::uint32_t random);

    void sent(std::size_t payload_bytes, std::uint32_t timestamp, std::uint64_t now_ns);
    void received(const RtcpPacket& packet, std::uint64_t now_ns);
    /// Our next report, written to `out`; how long it is. The time of the next one follows from it.
    std::size_t report(std::span<std::uint8_t, most_packet> out,
                       std::uint32_t our_ssrc,
                       const RtpReceiver& receiver,
                       bool goodbye,
                       std::uint64_t now_ns);
    std::uint64_t due_ns() const { return due_ns_; }

    /// 0 unknown.
    std::uint32_t round_trip_us() const { return round_trip_us_; }
    /// The part of our packets that the far end missed, over the call; nothing before its first
    /// report.
    std::optional<double> loss_there() const;

  private:
    std::uint64_t ntp(std::uint64_t now_ns) const;
    void schedule(std::uint64_t now_ns);

    std::uint64_t unix_at_zero_ns_;
    std::uint32_t random_;
    std::uint64_t due_ns_ = 0;

    std::uint64_t packets_ = 0;
    std::uint64_t octets_ = 0;
    std::uint32_t last_timestamp_ = 0;
    std::uint64_t last_sent_ns_ = 0;
    bool sent_since_report_ = false;

    std::uint32_t last_sender_report_ = 0;  // the middle of its NTP time
    std::uint64_t last_sender_report_ns_ = 0;
    std::uint64_t expected_before_ = 0;
    std::uint64_t received_before_ = 0;
    std::uint32_t reported_ssrc_ = 0;

    std::uint32_t round_trip_us_ = 0;
    std::optional<std::int32_t> lost_there_;
};

}  // namespace jackfield::sip
