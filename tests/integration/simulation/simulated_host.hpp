#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/host.hpp"
#include "integration/simulation/memory_recordings.hpp"

namespace jackfield::simulation {

struct SimulationOptions {
    std::uint64_t seed = 1;
    std::chrono::minutes duration{10};
    unsigned lines = 10;       ///< calls at one time
    unsigned recorded = 2;     ///< of these, on the agent that is recorded
    bool joined = false;       ///< the host joins callers with the person itself instead of asking the carrier
};

/// What a run leaves behind, all of it a function of the options.
struct Simulation {
    std::string failure;                ///< the host did not start or did not stop
    std::vector<std::string> events;    ///< every call event, in order
    std::string counts;                 ///< what was counted at the end
    std::vector<store::CallRow> calls;  ///< from the store, in the order of their ids
    std::size_t left_open = 0;          ///< calls that the store holds as open when none is left
    std::map<std::string, std::vector<store::TurnRow>> turns;
    std::map<std::string, std::uint64_t> logged; ///< warnings and errors by their event
    std::map<std::string, MemoryRecordings::Committed> recordings;
    std::vector<std::string> malformed_recordings;
    std::uint64_t open_ops_when_quiet = 0; ///< no call is left, the host still serves
    std::uint64_t open_ops_at_start = 0;
    std::uint64_t open_ops_at_end = 0;
    std::map<std::string, std::uint64_t> op_counters;
    std::map<std::string, double> metrics;
    std::uint64_t steps = 0;
    double cpu_seconds = 0;
    double call_seconds = 0;
};

/// A whole host in one thread on simulated time: configuration from TOML, plugins from shared libraries through the ABI, calls from
/// the simulated carrier, until it has stopped.
Simulation simulate(const SimulationOptions& options);

}  // namespace jackfield::simulation
