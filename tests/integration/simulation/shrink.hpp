#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "integration/simulation/world.hpp"

namespace jackfield::simulation {

/// Runs a world and answers the names of the invariants that it broke ("crash" is one).
using Trial = std::function<std::vector<std::string>(const World& world)>;

/// The places of as few elements as could be found in `budget` that still break `invariant`. Greedy: larger pieces first, each left out for good
/// when it is not needed. `call` is the one that was seen to break it, -1 if none was.
std::vector<std::size_t> shrink(const World& world, const std::string& invariant, int call, const Trial& trial,
                                std::chrono::milliseconds budget);

/// "3,7-9" and back.
std::string to_ranges(const std::vector<std::size_t>& places);
std::vector<std::size_t> from_ranges(const std::string& text);

}  // namespace jackfield::simulation
