#include "signalling.hpp"

#include "libre_address.hpp"
#include "sockets.hpp"
#include "text.hpp"
#include "trace.hpp"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace jackfield::sip {
namespace {

constexpr std::size_t longest_call_id = 255;
constexpr std::uint32_t reap_cseq = 1'000'000;
constexpr std::size_t most_headers = 16;

std::string number_or_user(const struct uri& uri) {
    // tel: has the number where sip: has the host.
    const std::string_view user =
        view(pl_strcasecmp(&uri.scheme, "tel") == 0 ? uri.host : uri.user);
    return printable(user.substr(0, user.find(';')));
}

/// The first URI of a P-Asserted-Identity, unless its owner wants it withheld from everyone: then it
/// stays in the headers, for the record, and the call is anonymous as From says.
void take_asserted_identity(const struct sip_msg* msg, std::string& from) {
    const struct sip_hdr* const asserted = sip_msg_hdr(msg, SIP_HDR_P_ASSERTED_IDENTITY);
    const struct sip_hdr* const privacy = sip_msg_hdr(msg, SIP_HDR_PRIVACY);
    if (!asserted || (privacy && lower(std::string(view(privacy->val))).find("id") != std::string::npos))
        return;
    struct sip_addr address;
    if (sip_addr_decode(&address, &asserted->val) == 0)
        if (std::string who = number_or_user(address.uri); !who.empty()) from = std::move(who);
}

std::string provisional_key(const Session& session) {
    return "<" + std::to_string(reinterpret_cast<std::uintptr_t>(&session));
}

constexpr const char* unsafe_keys =
    "Warning: 399 jackfield \"SRTP keys are not taken over an unencrypted transport\"\r\n";

/// More than 488 says, where the cause is a setting and not a codec.
std::string why_not(const SdpSession& offer, const MediaPolicy& policy) {
    const bool keys = std::any_of(offer.media.begin(), offer.media.end(), [](const SdpMedia& media) {
        return media.secure();
    });
    if (keys && policy.srtp != SrtpMode::off && !policy.keys_are_safe) return unsafe_keys;
    if (!keys && policy.srtp == SrtpMode::required)
        return "Warning: 399 jackfield \"SRTP is required\"\r\n";
    return {};
}

}  // namespace

struct Signalling::Reap {
    Signalling& owner;
    jf_op op;
    Reaped done;
    struct sip_request* request = nullptr;
};

const char* Signalling::allowed_methods() {
    return "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, REFER, NOTIFY, UPDATE";
}

Signalling::Signalling(sdk::Host host, const Options& options, OfferCall offer)
    : host_(host), options_(options), offer_(std::move(offer)), loop_(Loop::get()),
      flood_(options_.trunk.max_requests_per_second),
      digest_(options_.trunk.users, options_.trunk.realm, random_token() + random_token()),
      trunks_(options_.trunk.proxies, [this](const Trunks::Change& change) {
          note_trunk_change(change);
      }) {
    metrics_ = host_.facility<jf_host_metrics_v1>(JF_FACILITY_METRICS);
}

void Signalling::count(std::string_view name) const {
    if (metrics_) metrics_->count(host_.ctx(), sdk::str(name), 1);
}

bool Signalling::well_formed(const struct sip_msg* msg) const {
    return pl_isset(&msg->callid) && pl_isset(&msg->via.branch) && pl_isset(&msg->from.tag) &&
           pl_cmp(&msg->cseq.met, &msg->met) == 0 && is_token(view(msg->callid)) &&
           msg->callid.l <= longest_call_id;
}

