#include "config.hpp"

namespace jackfield::call_log {

Config Config::from(const sdk::Config& given) {
    Config config;
    config.llm = given.text("llm");
    config.instruction = given.text("instruction", "Summarise this phone call in one or two sentences.");
    config.timeout = std::chrono::milliseconds(given.integer("timeout_ms", config.timeout.count()));
    config.max_attempts = given.integer("max_attempts", config.max_attempts);
    config.per_tick = static_cast<std::uint32_t>(given.integer("per_tick", config.per_tick));
    return config;
}

}  // namespace jackfield::call_log
