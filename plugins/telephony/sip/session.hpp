#pragma once

// One call's SIP side: an INVITE that came or one that we sent, up to its BYE. Everything here runs
// on the loop's thread.

#include "causes.hpp"
#include "dtmf.hpp"
#include "leg_state.hpp"
#include "libre.hpp"
#include "renegotiation.hpp"
#include "sdp.hpp"
#include "transfer.hpp"

namespace jackfield::sip {

class Signalling;

/// A SIP message that came or went, its secrets masked.
struct TracedMessage {
    bool out = false;
    std::uint32_t transport = 0;  // JF_SIGNALLING_*
    std::uint64_t at_ns = 0;
    jf_endpoint local{};
    jf_endpoint remote{};
    std::string text;
};

class Session;

/// What a session tells its leg. Called on the loop's thread; the leg crosses to its strand by
/// itself.
class SessionEvents {
  public:
    virtual ~SessionEvents() = default;
    virtual void on_ringing(bool early_media) = 0;
    /// Where and how media goes, for the first time or anew.
    virtual void on_agreement(const Agreement& agreement) = 0;
    virtual void on_leg_state(std::string state) = 0;
    virtual void on_established() = 0;
    virtual void on_key(KeyPress key) = 0;
    virtual void on_message(TracedMessage message) = 0;
    /// Session::wake() is wanted at that time of the host's, instead of what was said before; 0 never.
    virtual void on_timer(std::uint64_t at_ns) = 0;
    /// What became of transfer(); not when it couldn't be asked for because the call is over.
    virtual void on_transferred(bool worked, unsigned status) = 0;
    /// The far end asks us to call `target`, and has been told that we will.
    virtual void on_transfer_asked(std::string target, std::string referred_by) = 0;
    /// The far end is at another dialog from now on (RFC 3891): `by` has taken its INVITE and waits for
    /// answer().
    virtual void on_replaced(std::shared_ptr<Session> by,
                             std::optional<Agreement> agreement,
                             std::string leg_state) = 0;
    /// The last event, unless hang_up() or refuse() came before.
    virtual void on_ended(End end) = 0;
};

struct DialRequest {
    std::string to;         // SIP URI
    std::string from;       // SIP URI
    std::string from_name;  // may be empty
    std::string headers;    // complete lines
    std::vector<std::string> first_hops;  // SIP URIs, tried in order; none: straight to `to`
    LocalMedia local;
};

class Session : public std::enable_shared_from_this<Session>, private OfferAnswer {
  public:
    Session(Signalling& signalling, std::string call_id)
        : signalling_(signalling), call_id_(std::move(call_id)) {}
    ~Session() override;
    Session(const Session&) = delete;

    const std::string& call_id() const { return call_id_; }
    void set_events(std::shared_ptr<SessionEvents> events);
    void trace(TracedMessage message);
    /// What the library chose, from dial() on.
    std::string dialled_call_id() const;
    bool belongs(const struct sip_msg* msg) const;

    /// First of all: what may be agreed on, and our own keys for it, which go into `agreement` where there is one. False: no keys.
    bool prepare(const MediaPolicy& policy, std::optional<Agreement>& agreement);
    /// A call of ours that can't even be sent.
    void fail(const std::string& why);

    /// Takes a new INVITE: sends 100 and waits for ring(), answer() or refuse(). False: there is no
    /// memory for it.
    bool take(const struct sip_msg* msg,
              std::string contact,
              std::optional<SdpSession> offer,
              std::optional<Agreement> agreement);
    void ring();
    void answer(LocalMedia local);
    void refuse(std::uint32_t cause);

    void dial(const DialRequest& request, const std::string& contact);

