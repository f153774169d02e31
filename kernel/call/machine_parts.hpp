#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "call/clause_chunker.hpp"
#include "call/language.hpp"
#include "config/host_config.hpp"

namespace jackfield::call {

/// What several files of the machine need.
inline std::int64_t ms_of(std::chrono::nanoseconds time) { return std::chrono::duration_cast<base::Milliseconds>(time).count(); }

inline ClauseChunkerOptions chunker_options(const config::AgentConfig& agent) {
    ClauseChunkerOptions options;
    options.first_chars = static_cast<std::size_t>(std::max(agent.turn.first_flush_chars, 1));
    options.first_wait = agent.turn.first_flush;
    options.sentences = &language_of(agent.language).sentences;
    return options;
}

}  // namespace jackfield::call
