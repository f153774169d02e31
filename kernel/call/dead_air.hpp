#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "config/turn_options.hpp"

namespace jackfield::call {

/// The promise that a caller who has finished is never left in silence: something audible within `dead_air`, words within
/// `dead_air_words`, and an end of it when neither helps. Counts from the caller's last voiced sample, later from where the agent fell
/// silent with its answer unfinished.
class DeadAir {
  public:
    explicit DeadAir(const config::TurnOptions& options) : options_(options) {}

    enum class Step : std::uint8_t {
        filler,     ///< say something, if there is a way to
        tone,       ///< nothing can be heard: the waiting tone
        no_words,   ///< whatever keeps the words away is given up
        hopeless,   ///< it was given up and there still is nothing: end it
    };

    /// The caller's turn is over; the agent owes an answer since `last_voiced`.
    void owe(base::MonoTime last_voiced);
    /// Words of the agent can be heard now.
    void heard_words();
    /// They ended, and the answer isn't complete: owed again.
    void fell_silent(base::MonoTime now);
    /// The answer was given, or the caller speaks.
    void settle() { since_.reset(); }
    /// A filler went to the voice.
    void said_filler() { ++fillers_; }

    bool owed() const { return since_.has_value(); }
    base::MonoTime since() const { return since_.value_or(base::MonoTime{}); }
    std::optional<base::MonoTime> next_deadline() const;
    /// What is due, each step once for one silence. `can_fill`: a filler could be said now (an answer is being made, nothing of it is in the
    /// voice yet).
    std::optional<Step> due(base::MonoTime now, bool can_fill);
    /// The next deadline is to be asked for again with this knowledge.
    void set_can_fill(bool can_fill) { can_fill_ = can_fill; }
    int fillers() const { return fillers_; }

  private:
    base::MonoTime filler_at() const;
    config::TurnOptions options_;
    std::optional<base::MonoTime> since_;
    bool again_ = false;      ///< something was heard already in answer to this turn
    bool waits_ = false;      ///< words are being played
    bool can_fill_ = false;
    bool filled_ = false;     ///< in this silence
    bool toned_ = false;
    bool gave_up_ = false;
    bool hopeless_ = false;
    int fillers_ = 0;
};

}  // namespace jackfield::call
