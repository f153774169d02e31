#pragma once

// A host for one plugin instance under test: loads nothing, keeps every op in a map, calls the test back for each event, and runs timers
// and workers when told to. The kernel's own host is tests' subject elsewhere; this one exists so that a plugin can be tested alone.

#include <jackfield/jackfield.h>
#include <jackfield/sdk/plugin.hpp>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace jackfield::test {

class TestHost {
  public:
    using OnEvent = std::function<void(jf_op, const jf_event&)>;
    using OnDone = std::function<void(jf_op, jf_status, const jf_event* last, const jf_error*)>;

    TestHost();
    ~TestHost();
    TestHost(const TestHost&) = delete;

    const jf_host_v1* table() const { return &table_; }
    sdk::Host host() const { return sdk::Host(&table_); }

    /// An op that the host starts on the plugin. The callbacks run on the emitting thread, serialised; they copy what they need.
    jf_op start_op(OnEvent on_event = {}, OnDone on_done = {});
    bool is_open(jf_op op) const;
    /// Waits until the plugin has completed `op`; false after `timeout`.
    bool wait_done(jf_op op, std::chrono::milliseconds timeout = std::chrono::seconds(10));
    /// Waits until `ready` holds; it is checked after every event, completion and callback.
    bool wait_until(const std::function<bool()>& ready, std::chrono::milliseconds timeout = std::chrono::seconds(10));

    /// Moves the clock on and runs timers that became due and callbacks that wait, on this thread.
    void advance(std::chrono::nanoseconds by);
    /// Runs callbacks that wait (worker completions, timers with delay 0) on this thread.
    void poll();

    /// Adds a facility that the plugin finds by query(); the table must outlive the host.
    void add_facility(std::string id, const void* table) { facilities_[std::move(id)] = table; }

    std::vector<std::string> log_events() const;
    int double_completions() const { return double_completions_; }
    std::size_t open_ops() const;

    /// What an op that the plugin opened was opened with; for facilities that a test provides.
    jf_sink sink_of(jf_op op) const;
    /// Ends an op that the plugin opened: its on_done runs at the next poll().
    void complete_used(jf_op op, jf_status status);
    void post(std::function<void()> task);

  private:
    struct Op {
        bool used_by_plugin = false; // opened by the plugin: has a sink
        jf_op parent = JF_NO_OP;
        jf_sink sink{};
        OnEvent on_event;
        OnDone on_done;
    };
    static TestHost& self(jf_host_ctx* ctx) { return *reinterpret_cast<TestHost*>(ctx); }
    void run_jobs();

    jf_host_v1 table_{};
    jf_host_timer_v1 timer_{};
    jf_host_worker_v1 worker_{};
    std::map<std::string, const void*> facilities_;

    mutable std::recursive_mutex mutex_;
    std::condition_variable_any changed_;
    std::map<jf_op, Op> ops_;
    std::uint64_t next_ = 1;
    std::uint64_t now_ns_ = 1;
    std::multimap<std::uint64_t, jf_op> timers_;
    std::deque<std::function<void()>> posted_;
    std::deque<std::function<void()>> jobs_;
    std::vector<std::string> log_;
    int double_completions_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> workers_;
};

}  // namespace jackfield::test
