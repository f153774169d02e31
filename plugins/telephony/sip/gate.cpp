// Whom this instance listens to at all.

#include "libre_address.hpp"
#include "signalling.hpp"

namespace jackfield::sip {
namespace {

constexpr std::uint64_t log_interval_ms = 10'000;

}  // namespace

/// A peer that the configuration names: a carrier's network, which is believed what it says about
/// callers and isn't counted.
bool Signalling::is_trusted(const jf_endpoint& source) const {
    return !options_.allow.empty() && allows(options_.allow, source);
}

/// With `users` there are strangers who can show that they are not; without, a list of networks is
/// the whole of those who may speak.
bool Signalling::may_send(const jf_endpoint& source) const {
    return allows(options_.allow, source) || !options_.trunk.users.empty();
}

/// True when the message gets no answer at all. What belongs to a call that is there is never
/// counted.
bool Signalling::is_unwanted(const jf_endpoint& source, const struct sip_msg* msg) {
    if (!msg->req || is_trusted(source)) return false;
    const struct sip_hdr* const agent = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);
    if (agent && names_any(view(agent->val), options_.trunk.refuse_user_agents)) {
        note_drop("sip_scanner_messages", source);
        return true;
    }
    if (pl_strcmp(&msg->met, "ACK") == 0 || sessions_.contains(std::string(view(msg->callid))) ||
        flood_.admit(source, now_ms()))
        return false;
    note_drop("sip_flood_messages", source);
    return true;
}

void Signalling::note_drop(std::string_view why, const jf_endpoint& source) {
    count(why);
    ++drops_;
    if (drops_logged_ms_ && now_ms() - drops_logged_ms_ < log_interval_ms) return;
    host_.log(JF_LOG_WARN,
              "sip.not_answered",
              {{"why", std::string(why)},
               {"source", address_text(source)},
               {"messages", std::to_string(drops_)}});
    drops_logged_ms_ = now_ms();
    drops_ = 0;
}

/// Whether the request may go on as far as passwords go; `user` is who it is, when that was asked.
bool Signalling::is_authorized(const struct sip_msg* msg, std::string& user) {
    const jf_endpoint source = endpoint_of(msg->src);
    const bool registering = pl_strcmp(&msg->met, "REGISTER") == 0;
    if (digest_.empty() || (is_trusted(source) && !registering)) return true;
    const std::string method(view(msg->met));
    const std::string uri(view(msg->ruri));
    DigestServer::Verdict verdict = DigestServer::Verdict::nothing;
    struct Search {
        Signalling& self;
        const std::string& method;
        const std::string& uri;
        const jf_endpoint& source;
        std::string& user;
        DigestServer::Verdict& verdict;
    } search{*this, method, uri, source, user, verdict};
    const auto look = [](const struct sip_hdr* header, const struct sip_msg*, void* arg) {
        auto& s = *static_cast<Search*>(arg);
        s.verdict = s.self.digest_.check(
            view(header->val), s.method, s.uri, s.source, s.self.now_ms(), s.user);
        return s.verdict != DigestServer::Verdict::nothing;
    };
    (void)sip_msg_hdr_apply(msg, true, SIP_HDR_AUTHORIZATION, look, &search);
    if (verdict == DigestServer::Verdict::right) return true;
    if (verdict == DigestServer::Verdict::wrong) {
        count("sip_wrong_passwords");
        strikes_.add(source, now_ms());
    }
    // These give up at a challenge that they don't know, even with one beside it that they do.
    static const std::vector<std::string> md5_only{"baresip v0.", "baresip v1.", "baresip v2."};
    static const std::vector<DigestAlgorithm> md5{DigestAlgorithm::md5};
    const std::vector<DigestAlgorithm>& configured = options_.trunk.auth_algorithms;
    const struct sip_hdr* const agent = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);
    const bool old =
        agent && names_any(view(agent->val), md5_only) &&
        std::find(configured.begin(), configured.end(), DigestAlgorithm::md5) != configured.end();
    const std::string headers = digest_.challenge(
        old ? md5 : configured, source, now_ms(), verdict == DigestServer::Verdict::stale);
    (void)sip_replyf(
        sip_, msg, 401, "Unauthorized", "%sContent-Length: 0\r\n\r\n", headers.c_str());
    return false;
}

/// As is_authorized(), but who has tried too many passwords isn't listened to any more.
bool Signalling::authorize(const struct sip_msg* msg, std::string& user) {
    const jf_endpoint source = endpoint_of(msg->src);
    if (!digest_.empty() && strikes_.out(source, now_ms())) {
        note_drop("sip_password_guesses", source);
        return false;
    }
    return is_authorized(msg, user);
}

}  // namespace jackfield::sip
