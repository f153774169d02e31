#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "simulators/plugins/spoken.hpp"

namespace jackfield::telephony_sim {

/// One packet of the caller's on its way.
struct Voice {
    std::uint64_t pts = 0;
    sim::Sound sound = sim::quiet;
    bool discontinuity = false;
};

/// What the way to the host does to it, from the packet `at` on.
struct NetworkFault {
    enum class Kind {
        lose,    ///< `n` packets never arrive
        delay,   ///< `n` packets arrive `much` packet times later: the first ones late, the last ones with those behind them
        swap,    ///< one packet comes `n` packets late
        twice,   ///< `n` packets arrive twice
        stall,   ///< nothing arrives for `n` packet times, then everything at once
        jump,    ///< the time line jumps forward by `n` samples
        back,    ///< the time line jumps back by `n` samples
        restart, ///< another sender, whose time line begins at `n`
    };
    Kind kind = Kind::lose;
    unsigned at = 0;
    unsigned n = 0;
    unsigned much = 0;
};

/// Knows packets, no clock: everything happens in packet times.
class Network {
  public:
    explicit Network(std::vector<NetworkFault> faults = {}) : faults_(std::move(faults)) {}

    /// One packet time passes: the caller's telephone sends `packet`, unless it is null. What arrives in it, in order.
    const std::vector<Voice>& step(const Voice* packet);

  private:
    void send(Voice packet);

    std::vector<NetworkFault> faults_;
    std::multimap<unsigned, Voice> under_way_; ///< by the packet time in which it arrives
    std::vector<Voice> arrived_;
    unsigned time_ = 0;
    std::int64_t offset_ = 0;
};

}  // namespace jackfield::telephony_sim
