#pragma once

// The side that asks for a password. Pure; time comes from outside.

#include "address.hpp"
#include "digest.hpp"
#include "trunk_config.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace jackfield::sip {

class DigestServer {
  public:
    enum class Verdict {
        right,
        nothing,  // no credentials for this realm
        stale,    // right, but the nonce is too old, of another address or used up: ask anew
        wrong,    // password, user or form
    };

    /// `key` signs the nonces; random, of this process.
    DigestServer(std::vector<User> users, std::string realm, std::string key)
        : users_(std::move(users)), realm_(std::move(realm)), key_(std::move(key)) {}

    bool empty() const { return users_.empty(); }
    bool knows(std::string_view user) const;
    /// The WWW-Authenticate lines of a 401, one for each algorithm in this order (RFC 8760 2.4).
    std::string challenge(const std::vector<DigestAlgorithm>& algorithms,
                          const jf_endpoint& client,
                          std::uint64_t now_ms,
                          bool stale);
    /// `user` gets who it is when the verdict is right.
    Verdict check(std::string_view authorization,
                  std::string_view method,
                  std::string_view request_uri,
                  const jf_endpoint& client,
                  std::uint64_t now_ms,
                  std::string& user);

    static constexpr std::uint64_t nonce_life_ms = 60'000;

  private:
    /// What of a nonce has been used. Kept until the nonce is too old, so that nothing is taken
    /// twice.
    struct Used {
        std::uint64_t until_ms = 0;
        std::uint32_t highest = 0;
        std::uint64_t below = 0;  // bit n: highest - 1 - n has been seen
    };
    static constexpr std::size_t most_nonces = 4096;

    std::string signature(std::string_view stamp, const jf_endpoint& client) const;
    bool is_ours(std::string_view nonce, const jf_endpoint& client, std::uint64_t& made_ms) const;
    bool use(const std::string& nonce,
             std::uint32_t count,
             std::uint64_t made_ms,
             std::uint64_t now_ms);

    std::vector<User> users_;
    std::string realm_;
    std::string key_;
    std::uint64_t counter_ = 0;
    std::unordered_map<std::string, Used> used_;
};

}  // namespace jackfield::sip
