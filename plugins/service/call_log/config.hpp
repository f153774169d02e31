#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <jackfield/sdk/plugin.hpp>

namespace jackfield::call_log {

/// The options of plugin.json.
struct Config {
    std::string llm;
    std::string instruction;
    std::chrono::milliseconds timeout{20000};
    std::int64_t max_attempts = 3;
    std::uint32_t per_tick = 10;

    static Config from(const sdk::Config& given);
};

}  // namespace jackfield::call_log
