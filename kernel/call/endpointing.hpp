#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "config/turn_options.hpp"

namespace jackfield::call {

/// How long the end of the caller's speech has to be followed by quiet before their turn is over. One per call: people differ in how long
/// they pause, and one person pauses alike through a call.
class Endpointing {
  public:
    explicit Endpointing(const config::TurnOptions& options);

    struct Wait {
        base::Milliseconds time;
        std::string_view why; ///< dictation, provider, adaptive, fixed
    };
    /// `slot`: JF_SLOT_*, what the caller is asked for.
    Wait wait(std::uint32_t slot) const;

    /// The caller was quiet for so long and then went on with the same turn.
    void on_pause(base::Milliseconds pause, std::uint32_t slot);
    /// The recogniser says itself when a turn is over; quiet alone only ends one that it missed.
    void set_provider_decides(bool decides) { provider_decides_ = decides; }
    bool provider_decides() const { return provider_decides_; }

    /// Mean of the pauses so far, -1 ms before there was one.
    base::Milliseconds mean_pause() const;

  private:
    config::TurnOptions options_;
    double wait_ms_;        ///< the adaptive one
    double mean_ms_ = 0;
    bool learned_ = false;
    bool provider_decides_ = false;
};

}  // namespace jackfield::call
