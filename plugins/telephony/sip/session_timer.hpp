#pragma once

// Session timers (RFC 4028): who keeps a call alive, and when it is given up. Pure: fed headers and
// time.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::sip {

enum class Refresher : std::uint8_t { unsaid, uac, uas };

struct SessionExpires {
    std::uint32_t seconds = 0;
    Refresher refresher = Refresher::unsaid;
    bool operator==(const SessionExpires&) const = default;
};

/// The value of Session-Expires, and the number of a Min-SE.
std::optional<SessionExpires> parse_session_expires(std::string_view value);
std::optional<std::uint32_t> parse_min_se(std::string_view value);

/// What a message says about the timer.
struct TimerTerms {
    std::optional<SessionExpires> expires;
    std::uint32_t min_se = 0;
    bool supported = false;  // in Supported or Require
};

class SessionTimer {
  public:
    static constexpr std::uint32_t least_s = 90;  // RFC 4028 4: of Min-SE, and where none is given

    /// `wanted_s` is the interval that we ask for, 0: only take part in what others ask for.
    /// `min_se_s` is the shortest that we take.
    SessionTimer(std::uint32_t wanted_s, std::uint32_t min_se_s);

    /// To be answered with 422 and min_se().
    bool too_short(const TimerTerms& request) const;
    std::uint32_t min_se() const { return min_se_s_; }

    /// Complete lines for an INVITE or UPDATE of ours.
    std::string request_headers() const;
    /// A 2xx to one of those came.
    void answered(const TimerTerms& response, std::uint64_t now_ns);
    /// A 422 came. False: what the far end wants is beyond all measure, or it wants nothing new.
    bool raise(std::uint32_t min_se_s);
    /// An INVITE or UPDATE is about to be answered with 2xx: complete lines for it.
    std::string accept(const TimerTerms& request, std::uint64_t now_ns);

    bool active() const { return interval_s_ != 0; }
    /// When due() has something to say, 0 never.
    std::uint64_t due_ns() const;
    enum class Due { nothing, refresh, over };
    /// On `refresh` a request is to be made now; until it is answered or refresh_failed(), there is
    /// no other.
    Due due(std::uint64_t now_ns);
    /// The session goes on while there is time left, and is tried once more.
    void refresh_failed(std::uint64_t now_ns);

  private:
    void begin(std::uint32_t seconds, bool we_refresh, std::uint64_t now_ns);
    std::uint64_t over_ns() const;

    std::uint32_t wanted_s_;
    std::uint32_t min_se_s_;
    std::uint32_t far_min_se_s_ = 0;
    std::uint32_t interval_s_ = 0;
    bool we_refresh_ = false;
    bool refreshing_ = false;
    std::uint64_t refreshed_ns_ = 0;
    std::uint64_t refresh_ns_ = 0;
};

}  // namespace jackfield::sip
