#pragma once

#include <string>
#include <vector>

#include "store/call_store.hpp"

struct jf_quality;

namespace jackfield::call {

struct TranscriptLine {
    bool caller = false;
    std::string text;
};

/// The event call.ended: of a call whose end was seen, and of one that a crash ended and a restart closed.
std::string ended_event(const store::CallRow& row, const std::string& agent, const std::vector<TranscriptLine>& transcript, std::int64_t at_us);

/// What the leg's provider measured, as it is stored with the call and told in its last event. Empty: it measured nothing.
std::string quality_json(const jf_quality& quality);

}  // namespace jackfield::call
