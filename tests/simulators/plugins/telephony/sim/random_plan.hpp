#pragma once

#include <cstdint>

#include "caller.hpp"

namespace jackfield::telephony_sim {

/// A plan drawn from the seed: what to say, whether to wait for the agent to finish, to interrupt, to cough, to press keys, to hang up in the
/// middle of a word or just to be gone.
Plan random_plan(std::uint64_t seed);

}  // namespace jackfield::telephony_sim
