#include "renegotiation.hpp"

#include "text.hpp"

#include <algorithm>
#include <utility>

namespace jackfield::sip {
namespace {

constexpr unsigned most_repeats = 10;  // 0.5, 1, 2, 4, 4 ... seconds: 64 * T1 in all

std::string_view body_of(const struct sip_msg* msg) {
    if (!msg->mb) return {};
    return {reinterpret_cast<const char*>(mbuf_buf(msg->mb)), mbuf_get_left(msg->mb)};
}

std::string with_body(const std::string& description) {
    return (description.empty() ? std::string() : "Content-Type: application/sdp\r\n") +
           "Content-Length: " + std::to_string(description.size()) + "\r\n\r\n" + description;
}

}  // namespace

TimerTerms timer_terms(const struct sip_msg* msg) {
    TimerTerms out;
    if (const struct sip_hdr* header = sip_msg_hdr(msg, SIP_HDR_SESSION_EXPIRES))
        out.expires = parse_session_expires(view(header->val));
    if (const struct sip_hdr* header = sip_msg_hdr(msg, SIP_HDR_MIN_SE))
        out.min_se = parse_min_se(view(header->val)).value_or(0);
    out.supported = sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED, "timer") ||
                    sip_msg_hdr_has_value(msg, SIP_HDR_REQUIRE, "timer");
    return out;
}

std::string unmet_requirements(const struct sip_msg* msg, bool with_replaces) {
    struct Found {
        bool with_replaces;
        std::string unmet;
    } found{with_replaces, {}};
    const auto look = [](const struct sip_hdr* header, const struct sip_msg*, void* arg) {
        auto& out = *static_cast<Found*>(arg);
        const std::string option = lower(printable(view(header->val)));
        const bool known = option == "timer" || (option == "replaces" && out.with_replaces);
        if (!known && out.unmet.size() < 256) out.unmet += (out.unmet.empty() ? "" : ", ") + option;
        return false;
    };
    (void)sip_msg_hdr_apply(msg, true, SIP_HDR_REQUIRE, look, &found);
    return found.unmet;
}

Renegotiation::Renegotiation(OfferAnswer& owner,
                             const Sender& sender,
                             std::uint32_t session_expires_s,
                             std::uint32_t min_se_s)
    : owner_(owner), sender_(sender), timer_(session_expires_s, min_se_s) {}

Renegotiation::~Renegotiation() {
    tmr_cancel(&repeat_);
    tmr_cancel(&retry_);
}

void Renegotiation::begin(struct sip_dialog* dialog,
                          std::string contact,
                          bool owner_of_call_id,
                          bool moves) {
    dialog_.reset(static_cast<struct sip_dialog*>(mem_ref(dialog)));
    contact_ = std::move(contact);
    owner_of_call_id_ = owner_of_call_id;
    moves_ = moves;
    plan();
    if (std::exchange(offer_waits_, false)) offer();
}

/// The far end may be at another address from now on (RFC 3261 12.2).
void Renegotiation::follow(const struct sip_msg* msg) {
    if (moves_) (void)sip_dialog_update(dialog_.get(), msg);
}

void Renegotiation::learn(const struct sip_msg* far) {
    if (sip_msg_hdr(far, SIP_HDR_ALLOW))
        far_has_update_ = sip_msg_hdr_has_value(far, SIP_HDR_ALLOW, "UPDATE");
}

void Renegotiation::plan() {
    owner_.wake_at(timer_.due_ns());
}

/// What an INVITE and an UPDATE have to pass alike. Refusals are said here.
bool Renegotiation::acceptable(const struct sip_msg* msg) {
    const auto refuse = [&](std::uint16_t status, const char* reason, const std::string& headers) {
        (void)sip_treplyf(nullptr,
                          nullptr,
                          sender_.stack,
                          msg,
                          false,
                          status,
                          reason,
                          "%sContent-Length: 0\r\n\r\n",
                          headers.c_str());
        return false;
    };
    const bool offers = !body_of(msg).empty() || pl_strcmp(&msg->met, "INVITE") == 0;
    if (!sip_dialog_rseq_valid(dialog_.get(), msg))
        return refuse(500, "Server Internal Error", "Retry-After: 2\r\n");
    if (const std::string unmet = unmet_requirements(msg, false); !unmet.empty())
        return refuse(420, "Bad Extension", "Unsupported: " + unmet + "\r\n");
    // RFC 3261 14.2, RFC 3311 5.2: one offer at a time.
    if (offers && request_ && request_has_offer_) return refuse(491, "Request Pending", {});
    if (offers && answered_ && answered_->with_offer)
        return refuse(500, "Server Internal Error", "Retry-After: 5\r\n");
    if (timer_.too_short(timer_terms(msg)))
        return refuse(422,
                      "Session Interval Too Small",
                      "Min-SE: " + std::to_string(timer_.min_se()) + "\r\n");
    return true;
}

