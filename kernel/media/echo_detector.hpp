#pragma once

#include "media/echo_signal.hpp"
#include "media/types.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

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
    using Packet = EchoSide::Packet;

    EchoDetector();

    /// A packet that leaves.
    void played(Packet packet);
    /// As above, and nothing sounds in it.
    void played_nothing();
    /// A packet that comes in.
    void heard(Packet packet);

    /// The window that ends with the last heard packet is an echo, and nobody speaks over it. To be asked when there is voice in the packet.
    bool is_echo();
    /// This line has an echo: more than one was found, each as late as the last.
    bool seen() const { return hits_ >= sure_hits; }
    /// From sending to hearing, of the echo found last.
    std::optional<std::chrono::milliseconds> delay() const;
    /// How often all delays were compared: what costs.
    std::uint64_t searches() const { return searches_; }

  private:
    static constexpr int sure_hits = 3;
    static constexpr std::size_t window_packets = window.count() / packet_ms;
    static constexpr std::size_t window_samples = window_packets * packet_samples;
    static constexpr std::size_t delay_samples = narrowband_hz / 1000 * longest_delay.count();
    /// One more than the oldest window begins with: the whitening and the filters look back.
    static constexpr std::size_t played_packets = window_packets + longest_delay.count() / packet_ms + 1;
    static constexpr std::size_t most_candidates = 6;

    struct Likeness {
        float correlation = 0; ///< of the whitened windows, 0 to 1
        float gain = 0;        ///< of what is heard over what was played
        std::size_t delay = 0;
    };
    /// A delay that looked good at a quarter of the rate.
    struct Candidate {
        float likeness = 0;
        std::size_t delay = 0;
    };
    using Candidates = std::array<Candidate, most_candidates>;

    bool comparable() const;
    void whiten_heard();
    Likeness likest(std::ptrdiff_t first, std::size_t delays) const;
    Likeness best_near(std::size_t delay) const;
    bool is_known_echo();
    bool worth_a_search() const;
    Candidates candidates();
    Likeness best();
    void keep(const Likeness& found);
    bool someone_is_louder(std::size_t delay) const;

    EchoSide played_;
    EchoSide heard_;
    std::size_t silent_ = played_packets; ///< of what was played, at its end
    Whitener whitener_;                   ///< of the window that is asked about, for both sides
    WhiteSamples white_heard_;
    int hits_ = 0;
    std::optional<Likeness> known_;
    int since_search_ = 0; ///< packets
    int since_hit_ = 0;    ///< packets, since the last hit that counted
    int in_vain_ = 0;      ///< searches that found no echo of a line
    std::uint64_t searches_ = 0;
};

}  // namespace jackfield::media
