#pragma once

#include <memory>

#include "plugin_host/adapters/ports.hpp"

namespace jackfield::plugin_host {

class TelemetryPort : public Port<jf_telemetry_v1> {
  public:
    TelemetryPort() = default;
    explicit TelemetryPort(Instance& instance) : Port(instance, JF_TELEMETRY_V1) {}

    jf_status send(jf_op op, const jf_telemetry_batch& batch, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->send, op, &batch, error);
    }
};

/// What is wrong with a batch, for its maker; null when it may be sent.
const char* fault_of(const jf_telemetry_batch& batch);
/// For OpTable::open: every item was accepted or rejected.
std::unique_ptr<OutputCheck> check_telemetry(const jf_telemetry_batch& batch);

}  // namespace jackfield::plugin_host
