#pragma once

// One SIP stack: the listeners of one instance, what comes in on them before it belongs to a call,
// and the calls' sessions.

#include "config.hpp"
#include "digest_server.hpp"
#include "guard.hpp"
#include "leg_state.hpp"
#include "libre.hpp"
#include "loop.hpp"
#include "session.hpp"
#include "tls.hpp"
#include "registrar.hpp"
#include "registration.hpp"
#include "trunks.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <unordered_map>

namespace jackfield::sip {

/// A new call, as the driver offers it to the host. Views into the message, valid during the offer.
struct NewCall {
    std::shared_ptr<Session> session;
    std::string from;
    std::string from_name;
    std::string to;
    std::vector<std::string> keys;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string leg_state;
    std::optional<Agreement> agreement;  // none: the INVITE made no offer
    jf_endpoint local{};                 // our address as the far end sees it, without a port
    jf_endpoint bind{};                  // where the media socket belongs
};

class Signalling {
  public:
    /// Offers a call to the host; on OK the session's events are set.
    using OfferCall = std::function<jf_status(NewCall&)>;

    Signalling(sdk::Host host, const Options& options, OfferCall offer);
    /// Hangs up what is left, waits a moment for the answers, closes the sockets.
    ~Signalling();
    Signalling(const Signalling&) = delete;

    /// Binds every listener; returns when all receive. Throws sdk::Failure, which says which
    /// address and why.
    void start();
    const std::vector<Listen>& bound() const { return bound_; }

    /// Any thread: runs on the loop's thread, in order.
    void post(std::function<void()> task) { loop_->post(std::move(task)); }
    void quiesce() { quiescing_ = true; }

    /// Our address that a far end by way of `first_hop` (a SIP URI) can reach, and where to bind a
    /// media socket. Any thread.
    void local_for(std::string_view first_hop, jf_endpoint& local, jf_endpoint& bind) const;

    // The rest on the loop's thread only.
    std::shared_ptr<Session> make_session();
    void dial(const std::shared_ptr<Session>& session, const DialRequest& request);
    void remove(const Session& session);
    /// The answer to a call that we placed tells its Call-ID: from now on a BYE finds it. False: that Call-ID is taken.
    bool name_session(const Session& session, const std::string& call_id);
    /// Sends the BYE of a leg of an earlier life; `done` once, with why it couldn't when there is a
    /// reason.
    using Reaped = std::function<void(jf_status, const std::string& why)>;
    void reap(jf_op op, const LegState& leg, Reaped done);
    void cancel_reap(jf_op op);
    struct sip* stack() const {
        return sip_;
    }
    struct sipsess_sock* sessions_socket() const {
        return socket_;
    }
    void* credentials() const { return credentials_; }
    /// A request to `uri` is about to be made: should it open a TLS connection, then for that name.
    void expect_tls(std::string_view uri) const;
    /// What is offered and taken on a leg whose signalling is encrypted, or isn't.
    MediaPolicy media_policy(bool encrypted) const;
    MediaPolicy media_policy_towards(std::string_view uri) const {
        return media_policy(transport_towards(uri) == Transport::tls);
    }
    std::unique_ptr<Renegotiation> make_renegotiation(OfferAnswer& owner) {
        return std::make_unique<Renegotiation>(owner, sender(), options_.session_expires_s, options_.session_min_se_s);
    }
    std::uint64_t now_ns() const { return host_.now_ns(); }
    Sender sender() const;
    bool answers_to_source() const { return options_.symmetric_signalling; }
    bool accepts_refer() const { return options_.trunk.accept_refer; }
    static int on_credentials(char** username,
                              char** password,
                              const char* realm,
                              void* credentials);
    void count(std::string_view name) const;
    /// The session whose messages have this Call-ID, before it is known by that name as well.
    void trace_as(const std::shared_ptr<Session>& session, const std::string& call_id);
    /// What a call by way of this trunk has shown of it.
    void note_trunk(const std::string& proxy, bool answered, const std::string& why);
    std::string contact_towards(std::string_view own_uri,
                                const std::string& hop,
                                const jf_endpoint& local) const;

    // Any thread.
    /// The trunks in the order in which a call tries them; none: there are none.
    std::vector<std::string> trunk_order() const { return trunks_.order(); }
    /// Where a user's phone is; none: nobody is registered by that name.
    std::optional<std::string> reach_user(std::string_view name) const;

