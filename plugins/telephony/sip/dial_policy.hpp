#pragma once

// Which calls we place, and how many: what stands between a talkative agent or a stolen key and the
// carrier's bill. Any thread.

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::sip {

struct DialRules {
    std::vector<std::string> allow;  // prefixes; "!" in front forbids, "*" is everything
    bool trunk = false;              // calls go to somebody who may charge for them
    bool emergency = false;
    std::vector<std::string> emergency_numbers;
    std::uint32_t per_minute = 0;  // 0: no limit; likewise below
    std::uint32_t per_day = 0;
    std::uint32_t minutes_per_day = 0;
};

/// How much came in the last `Slots` slots.
template <std::size_t Slots>
class Recent {
  public:
    explicit Recent(std::uint64_t slot_ms) : slot_ms_(slot_ms) {}
    void add(std::uint64_t amount, std::uint64_t now_ms) {
        forget(now_ms);
        amounts_[now_ms / slot_ms_ % Slots] += amount;
        sum_ += amount;
    }
    std::uint64_t sum(std::uint64_t now_ms) {
        forget(now_ms);
        return sum_;
    }

  private:
    void forget(std::uint64_t now_ms) {
        const std::uint64_t slot = now_ms / slot_ms_;
        for (std::size_t i = 0; current_ < slot && i < Slots; ++i) {
            std::uint64_t& old = amounts_[++current_ % Slots];
            sum_ -= old;
            old = 0;
        }
        current_ = std::max(current_, slot);
    }
    std::uint64_t slot_ms_;
    std::array<std::uint64_t, Slots> amounts_{};
    std::uint64_t sum_ = 0;
    std::uint64_t current_ = 0;
};

class DialPolicy {
  public:
    enum class Verdict { allowed, not_listed, emergency, per_minute, per_day, minutes_per_day };

    explicit DialPolicy(DialRules rules) : rules_(std::move(rules)) {}

    /// Whether this SIP URI may be called now; counts it when it may.
    Verdict admit(std::string_view uri, std::uint64_t now_ms);
    /// A call over the trunk has lasted that long.
    void talked(std::uint64_t duration_ms, std::uint64_t now_ms);
    /// What the caps are about.
    bool is_charged(std::string_view uri) const;

    /// What to tell whoever wanted to call.
    static const char* explain(Verdict verdict);

  private:
    bool is_emergency(std::string_view user) const;
    bool listed(std::string_view uri, std::string_view user) const;

    DialRules rules_;
    std::mutex mutex_;
    Recent<60> minute_{1'000};
    Recent<24 * 60> day_{60'000};
    Recent<24 * 60> talk_ms_{60'000};
};

}  // namespace jackfield::sip
