#pragma once

#include <jackfield/host.h>
#include <jackfield/sdk/plugin.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config.hpp"
#include "leg.hpp"

namespace jackfield::telephony_sim {

constexpr unsigned no_line = ~0u; ///< of a leg that belongs to none

/// The instance: lines that call again and again or calls that are written down, and legs that the host dials.
class Carrier {
  public:
    static std::unique_ptr<Carrier> create(sdk::Host host, const sdk::Config& config);
    Carrier(sdk::Host host, Options options);

    void start(jf_op op);
    void quiesce(jf_op op, std::uint32_t budget_ms);
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);

    jf_status dial(jf_op op, std::string_view to, const jf_answer& media);
    /// Null: no leg of ours, or one that is over.
    std::shared_ptr<Leg> leg(jf_op op);

    // For legs.
    const sdk::Host& host() const { return host_; }
    const Options& options() const { return options_; }
    jf_op start_timer(jf_op parent, sdk::OpUser& user, std::uint64_t delay_ns);
    void count(std::string_view name);
    /// Its op is about to complete: nothing of the host's reaches it any more, and its line dials again later.
    void on_leg_ended(Leg& leg);
    /// Nothing will call it any more: destroys it.
    void forget(Leg& leg);

  private:
    /// Waits for the next call of a line. Deletes itself.
    class Pause;
    void rest(unsigned line);
    void call(unsigned line);
    void call(const Script& script);
    struct Incoming {
        std::string from;
        std::string to;
    };
    /// `leg` makes the leg of an op that the host has taken.
    template <typename Make>
    void ring(const Incoming& call, Make leg);

    sdk::Host host_;
    Options options_;
    const jf_host_timer_v1* timer_;
    const jf_host_calls_v1* calls_;
    const jf_host_metrics_v1* metrics_;
    std::mutex mutex_; ///< legs of several shards meet here
    sim::Random random_;
    std::atomic<bool> serving_{false};
    std::uint64_t next_leg_ = 1;
    std::unordered_map<jf_op, std::shared_ptr<Leg>> legs_;
    std::unordered_map<Leg*, std::shared_ptr<Leg>> ending_; ///< whose timer is still to complete
};

}  // namespace jackfield::telephony_sim