void Renegotiation::on_invite(const struct sip_msg* msg) {
    if (!acceptable(msg)) return;
    const bool late = body_of(msg).empty();
    const std::optional<std::string> description =
        late ? std::optional(owner_.offer_now()) : owner_.answer_to(msg);
    if (!description) {
        (void)sip_treply(nullptr, sender_.stack, msg, 488, "Not Acceptable Here");
        return;
    }
    learn(msg);
    follow(msg);
    answer(msg, *description, late);
}

void Renegotiation::answer(const struct sip_msg* msg,
                           const std::string& description,
                           bool with_offer) {
    Answered answered;
    answered.request.reset(static_cast<struct sip_msg*>(mem_ref(const_cast<struct sip_msg*>(msg))));
    answered.cseq = msg->cseq.num;
    answered.with_offer = with_offer;
    struct mbuf* message = nullptr;
    const std::string rest = "Contact: <" + contact_ + ">\r\n" +
                             timer_.accept(timer_terms(msg), owner_.now_ns()) +
                             "Supported: timer\r\n" + with_body(description);
    plan();
    if (sip_treplyf(nullptr, &message, sender_.stack, msg, true, 200, "OK", "%s", rest.c_str()))
        return;
    answered.message.reset(message);
    answered_ = std::move(answered);
    tmr_start(
        &repeat_,
        SIP_T1,
        [](void* self) { static_cast<Renegotiation*>(self)->repeat_answer(); },
        this);
}

/// RFC 3261 13.3.1.4: over any transport, until the ACK comes.
void Renegotiation::repeat_answer() {
    if (!answered_) return;
    if (answered_->sent > most_repeats) {
        answered_.reset();
        return owner_.lost({JF_CAUSE_CARRIER_ERROR,
                            JF_ENDED_BY_CARRIER,
                            0,
                            102,
                            "the far end didn't acknowledge a change of the session"});
    }
    const struct sip_msg* const request = answered_->request.get();
    struct sa to;
    struct pl ignored;
    sip_reply_addr(&to, request, msg_param_exists(&request->via.params, "rport", &ignored) == 0);
    answered_->message->pos = 0;
    (void)sip_send(sender_.stack, request->sock, request->tp, &to, answered_->message.get());
    const std::uint64_t wait =
        std::min<std::uint64_t>(SIP_T1 << std::min(answered_->sent, 4u), SIP_T2);
    ++answered_->sent;
    tmr_start(
        &repeat_,
        wait,
        [](void* self) { static_cast<Renegotiation*>(self)->repeat_answer(); },
        this);
}

bool Renegotiation::on_ack(const struct sip_msg* msg) {
    if (!answered_ || answered_->cseq != msg->cseq.num) return false;
    const bool answer_expected = answered_->with_offer;
    tmr_cancel(&repeat_);
    answered_.reset();
    if (answer_expected && !owner_.take_answer(msg)) {
        owner_.lost({JF_CAUSE_UNACCEPTABLE,
                     JF_ENDED_BY_US,
                     488,
                     0,
                     "the ACK to our offer has no usable answer"});
        return true;
    }
    if (std::exchange(offer_waits_, false)) offer();
    return true;
}

void Renegotiation::on_update(const struct sip_msg* msg) {
    if (!acceptable(msg)) return;
    const bool offers = !body_of(msg).empty();
    const std::optional<std::string> description =
        offers ? owner_.answer_to(msg) : std::optional<std::string>("");
    if (!description) {
        (void)sip_treply(nullptr, sender_.stack, msg, 488, "Not Acceptable Here");
        return;
    }
    follow(msg);
    const std::string rest = "Contact: <" + contact_ + ">\r\n" +
                             timer_.accept(timer_terms(msg), owner_.now_ns()) +
                             "Supported: timer\r\n" + with_body(*description);
    plan();
    (void)sip_treplyf(nullptr, nullptr, sender_.stack, msg, true, 200, "OK", "%s", rest.c_str());
}

std::string Renegotiation::request_headers(bool with_description) const {
    return "Contact: <" + contact_ + ">\r\n" + timer_.request_headers() +
           (with_description ? "Content-Type: application/sdp\r\n" : "");
}

