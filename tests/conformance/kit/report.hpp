#pragma once

#include "conformance/kit/runner.hpp"
#include "conformance/kit/target.hpp"
#include "plugin_host/lint.hpp"

#include <string>
#include <vector>

namespace jackfield::conformance {

/// "  passed  stt.x    promise"
std::string row_text(const Row& row);
/// Totals for a person, then the one line for scripts.
std::string summary_text(const Target& target, const std::vector<Row>& rows, double seconds);
std::string report_json(const Target& target, const std::vector<Row>& rows, double seconds);
/// The findings of lint as rows.
std::vector<Row> lint_rows(const plugin_host::LintReport& report);
std::size_t count(const std::vector<Row>& rows, Row::Outcome outcome);

}  // namespace jackfield::conformance
