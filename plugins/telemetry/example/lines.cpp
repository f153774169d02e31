#include "lines.hpp"

#include <algorithm>
#include <cmath>

#include <jackfield/sdk/json.hpp>
#include <jackfield/sdk/plugin.hpp>

namespace jackfield::telemetry_example {
namespace {

std::string hex(const std::uint8_t* bytes, std::size_t n) {
    constexpr const char* digits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < n; ++i) (out += digits[bytes[i] >> 4]) += digits[bytes[i] & 15];
    return out;
}

std::string member(const char* name, jf_str value) { return std::string(",\"") + name + "\":" + sdk::quoted(sdk::view(value)); }
std::string member(const char* name, std::int64_t value) { return std::string(",\"") + name + "\":" + std::to_string(value); }
/// What is JSON already; empty where the tenant's contents do not leave.
std::string raw_member(const char* name, jf_str json) {
    return json.len ? std::string(",\"") + name + "\":" + std::string(sdk::view(json)) : "";
}
/// JSON knows neither infinity nor NaN.
std::string member(const char* name, double value) {
    return std::string(",\"") + name + "\":" + (std::isfinite(value) ? std::to_string(value) : "null");
}

std::string ids(const std::uint8_t* trace, const std::uint8_t* span) {
    return "\"trace\":\"" + hex(trace, 16) + "\",\"span\":\"" + hex(span, 8) + '"';
}

std::string span_members(const jf_span& span) {
    constexpr const char* states[] = {"ok", "error", "cancelled"};
    std::string out = ids(span.trace_id, span.span_id);
    if (std::any_of(span.parent_id, span.parent_id + 8, [](std::uint8_t b) { return b != 0; })) out += ",\"parent\":\"" + hex(span.parent_id, 8) + '"';
    out += member("name", span.name) + member("start_us", span.start_us) + member("end_us", span.end_us);
    out += std::string(",\"status\":\"") + (span.status < 3 ? states[span.status] : "unknown") + '"';
    if (span.attributes.n == 0) return out;
    out += ",\"attributes\":{";
    for (std::uint32_t i = 0; i < span.attributes.n; ++i) {
        const auto* pair = JF_AT(jf_pair, span.attributes, i);
        out += (i ? "," : "") + sdk::quoted(sdk::view(pair->key)) + ":" + sdk::quoted(sdk::view(pair->value));
    }
    return out + "}";
}

}  // namespace

std::string lines_of(const jf_telemetry_batch& batch) {
    std::string out;
    const auto line = [&](const char* what, const std::string& members) {
        out += std::string("{\"type\":\"") + what + '"' + member("environment", batch.environment) + "," + members + "}\n";
    };
    for (std::uint32_t i = 0; i < batch.spans.n; ++i) line("span", span_members(*JF_AT(jf_span, batch.spans, i)));
    for (std::uint32_t i = 0; i < batch.generations.n; ++i) {
        const auto& g = *JF_AT(jf_generation, batch.generations, i);
        if (!g.span) continue;
        std::string members = span_members(*g.span) + member("session", g.session) + member("provider", g.provider) + member("model", g.model) +
                              raw_member("input", g.input) + raw_member("output", g.output) +
                              member("tokens_in", static_cast<std::int64_t>(g.tokens_in)) +
                              member("tokens_out", static_cast<std::int64_t>(g.tokens_out)) +
                              member("tokens_cached", static_cast<std::int64_t>(g.tokens_cached)) + member("first_token_us", g.first_token_us);
        if (g.cost >= 0) members += member("cost", g.cost) + member("currency", g.currency);
        line("generation", members);
    }
    for (std::uint32_t i = 0; i < batch.scores.n; ++i) {
        const auto& s = *JF_AT(jf_score, batch.scores, i);
        line("score", ids(s.trace_id, s.span_id) + member("id", s.id) + member("name", s.name) + member("value", s.value) + member("label", s.label) +
                          member("comment", s.comment));
    }
    return out;
}

}  // namespace jackfield::telemetry_example
