#include "rtp.hpp"

#include "address.hpp"

#include <algorithm>
#include <cmath>

namespace jackfield::sip {
namespace {

constexpr std::uint64_t ns_per_second = 1'000'000'000;

std::uint16_t read16(const std::uint8_t* p) {
    return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}
std::uint32_t read32(const std::uint8_t* p) {
    return static_cast<std::uint32_t>(read16(p)) << 16 | read16(p + 2);
}

}  // namespace

std::optional<RtpPacket> parse_rtp(std::span<const std::uint8_t> datagram) {
    if (datagram.size() < rtp_header_size || datagram[0] >> 6 != 2) return std::nullopt;
    RtpPacket packet;
    packet.marker = (datagram[1] & 0x80) != 0;
    packet.payload_type = datagram[1] & 0x7f;
    if (packet.payload_type >= 72 && packet.payload_type <= 76) return std::nullopt;
    packet.sequence = read16(&datagram[2]);
    packet.timestamp = read32(&datagram[4]);
    packet.ssrc = read32(&datagram[8]);

    std::size_t begin = rtp_header_size + 4u * (datagram[0] & 0x0f);
    std::size_t end = datagram.size();
    if ((datagram[0] & 0x10) != 0) {
        if (begin + 4 > end) return std::nullopt;
        begin += 4 + 4u * read16(&datagram[begin + 2]);
    }
    if (begin > end) return std::nullopt;
    if ((datagram[0] & 0x20) != 0) {
        const std::size_t padding = datagram[end - 1];
        if (padding == 0 || padding > end - begin) return std::nullopt;
        end -= padding;
    }
    packet.payload = datagram.subspan(begin, end - begin);
    return packet;
}

void write_rtp_header(std::uint8_t* out,
                      std::uint8_t payload_type,
                      bool marker,
                      std::uint16_t sequence,
                      std::uint32_t timestamp,
                      std::uint32_t ssrc) {
    out[0] = 0x80;
    out[1] = static_cast<std::uint8_t>((marker ? 0x80 : 0) | (payload_type & 0x7f));
    out[2] = static_cast<std::uint8_t>(sequence >> 8);
    out[3] = static_cast<std::uint8_t>(sequence);
    for (int i = 0; i < 4; ++i) {
        out[4 + i] = static_cast<std::uint8_t>(timestamp >> (24 - 8 * i));
        out[8 + i] = static_cast<std::uint8_t>(ssrc >> (24 - 8 * i));
    }
}

void SourceLatch::signalled(const jf_endpoint& remote, std::uint64_t now_ns) {
    if (same_endpoint(remote, signalled_)) return;
    signalled_ = remote;
    signalled_at_ = now_ns;
    latched_ = false;
    candidates_ = {};
}

bool SourceLatch::accept(const jf_endpoint& from,
                         std::uint32_t ssrc,
                         std::uint16_t sequence,
                         std::uint64_t now_ns) {
    if (latched_ && same_endpoint(from, source_)) return true;
    const bool as_signalled = same_endpoint(from, signalled_);
    if (latched_ && !(as_signalled && now_ns - signalled_at_ < reclaim_ns)) return false;
    if (!as_signalled && !learn(from, ssrc, sequence)) return false;
    latched_ = true;
    source_ = from;
    return true;
}

bool SourceLatch::learn(const jf_endpoint& from, std::uint32_t ssrc, std::uint16_t sequence) {
    for (Candidate& candidate : candidates_) {
        if (candidate.in_a_row == 0 || candidate.ssrc != ssrc ||
            !same_endpoint(candidate.from, from))
            continue;
        candidate.in_a_row = sequence == candidate.next ? candidate.in_a_row + 1 : 1;
        candidate.next = static_cast<std::uint16_t>(sequence + 1);
        return candidate.in_a_row >= needed_in_a_row;
    }
    candidates_[next_slot_] = {from, ssrc, static_cast<std::uint16_t>(sequence + 1), 1};
    next_slot_ = (next_slot_ + 1) % candidates_.size();
    return false;
}

RtpReceiver::Position RtpReceiver::accept(const RtpPacket& packet, std::uint64_t now_ns) {
    // More than this from one packet to the next isn't a pause any more: the sender started a new
    // timeline under the same SSRC, as carriers do when they re-anchor a call.
    const std::int64_t longest_jump = std::int64_t{10} * clock_hz_;

    Position position;
    if (!started_ || packet.ssrc != ssrc_) {
        position.discontinuity = started_;
        restart(packet, now_ns);
        position.pts = last_pts_;
        return position;
    }
    const auto step = static_cast<std::int32_t>(packet.timestamp - last_timestamp_);
    const std::uint64_t quiet = (now_ns - last_arrival_ns_) * clock_hz_ / ns_per_second;
    if (step > longest_jump + static_cast<std::int64_t>(quiet) || step < -longest_jump) {
        position.discontinuity = true;
        restart(packet, now_ns);
        position.pts = last_pts_;
        return position;
    }
    measure_jitter(packet.timestamp, now_ns);
    count_sequence(packet.sequence);
    if (step < 0 && last_pts_ < static_cast<std::uint64_t>(-step)) {
        position.stale = true;
        return position;
    }
    position.pts = last_pts_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(step));
    if (step >= 0) {
        last_timestamp_ = packet.timestamp;
        last_pts_ = position.pts;
        last_arrival_ns_ = now_ns;
    }
    return position;
}

