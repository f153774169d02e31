#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include <jackfield/llm.h>
#include <jackfield/sdk/plugin.hpp>

#include "config.hpp"

namespace jackfield::scripted {

class Generation;

/// An instance: one script, any number of conversations. The script is immutable; only the table of generations that wait for a timer is
/// shared between threads.
class Scripted {
  public:
    static std::unique_ptr<Scripted> create(sdk::Host host, const sdk::Config& config);
    Scripted(sdk::Host host, Options options);
    ~Scripted();

    void start(jf_op op) { host_.complete(op); }
    /// What runs goes on; the host waits for it.
    void quiesce(jf_op op, std::uint32_t) {
        refusing_ = true;
        host_.complete(op);
    }
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);

    jf_status generate(jf_op op, const jf_llm_request& request);
    jf_status prewarm(jf_op op);

    const sdk::Host& host() const { return host_; }
    /// `op` has completed; its generation goes.
    void forget(jf_op op);

  private:
    jf_status run(jf_op op, std::unique_ptr<Generation> generation);

    sdk::Host host_;
    Options options_;
    std::atomic<bool> refusing_{false}; ///< from quiesce on
    std::mutex mutex_;
    std::map<jf_op, std::unique_ptr<Generation>> waiting_;
};

}  // namespace jackfield::scripted
