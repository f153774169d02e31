#pragma once

// One call's SIP side: an INVITE that came or one that we sent, up to its BYE. Everything here runs
// on the loop's thread.

#include "causes.hpp"
#include "dtmf.hpp"
#include "leg_state.hpp"
#include "libre.hpp"
#include "sdp.hpp"

namespace jackfield::sip {

class Signalling;

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
    /// The last event, unless hang_up() or refuse() came before.
    virtual void on_ended(End end) = 0;
};

struct DialRequest {
    std::string to;         // SIP URI
    std::string from;       // SIP URI
    std::string from_name;  // may be empty
    std::string headers;    // complete lines
    LocalMedia local;
};

class Session : public std::enable_shared_from_this<Session> {
  public:
    Session(Signalling& signalling, std::string call_id)
        : signalling_(signalling), call_id_(std::move(call_id)) {}
    ~Session();
    Session(const Session&) = delete;

    const std::string& call_id() const { return call_id_; }
    void set_events(std::shared_ptr<SessionEvents> events) { events_ = std::move(events); }
    bool belongs(const struct sip_msg* msg) const;

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
    /// A BYE of the far end's is about to be handled; its Reason says why.
    void note_bye(std::uint32_t q850);

  private:
    static int on_offer_handler(struct mbuf** desc, const struct sip_msg* msg, void* self);
    static int on_answer_handler(const struct sip_msg* msg, void* self);

    int on_offer(struct mbuf** desc, const struct sip_msg* msg);
    int on_answer(const struct sip_msg* msg);
    void on_progress(const struct sip_msg* msg);
    void on_established(const struct sip_msg* msg);
    void on_info(struct sip* sip, const struct sip_msg* msg);
    void on_close(int error, const struct sip_msg* msg);
    void on_cancel();
    void ended(End end);
    void forget();
    void agreed(const Agreement& agreement);
    void report_leg_state(const struct sip_msg* msg);
    std::string render(const std::function<std::string(const LocalMedia&)>& write);

    Signalling& signalling_;
    std::string call_id_;
    std::shared_ptr<SessionEvents> events_;
    std::string contact_;
    Ref<struct sip_msg> invite_;  // until the answer
    struct sip_strans* transaction_ = nullptr;
    struct sipsess* sess_ = nullptr;
    std::optional<SdpSession> offer_;
    std::optional<Agreement> agreement_;
    LocalMedia local_;
    std::string described_;  // our last description
    Direction ours_ = Direction::sendrecv;
    bool outgoing_ = false;
    bool established_ = false;
    bool bye_ = false;
    bool rang_ = false;
    std::uint32_t bye_q850_ = 0;
};

}  // namespace jackfield::sip
