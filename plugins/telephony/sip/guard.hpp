#pragma once

// Who is not worth an answer: floods and scanners. Pure; time comes from outside.

#include "address.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::sip {

/// Tokens for requests, filled at a rate. A second's worth is there at the start, and twice that is
/// kept at most.
class Bucket {
  public:
    bool take(std::uint64_t now_ms, std::uint32_t per_second);
    std::uint64_t used_ms() const { return used_ms_; }

  private:
    std::uint64_t used_ms_ = 0;
    std::uint64_t thousandths_ = 0;
    bool fresh_ = true;
};

/// How many new requests a second each source address may send. The table is of fixed size: a
/// source whose place is held by another that is active shares one bucket with all that are in the
/// same position, so that forged addresses can neither grow it nor get a budget each.
class FloodGuard {
  public:
    /// 0: no limit.
    explicit FloodGuard(std::uint32_t per_second) : per_second_(per_second) {}
    bool admit(const jf_endpoint& from, std::uint64_t now_ms);

  private:
    struct Place {
        jf_endpoint source{};
        Bucket bucket;
    };
    static constexpr std::size_t size = 4096;  // a power of two
    static constexpr std::size_t ways = 4;
    static constexpr std::uint64_t active_ms = 2'000;

    std::uint32_t per_second_;
    std::vector<Place> places_;  // made when first needed
    Bucket others_;
};

/// How often something bad may come from one address before it is not listened to for a while; for
/// wrong passwords. Bounded like FloodGuard: the least recent is forgotten.
class Strikes {
  public:
    static constexpr unsigned most = 10;
    static constexpr std::uint64_t window_ms = 60'000;

    void add(const jf_endpoint& from, std::uint64_t now_ms);
    bool out(const jf_endpoint& from, std::uint64_t now_ms) const;

  private:
    struct Entry {
        jf_endpoint source{};
        std::uint64_t since_ms = 0;
        unsigned count = 0;
    };
    std::array<Entry, 256> entries_{};
};

/// True when the User-Agent names one of these, in any case.
bool names_any(std::string_view user_agent, const std::vector<std::string>& lower_case_names);

}  // namespace jackfield::sip
