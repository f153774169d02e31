#pragma once

#include <cstdint>
#include <string>

#include "simulators/sockets.hpp"

namespace jackfield::sim {

struct TortureOptions {
    Endpoint target;
    std::string user = "reception";
    int count = 5000;
    std::uint64_t seed = 1;
    bool tcp = false;
    int per_second = 2000;
};

struct TortureReport {
    int sent = 0;
    int replies = 0;
    int server_errors = 0;    // 5xx
    int calls_by_mistake = 0; // a broken INVITE that was answered with 200; it is acknowledged and ended
    int refused = 0;          // TCP connections that were not taken
};

/// One broken SIP message. `index` chooses the kind, so that every kind comes up however few are sent; `seed` the details.
std::string make_malformed(int index, std::uint64_t seed, const TortureOptions& options, std::uint16_t reply_port);

/// Sends `count` broken messages from 127.0.0.1 and reads what comes back. Over TCP each goes in pieces on a connection that
/// is sometimes closed in the middle.
TortureReport torture(const TortureOptions& options);

}  // namespace jackfield::sim
