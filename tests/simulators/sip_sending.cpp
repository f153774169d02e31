// How this phone builds and sends its messages, and how sessions take effect (RFC 3261, RFC 3264).
#include <algorithm>
#include <cstdio>

#include "simulators/sip_phone.hpp"

namespace jackfield::sim {
namespace {

constexpr auto timer_t1 = milliseconds(500);
constexpr auto transaction_timeout = 64 * timer_t1;

bool may_send(std::string_view ours, std::string_view theirs) {
    const bool we = ours == "sendrecv" || ours == "sendonly";
    const bool they = theirs == "sendrecv" || theirs == "recvonly";
    return we && they;
}

}  // namespace

std::string transaction_key(const SipMessage& message) { return message.branch() + ' ' + message.cseq_method(); }

std::string SipPhone::via(const Peer& peer, std::string_view branch) const {
    return std::string(peer.tcp() ? "SIP/2.0/TCP" : "SIP/2.0/UDP") + " 127.0.0.1:" + std::to_string(port()) +
           ";branch=" + std::string(branch) + ";rport";
}

std::string SipPhone::contact() const {
    const bool tcp = dialog_ && dialog_->peer.tcp();
    return '<' + uri() + (tcp ? ";transport=tcp>" : ">");
}

SipMessage SipPhone::new_request(std::string method, std::string uri, const Peer& peer) const {
    SipMessage request;
    request.method = std::move(method);
    request.uri = std::move(uri);
    request.add("Via", via(peer, "z9hG4bK" + random_token(16)));
    request.add("Max-Forwards", "70");
    return request;
}

SipMessage SipPhone::dialog_request(std::string method, bool next_cseq) {
    if (next_cseq) ++dialog_->cseq;
    SipMessage request = new_request(method, dialog_->target, dialog_->peer);
    request.add("From", dialog_->local);
    request.add("To", dialog_->remote);
    request.add("Call-ID", dialog_->call_id);
    request.add("CSeq", std::to_string(dialog_->cseq) + ' ' + method);
    request.add("Contact", contact());
    request.add("User-Agent", "jackfield-sip-phone");
    return request;
}

SipMessage SipPhone::response_to(const SipMessage& request, int status, std::string reason) const {
    SipMessage response;
    response.status = status;
    response.reason = std::move(reason);
    for (const std::string& value : request.all("Via")) response.add("Via", value);
    for (const std::string& value : request.all("Record-Route")) response.add("Record-Route", value);
    response.add("From", request.get("From"));
    std::string to = request.get("To");
    const bool ours = dialog_ && dialog_->call_id == request.get("Call-ID");
    if (status > 100 && header_parameter(to, "tag").empty()) {
        to = ours && !dialog_->outgoing ? dialog_->local : to + ";tag=" + random_token(10);
    }
    response.add("To", to);
    response.add("Call-ID", request.get("Call-ID"));
    response.add("CSeq", request.get("CSeq"));
    return response;
}

void SipPhone::reply(const SipMessage& request, const Peer& to, const SipMessage& response) {
    if (replies_.size() > 256) replies_.clear();
    send(to, replies_[transaction_key(request)] = response.wire());
}

void SipPhone::repeat_until_ack(const SipMessage& response, const Peer& to) {
    // The stored reply answers a repeated INVITE; the timer answers a lost response.
    const std::string text = replies_[transaction_key(response)] = response.wire();
    repeat_ = Repeat{response.get("Call-ID"), text, to, Clock::now() + timer_t1, timer_t1, Clock::now() + transaction_timeout};
    send(to, text);
}

void SipPhone::transact(SipMessage request, const Peer& peer, OnResponse on_response) {
    const auto now = Clock::now();
    Transaction transaction{request.wire(), request, peer, now + timer_t1, timer_t1, now + transaction_timeout,
                            !peer.tcp(), std::move(on_response)};
    send(peer, transaction.text);
    transactions_.insert_or_assign(transaction_key(request), std::move(transaction));
}

void SipPhone::send(const Peer& peer, const std::string& text) {
    if (vanished_) return;
    if (options_.trace) std::fprintf(stderr, ">>> %s\n%s\n", peer.address.text().c_str(), text.c_str());
    transport_.send(peer, text);
}

void SipPhone::send_ack(const SipMessage& response) {
    SipMessage ack = new_request("ACK", dialog_->target, dialog_->peer);
    ack.add("From", dialog_->local);
    ack.add("To", response.get("To"));
    ack.add("Call-ID", dialog_->call_id);
    ack.add("CSeq", std::to_string(response.cseq_number()) + " ACK");
    dialog_->ack = ack.wire();
    send(dialog_->peer, dialog_->ack);
}

void SipPhone::ack_refusal(const SipMessage& response, const SipMessage& invite, const Peer& peer) {
    SipMessage ack;
    ack.method = "ACK";
    ack.uri = invite.uri;
    ack.add("Via", invite.get("Via"));
    ack.add("Max-Forwards", "70");
    ack.add("From", invite.get("From"));
    ack.add("To", response.get("To"));
    ack.add("Call-ID", invite.get("Call-ID"));
    ack.add("CSeq", std::to_string(invite.cseq_number()) + " ACK");
    send(peer, ack.wire());
}

void SipPhone::send_bye() {
    SipMessage bye = dialog_request("BYE");
    transact(std::move(bye), dialog_->peer, [](const SipMessage&) {});
}

Sdp SipPhone::local_sdp() const {
    Sdp sdp;
    sdp.media = {loopback, leg_->port()};
    sdp.codecs = offer_;
    sdp.event_payload = options_.offers_dtmf ? event_payload_ : -1;
    sdp.direction = direction_;
    return sdp;
}

bool SipPhone::apply(const Sdp& remote) {
    const auto known = std::find_if(remote.codecs.begin(), remote.codecs.end(), [&](Codec codec) {
        return std::find(options_.codecs.begin(), options_.codecs.end(), codec) != options_.codecs.end();
    });
    if (known == remote.codecs.end()) return false;
    leg_->set_codec(*known);
    leg_->set_peer(remote.media);
    leg_->set_event_payload(options_.offers_dtmf ? remote.event_payload : -1);
    leg_->set_sending(may_send(direction_, remote.direction));
    if (!dialog_->outgoing && state_ != CallState::answered) {
        // An answer speaks in the offer's numbers (RFC 3264 6.1).
        offer_ = {*known};
        event_payload_ = remote.event_payload;
    }
    if (dialog_->outgoing || state_ == CallState::answered || options_.answer.early_media) {
        begin_media();
    }
    return true;
}

void SipPhone::begin_media() {
    if (leg_->running()) return;
    media_began_ = spoke_ = Clock::now();
    leg_->start(media_began_);
}

}  // namespace jackfield::sim
