#pragma once

// TestHost with real UDP sockets behind `jf.host.net/1`, calls behind `jf.host.calls/1`, and real
// time unless a test jumps. The thread that calls pump() is the strand of every op.

#include "support/test_host.hpp"

#include <jackfield/telephony.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace jackfield::test {

/// What a test sees of one leg. Events are recorded on whatever thread emits them.
struct Call {
    jf_op op = JF_NO_OP;
    std::string leg, from, from_name, to, leg_state;
    std::vector<std::string> keys;
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::uint32_t> events;  // types, MEDIA and QUALITY left out
    std::string digits;
    std::vector<std::string> messages;  // as traced, '>' before what was sent and '<' before what came
    std::vector<std::uint32_t> holds;
    std::vector<jf_format> formats;  // of ANSWERED and FORMAT
    std::vector<std::pair<std::uint32_t, std::uint64_t>> transfers;  // flags and status of TRANSFERRED
    std::string refer_to;
    std::vector<std::uint64_t> pts;
    std::string last_audio;
    std::size_t quality = 0;
    jf_quality last_quality{};
    bool done = false;
    jf_status status = 1;
    jf_call_end end{};
    std::string end_text;
    std::string error;

    bool has(std::uint32_t type) const;
};

class RealNetHost {
  public:
    RealNetHost();
    ~RealNetHost();

    const jf_host_v1* table() const { return &table_; }
    TestHost& base() { return base_; }

    /// An op as the host gives it to dial() or reap().
    std::shared_ptr<Call> open_call();
    /// The call that came in, null when none is waiting.
    std::shared_ptr<Call> take_incoming();
    /// What incoming() answers from now on.
    void refuse_incoming(jf_status status) { incoming_status_ = status; }

    /// Runs timers, callbacks and sockets for a moment.
    void pump();
    /// Pumps until `ready`; false after `timeout` of real time.
    bool pump_until(const std::function<bool()>& ready,
                    std::chrono::milliseconds timeout = std::chrono::seconds(5));
    /// Makes timers due without waiting for them.
    void jump(std::chrono::milliseconds by) { base_.advance(by); }

    std::size_t open_sockets() const { return sockets_.size(); }
    /// Reads a call's fields; they are written on other threads.
    template <typename Read>
    auto read(const Call& call, Read&& what) {
        const std::lock_guard lock(mutex_);
        return what(call);
    }
    std::string log_field(const std::string& event, const std::string& key) const;
    /// What a counter of `jf.host.metrics/1` has come to.
    std::uint64_t counted(const std::string& name) const;
    double gauge(const std::string& name) const;
    std::vector<std::string> log_fields(const std::string& event, const std::string& key) const;

  private:
    struct Socket {
        int fd;
        jf_sink sink;
    };
    void record(Call& call, const jf_event& event);
    void finish(Call& call, jf_status status, const jf_event* last, const jf_error* error);
    void close_children(jf_op parent);
    void close_socket(jf_op op);

    TestHost base_;
    jf_host_v1 table_{};
    jf_host_net_v1 net_{};
    jf_host_calls_v1 calls_{};
    jf_host_metrics_v1 metrics_{};
    mutable std::mutex mutex_;
    std::map<jf_op, Socket> sockets_;
    std::multimap<jf_op, jf_op> children_;
    std::vector<std::shared_ptr<Call>> waiting_;
    std::vector<std::pair<std::string, std::map<std::string, std::string>>> log_;
    std::map<std::string, std::uint64_t> counts_;
    std::map<std::string, double> gauges_;
    std::atomic<jf_status> incoming_status_{JF_OK};
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace jackfield::test
