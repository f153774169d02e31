#pragma once

// The instance: from the host's calls to legs, and from the stack's to the host.

#include "config.hpp"
#include "leg.hpp"
#include "op_table.hpp"
#include "signalling.hpp"

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/telephony.h>

#include <mutex>
#include <unordered_map>
#include <unordered_set>

namespace jackfield::sip {

class Driver {
  public:
    static std::unique_ptr<Driver> create(sdk::Host host, const sdk::Config& config);
    Driver(sdk::Host host, Options options);
    ~Driver();

    void start(jf_op op);
    void quiesce(jf_op op, std::uint32_t budget_ms);
    const void* query(std::string_view interface_id) const;
    jf_status cancel(jf_op op);

    // jf.telephony/1
    void dial(jf_op op, const jf_dial& dial, const jf_answer& media);
    /// The leg of an op, null when it isn't (or no longer) one of ours.
    Leg* leg(jf_op op);
    /// As leg(), for the media class: no lock, also when there is none.
    Leg* leg_for_media(jf_op op) const { return table_.find(op); }
    void reap(jf_op op, std::string_view leg_state);
    /// The call behind another leg's op, null when there is none.
    std::shared_ptr<Session> session_of(jf_op op);
    /// A SIP URI for what the host wants a far end to be sent to. Throws sdk::Failure.
    std::string address_to_transfer_to(std::string_view to);
    /// Calls `target` for a leg whose far end asks for it; null when that can't be, and then `status`
    /// says what the far end hears.
    std::shared_ptr<Session> call_instead(const std::shared_ptr<Leg>& leg,
                                          const std::shared_ptr<Session>& old,
                                          const std::string& target,
                                          const std::string& referred_by,
                                          const LocalMedia& local,
                                          unsigned& status);
    /// A call to this URI has lasted that long.
    void talked(std::string_view uri, std::uint64_t duration_ms);

    sdk::Host host() const { return host_; }
    const jf_host_timer_v1* timer() const { return timer_; }
    const Options& options() const { return options_; }
    Signalling& signalling() { return signalling_; }
    void forget(jf_op op);

  private:
    jf_status offer(NewCall& call);
    void set_target(DialRequest& request, const std::string& to) const;
    void check_policy(std::string_view uri);
    bool enter(jf_op op, const std::shared_ptr<Leg>& leg);
    std::string address_to_dial(std::string_view to) const;
    std::optional<std::string> registered_user(std::string_view to) const;
    std::string own_address(std::string_view from, const jf_endpoint& local) const;
    void finish_quiesce(jf_status status);

    sdk::Host host_;
    Options options_;
    const jf_host_timer_v1* timer_;
    const jf_host_calls_v1* calls_;
    bool started_ = false;

    // Held while the host is told of a call whose op this table doesn't have yet: whoever looks for
    // that op waits here.
    std::mutex offering_;
    std::mutex mutex_;
    OpTable<Leg> table_;
    std::unordered_map<jf_op, std::shared_ptr<Leg>> legs_;
    std::unordered_set<jf_op> reaps_;
    jf_op quiesce_ = JF_NO_OP;

    DialPolicy dial_policy_;
    Signalling signalling_;  // last: its end waits for what may still call the above
};

}  // namespace jackfield::sip
