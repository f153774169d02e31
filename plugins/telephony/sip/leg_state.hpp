#pragma once

// What the host keeps of a leg, so that it can be hung up after a crash: lines of `name value`.
// Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::sip {

inline constexpr std::size_t most_leg_state = 4096;  // jf_incoming

struct LegState {
    std::string call_id;
    std::string from;  // our side, as the From header of our requests has it, with tag
    std::string to;    // the far end's, likewise
    std::string target;
    std::vector<std::string> routes;
    std::string
        next_hop;  // SIP URI of the address that the far end was seen at; empty: by route or target
    std::uint32_t cseq = 0;  // for the BYE: above everything that the dialog can have used

    /// Empty when it doesn't fit into most_leg_state.
    std::string encode() const;
    static std::optional<LegState> parse(std::string_view text);
};

}  // namespace jackfield::sip
