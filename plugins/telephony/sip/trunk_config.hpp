#pragma once

// The options about whom we trust, what may be dialled, and the carrier's side.

#include "address.hpp"
#include "dial_policy.hpp"
#include "digest.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace jackfield::sip {

/// Somebody who may register and call with a password.
struct User {
    std::string name;
    std::string password;
};

struct TrunkOptions {
    bool accept_refer = false;
    std::uint32_t max_requests_per_second = 0;    // per source; 0: no limit
    std::vector<std::string> refuse_user_agents;  // lower case
    DialRules dialling;

    std::vector<User> users;
    std::string realm;
    std::vector<DigestAlgorithm> auth_algorithms;  // of our challenges, in their order

    bool register_here = false;
    std::string registrar;  // SIP URI; never empty when register_here
    std::uint32_t register_expires_s = 0;
    std::vector<std::string> proxies;  // outbound_proxy and what stands in for it, in order
    std::uint32_t health_interval_s = 0;
    std::vector<jf_endpoint> dns_servers;  // none: the system's

    /// Throws sdk::Failure, which names the key and what would be right. `outbound_proxy`, `from`
    /// and `username` have been checked already.
    static TrunkOptions from_config(const sdk::Config& config);
};

}  // namespace jackfield::sip
