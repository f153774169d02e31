#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::call_log {

/// What the event call.ended says about a call, as far as this plugin keeps it.
struct CallFacts {
    std::string call;
    std::string agent;
    std::string caller;
    std::string cause;
    std::int64_t seconds = 0; ///< from the answer to the end, 0 for a call that was not answered
    std::int64_t turns = 0;
    std::string transcript;   ///< a line per message: "Caller: ...", "Agent: ..."
    std::string first_words;  ///< of the caller
};

/// Nothing when `json` is not an object; members that are missing or of another type count as empty, since a later host may change them.
std::optional<CallFacts> read_call_ended(std::string_view json);

/// One line that needs no model.
std::string summary_by_rule(const CallFacts& facts);

/// At most `limit` bytes of whole characters: the beginning and the end, which say most about a call, with a mark between them.
std::string shortened(std::string_view text, std::size_t limit);

/// A model's answer as one line, at most as long as a summary may be.
std::string tidied(std::string_view reply);

}  // namespace jackfield::call_log
