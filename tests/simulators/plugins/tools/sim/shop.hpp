#pragma once

#include <jackfield/host.h>
#include <jackfield/sdk/plugin.hpp>
#include <jackfield/tools.h>

#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "simulators/plugins/faults.hpp"
#include "simulators/plugins/random.hpp"

namespace jackfield::tools_sim {

class Shop;

/// One call of a function: after a while its result, unless something goes wrong with it. On the op's strand; goes with its op and its timer.
class Errand final : public sdk::OpUser {
  public:
    Errand(Shop& shop, jf_op op, const sim::Fault* fault) : shop_(shop), op_(op), fault_(fault) {}

    void begin(std::uint64_t lasts_ns);
    void cancel();
    void complete(jf_status status);
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) override;

  private:
    bool has(std::string_view kind) const { return fault_ && fault_->kind == kind; }
    void start_timer(std::uint64_t delay_ns);
    void answer();

    Shop& shop_;
    jf_op op_;
    const sim::Fault* fault_;
    bool waiting_ = false; ///< a timer runs
    bool completed_ = false;
    bool cancelled_ = false;
};

/// Two functions: `look_up` changes nothing, `order` must not be made twice.
class Shop {
  public:
    static std::unique_ptr<Shop> create(sdk::Host host, const sdk::Config& config);
    Shop(sdk::Host host, std::uint64_t seed, std::uint64_t longest_ns, sim::Faults faults);

    void start(jf_op op) { host_.complete(op); }
    void quiesce(jf_op op, std::uint32_t) { host_.complete(op); }
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);
    jf_status list(jf_op op);
    jf_status call(jf_op op, const jf_tool_request& request);

    const sdk::Host& host() const { return host_; }
    const jf_host_timer_v1& timer() const { return *timer_; }
    /// Nothing of it is left.
    void forget(Errand& errand);
    /// Its op has completed; kept while its timer is still to complete.
    void retire(jf_op op, bool timer_runs);

  private:
    sdk::Host host_;
    const jf_host_timer_v1* timer_;
    std::uint64_t longest_ns_;
    sim::Faults faults_;
    std::mutex mutex_;
    sim::Random random_;
    std::uint64_t called_ = 0;
    std::unordered_map<jf_op, std::shared_ptr<Errand>> errands_;
    std::unordered_map<Errand*, std::shared_ptr<Errand>> retired_;
};

}  // namespace jackfield::tools_sim
