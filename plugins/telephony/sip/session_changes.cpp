// A session after its answer: what Renegotiation asks of it, and what it is told.

#include "session.hpp"
#include "signalling.hpp"

namespace jackfield::sip {
namespace {

std::optional<SdpSession> description_of(const struct sip_msg* msg) {
    if (!msg->mb || !msg_ctype_cmp(&msg->ctyp, "application", "sdp")) return std::nullopt;
    return parse_sdp({reinterpret_cast<const char*>(mbuf_buf(msg->mb)), mbuf_get_left(msg->mb)});
}

}  // namespace

void Session::wake() {
    const std::shared_ptr<Session> self = shared_from_this();
    if (changes_) changes_->on_wake();
}

bool Session::on_reinvite(const struct sip_msg* msg) {
    const std::shared_ptr<Session> self = shared_from_this();
    if (!established_ || !changes_) return false;
    changes_->on_invite(msg);
    return true;
}

bool Session::on_update(const struct sip_msg* msg) {
    const std::shared_ptr<Session> self = shared_from_this();
    if (!established_ || !changes_) return false;
    changes_->on_update(msg);
    return true;
}

bool Session::on_ack(const struct sip_msg* msg) {
    const std::shared_ptr<Session> self = shared_from_this();
    return changes_ && changes_->on_ack(msg);
}

bool Session::on_repeated_answer(const struct sip_msg* msg) {
    return changes_ && changes_->on_repeated_answer(msg);
}

std::string Session::offer_now() {
    return render([&](const LocalMedia& ours) { return write_offer(ours, offered()); });
}

std::optional<std::string> Session::answer_to(const struct sip_msg* msg) {
    const std::optional<SdpSession> offer = description_of(msg);
    std::optional<Agreement> agreement = offer ? agree_on_offer(*offer, policy_) : std::nullopt;
    if (!agreement) return std::nullopt;
    add_own_keys(*agreement);
    if (ours_ == Direction::sendonly) agreement->far_end_sends = false;
    std::string text =
        render([&](const LocalMedia& ours) { return write_answer(ours, *offer, *agreement); });
    agreed(*agreement);
    return text;
}

bool Session::take_answer(const struct sip_msg* msg) {
    const std::optional<SdpSession> answer = description_of(msg);
    const std::optional<Agreement> agreement =
        answer ? agree_on_answer(*answer, offered()) : std::nullopt;
    if (!agreement) return false;
    ours_before_ = ours_;
    agreed(*agreement);
    return true;
}

void Session::offer_refused() {
    ours_ = ours_before_;
}

void Session::wake_at(std::uint64_t ns) {
    if (events_) events_->on_timer(ns);
}

std::uint64_t Session::now_ns() const {
    return signalling_.now_ns();
}

void Session::lost(End end) {
    const std::shared_ptr<Session> self = shared_from_this();
    if (sess_)
        (void)sipsess_set_close_headers(
            sess_, "Reason: Q.850;cause=%u\r\n", end.q850 ? end.q850 : q850_of(end.cause));
    ended(std::move(end));
}

/// A 422 to an INVITE of ours (RFC 4028 7.3).
bool Session::try_a_longer_interval(const struct sip_msg* msg) {
    if (msg->scode != 422 || !outgoing_ || established_ || !changes_ ||
        !changes_->timer().raise(timer_terms(msg).min_se))
        return false;
    drop_attempt();
    invite();
    return true;
}

/// An INVITE of ours has failed and shall be made once more.
void Session::drop_attempt() {
    tmr_cancel(&hop_patience_);
    sess_ = static_cast<struct sipsess*>(mem_deref(sess_));
}

}  // namespace jackfield::sip
