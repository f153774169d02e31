#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace jackfield::plugin_host {

/// Of which call of which tenant an op is, for logs.
struct OpOwner {
    std::array<char, 64> tenant_text{};
    std::array<char, 32> call_text{};

    /// What doesn't fit is left out: half an id names nobody.
    static OpOwner of(std::string_view tenant, std::string_view call) {
        OpOwner out;
        if (tenant.size() < out.tenant_text.size()) std::copy(tenant.begin(), tenant.end(), out.tenant_text.begin());
        if (call.size() < out.call_text.size()) std::copy(call.begin(), call.end(), out.call_text.begin());
        return out;
    }
    std::string_view tenant() const { return tenant_text.data(); }
    std::string_view call() const { return call_text.data(); }
};

/// An OpOwner that one thread may write while others read, without a lock: whoever logs may be a plugin's thread that holds locks of its own. The reader
/// has to ask afterwards whether the op is still the one that it meant.
class OpLabel {
  public:
    void clear() { there_.store(false, std::memory_order_relaxed); }
    void set(const OpOwner& owner) {
        std::array<std::uint64_t, words> text;
        std::memcpy(text.data(), &owner, sizeof owner);
        for (std::size_t i = 0; i < words; ++i) text_[i].store(text[i], std::memory_order_relaxed);
        there_.store(true, std::memory_order_release);
    }
    /// False: it has none.
    bool read(OpOwner& owner) const {
        if (!there_.load(std::memory_order_acquire)) return false;
        std::array<std::uint64_t, words> text;
        for (std::size_t i = 0; i < words; ++i) text[i] = text_[i].load(std::memory_order_relaxed);
        std::memcpy(static_cast<void*>(&owner), text.data(), sizeof owner);
        std::atomic_thread_fence(std::memory_order_acquire);
        return true;
    }

  private:
    static constexpr std::size_t words = sizeof(OpOwner) / sizeof(std::uint64_t);
    static_assert(sizeof(OpOwner) == words * sizeof(std::uint64_t));
    std::array<std::atomic<std::uint64_t>, words> text_{};
    std::atomic<bool> there_{false};
};

}  // namespace jackfield::plugin_host
