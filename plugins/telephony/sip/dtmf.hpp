#pragma once

// Keys as telephone events (RFC 4733) and as SIP INFO bodies. Pure: fed packets and ticks.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace jackfield::sip {

struct KeyPress {
    char digit = 0;  // 0-9 * # A-D
    std::uint32_t duration_ms = 0;
};

/// Reads the events of a stream, each key once: by (SSRC, timestamp), whatever is repeated or lost.
/// A key is reported at its end, or when something else shows that its end was lost.
class DtmfReceiver {
  public:
    std::optional<KeyPress> event(std::span<const std::uint8_t> payload,
                                  std::uint32_t ssrc,
                                  std::uint32_t timestamp,
                                  bool marker,
                                  std::uint64_t now_ns);
    /// Time or other audio has passed: a key whose last packets were lost ends three packet times
    /// after it was heard last.
    std::optional<KeyPress> quiet(std::uint64_t now_ns);

  private:
    std::optional<KeyPress> finish();

    bool seen_ = false;
    bool active_ = false;
    std::uint32_t ssrc_ = 0;
    std::uint32_t timestamp_ = 0;
    std::uint8_t code_ = 0;
    std::uint32_t before_ = 0;  // of earlier segments of a long key, in timestamp units
    std::uint32_t duration_ = 0;
    std::uint64_t last_ns_ = 0;
};

/// Plays a string of keys: one tick a packet time, 100 ms a tone, the end packet three times, 60 ms
/// between keys.
class DtmfSender {
  public:
    static constexpr std::uint32_t tick_ms = 20;
    static constexpr std::size_t most = 64;

    /// False when a character isn't a key (0-9 * # A-D) or `w`, a pause of 500 ms, or when too many
    /// are waiting.
    bool add(std::string_view digits);
    bool busy() const { return next_ < count_; }

    struct Packet {
        std::array<std::uint8_t, 4> payload{};
        bool first = false;  // marker, and a new timestamp
    };
    /// What to send now; nothing in a gap or pause.
    std::optional<Packet> tick();

  private:
    std::array<char, most> keys_{};
    std::size_t count_ = 0;
    std::size_t next_ = 0;
    unsigned step_ = 0;
};

/// The key of an INFO body: `Signal=5` lines (application/dtmf-relay) or a bare key
/// (application/dtmf).
std::optional<KeyPress> parse_info_dtmf(std::string_view body);

}  // namespace jackfield::sip
