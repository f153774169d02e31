// Calls that this phone makes, and what it asks inside a call.
#include <memory>

#include "simulators/sip_phone.hpp"

namespace jackfield::sim {
namespace {

constexpr int default_event_payload = 101;

}  // namespace

bool SipPhone::call(std::string_view uri) {
    const auto target = parse_sip_uri(uri);
    const auto address = target ? parse_address(target->host) : std::nullopt;
    if (!address) return false;
    const std::scoped_lock lock(mutex_);
    const auto peer = transport_.reach({*address, target->port}, target->tcp);
    if (!peer) return false;
    leg_.emplace();
    facts_ = {};
    state_ = CallState::calling;
    vanished_ = false;
    cancelling_ = false;
    answered_ = {};
    direction_ = "sendrecv";
    offer_ = options_.codecs;
    event_payload_ = default_event_payload;
    dialog_ = Dialog{};
    dialog_->outgoing = true;
    dialog_->call_id = random_token(24) + "@127.0.0.1";
    dialog_->local = '<' + this->uri() + ">;tag=" + random_token(10);
    dialog_->remote = '<' + std::string(uri.substr(0, uri.find(';'))) + '>';
    dialog_->target = uri;
    dialog_->cseq = 0;
    dialog_->peer = *peer;
    SipMessage invite = dialog_request("INVITE");
    invite.add("Content-Type", "application/sdp");
    invite.body = build_sdp(local_sdp(), sdp_version_);
    dialog_->invite = invite;
    dialled_ = Clock::now();
    transact(std::move(invite), *peer, [this](const SipMessage& response) { on_invite_response(response); });
    wake();
    return true;
}

void SipPhone::on_invite_response(const SipMessage& response) {
    if (!dialog_ || response.get("Call-ID") != dialog_->call_id) return;
    facts_.statuses.push_back(response.status);
    if (response.status < 200) {
        if (cancelling_ && facts_.statuses.size() == 1) send_cancel();
        if (response.status > 100 && state_ == CallState::calling) {
            state_ = CallState::ringing;
            facts_.ringing_after_ms = ms_between(dialled_, Clock::now());
        }
        if (!response.body.empty()) {
            if (const auto sdp = parse_sdp(response.body)) apply(*sdp);
        }
        return;
    }
    facts_.final_status = response.status;
    if (response.status >= 300) {
        ack_refusal(response, dialog_->invite, dialog_->peer);
        end(response.status == 487   ? EndedBy::cancelled
            : response.status == 408 ? EndedBy::timeout
                                     : EndedBy::rejected);
        return;
    }
    dialog_->remote = response.get("To");
    if (const std::string contact = response.get("Contact"); !contact.empty()) dialog_->target = address_uri(contact);
    send_ack(response);
    const auto sdp = parse_sdp(response.body);
    // A 200 that crossed our CANCEL, or one without a usable session, is still a call: it is ended as one.
    if (cancelling_ || !sdp || !apply(*sdp)) {
        send_bye();
        end(cancelling_ ? EndedBy::cancelled : EndedBy::us);
        return;
    }
    connected();
}

void SipPhone::cancel() {
    const std::scoped_lock lock(mutex_);
    if (!dialog_ || !dialog_->outgoing || cancelling_) return;
    if (state_ != CallState::calling && state_ != CallState::ringing) return;
    cancelling_ = true;
    // RFC 3261 9.1: not before a provisional response; the first one then sends it.
    if (!facts_.statuses.empty()) send_cancel();
    wake();
}

void SipPhone::send_cancel() {
    SipMessage request;
    request.method = "CANCEL";
    request.uri = dialog_->invite.uri;
    for (const char* name : {"Via", "Max-Forwards", "From", "To", "Call-ID"}) {
        request.add(name, dialog_->invite.get(name));
    }
    request.add("CSeq", std::to_string(dialog_->invite.cseq_number()) + " CANCEL");
    transact(std::move(request), dialog_->peer, [](const SipMessage&) {});
}

void SipPhone::hang_up() {
    const std::scoped_lock lock(mutex_);
    if (state_ != CallState::answered) return;
    send_bye();
    end(EndedBy::us);
    wake();
}

int SipPhone::change(const Change& change, milliseconds timeout) {
    auto status = std::make_shared<int>(0);
    {
        const std::scoped_lock lock(mutex_);
        if (state_ != CallState::answered) return 0;
        if (!change.direction.empty()) direction_ = change.direction;
        if (change.codec) offer_ = {*change.codec};
        if (change.move_port) leg_->move_port();
        ++sdp_version_;
        SipMessage invite = dialog_request("INVITE");
        invite.add("Content-Type", "application/sdp");
        invite.body = build_sdp(local_sdp(), sdp_version_);
        transact(invite, dialog_->peer, [this, status, invite](const SipMessage& response) {
            if (response.status < 200) return;
            *status = response.status;
            if (response.status >= 300) {
                ack_refusal(response, invite, dialog_->peer);
                return;
            }
            send_ack(response);
            if (const auto sdp = parse_sdp(response.body)) apply(*sdp);
        });
    }
    wake();
    wait_until(timeout, [&] { return *status != 0; });
    const std::scoped_lock lock(mutex_);
    return *status;
}

int SipPhone::ping(std::string_view uri, milliseconds timeout) {
    const auto target = parse_sip_uri(uri);
    const auto address = target ? parse_address(target->host) : std::nullopt;
    auto status = std::make_shared<int>(0);
    {
        const std::scoped_lock lock(mutex_);
        if (!address) return 0;
        const auto peer = transport_.reach({*address, target->port}, target->tcp);
        if (!peer) return 0;
        SipMessage request = new_request("OPTIONS", std::string(uri), *peer);
        request.add("From", '<' + this->uri() + ">;tag=" + random_token(10));
        request.add("To", '<' + std::string(uri) + '>');
        request.add("Call-ID", random_token(24));
        request.add("CSeq", "1 OPTIONS");
        request.add("Contact", contact());
        request.add("Accept", "application/sdp");
        transact(std::move(request), *peer, [status](const SipMessage& response) { *status = response.status; });
    }
    wake();
    wait_until(timeout, [&] { return *status != 0; });
    const std::scoped_lock lock(mutex_);
    return *status;
}

}  // namespace jackfield::sim
