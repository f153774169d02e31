#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <jackfield/sdk/plugin.hpp>

#include "script.hpp"

namespace jackfield::scripted {

struct Options {
    std::string file;  // as errors name it
    Script script;
    std::chrono::milliseconds token_delay{0};
};

/// Reads the options and the script they name. Every error of the script is logged by itself; the Failure thrown names the first ones
/// and how many there are.
Options read_options(const sdk::Host& host, const sdk::Config& config);

}  // namespace jackfield::scripted
