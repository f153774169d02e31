#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "integration/simulation/witness.hpp"
#include "integration/simulation/world.hpp"

namespace jackfield::simulation {

struct RunOptions {
    WitnessOptions witness;
    /// Keeps what each call's trace consists of.
    bool trace = false;
};

/// What a world came to.
struct Outcome {
    std::vector<Violation> violations;
    std::size_t calls = 0;
    std::size_t answered = 0;
    std::size_t second_legs = 0;
    std::size_t second_legs_answered = 0;
    double call_seconds = 0;
    std::uint64_t digest = 0; ///< of every event and log line: two runs of one world have the same
    std::uint64_t steps = 0;
    std::map<std::string, std::uint64_t> rules;  ///< turns by what ended them
    std::map<std::string, std::uint64_t> causes; ///< calls by how they ended
    std::map<std::string, std::uint64_t> logged; ///< warnings and errors
    std::map<std::string, double> metrics;       ///< counters and gauges, summed over their labels
    std::map<int, std::vector<std::string>> trace; ///< of each call, -1: of the host
};

/// Runs the world's host in simulated time until it has stopped.
Outcome run_world(const World& world, const RunOptions& options);

}  // namespace jackfield::simulation
