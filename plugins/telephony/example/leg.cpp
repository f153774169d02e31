#include "leg.hpp"

#include <jackfield/sdk/async.hpp>

#include <cstring>

#include "carrier.hpp"

namespace jackfield::telephony_example {
namespace {

constexpr std::uint32_t rate_hz = 8000;
constexpr std::size_t packet_samples = 160;
constexpr std::uint64_t ms = 1'000'000;
constexpr std::string_view digits = "0123456789*#ABCD";
constexpr std::size_t most_unsent = 64;

jf_format line_format() {
    jf_format format = sdk::make<jf_format>();
    format.codec = JF_CODEC_PCMU;
    format.channels = 1;
    format.rate_hz = rate_hz;
    format.ptime_ms = 20;
    return format;
}

}  // namespace

void Leg::open_socket() {
    if (socket_ != JF_NO_OP) return;
    net_ = host_.facility<jf_host_net_v1>(JF_FACILITY_NET);
    // A child of the leg: it closes with it.
    const jf_op socket = host_.open(op_, *this);
    jf_udp_open options = sdk::make<jf_udp_open>();
    options.bind = carrier_.bind_address();
    options.dscp = 46;
    jf_endpoint local{};
    if (const jf_status status = net_->udp_open(host_.ctx(), socket, &options, &local); status != JF_OK) {
        host_.cancel(socket);
        throw sdk::Failure(status, "there is no port for the call", JF_RETRY_AFTER);
    }
    socket_ = socket;
    carrier_.keep(op_); // the socket calls back until it is done
}

jf_status Leg::send(char type, std::string_view rest) {
    char packet[9 + 512];
    if (rest.size() > 512) return JF_E_INVALID;
    const std::size_t n = write_packet(packet, type, call_, rest);
    return net_->udp_send(host_.ctx(), socket_, &peer_, sdk::bytes({packet, n}));
}

void Leg::dial(std::string_view to, std::string_view from, std::uint32_t ring_timeout_ms, const jf_answer& media) {
    open_socket();
    ring_timeout_ms_ = ring_timeout_ms;
    media_ = media;
    began_ns_ = host_.now_ns();
    if (send('C', std::string(to) + '\n' + std::string(from)) != JF_OK) throw sdk::Failure(JF_E_AGAIN, "the call cannot go out at present", JF_RETRY_AFTER);
    watch();
}

jf_status Leg::answer(const jf_answer& options) {
    if (!incoming_ || answered_ || over_) return JF_E_STATE;
    open_socket();
    media_ = options;
    send('A');
    answered();
    watch();
    return JF_OK;
}

jf_status Leg::control(const jf_telephony_control& control) {
    switch (control.verb) {
        case JF_TEL_RING:
        case JF_TEL_REJECT:
            if (!incoming_ || answered_) return JF_E_STATE;
            open_socket();
            if (control.verb == JF_TEL_RING) return send('R');
            hang_up(static_cast<std::uint32_t>(control.value));
            return JF_OK;
        case JF_TEL_DTMF: return press(sdk::view(control.text));
        default: return JF_E_UNSUPPORTED;
    }
}

jf_status Leg::press(std::string_view keys) {
    for (const char key : keys)
        if (key != 'w' && digits.find(key) == std::string_view::npos) return JF_E_INVALID;
    if (keys.empty() || keys.size() > most_unsent) return JF_E_INVALID;
    if (!answered_) return JF_E_STATE;
    if (keys_.size() + keys.size() > most_unsent) return JF_E_AGAIN; // those before have to go out first
    keys_.insert(keys_.end(), keys.begin(), keys.end());
    send_keys();
    return JF_OK;
}

/// Keys go out one by one, up to a `w`: what is behind it half a second later.
void Leg::send_keys() {
    while (!keys_.empty() && !pausing_ && !over_) {
        const char key = keys_.front();
        keys_.pop_front();
        if (key != 'w') {
            send('D', {&key, 1});
            continue;
        }
        const auto go_on = [this] {
            pausing_ = false;
            send_keys();
        };
        // Without a timer to spare it is without the pause, then.
        pausing_ = sdk::guarded(nullptr, [&] { sdk::after(host_, op_, std::chrono::milliseconds(500), go_on); }) == JF_OK;
    }
}

/// Once a packet: no allocation, no lock.
jf_status Leg::media_out(const jf_frame& frame) {
    if (!answered_ || over_) return JF_E_STATE;
    if (frame.codec != JF_CODEC_PCMU || frame.data.len > 512) return JF_E_INVALID;
    const jf_status status = send('M', sdk::view(frame.data));
    packets_out_ += status == JF_OK;
    return status;
}

void Leg::hang_up(std::uint32_t cause) {
    if (over_) return;
    try {
        open_socket();
        const char byte = static_cast<char>(cause);
        send('H', {&byte, 1});
    } catch (const sdk::Failure&) {
        // Without a socket the far end is not told; the leg ends all the same.
    }
    end(cause, JF_ENDED_BY_US);
}

void Leg::on_event(jf_op, const jf_event& event) {
    const auto* datagram = event.type == JF_EV_DATAGRAM ? sdk::data_of<jf_datagram>(event) : nullptr;
    const auto packet = datagram ? read_packet(sdk::view(datagram->data)) : std::nullopt;
    // Whoever does not know the call's number has no say in it.
    if (!packet || packet->call != call_ || over_) return;
    peer_ = datagram->from;
    take(*packet);
}

void Leg::on_done(jf_op, jf_status, const jf_event*, const jf_error*) { carrier_.let_go(op_); }

void Leg::take(const Packet& packet) {
    flush();
    switch (packet.type) {
        case 'R':
            if (!answered_ && !incoming_) report(JF_EV_RINGING);
            return;
        case 'A':
            if (!answered_ && !incoming_) answered();
            return;
        case 'M': return take_media(packet);
        case 'D':
            if (packet.rest.size() == 1 && digits.find(packet.rest[0]) != std::string_view::npos)
                report(JF_EV_DTMF, static_cast<std::uint32_t>(packet.rest[0]));
            return;
        case 'H': {
            const auto cause = packet.rest.empty() ? JF_CAUSE_NORMAL : static_cast<std::uint32_t>(static_cast<unsigned char>(packet.rest[0]));
            return end(cause <= JF_CAUSE_FAILED ? cause : JF_CAUSE_FAILED, JF_ENDED_BY_FAR_END);
        }
        default: return;
    }
}

void Leg::take_media(const Packet& packet) {
    if (!answered_ || packet.rest.size() != packet_samples) return;
    heard_ns_ = host_.now_ns();
    ++packets_in_;
    jf_frame frame = sdk::make<jf_frame>();
    frame.codec = JF_CODEC_PCMU;
    frame.channels = 1;
    frame.rate_hz = rate_hz;
    frame.samples = packet_samples;
    frame.pts = pts_;
    frame.data = sdk::bytes(packet.rest);
    pts_ += packet_samples;
    // AGAIN: the host is behind, and this frame is lost; so it is as long as ANSWERED waits, which comes first.
    if (unsent_.empty()) host_.emit(op_, JF_EV_MEDIA, frame, frame.pts);
}

void Leg::answered() {
    answered_ = true;
    began_ns_ = host_.now_ns();
    heard_ns_ = 0;
    report(JF_EV_ANSWERED);
}

void Leg::report(std::uint32_t type, std::uint32_t digit) {
    if (unsent_.size() == most_unsent) return; // nobody presses so many keys while a host is behind: only who floods us
    unsent_.push_back({type, digit});
    flush();
}

jf_status Leg::emit(const Unsent& event) {
    if (event.type == JF_EV_ANSWERED) return host_.emit(op_, event.type, line_format());
    if (event.type != JF_EV_DTMF) return host_.emit(op_, event.type);
    jf_dtmf key = sdk::make<jf_dtmf>();
    key.digit = event.digit;
    return host_.emit(op_, event.type, key);
}

/// With the next datagram, at the latest after 10 ms.
void Leg::flush() {
    while (!unsent_.empty() && emit(unsent_.front()) != JF_E_AGAIN) unsent_.pop_front();
    if (unsent_.empty() || trying_) return;
    const auto again = [this] {
        trying_ = false;
        if (!over_) flush();
    };
    trying_ = sdk::guarded(nullptr, [&] { sdk::after(host_, op_, std::chrono::milliseconds(10), again); }) == JF_OK;
}

/// Looks ten times a second whether it has rung, or been silent, for too long.
void Leg::watch() {
    if (over_) return;
    const std::uint64_t now = host_.now_ns();
    const auto passed = [&](std::uint64_t since, std::uint32_t limit_ms) { return limit_ms != 0 && now - since >= limit_ms * ms; };
    if (!answered_ && passed(began_ns_, ring_timeout_ms_)) return hang_up(JF_CAUSE_NO_ANSWER);
    if (answered_ && heard_ns_ == 0 && passed(began_ns_, media_.no_media_timeout_ms)) return hang_up(JF_CAUSE_MEDIA_TIMEOUT);
    if (answered_ && heard_ns_ != 0 && passed(heard_ns_, media_.media_timeout_ms)) return hang_up(JF_CAUSE_MEDIA_TIMEOUT);
    // A child of the leg's op: it goes with it, and the leg is kept as long as the op.
    sdk::after(host_, op_, std::chrono::milliseconds(100), [this] { watch(); });
}

void Leg::end(std::uint32_t cause, std::uint32_t by) {
    if (std::exchange(over_, true)) return;
    jf_call_end facts = sdk::make<jf_call_end>();
    facts.cause = cause;
    facts.by = by;
    facts.packets_in = packets_in_;
    facts.packets_out = packets_out_;
    const sdk::Host host = host_;
    const jf_op op = op_;
    // From here on the leg may be gone: with its op the socket closes, and its on_done is the last that is heard of it.
    carrier_.ended(op);
    host.complete_with(op, JF_OK, JF_EV_CALL_ENDED, facts);
}

}  // namespace jackfield::telephony_example
