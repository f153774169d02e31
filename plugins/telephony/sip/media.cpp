#include "media.hpp"

#include "address.hpp"

#include <cstring>

#include <sys/random.h>

namespace jackfield::sip {
namespace {

constexpr std::size_t longest_payload = 480;  // 60 ms of G.711
constexpr std::uint8_t comfort_noise = 13;

RtpSender random_sender() {
    struct {
        std::uint32_t timestamp, ssrc;
        std::uint16_t sequence;
    } start{};
    // Sixteen bytes from the kernel's pool come at once; were they ever refused, zeros are
    // predictable but do no harm to the call.
    (void)!getrandom(&start, sizeof start, GRND_NONBLOCK);
    return {start.sequence, start.timestamp, start.ssrc};
}

}  // namespace

/// The socket's op calls back here until it has ended, however the leg went before.
struct Media::Socket final : sdk::OpUser {
    Socket(Media& owner, std::function<void()> when_lost)
        : media(owner), lost(std::move(when_lost)) {}
    void on_event(jf_op op, const jf_event& event) override {
        if (event.type != JF_EV_DATAGRAM || op != media.socket_) return;
        if (const auto* datagram = sdk::data_of<jf_datagram>(event)) media.on_datagram(*datagram);
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
      sender_(random_sender()) {}

jf_status Media::open(jf_op leg,
                      const jf_endpoint& bind,
                      const Options& options,
                      std::function<void()> lost) {
    if (!net_) return JF_E_UNSUPPORTED;
    auto socket = std::make_unique<Socket>(*this, std::move(lost));
    const jf_sink sink = socket->sink();
    jf_op op = JF_NO_OP;
    if (const jf_status status = host_.table()->op_open(host_.ctx(), leg, &sink, &op);
        status != JF_OK)
        return status;

    jf_udp_open wanted = sdk::make<jf_udp_open>();
    wanted.port_first = options.rtp_first;
    wanted.port_last = options.rtp_last;
    wanted.bind = bind;
    wanted.dscp = options.dscp;
    socket_ = op;  // packets may arrive before the next line has been reached
    const jf_status status = net_->udp_open(host_.ctx(), op, &wanted, &local_);
    if (status != JF_OK) {
        socket_ = JF_NO_OP;
        host_.cancel(op);
        return status;
    }
    leg_ = leg;
    (void)socket.release();
    return JF_OK;
}

void Media::close() {
    live_ = false;
    if (socket_ == JF_NO_OP) return;
    const jf_op op = std::exchange(socket_, JF_NO_OP);
    host_.cancel(op);
}

void Media::agree(const Agreement& agreement) {
    agreement_ = agreement;
    if (!is_any(agreement.remote)) latch_.signalled(agreement.remote, host_.now_ns());
}

jf_format Media::format() const {
    jf_format out = sdk::make<jf_format>();
    out.codec = agreement_ ? agreement_->codec : std::uint16_t{JF_CODEC_PCMU};
    out.channels = 1;
    out.rate_hz = 8000;
    out.ptime_ms = agreement_ ? agreement_->ptime_ms : 20;
    return out;
}

void Media::count(std::string_view name) const {
    if (metrics_) metrics_->count(host_.ctx(), sdk::str(name), 1);
}

void Media::on_datagram(const jf_datagram& datagram) {
    const auto bytes = std::span(static_cast<const std::uint8_t*>(datagram.data.ptr),
                                 static_cast<std::size_t>(datagram.data.len));
    const std::optional<RtpPacket> packet = parse_rtp(bytes);
    if (!packet) return count("rtp_malformed_packets");
    if (!agreement_) return;
    const std::uint64_t now = host_.now_ns();
    if (!latch_.accept(datagram.from, packet->ssrc, packet->sequence, now))
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
    frame.codec = agreement_->codec;
    frame.channels = 1;
    frame.flags = static_cast<std::uint8_t>((position.discontinuity ? JF_FRAME_DISCONTINUITY : 0u) |
                                            (packet.marker ? JF_FRAME_TALKSPURT : 0u));
    frame.rate_hz = 8000;
    frame.samples = static_cast<std::uint32_t>(packet.payload.size());
    frame.pts = position.pts;
    frame.data = {packet.payload.data(), packet.payload.size()};
    if (host_.emit(leg_, JF_EV_MEDIA, frame, frame.pts) == JF_E_AGAIN) count("rtp_dropped_packets");
}

jf_status Media::send(const jf_frame& frame) {
    if (!live_ || !agreement_) return JF_E_STATE;
    if (frame.codec != agreement_->codec || frame.channels != 1 || frame.rate_hz != 8000 ||
        frame.samples == 0 || frame.samples != frame.data.len || frame.data.len > longest_payload)
        return JF_E_INVALID;
    // The timeline goes on also where nothing is sent: on hold, and under a key of ours.
    const std::uint32_t timestamp = sender_.stamp(frame.pts, frame.samples, host_.now_ns());
    if (!agreement_->we_send || keys_out_.busy()) return JF_OK;
    return transmit(agreement_->payload_type,
                    (frame.flags & JF_FRAME_TALKSPURT) != 0,
                    timestamp,
                    {static_cast<const std::uint8_t*>(frame.data.ptr),
                     static_cast<std::size_t>(frame.data.len)});
}

jf_status Media::transmit(std::uint8_t payload_type,
                          bool marker,
                          std::uint32_t timestamp,
                          std::span<const std::uint8_t> payload) {
    const jf_endpoint& to = latch_.target();
    if (socket_ == JF_NO_OP || to.port == 0) return JF_OK;
    std::uint8_t packet[rtp_header_size + longest_payload];
    write_rtp_header(
        packet, payload_type, marker, sender_.next_sequence(), timestamp, sender_.ssrc());
    std::memcpy(packet + rtp_header_size, payload.data(), payload.size());
    const jf_status status =
        net_->udp_send(host_.ctx(), socket_, &to, {packet, rtp_header_size + payload.size()});
    if (status == JF_OK) ++packets_out_;
    return status;
}

bool Media::add_keys(std::string_view digits) {
    return live_ && agreement_ && agreement_->event_payload_type >= 0 && keys_out_.add(digits);
}

bool Media::send_key_tick() {
    if (!keys_out_.busy()) return false;
    const std::optional<DtmfSender::Packet> packet = keys_out_.tick();
    if (packet && agreement_ && agreement_->event_payload_type >= 0 && agreement_->we_send) {
        if (packet->first) key_timestamp_ = sender_.stamp_now(host_.now_ns());
        (void)transmit(static_cast<std::uint8_t>(agreement_->event_payload_type),
                       packet->first,
                       key_timestamp_,
                       packet->payload);
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

void Media::report_quality() const {
    const RtpStatistics statistics = receiver_.statistics();
    jf_quality event = sdk::make<jf_quality>();
    event.jitter_us = statistics.jitter_us;
    event.packets_in = statistics.received;
    event.packets_lost = statistics.lost;
    event.packets_out = packets_out_;
    event.mos = -1;
    (void)host_.emit(leg_, JF_EV_QUALITY, event);
}

}  // namespace jackfield::sip