    /// BYE, CANCEL or a refusal, as the state demands. No event follows.
    void hang_up(std::uint32_t cause);
    /// Puts the far end on hold, or takes it back (re-INVITE).
    void hold(bool on);
    /// The time of on_timer() has come.
    void wake();
    // Within the dialog, of the far end. False: it is the library's to answer.
    bool on_reinvite(const struct sip_msg* msg);
    bool on_update(const struct sip_msg* msg);
    bool on_ack(const struct sip_msg* msg);
    bool on_repeated_answer(const struct sip_msg* msg);
    /// Asks the far end to call `refer_to` instead, a Refer-To's value; on_transferred() follows.
    void transfer(const std::string& refer_to);
    /// How the transfer that the far end asked for goes.
    void report_transfer(unsigned status);
    /// A NOTIFY within this dialog. False: it isn't about a transfer of ours.
    bool on_notify(const struct sip_msg* msg);
    /// None before the dialog is there.
    const DialogName& dialog_name() const { return name_; }
    bool established() const { return established_; }
    bool has_leg() const { return events_ != nullptr; }
    /// Who we are in this call: a SIP URI.
    const std::string& own_uri() const { return own_uri_; }
    /// Another session has the leg now: this one ends without a word to it.
    void leave_leg() {
        events_.reset();
        hang_up(JF_CAUSE_NORMAL);
    }
    /// Gives the leg to `by`, which has taken an INVITE that replaces this dialog, and hangs up.
    void give_way_to(const std::shared_ptr<Session>& by,
                     const std::optional<Agreement>& agreement,
                     std::string leg_state);
    /// A BYE of the far end's is about to be handled; its Reason says why.
    void note_bye(std::uint32_t q850);
    /// Likewise a CANCEL.
    void note_cancel(std::uint32_t q850) { cancel_q850_ = q850; }

  private:
    static int on_offer_handler(struct mbuf** desc, const struct sip_msg* msg, void* self);
    static int on_answer_handler(const struct sip_msg* msg, void* self);

    std::string offer_now() override;
    std::optional<std::string> answer_to(const struct sip_msg* msg) override;
    bool take_answer(const struct sip_msg* msg) override;
    void offer_refused() override;
    void wake_at(std::uint64_t ns) override;
    std::uint64_t now_ns() const override;
    void lost(End end) override;
    bool try_a_longer_interval(const struct sip_msg* msg);
    void drop_attempt();

    int on_offer(struct mbuf** desc, const struct sip_msg* msg);
    int on_answer(const struct sip_msg* msg);
    void on_progress(const struct sip_msg* msg);
    void on_established(const struct sip_msg* msg);
    void on_info(struct sip* sip, const struct sip_msg* msg);
    void on_refer(struct sip* sip, const struct sip_msg* msg);
    void on_close(int error, const struct sip_msg* msg);
    void on_cancel();
    void ended(End end);
    void forget();
    void agreed(const Agreement& agreement);
    Offered offered() const;
    void add_own_keys(Agreement& agreement) const;
    bool try_again_in_the_clear(unsigned status);
    void invite();
    bool try_next_hop(int error, const struct sip_msg* msg);
    const std::string& hop() const {
        return hop_ < request_.first_hops.size() ? request_.first_hops[hop_] : request_.to;
    }
    void report_leg_state(const struct sip_msg* msg);
    std::string render(const std::function<std::string(const LocalMedia&)>& write);

    Signalling& signalling_;
    std::string call_id_;
    std::shared_ptr<SessionEvents> events_;
    std::weak_ptr<SessionEvents> watcher_;  // who hears of messages, also of the last ones
    std::vector<TracedMessage> untold_;  // what came and went before there was a leg
    std::string contact_;
    std::string far_contact_;  // instead of the one that came; outlives the message that shows it
    Ref<struct sip_msg> invite_;  // until the answer
    struct sip_strans* transaction_ = nullptr;
    struct sipsess* sess_ = nullptr;
    std::optional<SdpSession> offer_;
    std::optional<Agreement> agreement_;
    LocalMedia local_;
    MediaPolicy policy_;
    OwnKeys own_keys_;
    bool offer_keys_ = false;
    DialRequest request_;  // of a call that we place
    std::size_t hop_ = 0;
    bool progressed_ = false;  // somebody has answered, if only with 100
    struct tmr hop_patience_{};
    std::string described_;  // our last description
    Direction ours_ = Direction::sendrecv;
    Direction ours_before_ = Direction::sendrecv;  // what stands, should an offer of ours be refused
    bool outgoing_ = false;
    bool established_ = false;
    bool bye_ = false;
    bool rang_ = false;
    std::uint32_t bye_q850_ = 0;
    std::uint32_t cancel_q850_ = 0;
    DialogName name_;
    std::string own_uri_;  // who we are in this call, without a tag
    std::unique_ptr<Renegotiation> changes_;
    std::unique_ptr<Transfer> transfer_;
    std::unique_ptr<TransferAsked> transfer_asked_;
    std::shared_ptr<Session> replaced_;  // is hung up when we have answered, or can't
};

}  // namespace jackfield::sip
