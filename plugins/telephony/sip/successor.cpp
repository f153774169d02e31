// A far end that asks us to call somebody else in its place (RFC 3515): the call to that one, and
// the leg's move to it.

#include "driver.hpp"
#include "leg.hpp"

namespace jackfield::sip {
namespace {

/// Stands between the new call and the leg until it is answered. On the loop's thread.
class Successor final : public SessionEvents, public std::enable_shared_from_this<Successor> {
  public:
    Successor(std::shared_ptr<Leg> leg,
              std::shared_ptr<Session> old,
              std::shared_ptr<Session> session)
        : leg_(std::move(leg)), old_(std::move(old)), session_(std::move(session)) {}

    void on_message(TracedMessage message) override { leg_->on_message(std::move(message)); }
    void on_ringing(bool) override {
        if (!std::exchange(rang_, true)) old_->report_transfer(180);
    }
    void on_agreement(const Agreement& agreement) override { agreement_ = agreement; }
    void on_leg_state(std::string state) override { leg_state_ = std::move(state); }
    void on_established() override {
        const std::shared_ptr<Successor> self = shared_from_this();
        if (!agreement_) return;
        const std::shared_ptr<Session> session = std::move(session_);
        session->set_events(leg_);
        leg_->on_succeeded(session, *agreement_, std::move(leg_state_));
        leg_->on_timer(timer_ns_);
        old_->report_transfer(200);
        old_->leave_leg();
    }
    void on_ended(End end) override {
        session_.reset();
        old_->report_transfer(end.status >= 300 ? end.status : 503);
        leg_->on_not_succeeded();
    }
    void on_timer(std::uint64_t at_ns) override { timer_ns_ = at_ns; }
    void on_key(KeyPress) override {}
    void on_transferred(bool, unsigned) override {}
    void on_transfer_asked(std::string, std::string) override {}
    void on_replaced(std::shared_ptr<Session>, std::optional<Agreement>, std::string) override {}

  private:
    std::shared_ptr<Leg> leg_;
    std::shared_ptr<Session> old_;
    std::shared_ptr<Session> session_;
    std::optional<Agreement> agreement_;
    std::string leg_state_;
    std::uint64_t timer_ns_ = 0;
    bool rang_ = false;
};

}  // namespace

std::shared_ptr<Session> Driver::call_instead(const std::shared_ptr<Leg>& leg,
                                              const std::shared_ptr<Session>& old,
                                              const std::string& target,
                                              const std::string& referred_by,
                                              const LocalMedia& local,
                                              unsigned& status) {
    DialRequest request;
    try {
        set_target(request, address_to_dial(target));
        check_policy(request.to);
    } catch (const sdk::Failure& refused) {
        status = refused.code() == JF_E_INVALID ? 404 : 403;
        return nullptr;
    }
    request.first_hops = signalling_.trunk_order();
    request.from = old->own_uri();
    if (!referred_by.empty()) request.headers += "Referred-By: " + referred_by + "\r\n";
    request.local = local;
    const std::shared_ptr<Session> session = signalling_.make_session();
    signalling_.post([this, leg, old, session, request = std::move(request)] {
        session->set_events(std::make_shared<Successor>(leg, old, session));
        signalling_.dial(session, request);
    });
    return session;
}

void Leg::call_instead(const std::string& target, const std::string& referred_by) {
    if (state_ != State::up || successor_) return;
    unsigned status = 0;
    successor_ = driver_.call_instead(
        shared_from_this(), session_, target, referred_by, local_media(), status);
    if (successor_) {
        successor_uri_ = target;
        return;
    }
    driver_.signalling().post([session = session_, status] { session->report_transfer(status); });
}

void Leg::drop_successor() {
    if (const std::shared_ptr<Session> dropped = std::exchange(successor_, nullptr))
        driver_.signalling().post([dropped] { dropped->hang_up(JF_CAUSE_NORMAL); });
}

void Leg::on_succeeded(std::shared_ptr<Session> by,
                       const Agreement& agreement,
                       std::string leg_state) {
    post([this, by = std::move(by), agreement, state = std::move(leg_state)] {
        {
            const std::lock_guard lock(inbox_mutex_);
            session_ = by;
        }
        successor_.reset();
        dialled_ = successor_uri_;
        end_.reset();
        transferring_ = false;
        if (!state.empty()) (void)host_.emit(op_, JF_EV_LEG_STATE, sdk::bytes(state));
        agreed(agreement);
    });
}

void Leg::on_not_succeeded() {
    post([this] {
        successor_.reset();
        // The one who asked has gone meanwhile: there is nobody left.
        if (end_) finish(*end_, JF_OK);
    });
}

}  // namespace jackfield::sip
