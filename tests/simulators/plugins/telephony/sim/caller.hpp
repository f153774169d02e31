#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulators/plugins/spoken.hpp"

namespace jackfield::telephony_sim {

/// What the carrier's plugin does wrong with a leg from some moment on.
enum class LineFault { none, die, deaf, block, lie, twice, after };

/// What a caller does in one packet's time.
struct Step {
    enum class End { none, hang_up, vanish };
    enum class Hold { as_before, begins, ends };
    sim::Sound sound = sim::quiet;
    char key = 0;
    Hold hold = Hold::as_before;
    End end = End::none;
    LineFault fault = LineFault::none;
    unsigned fault_packets = 0;
};

/// One thing that a caller does.
struct Move {
    enum class Begins { agent_quiet, agent_talks, at_once };
    Begins begins = Begins::agent_quiet;
    unsigned after = 35;           ///< packets of the agent's silence, or of its talking, before it begins
    std::vector<sim::Sound> sounds = {};
    std::string keys = {};
    unsigned hold = 0;             ///< packets for which the call is held
    Step::End end = Step::End::none;
    LineFault fault = LineFault::none; ///< as it begins
    unsigned fault_packets = 0;
};

/// All that a caller does, one move after the other; in packets.
struct Plan {
    std::vector<Move> moves;
    std::optional<unsigned> impatience; ///< gives up so long after it began to ring
    unsigned stays = 3000;              ///< the longest a call lasts
    unsigned lingers = 400;             ///< hangs up when everything is done and the agent has been quiet for so long
    unsigned patience = 300;            ///< for an agent that says nothing at all
};

/// Somebody on the telephone, who carries out a plan by ear. Knows packets, no clock and no host.
class Caller {
  public:
    explicit Caller(Plan plan) : plan_(std::move(plan)) {}

    /// Gives up so many packets after it began to ring, if nobody answers before; nothing: waits.
    std::optional<unsigned> impatience() const { return plan_.impatience; }
    /// Every 20 ms of a call that is up. `agent_audible`: in the last 20 ms the agent was heard.
    Step step(bool agent_audible);

  private:
    bool is_time(const Move& move) const;
    void begin();

    Plan plan_;
    std::size_t move_ = 0;
    std::size_t sound_ = 0;
    std::size_t key_ = 0;
    unsigned key_wait_ = 0;
    unsigned held_ = 0;
    bool busy_ = false; ///< in the middle of a move
    bool heard_agent_ = false;
    unsigned agent_talked_ = 0;
    unsigned agent_quiet_ = 0;
    unsigned ticks_ = 0;
};

}  // namespace jackfield::telephony_sim
