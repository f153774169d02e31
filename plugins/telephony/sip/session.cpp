#include "session.hpp"

#include "address.hpp"
#include "signalling.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <cerrno>
#include <cinttypes>
#include <cstdio>

namespace jackfield::sip {
namespace {

// libre counts a dialog's own requests up from 16 random bits; a call doesn't make a million of
// them.
constexpr std::uint32_t reap_cseq = 1'000'000;

Ref<struct mbuf> buffer(std::string_view text) {
    Ref<struct mbuf> out(mbuf_alloc(text.size() + 1));
    if (!out ||
        mbuf_write_mem(out.get(), reinterpret_cast<const std::uint8_t*>(text.data()), text.size()))
        return nullptr;
    out->pos = 0;
    return out;
}

std::string_view body_of(const struct sip_msg* msg) {
    if (!msg || !msg->mb) return {};
    return {reinterpret_cast<const char*>(mbuf_buf(msg->mb)), mbuf_get_left(msg->mb)};
}

std::optional<SdpSession> sdp_of(const struct sip_msg* msg) {
    if (!msg_ctype_cmp(&msg->ctyp, "application", "sdp")) return std::nullopt;
    return parse_sdp(body_of(msg));
}

std::uint32_t reason_of(const struct sip_msg* msg) {
    const struct sip_hdr* header = msg ? sip_msg_hdr(msg, SIP_HDR_REASON) : nullptr;
    return header ? parse_reason(view(header->val)) : 0;
}

/// Runs a callback of the library's with the session held, since the callback may be what drops it.
template <typename Body>
auto held(void* self, Body&& body) {
    const std::shared_ptr<Session> session = static_cast<Session*>(self)->shared_from_this();
    return body(*session);
}

}  // namespace

// forget() has given everything of the library's back, on the loop's thread; this may run on
// another.
Session::~Session() = default;

bool Session::belongs(const struct sip_msg* msg) const {
    return sess_ && sip_dialog_cmp(sipsess_dialog(sess_), msg);
}

bool Session::take(const struct sip_msg* msg,
                   std::string contact,
                   std::optional<SdpSession> offer,
                   std::optional<Agreement> agreement) {
    const auto on_cancelled = [](void* self) {
        held(self, [](Session& session) { session.on_cancel(); });
    };
    if (sip_strans_alloc(&transaction_, signalling_.stack(), msg, on_cancelled, this)) return false;
    invite_.reset(static_cast<struct sip_msg*>(mem_ref(const_cast<struct sip_msg*>(msg))));
    contact_ = std::move(contact);
    offer_ = std::move(offer);
    agreement_ = agreement;
    if (sip_treply(&transaction_, signalling_.stack(), msg, 100, "Trying")) {
        forget();
        return false;
    }
    return true;
}

void Session::ring() {
    if (!transaction_ || rang_) return;
    rang_ = true;
    (void)sip_treplyf(&transaction_,
                      nullptr,
                      signalling_.stack(),
                      invite_.get(),
                      true,
                      180,
                      "Ringing",
                      "Contact: <%s>\r\nContent-Length: 0\r\n\r\n",
                      contact_.c_str());
}

void Session::answer(LocalMedia local) {
    if (!invite_) return;
    local_ = local;
    const std::string text = render([&](const LocalMedia& ours) {
        return offer_ && agreement_ ? write_answer(ours, *offer_, *agreement_)
                                    : write_offer(ours, Direction::sendrecv);
    });
    const Ref<struct mbuf> description = buffer(text);
    // The library makes its own transaction for the 200. Two of them for one INVITE would both
    // claim its retransmissions.
    transaction_ = static_cast<struct sip_strans*>(mem_deref(transaction_));
    const int problem = sipsess_accept(
        &sess_,
        signalling_.sessions_socket(),
        invite_.get(),
        200,
        "OK",
        contact_.c_str(),
        "application/sdp",
        description.get(),
        &Signalling::on_credentials,
        signalling_.credentials(),
        true,
        &Session::on_offer_handler,
        &Session::on_answer_handler,
        [](const struct sip_msg* msg, void* self) {
            held(self, [&](Session& session) { session.on_established(msg); });
        },
        [](struct sip* sip, const struct sip_msg* msg, void* self) {
            held(self, [&](Session& session) { session.on_info(sip, msg); });
        },
        nullptr,
        [](int error, const struct sip_msg* msg, void* self) {
            held(self, [&](Session& session) { session.on_close(error, msg); });
        },
        this,
        "Allow: %s\r\n",
        Signalling::allowed_methods());
    if (problem) {
        (void)sip_treply(nullptr, signalling_.stack(), invite_.get(), 500, "Server Internal Error");
        ended({JF_CAUSE_FAILED, JF_ENDED_BY_US, 500, 0, "the answer could not be sent"});
        return;
    }
    invite_.reset();
}

void Session::refuse(std::uint32_t cause) {
    const std::shared_ptr<Session> self = shared_from_this();
    if (transaction_) {
        const Refusal refusal = refusal_for(cause);
        const char* headers = refusal.status == 503 ? "Retry-After: 5\r\nContent-Length: 0\r\n\r\n"
                                                    : "Content-Length: 0\r\n\r\n";
        (void)sip_treplyf(&transaction_,
                          nullptr,
                          signalling_.stack(),
                          invite_.get(),
                          false,
                          refusal.status,
                          refusal.reason,
                          "%s",
                          headers);
    }
    forget();
}

void Session::dial(const DialRequest& request, const std::string& contact) {
    outgoing_ = true;
    contact_ = contact;
    local_ = request.local;
    const std::string text =
        render([](const LocalMedia& ours) { return write_offer(ours, Direction::sendrecv); });
    const Ref<struct mbuf> description = buffer(text);
    const std::string& proxy = signalling_.proxy();
    const char* route = proxy.c_str();
    const int problem = sipsess_connect(
        &sess_,
        signalling_.sessions_socket(),
        request.to.c_str(),
        request.from_name.empty() ? nullptr : request.from_name.c_str(),
        request.from.c_str(),
        contact_.c_str(),
        proxy.empty() ? nullptr : &route,
        proxy.empty() ? 0 : 1,
        "application/sdp",
        description.get(),
        &Signalling::on_credentials,
        signalling_.credentials(),
        true,
        &Session::on_offer_handler,
        &Session::on_answer_handler,
        [](const struct sip_msg* msg, void* self) {
            held(self, [&](Session& session) { session.on_progress(msg); });
        },
        [](const struct sip_msg* msg, void* self) {
            held(self, [&](Session& session) { session.on_established(msg); });
        },
        [](struct sip* sip, const struct sip_msg* msg, void* self) {
            held(self, [&](Session& session) { session.on_info(sip, msg); });
        },
        nullptr,
        [](int error, const struct sip_msg* msg, void* self) {
            held(self, [&](Session& session) { session.on_close(error, msg); });
        },
        this,
        "Allow: %s\r\n%s",
        Signalling::allowed_methods(),
        request.headers.c_str());
    if (problem) {
        char reason[128];
        ended({JF_CAUSE_CARRIER_ERROR,
               JF_ENDED_BY_CARRIER,
               0,
               0,
               std::string("the call could not be sent: ") +
                   str_error(problem, reason, sizeof reason)});
    }
}

void Session::hang_up(std::uint32_t cause) {
    if (transaction_) return refuse(cause);
    const std::shared_ptr<Session> self = shared_from_this();
    if (sess_) (void)sipsess_set_close_headers(sess_, "Reason: Q.850;cause=%u\r\n", q850_of(cause));
    forget();
}

void Session::hold(bool on) {
    const Direction wanted = on ? Direction::sendonly : Direction::sendrecv;
    if (!sess_ || !established_ || wanted == ours_) return;
    ours_ = wanted;
    const std::uint16_t codec = agreement_ ? agreement_->codec : std::uint16_t{0};
    const std::string text =
        render([&](const LocalMedia& ours) { return write_offer(ours, ours_, codec); });
    (void)sipsess_modify(sess_, buffer(text).get());
}

void Session::note_bye(std::uint32_t q850) {
    bye_ = true;
    bye_q850_ = q850;
}

int Session::on_offer_handler(struct mbuf** description, const struct sip_msg* msg, void* self) {
    return held(self, [&](Session& session) { return session.on_offer(description, msg); });
}

int Session::on_answer_handler(const struct sip_msg* msg, void* self) {
    return held(self, [&](Session& session) { return session.on_answer(msg); });
}

/// A re-INVITE. Its failure (488) leaves the call as it was.
int Session::on_offer(struct mbuf** description, const struct sip_msg* msg) {
    if (body_of(msg).empty()) {
        const std::string text = render([&](const LocalMedia& ours) {
            return write_offer(ours, ours_, agreement_ ? agreement_->codec : std::uint16_t{0});
        });
        *description = buffer(text).release();
        return *description ? 0 : ENOMEM;
    }
    const std::optional<SdpSession> offer = sdp_of(msg);
    std::optional<Agreement> agreement = offer ? agree_on_offer(*offer) : std::nullopt;
    if (!agreement) return EPROTONOSUPPORT;
    if (ours_ == Direction::sendonly) agreement->far_end_sends = false;
    const std::string text =
        render([&](const LocalMedia& ours) { return write_answer(ours, *offer, *agreement); });
    *description = buffer(text).release();
    if (!*description) return ENOMEM;
    agreed(*agreement);
    return 0;
}

int Session::on_answer(const struct sip_msg* msg) {
    if (body_of(msg).empty() && agreement_) return 0;  // it was in the 183
    const std::optional<SdpSession> answer = sdp_of(msg);
    const std::optional<Agreement> agreement =
        answer ? agree_on_answer(*answer, ours_) : std::nullopt;
    if (!agreement) return EPROTONOSUPPORT;
    agreed(*agreement);
    return 0;
}

void Session::on_progress(const struct sip_msg* msg) {
    if (msg->scode <= 100 || !events_) return;
    const std::optional<SdpSession> answer = body_of(msg).empty() ? std::nullopt : sdp_of(msg);
    const std::optional<Agreement> agreement =
        answer ? agree_on_answer(*answer, ours_) : std::nullopt;
    if (agreement) agreed(*agreement);
    if (rang_ && !agreement) return;
    rang_ = true;
    events_->on_ringing(agreement.has_value());
}

void Session::on_established(const struct sip_msg* msg) {
    established_ = true;
    if (outgoing_) {
        std::string call_id(view(msg->callid));
        if (call_id_.empty() && signalling_.name_session(*this, call_id)) call_id_ = std::move(call_id);
        report_leg_state(msg);
    }
    if (events_) events_->on_established();
}

void Session::on_info(struct sip* sip, const struct sip_msg* msg) {
    const bool relay = msg_ctype_cmp(&msg->ctyp, "application", "dtmf-relay");
    if (!relay && !msg_ctype_cmp(&msg->ctyp, "application", "dtmf")) {
        // An INFO without a body is a liveness check (RFC 6086 speaks of them as legacy use).
        if (body_of(msg).empty())
            (void)sip_reply(sip, msg, 200, "OK");
        else
            (void)sip_replyf(
                sip,
                msg,
                415,
                "Unsupported Media Type",
                "Accept: application/dtmf-relay, application/dtmf\r\nContent-Length: 0\r\n\r\n");
        return;
    }
    const std::optional<KeyPress> key = parse_info_dtmf(body_of(msg));
    (void)sip_reply(sip, msg, key ? 200 : 400, key ? "OK" : "Bad Request");
    if (key && events_) events_->on_key(*key);
}

void Session::on_cancel() {
    (void)sip_treply(&transaction_, signalling_.stack(), invite_.get(), 487, "Request Terminated");
    ended({JF_CAUSE_CANCELLED, JF_ENDED_BY_FAR_END, 487, 0, "the caller gave up"});
}

void Session::on_close(int error, const struct sip_msg* msg) {
    End end;
    if (error == EPROTONOSUPPORT && (established_ || !msg || msg->scode < 300)) {
        end = {JF_CAUSE_UNACCEPTABLE, JF_ENDED_BY_US, 488, 0, "no common codec"};
    } else if (msg && msg->scode >= 300) {
        end.status = msg->scode;
        end.q850 = reason_of(msg);
        end.cause = cause_of(end.status, end.q850);
        end.by = msg->scode >= 500 && msg->scode < 600 ? JF_ENDED_BY_CARRIER : JF_ENDED_BY_FAR_END;
        end.text = std::string(view(msg->reason).substr(0, 120));
    } else if (bye_) {
        end.q850 = bye_q850_;
        end.text = "the far end hung up";
    } else {
        char reason[128];
        end = {JF_CAUSE_CARRIER_ERROR,
               JF_ENDED_BY_CARRIER,
               0,
               0,
               error == ETIMEDOUT ? "the far end didn't answer in time"
                                  : str_error(error, reason, sizeof reason)};
    }
    ended(std::move(end));
}

void Session::ended(End end) {
    const std::shared_ptr<SessionEvents> events = std::move(events_);
    forget();
    if (events) events->on_ended(std::move(end));
}

/// Gives the library's objects back. What still has to be said to the far end, the library says by
/// itself.
void Session::forget() {
    events_.reset();
    transaction_ = static_cast<struct sip_strans*>(mem_deref(transaction_));
    invite_.reset();
    sess_ = static_cast<struct sipsess*>(mem_deref(sess_));
    signalling_.remove(*this);
}

void Session::agreed(const Agreement& agreement) {
    agreement_ = agreement;
    if (events_) events_->on_agreement(agreement);
}

/// Our description, with a new version number when it differs from the one before (RFC 3264 8).
std::string Session::render(const std::function<std::string(const LocalMedia&)>& write) {
    std::string text = write(local_);
    if (!described_.empty() && text != described_) {
        ++local_.version;
        text = write(local_);
    }
    described_ = text;
    return text;
}

void Session::report_leg_state(const struct sip_msg* msg) {
    const struct sip_hdr* contact = sip_msg_hdr(msg, SIP_HDR_CONTACT);
    struct sip_addr target;
    if (!contact || sip_addr_decode(&target, &contact->val) || !events_) return;
    LegState state;
    state.call_id = view(msg->callid);
    state.from = view(msg->from.val);
    state.to = view(msg->to.val);
    state.target = view(target.auri);
    state.cseq = reap_cseq;
    const auto add_route = [](const struct sip_hdr* header, const struct sip_msg*, void* routes) {
        static_cast<std::vector<std::string>*>(routes)->emplace_back(view(header->val));
        return false;
    };
    // A caller's route set is the response's Record-Route, backwards (RFC 3261 12.1.2).
    (void)sip_msg_hdr_apply(msg, false, SIP_HDR_RECORD_ROUTE, add_route, &state.routes);
    if (std::string text = state.encode(); !text.empty()) events_->on_leg_state(std::move(text));
}

}  // namespace jackfield::sip
