#include "rtcp.hpp"

#include <algorithm>
#include <cstring>

namespace jackfield::sip {
namespace {

constexpr std::uint8_t sender_report = 200;
constexpr std::uint8_t receiver_report = 201;
constexpr std::uint8_t source_description = 202;
constexpr std::uint8_t goodbye_packet = 203;
constexpr std::size_t header_size = 8;        // with the sender's SSRC
constexpr std::size_t sender_info_size = 20;  // NTP, RTP, packets, octets
constexpr std::size_t block_size = 24;
constexpr std::uint64_t ns_per_second = 1'000'000'000;
constexpr std::uint64_t from_1900_to_1970_s = 2'208'988'800;
constexpr std::uint64_t longest_round_trip_us = 60'000'000;

std::uint32_t read32(const std::uint8_t* p) {
    return static_cast<std::uint32_t>(p[0]) << 24 | static_cast<std::uint32_t>(p[1]) << 16 |
           static_cast<std::uint32_t>(p[2]) << 8 | p[3];
}

ReportBlock read_block(const std::uint8_t* p) {
    ReportBlock out;
    out.fraction_lost = p[4];
    // 24 bits with a sign.
    out.lost = static_cast<std::int32_t>(read32(&p[4]) << 8) >> 8;
    out.highest_sequence = read32(&p[8]);
    out.jitter = read32(&p[12]);
    out.last_report = read32(&p[16]);
    out.since_last_report = read32(&p[20]);
    return out;
}

/// Writes big-endian numbers one behind the other; the caller has counted that they fit.
class Writer {
  public:
    explicit Writer(std::uint8_t* out) : begin_(out), at_(out) {}
    void byte(std::uint64_t value) { *at_++ = static_cast<std::uint8_t>(value); }
    void word(std::uint64_t value) {
        for (int shift = 24; shift >= 0; shift -= 8) byte(value >> shift);
    }
    void header(unsigned count, std::uint8_t type, std::size_t bytes) {
        byte(0x80 | count);
        byte(type);
        byte((bytes / 4 - 1) >> 8);
        byte(bytes / 4 - 1);
    }
    std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