/// True when the request has been dealt with; false passes it on to the sessions.
bool Signalling::on_request(const struct sip_msg* msg) {
    if (on_probe(msg)) return true;
    if (msg->tp != SIP_TRANSP_UDP) {
        const jf_endpoint source = endpoint_of(msg->src);
        if (!may_send(source)) {
            count("sip_refused_sources");
            return true;
        }
        if (is_unwanted(source, msg)) return true;
    }
    if (!well_formed(msg)) {
        count("sip_malformed_messages");
        return true;
    }
    if (pl_strcmp(&msg->met, "OPTIONS") == 0) {
        (void)sip_replyf(sip_,
                         msg,
                         200,
                         "OK",
                         "Allow: %s\r\nAccept: application/sdp, "
                         "application/dtmf-relay\r\nSupported: timer\r\nContent-Length: 0\r\n\r\n",
                         allowed_methods());
        return true;
    }
    if (pl_strcmp(&msg->met, "BYE") == 0) {
        const auto found = sessions_.find(std::string(view(msg->callid)));
        const struct sip_hdr* reason = sip_msg_hdr(msg, SIP_HDR_REASON);
        if (found != sessions_.end() && found->second->belongs(msg))
            found->second->note_bye(reason ? parse_reason(view(reason->val)) : 0);
        return false;
    }
    if (pl_strcmp(&msg->met, "NOTIFY") == 0) return on_notify(msg);
    if (pl_strcmp(&msg->met, "REGISTER") == 0 && !digest_.empty()) {
        sdk::guarded(nullptr, [&] { on_register(msg); });
        return true;
    }
    if (pl_strcmp(&msg->met, "INVITE") == 0 && !pl_isset(&msg->to.tag)) {
        sdk::guarded(nullptr, [&] { on_invite(msg); });
        return true;
    }
    return on_change(msg);
}

/// What changes a session that is there already. The library knows the first INVITE only.
bool Signalling::on_change(const struct sip_msg* msg) {
    const bool invite = pl_strcmp(&msg->met, "INVITE") == 0;
    const bool update = pl_strcmp(&msg->met, "UPDATE") == 0;
    if (!invite && !update && pl_strcmp(&msg->met, "ACK") != 0) return false;
    const auto found = sessions_.find(std::string(view(msg->callid)));
    const bool ours = found != sessions_.end() && found->second->belongs(msg);
    bool taken = false;
    if (ours)
        sdk::guarded(nullptr, [&, session = found->second] {
            taken = invite   ? session->on_reinvite(msg)
                    : update ? session->on_update(msg)
                             : session->on_ack(msg);
        });
    if (update && !taken) (void)sip_treply(nullptr, sip_, msg, 481, "Call Does Not Exist");
    return taken || update;
}

/// Before the library's own listener, which takes every 2xx to an INVITE for its own.
bool Signalling::on_response(const struct sip_msg* msg) {
    if (pl_strcmp(&msg->cseq.met, "INVITE") != 0 || msg->scode < 200 || msg->scode > 299) return false;
    const auto found = sessions_.find(std::string(view(msg->callid)));
    return found != sessions_.end() && found->second->belongs(msg) &&
           found->second->on_repeated_answer(msg);
}

bool Signalling::on_unhandled(const struct sip_msg* msg) {
    if (pl_strcmp(&msg->met, "ACK") == 0) return true;
    if (pl_strcmp(&msg->met, "CANCEL") == 0) {
        (void)sip_reply(sip_, msg, 481, "Transaction Does Not Exist");
        return true;
    }
    if (pl_strcmp(&msg->met, "REFER") == 0) {  // outside of a call
        (void)sip_treply(nullptr, sip_, msg, 603, "Decline");
        return true;
    }
    for (const char* known : {"REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE", "PRACK"})
        if (pl_strcmp(&msg->met, known) == 0) {
            (void)sip_replyf(sip_,
                             msg,
                             405,
                             "Method Not Allowed",
                             "Allow: %s\r\nContent-Length: 0\r\n\r\n",
                             allowed_methods());
            return true;
        }
    (void)sip_reply(sip_, msg, 501, "Not Implemented");
    return true;
}

/// Without a transaction: what has been refused leaves nothing behind here, however much of it
/// comes.
void Signalling::refuse(const struct sip_msg* msg,
                        std::uint16_t status,
                        const char* reason,
                        const std::string& headers) {
    count("sip_refused_calls");
    (void)sip_replyf(sip_, msg, status, reason, "%sContent-Length: 0\r\n\r\n", headers.c_str());
}

bool Signalling::require_is_met(const struct sip_msg* msg) {
    const bool replaces = accepts_refer() && pl_strcmp(&msg->met, "INVITE") == 0;
    const std::string unmet = unmet_requirements(msg, replaces);
    if (unmet.empty()) return true;
    refuse(msg, 420, "Bad Extension", "Unsupported: " + unmet + "\r\n");
    return false;
}

