#pragma once

#include "config/option_table.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace jackfield::config {

enum class OnMachine { hang_up, message };

/// `[agents.x.amd]`: whether a person or a machine answered a call that the host placed, and what
/// follows.
struct AmdOptions {
    using ms = std::chrono::milliseconds;

    bool enabled = false;
    OnMachine on_machine = OnMachine::hang_up;
    std::string message;
    ms human_speech{2500};
    ms human_quiet{500};
    ms machine_quiet{1500};
    ms no_speech{5000};
    ms total{15000};
    ms message_wait{20000};
    /// Empty: the language's own.
    std::vector<std::string> phrases;
};

OptionTable amd_option_table();

AmdOptions read_amd_options(const Value& checked, Problems& problems);

}  // namespace jackfield::config
