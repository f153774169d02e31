#include "resilience/provider_health.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace jackfield::resilience {
namespace {

constexpr std::array<std::string_view, 6> credential_words = {"key", "token", "secret", "password", "account", "user"};
constexpr std::array<std::string_view, 3> address_words = {"url", "endpoint", "address"};

/// FNV-1a: equal options must meet, and nobody gains by making others meet theirs, since tenants are kept apart.
class Digest {
  public:
    void add(std::string_view text) {
        for (const char c : text) step(static_cast<unsigned char>(c));
        step(0);
        empty_ = false;
    }
    std::string text() const {
        if (empty_) return {};
        char out[17];
        std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(state_));
        return out;
    }

  private:
    void step(unsigned char byte) { state_ = (state_ ^ byte) * 1099511628211u; }
    std::uint64_t state_ = 14695981039346656037u;
    bool empty_ = true;
};

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('.') + 1); }

template <typename Words>
bool ends_in_one_of(std::string_view name, const Words& words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
        return name == word || (name.size() > word.size() && name.ends_with(word) && name[name.size() - word.size() - 1] == '_');
    });
}

/// "https://eu.example.com:443/v1" -> "eu.example.com:443".
std::string_view host_of(std::string_view address) {
    if (const auto scheme = address.find("://"); scheme != std::string_view::npos) address.remove_prefix(scheme + 3);
    address = address.substr(0, address.find_first_of("/?#"));
    if (const auto user = address.rfind('@'); user != std::string_view::npos) address.remove_prefix(user + 1);
    return address;
}

}  // namespace

ProviderKey provider_key(std::string plugin, std::string tenant, const std::vector<std::pair<std::string, std::string>>& options) {
    ProviderKey key;
    key.plugin = std::move(plugin);
    key.tenant = std::move(tenant);
    Digest all;
    Digest credentials;
    std::string_view region;
    std::string_view address;
    auto sorted = options;
    std::sort(sorted.begin(), sorted.end());
    for (const auto& [path, value] : sorted) {
        all.add(path);
        all.add(value);
        const std::string_view name = last_part(path);
        if (name == "region") region = value;
        else if (ends_in_one_of(name, address_words) && address.empty()) address = host_of(value);
        else if (ends_in_one_of(name, credential_words)) credentials.add(value);
    }
    key.region = region.empty() ? address : region;
    key.account = credentials.text();
    key.options = all.text();
    return key;
}

base::Milliseconds ProviderHealth::hedge_after(base::MonoTime now, base::Milliseconds floor) const {
    const auto p95 = latency_.quantile(now, 0.95, least_samples);
    return p95 ? std::max(*p95, floor) : floor;
}

std::shared_ptr<ProviderHealth> ProviderHealthRegistry::of(const ProviderKey& key) {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    if (known_.size() >= most_unused) std::erase_if(known_, [](const auto& entry) { return entry.second.use_count() == 1; });
    return known_.emplace(key, std::make_shared<ProviderHealth>(key)).first->second;
}

std::size_t ProviderHealthRegistry::size() const {
    const std::lock_guard lock(mutex_);
    return known_.size();
}

}  // namespace jackfield::resilience