void Signalling::on_invite(const struct sip_msg* msg) {
    // First of all: a stranger learns nothing here but that a password is wanted.
    std::string caller;
    if (!authorize(msg, caller)) return;
    if (!require_is_met(msg)) return;
    if (quiescing_) return refuse(msg, 503, "Service Unavailable", "Retry-After: 5\r\n");
    const std::string call_id(view(msg->callid));
    if (sessions_.contains(call_id)) return refuse(msg, 482, "Loop Detected");
    const struct sip_hdr* contact_header = sip_msg_hdr(msg, SIP_HDR_CONTACT);
    struct sip_addr target;
    if (!contact_header || sip_addr_decode(&target, &contact_header->val))
        return refuse(msg, 400, "Missing Contact");

    bool refused = false;
    const std::shared_ptr<Session> old = replaced_by(msg, refused);
    if (refused) return;
    if (!old && sessions_.size() >= options_.max_calls)
        return refuse(msg, 503, "Service Unavailable", "Retry-After: 2\r\n");

    if (SessionTimer(options_.session_expires_s, options_.session_min_se_s).too_short(timer_terms(msg)))
        return refuse(msg, 422, "Session Interval Too Small", "Min-SE: " + std::to_string(std::max(options_.session_min_se_s, SessionTimer::least_s)) + "\r\n");
    NewCall call;
    const MediaPolicy policy = media_policy(msg->tp == SIP_TRANSP_TLS);
    std::optional<SdpSession> offer;
    const std::string_view body(reinterpret_cast<const char*>(mbuf_buf(msg->mb)),
                                mbuf_get_left(msg->mb));
    if (!body.empty()) {
        if (!msg_ctype_cmp(&msg->ctyp, "application", "sdp"))
            return refuse(msg, 415, "Unsupported Media Type", "Accept: application/sdp\r\n");
        offer = parse_sdp(body);
        if (!offer) return refuse(msg, 400, "Bad Session Description");
        call.agreement = agree_on_offer(*offer, policy);
        if (!call.agreement) return refuse(msg, 488, "Not Acceptable Here", why_not(*offer, policy));
    } else if (policy.srtp == SrtpMode::required && !policy.keys_are_safe) {
        return refuse(msg, 488, "Not Acceptable Here", unsafe_keys);
    }

    const Transport transport = msg->tp == SIP_TRANSP_TLS   ? Transport::tls
                                : msg->tp == SIP_TRANSP_TCP ? Transport::tcp
                                                            : Transport::udp;
    const jf_endpoint listener = listener_of(msg);
    call.local = local_facing(listener, endpoint_of(msg->src));
    call.bind = is_any(listener) ? jf_endpoint{{}, 0, listener.family, 0} : listener;
    const std::string user =
        number_or_user(msg->uri).empty() ? number_or_user(msg->to.uri) : number_or_user(msg->uri);
    const std::string domain = lower(printable(view(msg->uri.host)));
    if (is_number(user)) call.keys.push_back(user);
    call.keys.push_back("sip:" + user + "@" + domain);
    call.keys.push_back("sip:" + user + "@");
    call.keys.emplace_back("*");
    call.to = user;
    call.from = number_or_user(msg->from.uri);
    // Whoever has shown a password is that user, whatever From says; a trusted network's word about the
    // caller is taken before From's (RFC 3325 5).
    if (!caller.empty()) call.from = caller;
    const bool trusted = is_trusted(endpoint_of(msg->src));
    if (trusted) take_asserted_identity(msg, call.from);
    call.from_name = unquoted(printable(view(msg->from.dname)));
    const auto add_header = [](const struct sip_hdr* header, const struct sip_msg*, void* into) {
        auto& headers = *static_cast<std::vector<std::pair<std::string, std::string>>*>(into);
        if (headers.size() < most_headers)
            headers.emplace_back(printable(view(header->name)), printable(view(header->val)));
        return false;
    };
    for (const enum sip_hdrid id : {SIP_HDR_USER_AGENT, SIP_HDR_SUBJECT, SIP_HDR_PRIVACY})
        (void)sip_msg_hdr_apply(msg, true, id, add_header, &call.headers);
    (void)sip_msg_xhdr_apply(msg, true, "X-Request-ID", add_header, &call.headers);
    // Who called whom before the call came here: anybody can write that, so only a carrier is believed.
    if (trusted) {
        (void)sip_msg_hdr_apply(
            msg, true, SIP_HDR_P_ASSERTED_IDENTITY, add_header, &call.headers);
        (void)sip_msg_xhdr_apply(msg, true, "Diversion", add_header, &call.headers);
        (void)sip_msg_hdr_apply(msg, true, SIP_HDR_HISTORY_INFO, add_header, &call.headers);
    }

    char tag[24];
    std::snprintf(tag, sizeof tag, ";tag=%016" PRIx64, msg->tag);
    LegState state{call_id,
                   std::string(view(msg->to.val)) + tag,
                   std::string(view(msg->from.val)),
                   std::string(view(target.auri)),
                   {},
                   {},
                   reap_cseq};
    const auto add_route = [](const struct sip_hdr* header, const struct sip_msg*, void* routes) {
        static_cast<std::vector<std::string>*>(routes)->emplace_back(view(header->val));
        return false;
    };
    (void)sip_msg_hdr_apply(msg, true, SIP_HDR_RECORD_ROUTE, add_route, &state.routes);
    // A UDP peer is reached where it sent from, also through NAT; a TCP connection's far port means
    // nothing after a restart.
    if (transport == Transport::udp) state.next_hop = "sip:" + endpoint_text(endpoint_of(msg->src));
    call.leg_state = state.encode();

    call.session = std::make_shared<Session>(*this, call_id);
    if (!call.session->prepare(policy, call.agreement))
        return refuse(msg, 503, "Service Unavailable", "Retry-After: 5\r\n");
    sessions_[call_id] = call.session;
    trace_as(call.session, call_id);
    if (!call.session->take(
            msg, contact(user, transport, call.local), std::move(offer), call.agreement)) {
        sessions_.erase(call_id);
        return;
    }
    if (old) return old->give_way_to(call.session, call.agreement, std::move(call.leg_state));
    const jf_status status = offer_(call);
    if (status == JF_OK) return;
    count("sip_refused_calls");
    // Whether nobody has that number or somebody has it and doesn't want the call is no stranger's
    // business: who asks for one number after the other learns nothing from the difference.
    const bool unknown = status == JF_E_NOT_FOUND || status == JF_E_AUTH;
    call.session->refuse(unknown ? JF_CAUSE_NOT_FOUND : JF_CAUSE_UNAVAILABLE);
}

