#pragma once

#include <string>
#include <vector>

#include "call/machine.hpp"

namespace jackfield::call {

/// A part of what the caller waits for.
struct Stage {
    const char* name; ///< as it is stored: endpoint_ms, ...
    std::int64_t ms;
};

/// Milliseconds from the caller's last voiced sample to the first agent sample sent; -1 when one of them did not happen.
std::int64_t reply_ms(const TurnTimes& times);

/// The stages of that wait, in their order. They add up to reply_ms() exactly: each ends where the next begins, one that did not happen or was
/// over before its predecessor (a reply that was begun early) is 0, and moments are rounded, not lengths. Empty when there is no reply_ms.
std::vector<Stage> reply_stages(const TurnTimes& times);

/// The same as a JSON object, empty text for none.
std::string stages_json(const TurnTimes& times);

}  // namespace jackfield::call
