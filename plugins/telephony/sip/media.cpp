#include "media.hpp"

#include "address.hpp"
#include "emodel.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include <sys/random.h>

namespace jackfield::sip {
namespace {

constexpr std::size_t longest_datagram = 2048;
constexpr std::size_t longest_payload = Packetizer::most_packet;
constexpr std::uint8_t comfort_noise = 13;

template <typename Number>
Number random() {
    Number out{};
    // A few bytes from the kernel's pool come at once; were they ever refused, zeros are
    // predictable but do no harm to the call.
    (void)!getrandom(&out, sizeof out, GRND_NONBLOCK);
    return out;
}

std::uint64_t unix_ns() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

}  // namespace

/// A socket's op calls back here until it has ended, however the leg went before.
struct Media::Socket final : sdk::OpUser {
    Socket(Media& owner, std::function<void()> when_lost)
        : media(owner), lost(std::move(when_lost)) {}
    void on_event(jf_op op, const jf_event& event) override {
        if (event.type != JF_EV_DATAGRAM) return;
        if (const auto* datagram = sdk::data_of<jf_datagram>(event))
            media.on_datagram(op, *datagram);
    }
    void on_done(jf_op op, jf_status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<Socket> self(this);
        if (media.socket_ != op) return;
        media.socket_ = JF_NO_OP;
        lost();
    }

