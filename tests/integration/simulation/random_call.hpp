#pragma once

#include <string>
#include <vector>

#include "simulators/plugins/random.hpp"

namespace jackfield::simulation {

/// What a random caller does on a random network, as steps of tests/simulators/plugins/telephony/sim/script.hpp.
std::vector<std::string> draw_call_steps(sim::Random& random);

}  // namespace jackfield::simulation
