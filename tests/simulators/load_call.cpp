#include "simulators/load_call.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "simulators/rtp.hpp"
#include "simulators/sdp.hpp"

namespace jackfield::sim {
namespace {

constexpr auto timer_t1 = milliseconds(500);
constexpr auto transaction_timeout = 64 * timer_t1;
constexpr auto frame_time = milliseconds(20);

}  // namespace

void Lateness::note(Clock::time_point arrived, double position_ms) {
    if (steps_.empty()) {
        steps_.resize(2 * reach + 1);
        first_ = arrived;
        first_position_ms_ = position_ms;
    }
    const double behind_ms = ms_between(first_, arrived) - (position_ms - first_position_ms_);
    const double step = std::clamp(behind_ms / step_ms, -double{reach}, double{reach});
    ++steps_[static_cast<std::size_t>(std::lround(step) + reach)];
}

void Lateness::add_to(std::vector<std::uint64_t>& sum) const {
    const auto earliest = std::find_if(steps_.begin(), steps_.end(), [](std::uint32_t packets) { return packets > 0; });
    sum.resize(std::max<std::size_t>(sum.size(), 2 * reach + 1));
    std::transform(earliest, steps_.end(), sum.begin(), sum.begin(), [](std::uint32_t packets, std::uint64_t known) { return known + packets; });
}

double Lateness::percentile(const std::vector<std::uint64_t>& sum, double share) {
    const auto all = static_cast<double>(std::accumulate(sum.begin(), sum.end(), std::uint64_t{0}));
    double seen = 0;
    for (std::size_t i = 0; i < sum.size(); ++i) {
        seen += static_cast<double>(sum[i]);
        if (sum[i] > 0 && seen >= share * all) return static_cast<double>(i) * step_ms;
    }
    return 0;
}

LoadCall::LoadCall(const Fd& sip, Endpoint server, std::string uri, const std::string& speech, LoadTotals& totals)
    : sip_(sip), server_(server), uri_(std::move(uri)), speech_(speech), totals_(totals), media_(open_udp()) {
    // One place in the speech for all would make every call talk at the same moment.
    at_ = static_cast<std::size_t>(std::hash<std::string>{}(call_id_)) % std::max<std::size_t>(speech.size() / frame_samples, 1) * frame_samples;
    to_ = '<' + uri_ + '>';
    target_ = uri_;
}

void LoadCall::start(Clock::time_point now, Clock::duration hold) {
    hold_ = hold;
    began_ = now;
    give_up_ = now + transaction_timeout;
    SipMessage invite = request("INVITE", 1, invite_branch_);
    invite.add("Content-Type", "application/sdp");
    Sdp sdp;
    sdp.media = {loopback, local_port(media_)};
    sdp.codecs = {Codec::pcmu};
    sdp.event_payload = 101;
    invite.body = build_sdp(sdp, 1);
    pending_ = invite.wire();
    interval_ = timer_t1;
    due_ = now + interval_;
    ++totals_.placed;
    send(pending_);
}

void LoadCall::on_response(const SipMessage& response, Clock::time_point now) {
    const bool to_invite = response.cseq_method() == "INVITE";
    if (!to_invite) {
        if (stage_ == Stage::leaving && response.status >= 200) stage_ = Stage::done;
        return;
    }
    if (response.status < 200) {
        provisional_ = true;
        return;
    }
    if (response.status >= 300) {
        to_ = response.get("To");
        send(request("ACK", 1, invite_branch_).wire());
        if (stage_ == Stage::inviting) fail(response.status);
        return;
    }
    acknowledge(response);
    if (stage_ != Stage::inviting) return;
    const auto sdp = parse_sdp(response.body);
    if (!sdp) {
        ++totals_.failed;
        ++totals_.failures[200];
        leave(now);
        return;
    }
    far_media_ = sdp->media;
    ++totals_.answered;
    totals_.setup_ms.push_back(ms_between(began_, now));
    stage_ = Stage::talking;
    due_ = now;
    leave_at_ = now + hold_;
}

void LoadCall::on_request(const SipMessage& request, Endpoint from) {
    if (request.method == "ACK") return;
    SipMessage response;
    response.status = 200;
    response.reason = "OK";
    for (const std::string& via : request.all("Via")) response.add("Via", via);
    for (const char* name : {"From", "To", "Call-ID", "CSeq"}) response.add(name, request.get(name));
    send_to(sip_, from, response.wire());
    if (request.method != "BYE") return;
    if (stage_ == Stage::talking) ++totals_.ended_by_peer;
    stage_ = Stage::done;
}

void LoadCall::on_media() {
    static thread_local std::string buffer;
    while (const auto datagram = receive(media_, buffer)) {
        const auto packet = parse_rtp(datagram->bytes);
        // RTCP of the call whose port is one below (RFC 5761 4 tells the two apart).
        if (!packet || (packet->payload_type >= 64 && packet->payload_type < 96)) continue;
        ++totals_.received;
        if (last_heard_) {
            const auto step = static_cast<std::int16_t>(packet->sequence - *last_heard_);
            if (step > 1) totals_.lost += static_cast<std::uint64_t>(step - 1);
            totals_.longest_gap_ms = std::max(totals_.longest_gap_ms, ms_between(last_heard_at_, datagram->at));
            heard_position_ += static_cast<std::int32_t>(packet->timestamp - heard_timestamp_);
        }
        last_heard_ = packet->sequence;
        last_heard_at_ = datagram->at;
        heard_timestamp_ = packet->timestamp;
        lateness_.note(datagram->at, static_cast<double>(heard_position_) * 1000 / rate_hz);
    }
}

void LoadCall::on_due(Clock::time_point now) {
    switch (stage_) {
        case Stage::inviting:
        case Stage::leaving: repeat(now); break;
        case Stage::talking:
            for (; due_ <= now; due_ += frame_time) send_packet();
            if (now >= leave_at_) leave(now);
            break;
        case Stage::done: break;
    }
}

void LoadCall::repeat(Clock::time_point now) {
    if (now >= give_up_) {
        if (stage_ == Stage::inviting) fail(0);
        stage_ = Stage::done;
        return;
    }
    if (!provisional_ || stage_ == Stage::leaving) send(pending_);
    interval_ = std::min<Clock::duration>(interval_ * 2, std::chrono::seconds(4));
    due_ = now + interval_;
}

void LoadCall::fail(int status) {
    ++totals_.failed;
    ++totals_.failures[status];
    stage_ = Stage::done;
}

void LoadCall::acknowledge(const SipMessage& response) {
    to_ = response.get("To");
    if (const std::string contact = response.get("Contact"); !contact.empty()) target_ = address_uri(contact);
    send(request("ACK", 1, "z9hG4bK" + random_token(16)).wire());
}

void LoadCall::leave(Clock::time_point now) {
    stage_ = Stage::leaving;
    pending_ = request("BYE", 2, "z9hG4bK" + random_token(16)).wire();
    give_up_ = now + transaction_timeout;
    interval_ = timer_t1;
    due_ = now + interval_;
    send(pending_);
}

void LoadCall::send_packet() {
    std::string_view payload = std::string_view(speech_).substr(at_, frame_samples);
    at_ += frame_samples;
    if (at_ + frame_samples > speech_.size()) at_ = 0;
    timestamp_ += frame_samples;
    const auto ssrc = static_cast<std::uint32_t>(std::hash<std::string>{}(call_id_));
    if (send_to(media_, far_media_, build_rtp({0, sequence_ == 0, sequence_, timestamp_, ssrc, payload}))) ++totals_.sent;
    ++sequence_;
}

SipMessage LoadCall::request(std::string method, std::uint32_t cseq, std::string branch) const {
    const std::string host = "127.0.0.1:" + std::to_string(local_port(sip_));
    SipMessage message;
    message.uri = method == "INVITE" ? uri_ : target_;
    message.add("Via", "SIP/2.0/UDP " + host + ";branch=" + branch + ";rport");
    message.add("Max-Forwards", "70");
    message.add("From", "<sip:load@" + host + ">;tag=" + tag_);
    message.add("To", to_);
    message.add("Call-ID", call_id_);
    message.add("CSeq", std::to_string(cseq) + ' ' + method);
    message.add("Contact", "<sip:load@" + host + '>');
    message.method = std::move(method);
    return message;
}

void LoadCall::send(const std::string& text) { send_to(sip_, server_, text); }

}  // namespace jackfield::sim
