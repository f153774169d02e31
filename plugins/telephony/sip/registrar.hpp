#pragma once

// Where our users' phones are (RFC 3261 10.3). Any thread; time comes from outside.

#include "address.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::sip {

struct Binding {
    std::string contact;  // the URI as the phone wrote it
    std::string reach;    // the same with the address that the phone sent from
    std::string call_id;
    std::uint32_t cseq = 0;
    std::uint64_t until_ms = 0;
};

/// One Contact of a REGISTER.
struct WantedBinding {
    std::string contact;
    std::optional<std::uint32_t> expires_s;
};

class Registrar {
  public:
    static constexpr std::uint32_t least_expires_s = 60;
    static constexpr std::uint32_t most_expires_s = 3600;
    static constexpr std::size_t most_bindings = 8;  // of one user

    struct Request {
        std::string user;
        std::string call_id;
        std::uint32_t cseq = 0;
        bool all_away = false;  // Contact: *
        std::optional<std::uint32_t> expires_s;
        std::vector<WantedBinding> wanted;
        jf_endpoint source{};
        const char* transport = "udp";
    };
    /// The status for the answer: 200, 400, 403 (too many), 423, 500 (out of order).
    unsigned take(const Request& request, std::uint64_t now_ms);
    /// What is there now, the youngest first.
    std::vector<Binding> bindings(std::string_view user, std::uint64_t now_ms) const;
    std::size_t size(std::uint64_t now_ms) const;

  private:
    mutable std::mutex mutex_;
    std::map<std::string, std::vector<Binding>, std::less<>> users_;
};

/// `contact` with the host and port of `source`: behind a NAT a phone knows its inner address only.
std::string reach_through(std::string_view contact,
                          const jf_endpoint& source,
                          std::string_view transport);

}  // namespace jackfield::sip