void Renegotiation::offer() {
    if (!dialog_ || request_ || answered_ || tmr_isrunning(&retry_)) {
        offer_waits_ = true;
        return;
    }
    send_offer();
}

void Renegotiation::send_offer() {
    request_has_offer_ = true;
    request_ = Request::within(sender_,
                               dialog_.get(),
                               "INVITE",
                               request_headers(true),
                               owner_.offer_now(),
                               [this](int problem, const struct sip_msg* response) {
                                   on_response(problem, response, true);
                               });
    if (!request_) timer_.refresh_failed(owner_.now_ns());
}

void Renegotiation::send_update() {
    request_has_offer_ = false;
    request_ = Request::within(sender_,
                               dialog_.get(),
                               "UPDATE",
                               request_headers(false),
                               {},
                               [this](int problem, const struct sip_msg* response) {
                                   on_response(problem, response, false);
                               });
    if (!request_) timer_.refresh_failed(owner_.now_ns());
}

void Renegotiation::acknowledge(std::uint32_t cseq) {
    (void)sip_drequestf(nullptr,
                        sender_.stack,
                        false,
                        "ACK",
                        dialog_.get(),
                        cseq,
                        sender_.auth,
                        nullptr,
                        nullptr,
                        nullptr,
                        "Content-Length: 0\r\n\r\n");
}

bool Renegotiation::on_repeated_answer(const struct sip_msg* msg) {
    if (!dialog_ || acknowledged_ == 0 || msg->cseq.num != acknowledged_) return false;
    acknowledge(acknowledged_);
    return true;
}

void Renegotiation::on_response(int problem, const struct sip_msg* response, bool with_offer) {
    const std::unique_ptr<Request> done =
        std::move(request_);  // it calls us: not to be dropped before we return
    const std::uint16_t status = response ? response->scode : 0;
    if (!problem && status < 300) {
        learn(response);
        follow(response);
        timer_.answered(timer_terms(response), owner_.now_ns());
        plan();
        if (with_offer) {
            acknowledged_ = response->cseq.num;
            acknowledge(acknowledged_);
            if (!owner_.take_answer(response))
                return owner_.lost({JF_CAUSE_UNACCEPTABLE,
                                    JF_ENDED_BY_US,
                                    488,
                                    0,
                                    "the far end's answer can't be used"});
        }
        if (std::exchange(offer_waits_, false)) offer();
        return;
    }
    // RFC 3261 12.2.1.2: these mean that the dialog is gone.
    if (problem || status == 408 || status == 481)
        return owner_.lost({JF_CAUSE_CARRIER_ERROR,
                            JF_ENDED_BY_CARRIER,
                            status,
                            0,
                            "the far end didn't answer within the call"});
    if (status == 491) {
        // RFC 3261 14.1: whoever made the Call-ID waits longer.
        const std::uint64_t wait =
            owner_of_call_id_ ? 2100 + rand_u32() % 191 * 10 : rand_u32() % 200 * 10;
        offer_waits_ = with_offer;
        tmr_start(
            &retry_,
            wait,
            [](void* self) {
                auto* const one = static_cast<Renegotiation*>(self);
                if (std::exchange(one->offer_waits_, false))
                    one->offer();
                else
                    one->on_wake();
            },
            this);
        timer_.refresh_failed(owner_.now_ns());
        plan();
        return;
    }
    const std::uint32_t min_se = status == 422 ? timer_terms(response).min_se : 0;
    if (status == 422 && timer_.raise(min_se)) return with_offer ? send_offer() : send_update();
    // A far end that says it has UPDATE and hasn't.
    if (!with_offer && (status == 405 || status == 501)) far_has_update_ = false;
    if (with_offer) owner_.offer_refused();
    timer_.refresh_failed(owner_.now_ns());
    plan();
    if (std::exchange(offer_waits_, false)) offer();
}

void Renegotiation::on_wake() {
    if (!dialog_) return;
    switch (timer_.due(owner_.now_ns())) {
        case SessionTimer::Due::over:
            return owner_.lost({JF_CAUSE_CARRIER_ERROR,
                                JF_ENDED_BY_CARRIER,
                                0,
                                102,
                                "the far end didn't refresh the session in time"});
        case SessionTimer::Due::refresh:
            if (request_ || answered_)
                timer_.refresh_failed(owner_.now_ns());  // what is under way refreshes as well
            else if (far_has_update_)
                send_update();
            else
                send_offer();
            break;
        case SessionTimer::Due::nothing:
            break;
    }
    plan();
}

}  // namespace jackfield::sip
