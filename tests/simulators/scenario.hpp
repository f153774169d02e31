#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simulators/sip_phone.hpp"

namespace jackfield::sim {

/// What a scripted phone does: one step a line, `#` begins a comment. scenario_help() lists the steps.
struct ScenarioStep {
    int line = 0;
    std::string verb;
    std::vector<std::string> arguments;
};

std::string_view scenario_help();

/// Throws std::runtime_error that names the line.
std::vector<ScenarioStep> parse_scenario(std::string_view text);

struct ScenarioResult {
    std::vector<std::string> failures;  // "line 4: expect latency_max ...: was 2130 ms"
    bool passed() const { return failures.empty(); }
};

/// Runs the steps on a phone whose call has been placed (or is awaited, in a script that begins with wait_answered). Relative WAV paths
/// count from `folder`. Expectations are all checked; a step that can't be done ends the scenario.
ScenarioResult run_scenario(SipPhone& phone, const std::vector<ScenarioStep>& steps, const std::string& folder, milliseconds timeout);

}  // namespace jackfield::sim
