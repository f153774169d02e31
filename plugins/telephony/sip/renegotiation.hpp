#pragma once

// What happens to a session between its answer and its end: re-INVITE and UPDATE (RFC 3311), both
// ways, and the session timer that they keep alive. The library has no UPDATE, and no way to put a
// header into its re-INVITEs, nor into its answers to those; so both are made here, within its
// dialog. On the loop's thread.

#include "causes.hpp"
#include "libre.hpp"
#include "request.hpp"
#include "session_timer.hpp"

namespace jackfield::sip {

TimerTerms timer_terms(const struct sip_msg* msg);
/// What of a request's Require we don't have, as a list for Unsupported; empty: all is well.
std::string unmet_requirements(const struct sip_msg* msg, bool with_replaces);

/// Whose session it is.
class OfferAnswer {
  public:
    virtual ~OfferAnswer() = default;
    /// Our side's description as it shall be.
    virtual std::string offer_now() = 0;
    /// The answer to the offer of a request, which takes effect; nothing: 488.
    virtual std::optional<std::string> answer_to(const struct sip_msg* msg) = 0;
    /// The answer to an offer of ours takes effect. False: it can't.
    virtual bool take_answer(const struct sip_msg* msg) = 0;
    /// An offer of ours was refused: all is as before.
    virtual void offer_refused() = 0;
    /// on_wake() is wanted at that time of the host's, 0 never.
    virtual void wake_at(std::uint64_t ns) = 0;
    virtual std::uint64_t now_ns() const = 0;
    /// The session can't go on. The callee drops this object.
    virtual void lost(End end) = 0;
};

class Renegotiation {
  public:
    Renegotiation(OfferAnswer& owner,
                  const Sender& sender,
                  std::uint32_t session_expires_s,
                  std::uint32_t min_se_s);
    ~Renegotiation();
    Renegotiation(const Renegotiation&) = delete;

    SessionTimer& timer() { return timer_; }
    /// The session is there: in `dialog`, with `contact` as our address. Where the far end's own
    /// Contact isn't used, it doesn't `move` with later ones either.
    void begin(struct sip_dialog* dialog, std::string contact, bool owner_of_call_id, bool moves);
    /// What the far end can do, from its INVITE or its 2xx.
    void learn(const struct sip_msg* far);

    // Of the far end, within the dialog.
    void on_invite(const struct sip_msg* msg);
    void on_update(const struct sip_msg* msg);
    /// False: it is for an answer of the library's.
    bool on_ack(const struct sip_msg* msg);
    /// A 2xx that comes again because our ACK was lost. False: it isn't to an INVITE from here.
    bool on_repeated_answer(const struct sip_msg* msg);

    /// A re-INVITE with what offer_now() says, as soon as nothing else is under way.
    void offer();
    void on_wake();

  private:
    /// Our 200 to an INVITE, repeated until its ACK comes.
    struct Answered {
        Ref<struct sip_msg> request;
        Ref<struct mbuf> message;
        std::uint32_t cseq = 0;
        unsigned sent = 1;
        bool with_offer = false;  // the answer comes in the ACK
    };
    bool acceptable(const struct sip_msg* msg);
    void answer(const struct sip_msg* msg, const std::string& description, bool with_offer);
    void repeat_answer();
    void send_offer();
    void send_update();
    void on_response(int problem, const struct sip_msg* response, bool with_offer);
    void acknowledge(std::uint32_t cseq);
    void follow(const struct sip_msg* msg);
    void plan();
    std::string request_headers(bool with_description) const;

    OfferAnswer& owner_;
    Sender sender_;
    SessionTimer timer_;
    Ref<struct sip_dialog> dialog_;
    std::string contact_;
    bool owner_of_call_id_ = false;
    bool moves_ = true;
    bool far_has_update_ = false;
    std::unique_ptr<Request> request_;
    bool request_has_offer_ = false;
    bool offer_waits_ = false;
    std::uint32_t acknowledged_ = 0;  // CSeq of our last INVITE that was answered with 2xx
    std::optional<Answered> answered_;
    struct tmr repeat_ {};
    struct tmr retry_ {};
};

}  // namespace jackfield::sip
