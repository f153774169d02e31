#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/host_config.hpp"
#include "store/call_store.hpp"

namespace jackfield::app {

/// A call as the store has it. Read without a running host, or beside one.
struct StoredCall {
    store::CallRow row;
    std::vector<store::TurnRow> turns;
    std::string trace_json; ///< empty: not stored (yet)

    /// As stored_call() finds it.
    static base::Result<StoredCall> find(const config::HostConfig& config, const std::string& id);
};

}  // namespace jackfield::app
