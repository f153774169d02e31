#pragma once

#include <string>

#include "base/json.hpp"
#include "store/call_store.hpp"

namespace jackfield::app {

/// The stages of each reply as bars on one scale, `columns` wide: who waited for what. Empty when no turn has stages.
std::string draw_waterfall(const std::vector<store::TurnRow>& turns, std::size_t columns = 60);

/// A call's trace as a ladder: the far end on the left, the host in the middle, its providers on the right. `trace` is what TraceLog::json()
/// wrote; `whole` prints each message in full below its rung.
std::string draw_ladder(const base::JsonView& trace, bool whole);

/// "timeout" of JF_E_TIMEOUT.
std::string status_text(std::int64_t status);

}  // namespace jackfield::app