/// The transport that the library takes for a request to `uri`.
Transport Signalling::transport_towards(std::string_view uri) const {
    const std::string text = lower(std::string(uri));
    for (const Transport one : {Transport::tls, Transport::tcp})
        if (text.find(std::string(";transport=") + transport_name(one)) != std::string::npos)
            return one;
    Transport first = Transport::tls;
    for (const Listen& listen : bound_) first = std::min(first, listen.transport);
    return first;
}

MediaPolicy Signalling::media_policy(bool encrypted) const {
    return {options_.codecs, options_.srtp, encrypted || options_.srtp_over_cleartext};
}

jf_endpoint Signalling::local_facing(const jf_endpoint& listener, const jf_endpoint& remote) const {
    if (options_.public_address && options_.public_address->family == remote.family)
        return *options_.public_address;
    jf_endpoint out = is_any(listener) ? source_address_towards(remote) : listener;
    out.port = 0;
    return out;
}

std::string Signalling::contact(std::string_view user,
                                Transport transport,
                                const jf_endpoint& local) const {
    jf_endpoint at = local;
    for (const Listen& listen : bound_)
        if (listen.transport == transport && listen.address.family == local.family) {
            at.port = listen.address.port;
            break;
        }
    return "sip:" + (user.empty() ? std::string() : escaped_user(user) + "@") + endpoint_text(at) +
           (transport == Transport::udp ? "" : std::string(";transport=") + transport_name(transport));
}

void Signalling::local_for(std::string_view first_hop,
                           jf_endpoint& local,
                           jf_endpoint& bind) const {
    const std::optional<jf_endpoint> literal = host_of_uri(first_hop);
    const std::uint16_t family = literal ? literal->family : bound_.front().address.family;
    jf_endpoint listener{};
    listener.family = family;
    for (const Listen& listen : bound_)
        if (listen.address.family == family) {
            listener = listen.address;
            break;
        }
    bind = listener;
    bind.port = 0;
    // A name is resolved by the stack later; until then the way to the world at large stands for
    // the way to it.
    local = local_facing(listener, literal ? *literal : primary_address(family));
}

std::shared_ptr<Session> Signalling::make_session() {
    return std::make_shared<Session>(*this, std::string());
}

