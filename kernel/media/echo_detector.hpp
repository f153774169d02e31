#pragma once

#include "media/types.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace jackfield::media {

/// Tells the agent's own voice that comes back on the caller's leg (a loudspeaker telephone, a poor hybrid) from a caller who speaks, also
/// while both sound together. It takes nothing out of the audio: it compares what is heard with what was sent in the half second before.
/// An echo is quieter than what was sent by at least 8 dB; what is louder counts as speech.
///
/// Fed on one clock, a packet of either side every 20 ms; allocates only in the constructor.
class EchoDetector {
  public:
    static constexpr std::chrono::milliseconds longest_delay{500};
    /// So much of what is heard has to look like an echo.
    static constexpr std::chrono::milliseconds window{100};

    EchoDetector();

    /// A packet that leaves.
    void played(std::span<const std::int16_t> packet);
    /// As above, and nothing sounds in it.
    void played_nothing();
    /// A packet that comes in.
    void heard(std::span<const std::int16_t> packet);

    /// The window that ends with the last heard packet is an echo, and nobody speaks over it. Costs as much as comparing it with half a
    /// second of audio: worth asking when there is voice in the packet.
    bool is_echo();
    /// This line has an echo: more than one was found, each as late as the last.
    bool seen() const { return hits_ >= sure_hits; }
    /// From sending to hearing, of the echo found last.
    std::optional<std::chrono::milliseconds> delay() const;

  private:
    static constexpr int sure_hits = 3;
    static constexpr std::size_t window_samples = narrowband_hz / 1000 * window.count();
    static constexpr std::size_t delay_samples = narrowband_hz / 1000 * longest_delay.count();
    static constexpr std::size_t played_samples = window_samples + delay_samples;

    struct Likeness {
        float correlation = 0; ///< of the whitened windows, 0 to 1
        float gain = 0;        ///< of what is heard over what was played
        std::size_t delay = 0;
    };

    bool prepare();
    Likeness compare(std::size_t delay) const;
    Likeness best_near(std::size_t delay) const;
    Likeness best() const;
    void keep(const Likeness& found);
    bool someone_is_louder(std::size_t delay) const;

    // The newest sample is the last of each.
    std::vector<std::int16_t> played_;
    std::vector<std::int16_t> heard_;
    std::size_t silent_ = played_samples; ///< of what was played, at its end
    // Whitened and scaled so that a product of windows fits 32 bits.
    std::vector<std::int16_t> white_played_;
    std::vector<std::int16_t> white_heard_;
    float heard_energy_ = 0;
    float scale_ratio_ = 1; ///< undoes the two scales in a gain
    int hits_ = 0;
    std::optional<Likeness> known_;
    int since_search_ = 0; ///< packets
    int since_hit_ = 0;    ///< packets, since the last hit that counted
};

}  // namespace jackfield::media
