#pragma once

#include <jackfield/host.h>
#include <jackfield/llm.h>
#include <jackfield/sdk/plugin.hpp>

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "simulators/plugins/faults.hpp"
#include "simulators/plugins/random.hpp"

namespace jackfield::llm_sim {

struct Options {
    std::uint64_t seed = 1;
    std::uint64_t token_ns = 0;
    std::uint64_t words = 12;
    std::uint64_t transfers_permille = 40;
    sim::Faults faults;
};

class Brain;

/// One answer: its words one after the other, then what it does besides. On the op's strand; goes with its op and its timer.
class Answer final : public sdk::OpUser, public std::enable_shared_from_this<Answer> {
  public:
    /// `fault` may be null: what this one does wrong.
    Answer(Brain& owner, jf_op op, std::uint64_t seed, const sim::Fault* fault);

    void begin(const jf_llm_request& request);
    void complete(jf_status status);
    void cancel();

    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) override;

  private:
    class LateCancel;
    bool has(std::string_view kind) const { return fault_ && fault_->kind == kind; }
    void compose(const jf_llm_request& request);
    void wake(std::uint64_t delay_ns);
    void say(std::string_view token);
    void act(std::string_view name, std::string_view arguments);
    void finish();
    /// True: it does nothing else now.
    bool misbehave();

    Brain& owner_;
    jf_op op_;
    sim::Random random_;
    const sim::Fault* fault_;
    std::deque<std::string> tokens_;
    std::uint64_t said_ = 0;
    std::string session_;
    std::string tool_;
    std::string arguments_;
    bool wants_keys_ = false;
    bool completed_ = false;
    bool waiting_ = false; ///< a timer runs
};

class Brain {
  public:
    static std::unique_ptr<Brain> create(sdk::Host host, const sdk::Config& config);
    Brain(sdk::Host host, Options options);

    void start(jf_op op) { host_.complete(op); }
    void quiesce(jf_op op, std::uint32_t) { host_.complete(op); }
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);
    jf_status answer(jf_op op, const jf_llm_request& request);

    const sdk::Host& host() const { return host_; }
    const Options& options() const { return options_; }
    void start_timer(jf_op op, std::uint64_t delay_ns) { timer_->start(host_.ctx(), op, delay_ns); }
    /// Its op has completed; kept while its timer is still to complete.
    void retire(jf_op op, bool timer_runs);
    void forget(jf_op op);

  private:
    sdk::Host host_;
    Options options_;
    const jf_host_timer_v1* timer_;
    std::mutex mutex_;
    sim::Random random_;
    std::uint64_t started_ = 0;
    std::unordered_map<jf_op, std::shared_ptr<Answer>> answers_;
    std::unordered_map<jf_op, std::shared_ptr<Answer>> retired_;
};

}  // namespace jackfield::llm_sim
