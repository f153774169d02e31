#pragma once

#include <array>
#include <cstddef>

#include "observe/metrics.hpp"

namespace jackfield::call {

/// The kinds of provider that stand in chains, as an index and as a label.
enum class ChainKind : std::size_t { stt, llm, tts };

/// What calls did about providers that were slow, broken or untrue.
struct ChainMetrics {
    template <typename T>
    using PerKind = std::array<T, 3>;

    PerKind<observe::Counter> failovers;      ///< the next of the chain took over
    PerKind<observe::Counter> hedges_started; ///< a standby was started beside a slow one
    PerKind<observe::Counter> hedges_won;     ///< and answered first
    PerKind<observe::Counter> hedges_lost;    ///< and did not
    observe::Counter resumed;                 ///< sentences that another voice went on with
    observe::Counter fed_again;               ///< turns that another recogniser was given again
    observe::Counter cut_short;               ///< voices that said they were done and were not
    observe::Counter greeting_hits;
    observe::Counter greeting_misses;

    /// With counters of `metrics`; a default one counts nothing.
    static ChainMetrics in(observe::Metrics& metrics);
    static observe::Counter& of(PerKind<observe::Counter>& counters, ChainKind kind) { return counters[static_cast<std::size_t>(kind)]; }
};

}  // namespace jackfield::call
