#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "caller.hpp"
#include "network.hpp"

namespace jackfield::telephony_sim {

/// One call as it is written down, in steps behind semicolons:
///
///   from +12125550001; to +12125550100; at 350     who calls whom, so many ms after the carrier began; or
///   dialled +16465550001; ring 800; answers        what somebody does whom the host calls: answers, busy, away
///   impatient 400                                  gives up so many ms after it began to ring
///   linger 2000; stays 40000                       how long the caller waits when all is done, and at all
///   patience 3000                                  how long for an agent that says nothing
///
///   wait 700      the next begins when the agent has been quiet for so long
///   over 300      the next begins when the agent has talked for so long
///   pause 400     quiet
///   say yes please     cough 140     press 555#     hold 1200     hang_up     vanish
///
///   line die           the carrier's plugin goes wrong: loses the leg, ignores hang-ups (deaf), refuses the agent's packets for so long
///   line block 800     (block), says what makes no sense (lie), completes twice (twice), goes on behind the completion (after)
///
///   net lose 40 10     network faults from the 40th packet after the answer on (NetworkFault); also delay 40 10 3, swap 40 2,
///   net stall 40 25    twice 40 5, jump 40 16000, back 40 800, restart 40 7000
struct Script {
    std::string from;
    std::string to;
    std::string dialled; ///< not empty: somebody whom the host calls
    unsigned at_ms = 0;
    unsigned ring_ms = 500;
    enum class Dialled { answers, busy, away } then = Dialled::answers;
    Plan plan;
    std::vector<NetworkFault> network;
};

/// Null, with a sentence in `problem`, when it is no such script.
std::optional<Script> parse_script(std::string_view text, std::string& problem);

}  // namespace jackfield::telephony_sim
