#include "caller.hpp"

#include <algorithm>
#include <utility>

namespace jackfield::telephony_sim {
namespace {

constexpr unsigned per_second = 50;
constexpr unsigned word_gap = 25; ///< quiet of the agent up to here is a pause between words
constexpr unsigned key_gap = 15;

}  // namespace

bool Caller::is_time(const Move& move) const {
    if (move.begins == Move::Begins::at_once) return true;
    const bool over_agent = move.begins == Move::Begins::agent_talks;
    if (over_agent && agent_talked_ >= move.after && agent_quiet_ == 0) return true;
    // Whoever meant to interrupt and found nobody talking speaks in turn like everyone else.
    const unsigned quiet = over_agent ? 2 * per_second : move.after;
    return agent_quiet_ >= std::max(quiet, heard_agent_ ? 0 : plan_.patience);
}

void Caller::begin() {
    busy_ = true;
    // What follows at once answers nobody: the agent may have spoken before.
    if (plan_.moves[move_].begins != Move::Begins::at_once) heard_agent_ = false;
    sound_ = key_ = 0;
    key_wait_ = held_ = 0;
}

Step Caller::step(bool agent_audible) {
    ++ticks_;
    agent_quiet_ = agent_audible ? 0 : agent_quiet_ + 1;
    if (agent_audible) {
        ++agent_talked_;
        heard_agent_ = true;
    } else if (agent_quiet_ > word_gap) {
        agent_talked_ = 0;
    }
    Step out;
    if (ticks_ >= plan_.stays || (move_ == plan_.moves.size() && agent_quiet_ > plan_.lingers)) {
        out.end = Step::End::hang_up;
        return out;
    }
    if (move_ == plan_.moves.size()) return out;
    const Move& move = plan_.moves[move_];
    if (!busy_ && is_time(move)) {
        begin();
        out.fault = move.fault;
        out.fault_packets = move.fault_packets;
    }
    if (!busy_) return out;
    if (sound_ < move.sounds.size()) out.sound = move.sounds[sound_++];
    if (key_ < move.keys.size()) {
        if (key_wait_-- == 0) {
            out.key = move.keys[key_++];
            key_wait_ = key_gap;
        }
    }
    if (move.hold > 0 && held_ == 0) out.hold = Step::Hold::begins;
    if (held_ < move.hold) {
        if (++held_ == move.hold) out.hold = Step::Hold::ends;
    }
    if (sound_ < move.sounds.size() || key_ < move.keys.size() || held_ < move.hold) return out;
    busy_ = false;
    out.end = move.end;
    ++move_;
    return out;
}

}  // namespace jackfield::telephony_sim
