#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "integration/simulation/world.hpp"

namespace jackfield::simulation {

/// Something that must never be seen.
struct Violation {
    std::string invariant;
    int call = -1; ///< -1: of the whole host
    std::string text;
};

/// What a far end did and heard, in ms since the answer.
struct LegReport {
    struct Note {
        std::int64_t at_ms = 0;
        std::string what;   ///< key, hold, resume, hung_up (by the host), transferred, spoke, audio_after_end
        std::string detail; ///< of a key: which; of speech: when it began
    };
    /// A word of the agent's by its tone: all of it, half its period, or nothing.
    struct Word {
        std::int64_t at_ms = 0;
        std::int64_t ms = 0;
        std::optional<unsigned> tone;
        std::optional<unsigned> half_period;
    };
    std::string who;
    bool answered = false;
    std::int64_t answered_ns = 0; ///< on the host's clock
    std::int64_t lasted_ms = 0;
    std::vector<Note> notes;
    std::vector<Word> heard;
    std::vector<std::pair<std::int64_t, std::int64_t>> sounded; ///< words or not
};
LegReport read_leg_report(std::string_view json);

/// What the host noted of its decisions in a call, in ms since the answer.
struct DecisionsSeen {
    std::vector<std::int64_t> endpoints; ///< the caller was taken to have finished: from then on an answer is owed
};

/// All that was seen of one call.
struct CallSeen {
    struct Turn {
        bool agent = false;
        std::string text;
        std::string unheard;
        std::string rule;
        std::int64_t flags = 0;
        std::int64_t began_ms = 0;
        std::int64_t ended_ms = 0;
    };
    std::string id;
    std::string agent;
    int number = -1; ///< in the world; -1: nobody's
    std::string last_event;
    std::int64_t last_at_us = 0;
    bool started = false;
    bool answered = false;
    bool ended = false;
    std::string cause;
    std::string reason;
    std::int64_t answered_us = 0;
    std::int64_t ended_us = 0;
    std::string recording;
    std::vector<Turn> turns;
    std::optional<LegReport> leg;
    int transfers = 0;         ///< begun
    int joins = 0;
    std::string transfer;      ///< how far the last has come; empty: none yet
    std::optional<std::int64_t> goodbye_ns; ///< a model asked that the call be ended or handed on
};

struct WitnessOptions {
    /// Whether the promise that nobody is left in silence is held to.
    bool dead_air = true;
};

/// Looks at every event as it happens and says what must not have happened.
class Witness {
  public:
    Witness(const World& world, WitnessOptions options);

    void on_event(std::string_view json);
    /// A far end's report, which comes before its call's last event.
    void on_leg(LegReport report);
    /// A model calls a tool.
    void on_tool(std::string_view json);
    /// Of a call that has ended.
    void on_decisions(const std::string& id, const DecisionsSeen& decisions);
    void complain(std::string invariant, int call, std::string text);

    const std::map<std::string, CallSeen>& calls() const { return calls_; }
    const std::vector<Violation>& violations() const { return violations_; }

  private:
    void check_transfer(CallSeen& call, const std::string& state);
    void check_order(CallSeen& call, const std::string& name, std::int64_t at_us);
    void check_ended(const CallSeen& call);
    void check_heard(const CallSeen& call);
    void check_keys(const CallSeen& call);
    void check_dead_air(const CallSeen& call, const DecisionsSeen& decisions);

    WitnessOptions options_;
    std::int64_t endpoint_ms_ = 600;
    bool voices_lie_ = false; ///< a voice says falsely how far it got: nobody can know what was heard
    std::map<std::string, int> numbers_; ///< by who
    std::map<std::string, LegReport> legs_;
    std::map<std::string, CallSeen> calls_; ///< by id
    std::vector<Violation> violations_;
};

}  // namespace jackfield::simulation
