#pragma once

#include <jackfield/sdk/plugin.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "script.hpp"

namespace jackfield::telephony_sim {

struct Options {
    std::uint64_t seed = 1;
    unsigned lines = 10;
    std::vector<std::string> numbers;
    std::uint64_t gap_ns = 0;
    std::uint64_t loss_permille = 0;
    std::vector<Script> calls;
};

Options read_options(const sdk::Config& config);

}  // namespace jackfield::telephony_sim
