#pragma once

// Who is at work in an instance, and that nobody new comes in once it is going out of service: what start() and quiesce() want of every plugin.
//
//   void start(jf_op op) { gate_.open(); host_.complete(op); }
//   void quiesce(jf_op op, std::uint32_t budget_ms) { gate_.close(host_, op, budget_ms); }
//   void send(jf_op op, ...) { gate_.enter(op); ... }               // throws Failure STATE after quiesce
//   ... gate_.leave(host_, op); host_.complete(op); ...             // every op that entered, once
//
// quiesce completes when the last one has left, at the latest when its budget is over (which needs jf.host.timer/1).

#include <jackfield/sdk/async.hpp>
#include <jackfield/sdk/plugin.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

namespace jackfield::sdk {

class Gate {
  public:
    void open() {
        const std::lock_guard lock(state_->mutex);
        state_->closed = false;
    }
    void enter(jf_op op) {
        const std::lock_guard lock(state_->mutex);
        if (state_->closed) throw Failure(JF_E_STATE, "this instance is going out of service", JF_RETRY_OTHER_PROVIDER);
        state_->inside.insert(op);
    }
    /// False: it was not inside (any more). So only one of two that end an op completes it.
    bool leave(const Host& host, jf_op op) {
        jf_op waiting = JF_NO_OP;
        {
            const std::lock_guard lock(state_->mutex);
            if (state_->inside.erase(op) == 0) return false;
            if (state_->inside.empty()) waiting = std::exchange(state_->quiesce, JF_NO_OP);
        }
        if (waiting != JF_NO_OP) host.complete(waiting);
        return true;
    }
    bool has(jf_op op) const {
        const std::lock_guard lock(state_->mutex);
        return state_->inside.contains(op);
    }
    void close(const Host& host, jf_op op, std::uint32_t budget_ms) {
        const auto give_up = [state = state_, host, op] {
            {
                const std::lock_guard lock(state->mutex);
                if (std::exchange(state->quiesce, JF_NO_OP) != op) return;
            }
            host.complete(op);
        };
        bool at_once;
        {
            const std::lock_guard lock(state_->mutex);
            state_->closed = true;
            at_once = state_->inside.empty();
            if (!at_once) {
                state_->quiesce = op;
                try {
                    after(host, op, std::chrono::milliseconds(budget_ms), give_up);
                } catch (const Failure&) {
                    state_->quiesce = JF_NO_OP; // without a timer nobody is waited for
                    at_once = true;
                }
            }
        }
        if (at_once) host.complete(op);
    }

  private:
    struct State {
        std::mutex mutex;
        bool closed = false;
        std::set<jf_op> inside;
        jf_op quiesce = JF_NO_OP;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>(); // the timer may outlive the instance
};

}  // namespace jackfield::sdk