void RtpReceiver::restart(const RtpPacket& packet, std::uint64_t now_ns) {
    if (started_) {
        // The clock bridges the gap, so that what the host has recorded keeps its length; at least
        // a packet, so that pts never stands.
        const std::uint64_t elapsed = (now_ns - last_arrival_ns_) * clock_hz_ / ns_per_second;
        last_pts_ += std::max<std::uint64_t>(elapsed, clock_hz_ / 50);
        lost_before_ += lost_of_this_source();
        received_before_ += received_of_this_source_;
    }
    started_ = true;
    ssrc_ = packet.ssrc;
    last_timestamp_ = packet.timestamp;
    last_arrival_ns_ = now_ns;
    // One cycle up, so that a packet from just before the first one doesn't go below zero.
    base_sequence_ = highest_sequence_ = 0x10000u + packet.sequence;
    received_of_this_source_ = 1;
}

void RtpReceiver::count_sequence(std::uint16_t sequence) {
    ++received_of_this_source_;
    const auto ahead =
        static_cast<std::int16_t>(sequence - static_cast<std::uint16_t>(highest_sequence_));
    if (ahead > 0) highest_sequence_ += static_cast<std::uint64_t>(ahead);
}

void RtpReceiver::measure_jitter(std::uint32_t timestamp, std::uint64_t now_ns) {
    const double arrived =
        static_cast<double>(now_ns - last_arrival_ns_) * clock_hz_ / ns_per_second;
    const double sent = static_cast<std::int32_t>(timestamp - last_timestamp_);
    if (sent < 0) return;  // a late packet says nothing about the spacing of those in order
    jitter_ += (std::abs(arrived - sent) - jitter_) / 16;
}

std::uint64_t RtpReceiver::lost_of_this_source() const {
    const std::uint64_t expected = highest_sequence_ - base_sequence_ + 1;
    return expected > received_of_this_source_ ? expected - received_of_this_source_ : 0;
}

RtpStatistics RtpReceiver::statistics() const {
    RtpStatistics out;
    if (!started_) return out;
    out.received = received_before_ + received_of_this_source_;
    out.lost = lost_before_ + lost_of_this_source();
    out.jitter_us = static_cast<std::uint32_t>(jitter_ * 1e6 / clock_hz_);
    return out;
}

std::optional<RtpReceiver::Reception> RtpReceiver::reception() const {
    if (!started_) return std::nullopt;
    return Reception{ssrc_,
                     highest_sequence_ - base_sequence_ + 1,
                     received_of_this_source_,
                     static_cast<std::uint32_t>(highest_sequence_ - 0x10000u),
                     static_cast<std::uint32_t>(jitter_)};
}

std::uint64_t RtpSender::clock_units(std::uint64_t now_ns) const {
    return (now_ns - started_ns_) * clock_hz_ / ns_per_second;
}

std::uint32_t RtpSender::stamp(std::uint64_t pts, std::uint32_t samples, std::uint64_t now_ns) {
    const std::uint64_t tolerance =
        clock_hz_ / 5;  // scheduling noise, and a packet sent a little late
    if (!started_) {
        started_ = true;
        started_ns_ = now_ns;
    } else {
        const std::uint64_t clock = clock_units(now_ns);
        const std::uint64_t by_pts = position_ + (pts - last_pts_);
        const bool in_step = pts >= last_pts_ &&
                             pts - last_pts_ <= std::uint64_t{3600} * clock_hz_ &&
                             by_pts + tolerance >= clock;
        position_ = std::max(in_step ? by_pts : clock, position_end_);
    }
    last_pts_ = pts;
    position_end_ = position_ + samples;
    return base_timestamp_ + static_cast<std::uint32_t>(position_);
}

std::uint32_t RtpSender::stamp_now(std::uint64_t now_ns) {
    if (!started_) {
        started_ = true;
        started_ns_ = now_ns;
    }
    return base_timestamp_ +
           static_cast<std::uint32_t>(std::max(clock_units(now_ns), position_end_));
}

}  // namespace jackfield::sip
