#pragma once

// What plugins wait for, as functions: a timer, and work that may block.
//
//   sdk::after(host, op, std::chrono::seconds(1), [state] { ... });          on the strand of `op`, unless `op` closes first
//   sdk::blocking(host, op, [state] { return write_file(); },                on a pool thread, always
//                 [state](jf_status status) { ... });                        then on the strand of `op`, always
//
// The lambdas keep what they capture alive; the instance is kept by the open op. When the parent closes, a timer's lambda is dropped without having
// run, while work that has begun ends and its second lambda runs: after the parent's completion, so it looks before it touches.

#include <jackfield/sdk/plugin.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace jackfield::sdk {
namespace detail {

class TimerUser final : public OpUser {
  public:
    explicit TimerUser(std::function<void()> then) : then_(std::move(then)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<TimerUser> self(this);
        if (status == JF_OK) then_();
    }

  private:
    std::function<void()> then_;
};

class WorkUser final : public OpUser {
  public:
    WorkUser(std::function<jf_status()> work, std::function<void(jf_status)> then) : work_(std::move(work)), then_(std::move(then)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<WorkUser> self(this);
        then_(status);
    }
    static jf_status run(void* user, jf_op) {
        return guarded(nullptr, [&] { return static_cast<WorkUser*>(user)->work_(); });
    }

  private:
    std::function<jf_status()> work_;
    std::function<void(jf_status)> then_;
};

}  // namespace detail

/// Runs `then` on the strand of `parent` (JF_NO_OP: of the instance) once `delay` has passed. Its op, for cancelling. Throws Failure.
inline jf_op after(const Host& host, jf_op parent, std::chrono::nanoseconds delay, std::function<void()> then) {
    const auto* timer = host.facility<jf_host_timer_v1>(JF_FACILITY_TIMER);
    if (!timer) throw Failure(JF_E_UNSUPPORTED, "this host has no timers");
    auto user = std::make_unique<detail::TimerUser>(std::move(then));
    const jf_op op = host.open(parent, *user);
    // Once started it may fire on another thread before this line ends.
    auto* const started = user.release();
    if (const jf_status status = timer->start(host.ctx(), op, static_cast<std::uint64_t>(delay.count())); status != JF_OK) {
        host.cancel(op);
        delete started;
        throw Failure(status, "the host starts no timer");
    }
    return op;
}

/// Runs `work` on a pool thread, then `then` with what it answered. Throws Failure, AGAIN when the pool is full; neither of the two runs then.
inline jf_op blocking(const Host& host, jf_op parent, std::function<jf_status()> work, std::function<void(jf_status)> then) {
    const auto* worker = host.facility<jf_host_worker_v1>(JF_FACILITY_WORKER);
    if (!worker) throw Failure(JF_E_UNSUPPORTED, "this host has no worker threads");
    auto user = std::make_unique<detail::WorkUser>(std::move(work), std::move(then));
    const jf_op op = host.open(parent, *user);
    auto* const started = user.release();
    if (const jf_status status = worker->start(host.ctx(), op, detail::WorkUser::run, started); status != JF_OK) {
        host.cancel(op);
        delete started;
        throw Failure(status, "the host's worker threads are busy", JF_RETRY_AFTER);
    }
    return op;
}

}  // namespace jackfield::sdk
