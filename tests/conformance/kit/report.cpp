#include "conformance/kit/report.hpp"

#include "base/json.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

std::string_view word_of(Row::Outcome outcome) {
    switch (outcome) {
        case Row::Outcome::passed: return "passed";
        case Row::Outcome::failed: return "FAILED";
        case Row::Outcome::warning: return "warning";
        default: return "n/a";
    }
}

std::string_view json_word_of(Row::Outcome outcome) {
    switch (outcome) {
        case Row::Outcome::passed: return "passed";
        case Row::Outcome::failed: return "failed";
        case Row::Outcome::warning: return "warning";
        default: return "not_applicable";
    }
}

}  // namespace

std::size_t count(const std::vector<Row>& rows, Row::Outcome outcome) {
    return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [&](const Row& row) { return row.outcome == outcome; }));
}

std::string row_text(const Row& row) {
    std::string out = fmt::format("  {:<8}{:<36} {}", word_of(row.outcome), row.name, row.promise);
    if (row.ms >= 1000) out += fmt::format(" ({:.1f} s)", static_cast<double>(row.ms) / 1000);
    out += "\n";
    if (!row.detail.empty()) out += fmt::format("          {}\n", row.detail);
    if (row.outcome == Row::Outcome::failed || row.outcome == Row::Outcome::warning) out += fmt::format("          Remedy: {}\n", row.remedy);
    return out;
}

std::string summary_text(const Target& target, const std::vector<Row>& rows, double seconds) {
    const std::size_t passed = count(rows, Row::Outcome::passed), failed = count(rows, Row::Outcome::failed),
                      warnings = count(rows, Row::Outcome::warning), skipped = count(rows, Row::Outcome::not_applicable);
    return fmt::format("verify: plugin={} version={} result={} passed={} failed={} warnings={} not_applicable={} seconds={:.1f}\n", target.id(),
                       target.facts.descriptor.version, failed ? "failed" : "passed", passed, failed, warnings, skipped, seconds);
}

std::string report_json(const Target& target, const std::vector<Row>& rows, double seconds) {
    base::JsonWriter json;
    json.begin_object().member("plugin", target.id()).member("version", target.facts.descriptor.version);
    json.member("file", target.file.string()).member("sha256", target.facts.sha256);
    json.member("result", count(rows, Row::Outcome::failed) ? "failed" : "passed").member("seconds", seconds);
    for (const Row::Outcome outcome : {Row::Outcome::passed, Row::Outcome::failed, Row::Outcome::warning, Row::Outcome::not_applicable})
        json.member(outcome == Row::Outcome::warning ? "warnings" : json_word_of(outcome), static_cast<std::uint64_t>(count(rows, outcome)));
    json.key("checks").begin_array();
    for (const Row& row : rows) {
        json.begin_object().member("name", row.name).member("outcome", json_word_of(row.outcome)).member("promise", row.promise);
        if (!row.detail.empty()) json.member("detail", row.detail);
        if (row.outcome == Row::Outcome::failed || row.outcome == Row::Outcome::warning) json.member("remedy", row.remedy);
        json.member("ms", row.ms).end_object();
    }
    json.end_array().end_object();
    return json.take();
}

std::vector<Row> lint_rows(const plugin_host::LintReport& report) {
    std::vector<Row> out;
    for (const plugin_host::LintFinding& finding : report.findings)
        out.push_back({finding.severity == plugin_host::Severity::error ? Row::Outcome::failed : Row::Outcome::warning, "lint." + finding.code,
                       finding.what, finding.why, finding.remedy, 0});
    if (out.empty()) out.push_back({Row::Outcome::passed, "lint", "The file has no fault that shows without executing it", "", "", 0});
    return out;
}

}  // namespace jackfield::conformance
