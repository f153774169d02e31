#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "bench/child_process.hpp"

namespace jackfield::bench {

/// A document that must be one. Throws otherwise.
base::JsonDocument json_of(const std::string& text);
base::JsonDocument json_in(const std::string& file);
void nap(double seconds);
int free_udp_port();

struct HostStatus {
    std::int64_t calls = 0;
    std::int64_t open_ops = 0;
};

/// What a host is once nothing happens any more.
struct HostAtRest {
    HostStatus status;
    ProcessCost cost;
    double waited_s = 0;
    bool quiet = false; ///< false: still busy when patience ended
};

/// A host with tests/bench/call_media's configuration, on a free port of this machine, with state of its own. Ended with its owner.
class BenchHost {
  public:
    /// `stt` and `tts` are plugins. Everything that the host writes goes to the folder `state`, which is emptied first.
    BenchHost(const std::string& state, const std::string& stt, const std::string& tts);

    int port() const { return port_; }
    std::string address() const { return "sip:reception@127.0.0.1:" + std::to_string(port_); }
    pid_t pid() const { return host_->pid(); }
    /// Its exit status.
    int stop() { return host_->stop(); }

    std::optional<HostStatus> try_status() const;
    /// Nothing when the host doesn't say.
    std::optional<double> calls_now() const;
    /// What is open once no call is any more and nothing has closed for a second.
    HostStatus settled(double patience_s) const;
    /// No call, and neither memory nor operations have changed for three seconds, `least_s` after the last call ended at the earliest.
    HostAtRest at_rest(double least_s, double patience_s) const;

  private:
    int port_;
    std::string state_;
    std::map<std::string, std::string> environment_;
    std::optional<ChildProcess> host_;
};

}  // namespace jackfield::bench
