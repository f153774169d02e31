#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulators/plugins/random.hpp"
#include "simulators/plugins/spoken.hpp"

namespace jackfield::telephony_sim {

/// What a caller does in one packet's time.
struct Step {
    enum class End { none, hang_up, vanish };
    sim::Sound sound = sim::quiet;
    char key = 0;
    End end = End::none;
};

/// Somebody on the telephone: a plan drawn from the seed (what to say, whether to wait for the agent to finish, to interrupt, to cough, to
/// press keys, to hang up in the middle of a word or just to be gone), carried out by ear. Knows packets, no clock and no host.
class Caller {
  public:
    explicit Caller(std::uint64_t seed);

    /// Gives up so many packets after it began to ring, if nobody answers before; nothing: waits.
    std::optional<unsigned> impatience() const { return impatience_; }
    /// Every 20 ms of a call that is up. `agent_audible`: in the last 20 ms the agent was heard.
    Step step(bool agent_audible);

  private:
    struct Move {
        bool over_agent = false;       ///< begins while the agent talks, else when it has stopped
        unsigned after = 35;           ///< packets of the agent's talking, or of its silence, before it begins
        std::vector<sim::Sound> sounds = {};
        std::string keys = {};
        Step::End end = Step::End::none;
    };
    void plan();
    void say(const char* text);
    void press(const char* keys);
    void cough();
    void end_early();
    unsigned reaction();
    bool is_time(const Move& move) const;

    sim::Random random_;
    std::vector<Move> moves_;
    std::size_t move_ = 0;
    std::size_t sound_ = 0;
    std::size_t key_ = 0;
    unsigned key_wait_ = 0;
    bool busy_ = false; ///< in the middle of a move
    bool heard_agent_ = false;
    unsigned agent_talked_ = 0;
    unsigned agent_quiet_ = 0;
    unsigned ticks_ = 0;
    unsigned stays_ = 3000; ///< the longest a call lasts, in packets
    std::optional<unsigned> impatience_;
};

}  // namespace jackfield::telephony_sim
