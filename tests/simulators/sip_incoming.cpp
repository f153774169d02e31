// What reaches this phone: responses to its requests, and the requests of others.
#include <algorithm>
#include <cstdio>

#include "simulators/sip_phone.hpp"

namespace jackfield::sim {
namespace {

std::string reason_of(int status) {
    switch (status) {
        case 200: return "OK";
        case 404: return "Not Found";
        case 480: return "Temporarily Unavailable";
        case 486: return "Busy Here";
        case 487: return "Request Terminated";
        case 488: return "Not Acceptable Here";
        case 503: return "Service Unavailable";
        case 603: return "Decline";
        default: return "Response";
    }
}

std::string mirrored(const std::string& direction) {
    if (direction == "sendonly") return "recvonly";
    if (direction == "recvonly") return "sendonly";
    return direction;
}

/// RFC 3261 8.1.1: without these there is nothing to answer.
bool is_whole(const SipMessage& request) {
    for (const char* name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
        if (request.get(name).empty()) return false;
    }
    return request.cseq_method() == request.method && request.cseq_number() > 0;
}

}  // namespace

void SipPhone::on_text(const SipTransport::Incoming& incoming) {
    if (options_.trace) std::fprintf(stderr, "<<< %s\n%s\n", incoming.from.address.text().c_str(), incoming.text.c_str());
    const auto message = parse_sip(incoming.text);
    if (!message) return;
    if (message->is_request()) {
        on_request(*message, incoming.from);
    } else {
        on_response(*message);
    }
}

void SipPhone::on_response(const SipMessage& response) {
    const auto found = transactions_.find(transaction_key(response));
    if (found == transactions_.end()) {
        const bool repeated = response.status >= 200 && response.cseq_method() == "INVITE" && dialog_ &&
                              response.get("Call-ID") == dialog_->call_id && !dialog_->ack.empty();
        if (repeated) send(dialog_->peer, dialog_->ack);
        return;
    }
    if (response.status < 200) {
        // An INVITE that was heard isn't repeated; its final answer may take as long as a person takes.
        if (response.cseq_method() == "INVITE") {
            found->second.resends = false;
            found->second.give_up = Clock::now() + std::chrono::minutes(3);
        }
        const OnResponse on_response = found->second.on_response;
        on_response(response);
        return;
    }
    const auto node = transactions_.extract(found);
    node.mapped().on_response(response);
}

void SipPhone::on_request(const SipMessage& request, const Peer& from) {
    if (!is_whole(request)) return;
    if (request.method == "ACK") {
        if (repeat_ && repeat_->call_id == request.get("Call-ID")) repeat_.reset();
        return;
    }
    if (const auto known = replies_.find(transaction_key(request)); known != replies_.end()) {
        send(from, known->second);
        return;
    }
    if (request.method == "INVITE") {
        on_invite(request, from);
    } else if (request.method == "CANCEL") {
        on_cancel(request, from);
    } else if (request.method == "OPTIONS" && !in_dialog(request)) {
        SipMessage response = response_to(request, 200, "OK");
        response.add("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO");
        response.add("Accept", "application/sdp");
        reply(request, from, response);
    } else if (!in_dialog(request)) {
        reply(request, from, response_to(request, 481, "Call/Transaction Does Not Exist"));
    } else {
        reply(request, from, response_to(request, 200, "OK"));
        if (request.method == "BYE") end(EndedBy::peer);
    }
}

void SipPhone::on_invite(const SipMessage& request, const Peer& from) {
    if (in_dialog(request)) {
        on_reinvite(request, from);
    } else if (dialog_ && !dialog_->outgoing && request.branch() == dialog_->invite.branch()) {
        return;  // repeated before its final answer: ringing was said already
    } else if (state_ == CallState::idle || state_ == CallState::ended) {
        on_new_call(request, from);
    } else {
        reply(request, from, response_to(request, 486, "Busy Here"));
    }
}

void SipPhone::on_new_call(const SipMessage& request, const Peer& from) {
    const auto sdp = parse_sdp(request.body);
    if (!sdp || sdp->media.port == 0) {
        // No call: it must not end the phone's wait for one.
        reply(request, from, response_to(request, 488, "Not Acceptable Here"));
        return;
    }
    leg_.emplace();
    facts_ = {};
    answered_ = {};
    direction_ = "sendrecv";
    offer_ = options_.codecs;
    dialog_ = Dialog{};
    dialog_->call_id = request.get("Call-ID");
    dialog_->local = request.get("To") + ";tag=" + random_token(10);
    dialog_->remote = request.get("From");
    dialog_->target = address_uri(request.get("Contact"));
    dialog_->cseq = 1000;
    dialog_->peer = from;
    dialog_->invite = request;
    event_payload_ = -1;
    dialled_ = Clock::now();
    send(from, response_to(request, 100, "Trying").wire());
    if (!apply(*sdp)) {
        repeat_until_ack(response_to(request, 488, "Not Acceptable Here"), from);
        dialog_.reset();
        state_ = CallState::idle;
        return;
    }
    state_ = CallState::ringing;
    if (options_.answer.rings) {
        const bool early = options_.answer.early_media;
        SipMessage ringing = response_to(request, early ? 183 : 180, early ? "Session Progress" : "Ringing");
        ringing.add("Contact", contact());
        if (early) {
            ringing.add("Content-Type", "application/sdp");
            ringing.body = build_sdp(local_sdp(), sdp_version_);
        }
        send(from, ringing.wire());
    }
    if (!options_.answer.never) after(options_.answer.after, [this] { finish_incoming(); });
}

void SipPhone::finish_incoming() {
    if (state_ != CallState::ringing) return;
    const SipMessage& invite = dialog_->invite;
    const AnswerPlan& plan = options_.answer;
    SipMessage response = response_to(invite, plan.status, reason_of(plan.status));
    facts_.final_status = plan.status;
    if (plan.status != 200) {
        repeat_until_ack(response, dialog_->peer);
        end(EndedBy::us);
        return;
    }
    response.add("Contact", contact());
    response.add("Content-Type", "application/sdp");
    response.body = build_sdp(local_sdp(), sdp_version_);
    repeat_until_ack(response, dialog_->peer);
    connected();
    begin_media();
    leg_->set_echo(plan.echo);
    if (!plan.greeting.empty()) leg_->say("greeting", plan.greeting);
    if (!plan.replies.empty()) leg_->set_replies(plan.reply_quiet, plan.replies);
    if (plan.hang_up_after) {
        after(*plan.hang_up_after, [this] {
            if (state_ != CallState::answered) return;
            send_bye();
            end(EndedBy::us);
        });
    }
}

void SipPhone::on_reinvite(const SipMessage& request, const Peer& from) {
    const auto sdp = parse_sdp(request.body);
    if (state_ != CallState::answered || !sdp || !apply(*sdp)) {
        reply(request, from, response_to(request, 488, "Not Acceptable Here"));
        return;
    }
    ++sdp_version_;
    Sdp answer = local_sdp();
    answer.codecs = {leg_->codec()};
    answer.direction = mirrored(sdp->direction);
    SipMessage response = response_to(request, 200, "OK");
    response.add("Contact", contact());
    response.add("Content-Type", "application/sdp");
    response.body = build_sdp(answer, sdp_version_);
    repeat_until_ack(response, from);
}

void SipPhone::on_cancel(const SipMessage& request, const Peer& from) {
    const bool ours = dialog_ && !dialog_->outgoing && state_ == CallState::ringing &&
                      request.branch() == dialog_->invite.branch();
    if (!ours) {
        reply(request, from, response_to(request, 481, "Call/Transaction Does Not Exist"));
        return;
    }
    reply(request, from, response_to(request, 200, "OK"));
    facts_.final_status = 487;
    repeat_until_ack(response_to(dialog_->invite, 487, "Request Terminated"), dialog_->peer);
    end(EndedBy::cancelled);
}

bool SipPhone::in_dialog(const SipMessage& message) const {
    if (!dialog_ || message.get("Call-ID") != dialog_->call_id) return false;
    const std::string tag = header_parameter(message.get("To"), "tag");
    return !tag.empty() && tag == header_parameter(dialog_->local, "tag");
}

}  // namespace jackfield::sim
