#include "guard.hpp"

#include "text.hpp"

#include <algorithm>

namespace jackfield::sip {
namespace {

std::size_t hash_of(const jf_endpoint& source) {
    std::uint64_t out = 1469598103934665603u + source.family;
    // A single host has a whole /64 to itself: its addresses are one source.
    const std::size_t bytes = source.family == JF_NET_IPV6 ? 8 : 4;
    for (std::size_t i = 0; i < bytes; ++i) out = (out ^ source.ip[i]) * 1099511628211u;
    return static_cast<std::size_t>(out ^ (out >> 29));
}

bool same_source(const jf_endpoint& a, const jf_endpoint& b) {
    return a.family == b.family && std::equal(a.ip, a.ip + (a.family == JF_NET_IPV6 ? 8 : 4), b.ip);
}

}  // namespace

bool Bucket::take(std::uint64_t now_ms, std::uint32_t per_second) {
    const std::uint64_t most = std::uint64_t{per_second} * 2'000;
    if (fresh_) {
        fresh_ = false;
        thousandths_ = std::uint64_t{per_second} * 1'000;
    } else if (now_ms > used_ms_) {
        const std::uint64_t elapsed = std::min<std::uint64_t>(now_ms - used_ms_, 10'000);
        thousandths_ = std::min(most, thousandths_ + elapsed * per_second);
    }
    used_ms_ = std::max(used_ms_, now_ms);
    if (thousandths_ < 1'000) return false;
    thousandths_ -= 1'000;
    return true;
}

bool FloodGuard::admit(const jf_endpoint& from, std::uint64_t now_ms) {
    if (per_second_ == 0) return true;
    if (places_.empty()) places_.resize(size);
    const std::size_t first = hash_of(from) & (size - 1);
    Place* free = nullptr;
    for (std::size_t i = 0; i < ways; ++i) {
        Place& place = places_[(first + i) & (size - 1)];
        if (same_source(place.source, from)) return place.bucket.take(now_ms, per_second_);
        const bool idle = place.source.family == 0 || place.bucket.used_ms() + active_ms <= now_ms;
        if (idle && !free) free = &place;
    }
    if (!free) return others_.take(now_ms, per_second_);
    *free = {from, {}};
    return free->bucket.take(now_ms, per_second_);
}

void Strikes::add(const jf_endpoint& from, std::uint64_t now_ms) {
    Entry* oldest = &entries_.front();
    for (Entry& entry : entries_) {
        if (entry.count && same_source(entry.source, from)) {
            if (now_ms - entry.since_ms > window_ms) entry = {from, now_ms, 0};
            ++entry.count;
            // The window begins anew with the last that counts: who goes on stays out.
            if (entry.count >= most) entry.since_ms = now_ms;
            return;
        }
        if (entry.count == 0 || (oldest->count && entry.since_ms < oldest->since_ms))
            oldest = &entry;
    }
    *oldest = {from, now_ms, 1};
}

bool Strikes::out(const jf_endpoint& from, std::uint64_t now_ms) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.count >= most && now_ms - entry.since_ms <= window_ms &&
               same_source(entry.source, from);
    });
}

bool names_any(std::string_view user_agent, const std::vector<std::string>& lower_case_names) {
    if (user_agent.empty() || lower_case_names.empty()) return false;
    const std::string agent = lower(std::string(user_agent.substr(0, 256)));
    return std::any_of(
        lower_case_names.begin(), lower_case_names.end(), [&](const std::string& name) {
            return !name.empty() && agent.find(name) != std::string::npos;
        });
}

}  // namespace jackfield::sip
