#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include <jackfield/records.h>
#include <jackfield/sdk/plugin.hpp>
#include <jackfield/tools.h>

#include "config.hpp"
#include "functions.hpp"

namespace jackfield::desk {

class Task;

/// The instance. What its tasks share is guarded by one mutex; a task's own state belongs to its op's strand.
class Desk {
  public:
    static std::unique_ptr<Desk> create(sdk::Host host, const sdk::Config& config) {
        return std::make_unique<Desk>(host, Config::from(config));
    }
    Desk(sdk::Host host, Config config) : host_(host), config_(std::move(config)), functions_(functions_of(config_)) {}

    void start(jf_op op);
    void quiesce(jf_op op, std::uint32_t) {
        refusing_ = true;
        host_.complete(op);
    }
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);

    void list(jf_op op) const;
    void call(jf_op op, const jf_tool_request& request);

    /// The request's own clock, the tenant's local time; today is needed for every appointment.
    static Moment now_of(const jf_tool_request& request);

    // For tasks.
    const sdk::Host& host() const { return host_; }
    const Config& config() const { return config_; }
    const jf_provider_ref& records() const { return records_; }
    std::uint32_t appointments() const { return appointments_; }
    std::uint32_t cancellations() const { return cancellations_; }
    /// Completes the op; the task is forgotten.
    void answer(jf_op op, const std::string& json);
    void fail(jf_op op, jf_status status, const jf_error* error);

  private:
    class Declaration;
    void declare(jf_op start_op, bool second);
    void forget(jf_op op);

    const sdk::Host host_;
    const Config config_;
    const std::vector<Function> functions_;
    jf_provider_ref records_{};
    std::atomic<bool> refusing_{false}; ///< from quiesce on
    std::atomic<std::uint32_t> appointments_{0};
    std::atomic<std::uint32_t> cancellations_{0};

    std::mutex mutex_;
    std::map<jf_op, std::shared_ptr<Task>> tasks_;
};

}  // namespace jackfield::desk