void Signalling::dial(const std::shared_ptr<Session>& session, const DialRequest& request) {
    const std::string& first_hop =
        request.first_hops.empty() ? request.to : request.first_hops.front();
    const Transport transport = transport_towards(first_hop);
    // Under a key that no Call-ID can have, until the answer tells the one that the library chose.
    sessions_[provisional_key(*session)] = session;
    std::optional<Agreement> none;
    const MediaPolicy policy = media_policy(transport == Transport::tls);
    if (policy.srtp == SrtpMode::required && !policy.keys_are_safe)
        return session->fail("`srtp` is required, but SRTP's keys would travel unencrypted: use transport=tls");
    if (!session->prepare(policy, none)) return session->fail("there are no random numbers for SRTP's keys");
    expect_tls(first_hop);
    session->dial(request, contact_towards(request.from, first_hop, request.local.address));
    if (const std::string call_id = session->dialled_call_id(); !call_id.empty()) trace_as(session, call_id);
}

void Signalling::trace(TracedMessage message, std::string_view raw) {
    const std::string_view call_id = call_id_of(raw);
    if (call_id.empty() || call_id.size() > longest_call_id) return;
    std::string id(call_id);
    const auto found = traced_.find(id);
    message.text = masked(raw);
    if (found == traced_.end()) {
        unclaimed_.emplace(std::move(id), std::move(message));
        return;
    }
    if (const std::shared_ptr<Session> session = found->second.lock())
        session->trace(std::move(message));
    else
        traced_.erase(found);
}

void Signalling::trace_as(const std::shared_ptr<Session>& session, const std::string& call_id) {
    // A session that ended keeps its entry for the answers that follow; the dead ones go when there are many.
    if (traced_.size() > 2 * sessions_.size() + 64)
        std::erase_if(traced_, [](const auto& entry) { return entry.second.expired(); });
    traced_[call_id] = session;
    if (unclaimed_ && unclaimed_->first == call_id)
        session->trace(std::exchange(unclaimed_, std::nullopt)->second);
}

void Signalling::remove(const Session& session) {
    if (!session.call_id().empty()) {
        sessions_.erase(session.call_id());
        return;
    }
    sessions_.erase(provisional_key(session));
}

bool Signalling::name_session(const Session& session, const std::string& call_id) {
    auto entry = sessions_.extract(provisional_key(session));
    if (entry.empty()) return false;
    if (!sessions_.contains(call_id)) entry.key() = call_id;
    return sessions_.insert(std::move(entry)).position->first == call_id;
}

void Signalling::reap(jf_op op, const LegState& leg, Reaped done) {
    auto reap = std::make_unique<Reap>(Reap{*this, op, std::move(done)});
    std::string headers;
    for (const std::string& route : leg.routes) headers += "Route: " + route + "\r\n";
    headers += "To: " + leg.to + "\r\nFrom: " + leg.from + "\r\nCall-ID: " + leg.call_id +
               "\r\nCSeq: " + std::to_string(leg.cseq) + " BYE\r\nReason: Q.850;cause=41\r\n";
    std::string hop = leg.next_hop;
    if (hop.empty() && !leg.routes.empty()) {
        struct sip_addr route;
        const struct pl first = pl_of(leg.routes.front());
        if (sip_addr_decode(&route, &first) == 0) hop = view(route.auri);
    }
    if (hop.empty()) hop = leg.target;
    struct uri next_hop;
    const struct pl hop_text = pl_of(hop);
    const auto on_response = [](int problem, const struct sip_msg* msg, void* arg) {
        if (msg && msg->scode < 200) return;
        const std::unique_ptr<Reap> self(static_cast<Reap*>(arg));
        self->owner.reaps_.erase(self->op);
        // Any answer will do: 481 says that the far end has no such call any more.
        self->done(problem ? JF_E_TIMEOUT : JF_OK,
                   problem ? "the far end didn't answer the BYE" : "");
    };
    int problem = uri_decode(&next_hop, &hop_text);
    if (!problem)
        problem = sip_requestf(&reap->request,
                               sip_,
                               true,
                               "BYE",
                               leg.target.c_str(),
                               &next_hop,
                               nullptr,
                               nullptr,
                               on_response,
                               reap.get(),
                               "%sContent-Length: 0\r\n\r\n",
                               headers.c_str());
    if (problem) {
        reap->done(JF_E_PEER_LOST,
                   std::string("the far end can't be reached: ") + std::strerror(problem));
        return;
    }
    reaps_[op] = reap.release();
}

void Signalling::cancel_reap(jf_op op) {
    const auto found = reaps_.find(op);
    if (found == reaps_.end()) return;
    const std::unique_ptr<Reap> reap(found->second);
    reaps_.erase(found);
    mem_deref(reap->request);
    reap->done(JF_E_CANCELLED, {});
}

}  // namespace jackfield::sip
