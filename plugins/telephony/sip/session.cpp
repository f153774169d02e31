#include "session.hpp"

#include "address.hpp"
#include "libre_address.hpp"
#include "signalling.hpp"
#include "text.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <cerrno>
#include <cinttypes>
#include <cstdio>

namespace jackfield::sip {
namespace {

// libre counts a dialog's own requests up from 16 random bits; a call doesn't make a million of
// them.
constexpr std::uint32_t reap_cseq = 1'000'000;

// Without so much as a 100 for this long, a call goes to the next trunk. The transaction itself would wait for 32 s.
constexpr std::uint64_t hop_patience_ms = 4'000;

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

/// Where a message came from as an address for requests; over TCP and TLS the library finds the connection by it.
std::string uri_of_source(const struct sip_msg* msg, std::string_view user) {
    return "sip:" + (user.empty() ? std::string() : std::string(user) + "@") +
           endpoint_text(endpoint_of(msg->src)) + sip_transp_param(msg->tp);
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
    changes_->learn(msg);
    // The library makes our tag of the message's.
    char tag[17];
    std::snprintf(tag, sizeof tag, "%016" PRIx64, msg->tag);
    own_uri_ = view(msg->to.auri);
    const struct sip_hdr* const contact_header = sip_msg_hdr(msg, SIP_HDR_CONTACT);
    // The library can't send to a sips: URI, and the dialog's later requests go to what stands here.
    struct sip_addr theirs;
    if (contact_header && sip_addr_decode(&theirs, &contact_header->val) == 0) {
        name_ = {call_id_, tag, std::string(view(msg->from.tag)), std::string(view(theirs.auri))};
        // Behind a proxy the route leads back, and the Contact is for those beyond it.
        if (signalling_.answers_to_source() && !sip_msg_hdr(msg, SIP_HDR_RECORD_ROUTE))
            far_contact_ = "<" + uri_of_source(msg, view(theirs.uri.user)) + ">";
        else if (pl_strcasecmp(&theirs.uri.scheme, "sips") == 0)
            far_contact_ = "<" + over_tls(std::string(view(theirs.auri))) + ">";
        if (!far_contact_.empty())
            const_cast<struct sip_hdr*>(contact_header)->val = pl_of(far_contact_);
    }
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
                                    : write_offer(ours, offered());
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
        [](struct sip* sip, const struct sip_msg* msg, void* self) {
            held(self, [&](Session& session) { session.on_refer(sip, msg); });
        },
        [](int error, const struct sip_msg* msg, void* self) {
            held(self, [&](Session& session) { session.on_close(error, msg); });
        },
        this,
        "Allow: %s\r\nSupported: timer\r\n%s",
        Signalling::allowed_methods(),
        changes_->timer().accept(timer_terms(invite_.get()), now_ns()).c_str());
    if (problem) {
        (void)sip_treply(nullptr, signalling_.stack(), invite_.get(), 500, "Server Internal Error");
        ended({JF_CAUSE_FAILED, JF_ENDED_BY_US, 500, 0, "the answer could not be sent"});
        return;
    }
    invite_.reset();
    if (const std::shared_ptr<Session> old = std::exchange(replaced_, nullptr))
        old->hang_up(JF_CAUSE_NORMAL);
}

void Session::refuse(std::uint32_t cause) {
    const std::shared_ptr<Session> self = shared_from_this();
    if (transaction_) {
        const Refusal refusal = refusal_for(cause);
        // RFC 6432: a gateway on the way maps our cause and not its guess from the status.
        const std::string headers = "Reason: Q.850;cause=" + std::to_string(q850_of(cause)) +
                                    (refusal.status == 503 ? "\r\nRetry-After: 5" : "") +
                                    "\r\nContent-Length: 0\r\n\r\n";
        (void)sip_treplyf(&transaction_,
                          nullptr,
                          signalling_.stack(),
                          invite_.get(),
                          false,
                          refusal.status,
                          refusal.reason,
                          "%s",
                          headers.c_str());
    }
    forget();
}

void Session::set_events(std::shared_ptr<SessionEvents> events) {
    events_ = std::move(events);
    watcher_ = events_;
    if (!events_) return;
    for (TracedMessage& message : std::exchange(untold_, {})) events_->on_message(std::move(message));
}

void Session::trace(TracedMessage message) {
    constexpr std::size_t most_untold = 8;
    if (const std::shared_ptr<SessionEvents> watcher = watcher_.lock())
        watcher->on_message(std::move(message));
    else if (untold_.size() < most_untold)
        untold_.push_back(std::move(message));
}

std::string Session::dialled_call_id() const {
    const struct sip_dialog* dialog = sess_ ? sipsess_dialog(sess_) : nullptr;
    const char* call_id = dialog ? sip_dialog_callid(dialog) : nullptr;
    return call_id ? call_id : "";
}

void Session::dial(const DialRequest& request, const std::string& contact) {
    outgoing_ = true;
    contact_ = contact;
    own_uri_ = request.from;
    request_ = request;
    local_ = request.local;
    invite();
}

void Session::invite() {
    const DialRequest& request = request_;
    signalling_.expect_tls(hop());
    // Each hop may be reached in another way, and keys go to none in the clear.
    policy_ = signalling_.media_policy_towards(hop());
    if (!policy_.keys_are_safe) offer_keys_ = false;
    if (policy_.srtp == SrtpMode::required && !offer_keys_)
        return fail("`srtp` is required, but SRTP's keys would travel unencrypted: use transport=tls");
    const std::string text =
        render([&](const LocalMedia& ours) { return write_offer(ours, offered()); });
    const Ref<struct mbuf> description = buffer(text);
    const bool routed = !request.first_hops.empty();
    const char* route = hop().c_str();
    progressed_ = false;
    const int problem = sipsess_connect(
        &sess_,
        signalling_.sessions_socket(),
        request.to.c_str(),
        request.from_name.empty() ? nullptr : request.from_name.c_str(),
        request.from.c_str(),
        contact_.c_str(),
        routed ? &route : nullptr,
        routed ? 1 : 0,
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
        [](struct sip* sip, const struct sip_msg* msg, void* self) {
            held(self, [&](Session& session) { session.on_refer(sip, msg); });
        },
        [](int error, const struct sip_msg* msg, void* self) {
            held(self, [&](Session& session) { session.on_close(error, msg); });
        },
        this,
        "Allow: %s\r\n%s%s",
        Signalling::allowed_methods(),
        changes_->timer().request_headers().c_str(),
        request.headers.c_str());
    if (problem) {
        char reason[128];
        ended({JF_CAUSE_CARRIER_ERROR,
               JF_ENDED_BY_CARRIER,
               0,
               0,
               std::string("the call could not be sent: ") +
                   str_error(problem, reason, sizeof reason)});
        return;
    }
    if (hop_ + 1 < request.first_hops.size())
        tmr_start(
            &hop_patience_,
            hop_patience_ms,
            [](void* self) {
                held(self, [](Session& session) { session.on_close(ETIMEDOUT, nullptr); });
            },
            this);
}

/// A trunk that doesn't answer, or says that it can't, isn't the end while there is another (RFC 3263
/// 4.3). Not when the call has got anywhere: it could ring twice.
bool Session::try_next_hop(int error, const struct sip_msg* msg) {
    const bool unreachable = !msg && error != 0 && error != EPROTONOSUPPORT;
    const bool refused = msg && (msg->scode == 503 || msg->scode == 408);
    if (!outgoing_ || established_ || rang_ || bye_ || request_.first_hops.empty() ||
        (!unreachable && !refused))
        return false;
    if (unreachable && progressed_) return false;
    char reason[128];
    signalling_.note_trunk(
        hop(),
        false,
        refused ? std::to_string(msg->scode) : str_error(error, reason, sizeof reason));
    if (hop_ + 1 >= request_.first_hops.size()) return false;
    signalling_.count("sip_trunk_failovers");
    ++hop_;
    tmr_cancel(&hop_patience_);
    sess_ = static_cast<struct sipsess*>(mem_deref(sess_));
    contact_ = signalling_.contact_towards(request_.from, hop(), request_.local.address);
    invite();
    if (const std::string call_id = dialled_call_id(); !call_id.empty())
        signalling_.trace_as(shared_from_this(), call_id);
    return true;
}

void Session::hang_up(std::uint32_t cause) {
    if (transaction_) return refuse(cause);
    const std::shared_ptr<Session> self = shared_from_this();
    if (sess_) (void)sipsess_set_close_headers(sess_, "Reason: Q.850;cause=%u\r\n", q850_of(cause));
    forget();
}

void Session::hold(bool on) {
    const Direction wanted = on ? Direction::sendonly : Direction::sendrecv;
    if (!sess_ || !established_ || !changes_ || wanted == ours_) return;
    ours_before_ = std::exchange(ours_, wanted);
    changes_->offer();
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

/// A re-INVITE that overtakes the ACK; all later ones are renegotiated.
int Session::on_offer(struct mbuf** description, const struct sip_msg* msg) {
    const std::optional<std::string> text =
        body_of(msg).empty() ? std::optional(offer_now()) : answer_to(msg);
    if (!text) return EPROTONOSUPPORT;
    *description = buffer(*text).release();
    return *description ? 0 : ENOMEM;
}

int Session::on_answer(const struct sip_msg* msg) {
    if (body_of(msg).empty() && agreement_) return 0;  // it was in the 183
    return take_answer(msg) ? 0 : EPROTONOSUPPORT;
}

void Session::on_progress(const struct sip_msg* msg) {
    if (!std::exchange(progressed_, true)) {
        tmr_cancel(&hop_patience_);
        if (!request_.first_hops.empty()) signalling_.note_trunk(hop(), true, {});
    }
    if (msg->scode <= 100 || !events_) return;
    const std::optional<SdpSession> answer = body_of(msg).empty() ? std::nullopt : sdp_of(msg);
    const std::optional<Agreement> agreement =
        answer ? agree_on_answer(*answer, offered()) : std::nullopt;
    if (agreement) agreed(*agreement);
    if (rang_ && !agreement) return;
    rang_ = true;
    events_->on_ringing(agreement.has_value());
}

void Session::on_established(const struct sip_msg* msg) {
    established_ = true;
    if (outgoing_) {
        changes_->learn(msg);
        changes_->timer().answered(timer_terms(msg), now_ns());
    }
    changes_->begin(sipsess_dialog(sess_), contact_, outgoing_, far_contact_.empty());
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
    ended({JF_CAUSE_CANCELLED, JF_ENDED_BY_FAR_END, 487, cancel_q850_, "the caller gave up"});
}

void Session::on_close(int error, const struct sip_msg* msg) {
    if (msg && (try_again_in_the_clear(msg->scode) || try_a_longer_interval(msg))) return;
    if (try_next_hop(error, msg)) return;
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
    changes_.reset();
    tmr_cancel(&hop_patience_);
    transfer_.reset();
    transfer_asked_.reset();
    if (const std::shared_ptr<Session> old = std::exchange(replaced_, nullptr))
        old->hang_up(JF_CAUSE_NORMAL);
    transaction_ = static_cast<struct sip_strans*>(mem_deref(transaction_));
    invite_.reset();
    sess_ = static_cast<struct sipsess*>(mem_deref(sess_));
    signalling_.remove(*this);
}

bool Session::prepare(const MediaPolicy& policy, std::optional<Agreement>& agreement) {
    policy_ = policy;
    // Where either will do, a call that we place tries SRTP first; in a 200 to an INVITE without an offer there is one try only.
    changes_ = signalling_.make_renegotiation(*this);
    offer_keys_ = policy.keys_are_safe && policy.srtp != SrtpMode::off;
    if (!offer_keys_) return true;
    for (MasterKey& key : own_keys_) {
        const std::optional<MasterKey> random = MasterKey::random();
        if (!random) return false;
        key = *random;
    }
    if (agreement) add_own_keys(*agreement);
    return true;
}

void Session::fail(const std::string& why) {
    ended({JF_CAUSE_CARRIER_ERROR, JF_ENDED_BY_US, 0, 0, why});
}

/// One key for each suite, for the whole call: a new one would make the far end begin anew with each description.
void Session::add_own_keys(Agreement& agreement) const {
    if (agreement.srtp)
        agreement.srtp->ours = own_keys_[static_cast<std::size_t>(agreement.srtp->suite)];
}

/// What an offer of ours says now: what was agreed on stays first.
Offered Session::offered() const {
    Offered out{ours_, policy_.codecs, {}};
    if (agreement_) {
        const auto agreed = std::find(out.codecs.begin(), out.codecs.end(), agreement_->codec);
        if (agreed != out.codecs.end()) std::rotate(out.codecs.begin(), agreed, agreed + 1);
    }
    const bool keys = agreement_   ? agreement_->srtp.has_value()
                      : outgoing_ ? offer_keys_
                                  : offer_keys_ && policy_.srtp == SrtpMode::required;
    if (keys) out.keys = own_keys_;
    return out;
}

/// A far end that takes no SRTP says so with 488 or 415; the policy says whether that is the end.
bool Session::try_again_in_the_clear(unsigned status) {
    if (!outgoing_ || established_ || !offer_keys_ || policy_.srtp != SrtpMode::optional ||
        (status != 488 && status != 415 && status != 606))
        return false;
    offer_keys_ = false;
    drop_attempt();
    invite();
    return true;
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
    name_ = {state.call_id,
             std::string(view(msg->from.tag)),
             std::string(view(msg->to.tag)),
             state.target};
    const auto add_route = [](const struct sip_hdr* header, const struct sip_msg*, void* routes) {
        static_cast<std::vector<std::string>*>(routes)->emplace_back(view(header->val));
        return false;
    };
    // A caller's route set is the response's Record-Route, backwards (RFC 3261 12.1.2).
    (void)sip_msg_hdr_apply(msg, false, SIP_HDR_RECORD_ROUTE, add_route, &state.routes);
    if (std::string text = state.encode(); !text.empty()) events_->on_leg_state(std::move(text));
}

}  // namespace jackfield::sip