    Media& media;
    std::function<void()> lost;
};

Media::Media(sdk::Host host)
    : host_(host),
      net_(host.facility<jf_host_net_v1>(JF_FACILITY_NET)),
      metrics_(host.facility<jf_host_metrics_v1>(JF_FACILITY_METRICS)),
      sender_(random<std::uint16_t>(), random<std::uint32_t>(), random<std::uint32_t>()),
      rtcp_(unix_ns(), host.now_ns(), random<std::uint32_t>()) {}

jf_status Media::open(jf_op leg,
                      const jf_endpoint& bind_to,
                      const Options& options,
                      bool rtcp_mux,
                      const std::function<void()>& lost) {
    if (!net_) return JF_E_UNSUPPORTED;
    leg_ = leg;
    jf_udp_open wanted = sdk::make<jf_udp_open>();
    wanted.port_first = options.rtp_first;
    wanted.port_last = options.rtp_last;
    wanted.bind = bind_to;
    wanted.dscp = options.dscp;
    Bound rtp;
    if (const jf_status status = bind(wanted, lost, rtp); status != JF_OK) return status;
    socket_ = rtp.op;
    local_ = rtp.local;
    if (rtcp_mux) return JF_OK;

    // The port above is where everybody looks for RTCP (RFC 3550 11). Without a range any other
    // will do as well, and is signalled; a call doesn't fail over its statistics.
    wanted.port_first = wanted.port_last = static_cast<std::uint16_t>(local_.port + 1);
    Bound rtcp;
    jf_status status = bind(wanted, lost, rtcp);
    if (status != JF_OK && options.rtp_first == 0) {
        wanted.port_first = wanted.port_last = 0;
        status = bind(wanted, lost, rtcp);
    }
    if (status != JF_OK) count("rtcp_ports_missing");
    rtcp_socket_ = rtcp.op;
    rtcp_local_ = rtcp.local;
    return JF_OK;
}

jf_status Media::bind(const jf_udp_open& wanted, const std::function<void()>& lost, Bound& out) {
    auto socket = std::make_unique<Socket>(*this, lost);
    const jf_sink sink = socket->sink();
    if (const jf_status status = host_.table()->op_open(host_.ctx(), leg_, &sink, &out.op);
        status != JF_OK)
        return status;
    const jf_status status = net_->udp_open(host_.ctx(), out.op, &wanted, &out.local);
    if (status == JF_OK)
        (void)socket.release();
    else
        host_.cancel(std::exchange(out.op, JF_NO_OP));
    return status;
}

void Media::close() {
    if (live_) send_rtcp(true);
    live_ = false;
    close_socket(rtcp_socket_);
    close_socket(socket_);
}

void Media::close_socket(jf_op& op) {
    if (const jf_op closing = std::exchange(op, JF_NO_OP); closing != JF_NO_OP)
        host_.cancel(closing);
}

void Media::agree(const Agreement& agreement) {
    const bool as_before = agreement_ && agreement_->codec == agreement.codec &&
                           agreement_->ptime_ms == agreement.ptime_ms;
    agreement_ = agreement;
    if (!as_before) packetizer_.set(agreement.ptime_ms);
    if (!as_before && g722() && !g722_.start()) agreement_->we_send = false;
    if (agreement.rtcp_mux) {
        close_socket(rtcp_socket_);
        rtcp_local_ = {};
    }
    // Without keys that work nothing goes in or out: an agreement on SRTP is never kept in the
    // clear.
    protected_ = agreement.srtp.has_value();
    if (protected_ && !srtp_.set(*agreement.srtp, host_.now_ns())) count("srtp_failures");
    if (!is_any(agreement.remote)) latch_.signalled(agreement.remote, host_.now_ns());
}

/// Of what the host is given and gives: packets of 20 ms of G.711, whatever goes over the wire.
jf_format Media::format() const {
    jf_format out = sdk::make<jf_format>();
    out.codec = agreement_ && !g722() ? agreement_->codec : std::uint16_t{JF_CODEC_PCMU};
    out.channels = 1;
    out.rate_hz = 8000;
    out.ptime_ms = 20;
    return out;
}

void Media::count(std::string_view name) const {
    if (metrics_) metrics_->count(host_.ctx(), sdk::str(name), 1);
}

void Media::on_datagram(jf_op op, const jf_datagram& datagram) {
    const bool at_rtcp = op == rtcp_socket_;
    if (!at_rtcp && op != socket_) return;
    const auto bytes = std::span(static_cast<const std::uint8_t*>(datagram.data.ptr),
                                 static_cast<std::size_t>(datagram.data.len));
    if (!agreement_) return;
    const std::uint64_t now = host_.now_ns();
    const bool rtcp = at_rtcp || is_rtcp(bytes);
    if (!protected_)
        return rtcp ? on_rtcp(datagram.from, bytes, now) : on_rtp(datagram.from, bytes, now);
    // Authenticated before anything else looks at it: a forged packet neither moves the latch nor
    // counts as the far end's.
    alignas(4) std::uint8_t plain[longest_datagram];
    std::size_t size = bytes.size();
    if (size > sizeof plain) return count("rtp_malformed_packets");
    std::memcpy(plain, bytes.data(), size);
    if (!opened(rtcp ? srtp_.open_rtcp(plain, size, now) : srtp_.open_rtp(plain, size, now)))
        return;
    if (rtcp)
        on_rtcp(datagram.from, {plain, size}, now);
    else
        on_rtp(datagram.from, {plain, size}, now);
}

bool Media::opened(Srtp::Verdict verdict) const {
    if (verdict != Srtp::Verdict::fresh)
        count(verdict == Srtp::Verdict::replayed ? "srtp_replayed_packets" : "srtp_forged_packets");
    return verdict == Srtp::Verdict::fresh;
}

void Media::on_rtp(const jf_endpoint& from,
                   std::span<const std::uint8_t> bytes,
                   std::uint64_t now) {
    const std::optional<RtpPacket> packet = parse_rtp(bytes);
    if (!packet) return count("rtp_malformed_packets");
    if (!latch_.accept(from, packet->ssrc, packet->sequence, now))
        return count("rtp_foreign_packets");
    last_packet_ns_ = now;
    if (packet->payload_type == agreement_->event_payload_type) {
        // Events stand outside the timeline: all packets of a key carry the timestamp of its start.
        const auto key =
            keys_in_.event(packet->payload, packet->ssrc, packet->timestamp, packet->marker, now);
        if (key) report_key(*key);
        return;
    }
    if (packet->payload_type == agreement_->payload_type) return on_audio(*packet, now);
    if (packet->payload_type != comfort_noise) count("rtp_unexpected_payloads");
}

void Media::on_audio(const RtpPacket& packet, std::uint64_t now_ns) {
    if (const auto key = keys_in_.quiet(now_ns)) report_key(*key);
    const RtpReceiver::Position position = receiver_.accept(packet, now_ns);
    if (!live_ || position.stale || packet.payload.empty()) return;

    jf_frame frame = sdk::make<jf_frame>();
    frame.codec = format().codec;
    frame.channels = 1;
    frame.flags = static_cast<std::uint8_t>((position.discontinuity ? JF_FRAME_DISCONTINUITY : 0u) |
                                            (packet.marker ? JF_FRAME_TALKSPURT : 0u));
    frame.rate_hz = 8000;
    frame.samples = static_cast<std::uint32_t>(packet.payload.size());
    frame.pts = position.pts;
    frame.data = {packet.payload.data(), packet.payload.size()};
    std::uint8_t decoded[longest_datagram];
    if (g722()) {
        g722_.decode(packet.payload, decoded);
        frame.data.ptr = decoded;
    }
    if (host_.emit(leg_, JF_EV_MEDIA, frame, frame.pts) == JF_E_AGAIN) count("rtp_dropped_packets");
}

jf_status Media::send(const jf_frame& frame) {
    if (!live_ || !agreement_) return JF_E_STATE;
    if (frame.codec != format().codec || frame.channels != 1 || frame.rate_hz != 8000 ||
        frame.samples == 0 || frame.samples != frame.data.len || frame.data.len > longest_payload)
        return JF_E_INVALID;
    // The timeline goes on also where nothing is sent: on hold, and under a key of ours.
    const std::uint64_t now = host_.now_ns();
    const std::uint32_t timestamp = sender_.stamp(frame.pts, frame.samples, now);
    if (!agreement_->we_send || keys_out_.busy()) {
        packetizer_.clear();
        return JF_OK;
    }
    std::span octets(static_cast<const std::uint8_t*>(frame.data.ptr),
                     static_cast<std::size_t>(frame.data.len));
    std::uint8_t encoded[longest_payload];
    if (g722()) {
        g722_.encode(octets, encoded);
        octets = {encoded, octets.size()};
    }
    jf_status status = JF_OK;
    packetizer_.push(octets,
                     timestamp,
                     (frame.flags & JF_FRAME_TALKSPURT) != 0,
                     [&](std::uint32_t at, bool marker, std::span<const std::uint8_t> payload) {
                         status = transmit(agreement_->payload_type, marker, at, payload, now);
                     });
    return status;
}

jf_status Media::transmit(std::uint8_t payload_type,
                          bool marker,
                          std::uint32_t timestamp,
                          std::span<const std::uint8_t> payload,
                          std::uint64_t now) {
    const jf_endpoint& to = latch_.target();
    if (socket_ == JF_NO_OP || to.port == 0) return JF_OK;
    // SRTP works on whole words behind the packet's begin.
    alignas(4) std::uint8_t packet[rtp_header_size + longest_payload + Srtp::most_trailer];
    write_rtp_header(
        packet, payload_type, marker, sender_.next_sequence(), timestamp, sender_.ssrc());
    std::memcpy(packet + rtp_header_size, payload.data(), payload.size());
    std::size_t size = rtp_header_size + payload.size();
    if (protected_ && !srtp_.seal_rtp(packet, size)) {
        count("srtp_failures");
        return JF_E_INTERNAL;
    }
    const jf_status status = net_->udp_send(host_.ctx(), socket_, &to, {packet, size});
    if (status == JF_OK) {
        ++packets_out_;
        rtcp_.sent(payload.size(), timestamp, now);
    }
    return status;
}

bool Media::add_keys(std::string_view digits) {
    return live_ && agreement_ && agreement_->event_payload_type >= 0 && keys_out_.add(digits);
}

bool Media::send_key_tick() {
    if (!keys_out_.busy()) return false;
    const std::optional<DtmfSender::Packet> packet = keys_out_.tick();
    if (packet && agreement_ && agreement_->event_payload_type >= 0 && agreement_->we_send) {
        const std::uint64_t now = host_.now_ns();
        if (packet->first) key_timestamp_ = sender_.stamp_now(now);
        (void)transmit(static_cast<std::uint8_t>(agreement_->event_payload_type),
                       packet->first,
                       key_timestamp_,
                       packet->payload,
                       now);
    }
    return keys_out_.busy();
}

void Media::report_key(KeyPress key) const {
    if (!live_) return;
    jf_dtmf event = sdk::make<jf_dtmf>();
    event.digit = static_cast<std::uint32_t>(key.digit);
    event.duration_ms = key.duration_ms;
    (void)host_.emit(leg_, JF_EV_DTMF, event);
}

void Media::end_lost_key() {
    if (const auto key = keys_in_.quiet(host_.now_ns())) report_key(*key);
}

void Media::on_rtcp(const jf_endpoint& from,
                    std::span<const std::uint8_t> bytes,
                    std::uint64_t now) {
    const std::optional<RtcpPacket> packet = parse_rtcp(bytes, sender_.ssrc());
    if (!packet) return count("rtcp_malformed_packets");
    // The port may be another behind NAT, the address may not.
    if (!same_address(from, latch_.target()) && !same_address(from, agreement_->rtcp_remote))
        return count("rtp_foreign_packets");
    rtcp_from_ = from;
    rtcp_.received(*packet, now);
}

jf_endpoint Media::rtcp_target() const {
    if (agreement_->rtcp_mux) return latch_.target();
    if (rtcp_from_.port != 0) return rtcp_from_;
    return agreement_->rtcp_remote;
}

void Media::send_rtcp(bool goodbye) {
    if (!agreement_) return;
    const std::uint64_t now = host_.now_ns();
    alignas(4) std::array<std::uint8_t, RtcpSession::most_packet + Srtp::most_trailer> packet;
    std::size_t size = rtcp_.report(std::span(packet).first<RtcpSession::most_packet>(),
                                    sender_.ssrc(),
                                    receiver_,
                                    goodbye,
                                    now);
    const jf_op socket = agreement_->rtcp_mux ? socket_ : rtcp_socket_;
    const jf_endpoint to = rtcp_target();
    if (socket == JF_NO_OP || to.port == 0) return;
    if (protected_ && !srtp_.seal_rtcp(packet.data(), size)) return count("srtp_failures");
    (void)net_->udp_send(host_.ctx(), socket, &to, {packet.data(), size});
}

void Media::report_quality() const {
    const RtpStatistics statistics = receiver_.statistics();
    jf_quality event = sdk::make<jf_quality>();
    event.jitter_us = statistics.jitter_us;
    event.packets_in = statistics.received;
    event.packets_lost = statistics.lost;
    event.packets_out = packets_out_;
    event.round_trip_us = rtcp_.round_trip_us();
    event.mos = -1;
    if (statistics.received > 0) {
        // Half the way there and back, a packet on either side, and a buffer that holds twice the
        // jitter. Of the two directions the worse one: a conversation is as good as that.
        const double delay_ms = event.round_trip_us / 2000.0 + agreement_->ptime_ms + 20 +
                                2 * statistics.jitter_us / 1000.0;
        const double expected = static_cast<double>(statistics.received + statistics.lost);
        const double loss = static_cast<double>(statistics.lost) / expected;
        event.mos = mean_opinion_score(delay_ms, std::max(loss, rtcp_.loss_there().value_or(0)));
    }
    (void)host_.emit(leg_, JF_EV_QUALITY, event);
}

}  // namespace jackfield::sip