  private:
    std::uint8_t* begin_;
    std::uint8_t* at_;
};

}  // namespace

std::optional<RtcpPacket> parse_rtcp(std::span<const std::uint8_t> datagram,
                                     std::uint32_t our_ssrc) {
    RtcpPacket out;
    bool first = true;
    while (!datagram.empty()) {
        if (datagram.size() < 4 || datagram[0] >> 6 != 2) return std::nullopt;
        const std::size_t size =
            4 * (1 + (static_cast<std::size_t>(datagram[2]) << 8 | datagram[3]));
        if (size > datagram.size()) return std::nullopt;
        const bool last = size == datagram.size();
        const std::uint8_t type = datagram[1];
        if (first && type != sender_report && type != receiver_report) return std::nullopt;
        if ((datagram[0] & 0x20) != 0 && !last) return std::nullopt;  // padding ends a compound
        const unsigned count = datagram[0] & 0x1f;
        const std::span<const std::uint8_t> packet = datagram.first(size);
        if (type == sender_report || type == receiver_report) {
            const std::size_t blocks = header_size + (type == sender_report ? sender_info_size : 0);
            if (size < blocks + count * block_size) return std::nullopt;
            if (first) out.ssrc = read32(&packet[4]);
            if (type == sender_report)
                out.ntp_time =
                    static_cast<std::uint64_t>(read32(&packet[8])) << 32 | read32(&packet[12]);
            for (unsigned i = 0; i < count; ++i) {
                const std::uint8_t* const block = &packet[blocks + i * block_size];
                if (read32(block) == our_ssrc) out.about_us = read_block(block);
            }
        } else if (type == goodbye_packet) {
            if (size < 4 + 4 * std::size_t{count}) return std::nullopt;
            out.bye = count > 0;
        }
        first = false;
        datagram = datagram.subspan(size);
    }
    if (first) return std::nullopt;
    return out;
}

RtcpSession::RtcpSession(std::uint64_t unix_ns, std::uint64_t now_ns, std::uint32_t random)
    : unix_at_zero_ns_(unix_ns - now_ns), random_(random | 1) {
    schedule(now_ns);
}

std::uint64_t RtcpSession::ntp(std::uint64_t now_ns) const {
    const std::uint64_t ns = unix_at_zero_ns_ + now_ns;
    return (ns / ns_per_second + from_1900_to_1970_s) << 32 |
           (ns % ns_per_second << 32) / ns_per_second;
}

void RtcpSession::schedule(std::uint64_t now_ns) {
    // xorshift: half to one and a half times the interval.
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    due_ns_ = now_ns + interval_ns / 2 + interval_ns / 1024 * (random_ % 1024);
}

void RtcpSession::sent(std::size_t payload_bytes, std::uint32_t timestamp, std::uint64_t now_ns) {
    ++packets_;
    octets_ += payload_bytes;
    last_timestamp_ = timestamp;
    last_sent_ns_ = now_ns;
    sent_since_report_ = true;
}

void RtcpSession::received(const RtcpPacket& packet, std::uint64_t now_ns) {
    if (packet.ntp_time) {
        last_sender_report_ = static_cast<std::uint32_t>(*packet.ntp_time >> 16);
        last_sender_report_ns_ = now_ns;
        reported_ssrc_ = packet.ssrc;
    }
    if (!packet.about_us) return;
    lost_there_ = packet.about_us->lost;
    if (packet.about_us->last_report == 0) return;
    // RFC 3550 6.4.1: A - LSR - DLSR, in 1/65536 s. What comes out negative or absurd is a clock's
    // fault.
    const auto a = static_cast<std::uint32_t>(ntp(now_ns) >> 16);
    const auto units = static_cast<std::int32_t>(a - packet.about_us->last_report -
                                                 packet.about_us->since_last_report);
    const std::uint64_t us = units < 0 ? 0 : static_cast<std::uint64_t>(units) * 1'000'000 / 65536;
    if (units >= 0 && us <= longest_round_trip_us)
        round_trip_us_ = static_cast<std::uint32_t>(std::max<std::uint64_t>(us, 1));
}

std::size_t RtcpSession::report(std::span<std::uint8_t, most_packet> out,
                                std::uint32_t our_ssrc,
                                const RtpReceiver& receiver,
                                bool goodbye,
                                std::uint64_t now_ns) {
    Writer writer(out.data());
    const std::optional<RtpReceiver::Reception> reception = receiver.reception();
    const std::size_t block = reception ? block_size : 0;
    if (sent_since_report_) {
        writer.header(reception ? 1 : 0, sender_report, header_size + sender_info_size + block);
        writer.word(our_ssrc);
        const std::uint64_t time = ntp(now_ns);
        writer.word(time >> 32);
        writer.word(time);
        // The timestamp of now, not of the packet sent last (RFC 3550 6.4.1); 8000 to the second.
        writer.word(last_timestamp_ + (now_ns - last_sent_ns_) * 8 / 1'000'000);
        writer.word(packets_);
        writer.word(octets_);
    } else {
        writer.header(reception ? 1 : 0, receiver_report, header_size + block);
        writer.word(our_ssrc);
    }
    if (reception) {
        // A new source starts a new account.
        if (reception->expected < expected_before_ || reception->received < received_before_)
            expected_before_ = received_before_ = 0;
        const std::uint64_t expected = reception->expected - expected_before_;
        const std::uint64_t received = reception->received - received_before_;
        expected_before_ = reception->expected;
        received_before_ = reception->received;
        const std::uint64_t fraction =
            expected > received
                ? std::min<std::uint64_t>((expected - received) * 256 / expected, 255)
                : 0;
        const auto lost =
            std::clamp<std::int64_t>(static_cast<std::int64_t>(reception->expected) -
                                         static_cast<std::int64_t>(reception->received),
                                     -0x80'0000,
                                     0x7f'ffff);
        writer.word(reception->ssrc);
        writer.word(fraction << 24 | (static_cast<std::uint64_t>(lost) & 0xff'ffff));
        writer.word(reception->highest_sequence);
        writer.word(reception->jitter);
        const bool known = last_sender_report_ns_ != 0 && reported_ssrc_ == reception->ssrc;
        writer.word(known ? last_sender_report_ : 0);
        writer.word(known ? (now_ns - last_sender_report_ns_) * 65536 / ns_per_second : 0);
    }
    // The name says nothing about us: only that it is the same in all reports of this call (RFC
    // 7022).
    constexpr std::size_t name_size = 8;
    constexpr std::size_t description_size = 4 + 4 + 2 + name_size + 2;
    writer.header(1, source_description, description_size);
    writer.word(our_ssrc);
    writer.byte(1);  // CNAME
    writer.byte(name_size);
    for (int shift = 28; shift >= 0; shift -= 4)
        writer.byte("0123456789abcdef"[our_ssrc >> shift & 15]);
    writer.byte(0);
    writer.byte(0);
    if (goodbye) {
        writer.header(1, goodbye_packet, header_size);
        writer.word(our_ssrc);
    }
    sent_since_report_ = false;
    schedule(now_ns);
    return writer.size();
}

std::optional<double> RtcpSession::loss_there() const {
    if (!lost_there_ || packets_ == 0) return std::nullopt;
    return std::clamp(static_cast<double>(*lost_there_) / static_cast<double>(packets_), 0.0, 1.0);
}

}  // namespace jackfield::sip