    static const char* allowed_methods();

  private:
    /// What a UDP listener passes its datagrams through, before the library looks at them.
    struct Filter {
        Signalling& owner;
        jf_endpoint address;  // as configured; may be any
        jf_endpoint named;    // what the stack believes to be bound to
        struct udp_helper* helper = nullptr;
        struct udp_sock* socket = nullptr;  // the stack's
    };
    struct Reap;

    void bind_all();
    void bind(const Listen& listen);
    void probe();
    bool on_request(const struct sip_msg* msg);
    bool on_unhandled(const struct sip_msg* msg);
    bool on_probe(const struct sip_msg* msg);
    bool on_change(const struct sip_msg* msg);
    bool on_response(const struct sip_msg* msg);
    Transport transport_towards(std::string_view uri) const;
    void check_tls_name(const struct sa* from, std::string_view message);
    bool on_notify(const struct sip_msg* msg);
    bool is_trusted(const jf_endpoint& source) const;
    bool may_send(const jf_endpoint& source) const;
    bool is_unwanted(const jf_endpoint& source, const struct sip_msg* msg);
    bool is_authorized(const struct sip_msg* msg, std::string& user);
    bool authorize(const struct sip_msg* msg, std::string& user);
    void on_register(const struct sip_msg* msg);
    void note_trunk_change(const Trunks::Change& change);
    void begin_service();
    void end_service();
    void note_cancel(std::string_view message);
    void note_drop(std::string_view why, const jf_endpoint& source);
    std::uint64_t now_ms() const { return host_.now_ns() / 1'000'000; }
    bool well_formed(const struct sip_msg* msg) const;
    void on_invite(const struct sip_msg* msg);
    void refuse(const struct sip_msg* msg,
                std::uint16_t status,
                const char* reason,
                const std::string& headers = {});
    bool require_is_met(const struct sip_msg* msg);
    std::shared_ptr<Session> replaced_by(const struct sip_msg* msg, bool& refused);
    int filter(Filter& filter, struct udp_sock* socket);
    jf_endpoint listener_of(const struct sip_msg* msg) const;
    bool drop_datagram(const jf_endpoint& from, struct mbuf* mb);
    void name_our_address(const Filter& filter, const struct sa* to, struct mbuf* mb) const;
    std::string contact(std::string_view user, Transport transport, const jf_endpoint& local) const;
    jf_endpoint local_facing(const jf_endpoint& listener, const jf_endpoint& remote) const;
    void hang_up_everything();
    void close_everything();

    sdk::Host host_;
    Options options_;
    OfferCall offer_;
    const jf_host_metrics_v1* metrics_ = nullptr;
    std::shared_ptr<Loop> loop_;
    std::vector<Listen> bound_;
    std::atomic<bool> quiescing_ = false;

    std::unique_ptr<Tls> tls_;  // null: no listener wants it
    struct sip* sip_ = nullptr;
    struct dnsc* dns_ = nullptr;
    struct sip_lsnr* gate_ = nullptr;
    struct sip_lsnr* last_ = nullptr;
    struct sip_lsnr* last_response_ = nullptr;
    struct sip_lsnr* first_response_ = nullptr;
    struct sipsess_sock* socket_ = nullptr;
    void* credentials_ = nullptr;
    std::vector<std::unique_ptr<Filter>> filters_;
    std::string probe_id_;
    std::size_t unfiltered_ = 0;
    std::promise<int>* filtered_ = nullptr;
    std::promise<void> closed_;
    bool closing_ = false;
    bool exited_ = false;

    std::unordered_map<std::string, std::shared_ptr<Session>> sessions_;  // by Call-ID
    std::map<jf_op, Reap*> reaps_;

    void trace(TracedMessage message, std::string_view raw);
    std::unordered_map<std::string, std::weak_ptr<Session>> traced_;  // by Call-ID
    std::optional<std::pair<std::string, TracedMessage>> unclaimed_;  // the last message that belongs to no call (yet)

    FloodGuard flood_;
    Strikes strikes_;
    DigestServer digest_;
    Registrar registrar_;
    Trunks trunks_;
    std::unique_ptr<Registration> registration_;
    std::uint64_t drops_ = 0;  // since the last line in the log
    std::uint64_t drops_logged_ms_ = 0;
};

}  // namespace jackfield::sip
