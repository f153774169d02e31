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

    sdk::Host host() const { return host_; }
    const jf_host_timer_v1* timer() const { return timer_; }
    const Options& options() const { return options_; }
    Signalling& signalling() { return signalling_; }
    void forget(jf_op op);

  private:
    jf_status offer(NewCall& call);
    bool enter(jf_op op, const std::shared_ptr<Leg>& leg);
    std::string address_to_dial(std::string_view to) const;
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

    Signalling signalling_;  // last: its end waits for what may still call the above
};

}  // namespace jackfield::sip
