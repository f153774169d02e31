#pragma once

// The real kernel/plugin_host/op_table in simulated time, made to do what a path of the model says, through the functions that a plugin has.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "models/op_model.hpp"
#include "unit/kernel/plugin_host/host_fixture.hpp"

namespace jackfield::models {

class RealOps {
  public:
    /// Faults to plant between the table and whoever watches: the comparison has to find them.
    enum class Fault : std::uint8_t { none, loses_a_completion, repeats_a_completion };
    explicit RealOps(Fault fault = Fault::none);
    ~RealOps();

    /// Forgets the ops of the path before, after ending them.
    void begin();
    void step(const OpAction& action);
    OpSeen seen() const;

  private:
    /// What one op's user hears.
    class User : public plugin_host::OpSink {
      public:
        User(OpSeen::Op& heard, Fault fault) : heard_(heard), fault_(fault) {}
        void on_event(jf_op, const jf_event&) override { ++heard_.events; }
        void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override;
        jf_sink sink();

      private:
        OpSeen::Op& heard_;
        Fault fault_;
    };
    struct Opened {
        jf_op id = JF_NO_OP;
        OpSeen::Op heard;
        std::unique_ptr<User> user;
    };
    Opened& opened() { return ops_.emplace_back(); }
    jf_status carry_out(const OpAction& action);
    jf_op id_of(int op) const { return ops_[static_cast<std::size_t>(op)].id; }

    Fault fault_;
    runtime::SimRuntime runtime_{1, 1};
    plugin_host::HostUnderTest host_{runtime_};
    std::shared_ptr<plugin_host::Instance> plugin_;
    jf_host_v1 table_{};
    const jf_host_timer_v1* timer_ = nullptr;
    std::deque<Opened> ops_;
    OpSeen counted_, before_;
};

/// The first difference between model and table along the path, empty when there is none.
std::string difference(const OpModel& model, RealOps& real, const std::vector<OpAction>& path);

/// What a run of the real table looked like, step by step: for who wants to know whether the model allows it.
struct OpTrace {
    std::vector<std::pair<OpAction, OpSeen>> steps;
};
/// Random actions on the real table, more ops and longer than what is explored.
OpTrace record(RealOps& real, std::uint32_t seed, int steps);
/// Where the model would have done otherwise, empty when it accepts the whole trace.
std::string accepted(const OpModel& model, const OpTrace& trace);

}  // namespace jackfield::models
