#pragma once

// One leg of a call as the host sees it. Lives on the strand of its op; the session's events cross
// over from the loop's thread through post().

#include "media.hpp"
#include "session.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <mutex>

namespace jackfield::sip {

class Driver;

class Leg final : public SessionEvents, public std::enable_shared_from_this<Leg> {
  public:
    Leg(Driver& driver,
        std::shared_ptr<Session> session,
        const jf_endpoint& local,
        const jf_endpoint& bind);

    void set_op(jf_op op) { op_ = op; }
    /// The driver goes: nothing happens here any more.
    void orphan() { state_ = State::ended; }
    void offer(const std::optional<Agreement>& agreement) { offered_ = agreement; }

    // The host's calls, on the strand.
    jf_status answer(const jf_answer& options);
    void dial(DialRequest request, const jf_answer& media, std::uint32_t ring_timeout_ms);
    jf_status control(const jf_telephony_control& control);
    void hang_up(std::uint32_t cause, jf_status status = JF_OK);
    jf_status send(const jf_frame& frame) { return media_.send(frame); }

    // Those of a call to the far end's successor, on the loop's thread.
    void on_succeeded(std::shared_ptr<Session> by, const Agreement& agreement, std::string leg_state);
    void on_not_succeeded();

    // The session's, on the loop's thread.
    void on_ringing(bool early_media) override;
    void on_agreement(const Agreement& agreement) override;
    void on_leg_state(std::string state) override;
    void on_established() override;
    void on_timer(std::uint64_t at_ns) override;
    void on_key(KeyPress key) override;
    void on_message(TracedMessage message) override;
    void on_transferred(bool worked, unsigned status) override;
    void on_transfer_asked(std::string target, std::string referred_by) override;
    void on_replaced(std::shared_ptr<Session> by,
                     std::optional<Agreement> agreement,
                     std::string leg_state) override;
    void on_ended(End end) override;

    /// Any thread.
    std::shared_ptr<Session> session() const {
        const std::lock_guard lock(inbox_mutex_);
        return session_;
    }

  private:
    enum class State { offered, answering, dialing, up, ended };

    void post(std::function<void()> task);
    void post_if_open(std::function<void()> task);
    void drain();
    bool after(std::uint64_t delay_ns, std::function<void()> task);
    void abandon();

    jf_status open_media();
    LocalMedia local_media() const;
    void agreed(const Agreement& agreement);
    void established();
    void finish(const End& end, jf_status status);
    void arm();
    void on_tick();
    void send_keys();
    jf_status transfer(const jf_telephony_control& control);
    void call_instead(const std::string& target, const std::string& referred_by);
    void drop_successor();
    std::uint64_t watchdog_at() const;

    Driver& driver_;
    sdk::Host host_;
    const jf_host_timer_v1* timer_;
    std::shared_ptr<Session> session_;
    jf_endpoint local_;
    jf_endpoint bind_;
    jf_op op_ = JF_NO_OP;

    mutable std::mutex inbox_mutex_;  // of the inbox, and of a change of session_
    std::vector<std::function<void()>> inbox_;
    bool draining_ = false;

    State state_ = State::offered;
    Media media_;
    std::optional<Agreement> offered_;
    jf_answer limits_{};
    std::uint64_t established_ns_ = 0;
    std::uint64_t resumed_ns_ = 0;
    std::uint64_t ring_deadline_ns_ = 0;
    std::uint64_t quality_ns_ = 0;
    std::uint64_t session_ns_ = 0;  // when the session wants to be woken
    std::uint64_t timer_generation_ = 0;
    bool held_ = false;
    bool sending_keys_ = false;
    bool hanging_up_ = false;
    std::string dialled_;  // the URI, of a call that we placed
    bool transferring_ = false;
    std::shared_ptr<Session> successor_;  // is being called in the place of the far end
    std::string successor_uri_;
    std::optional<End> end_;              // of the far end, that successor_ may still avert
};

}  // namespace jackfield::sip
