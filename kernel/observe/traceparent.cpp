#include "observe/traceparent.hpp"

#include "base/id.hpp"

#include <algorithm>

namespace jackfield::observe {
namespace {

/// Lower-case digits only, as the standard demands; std::from_chars takes upper case too.
std::optional<std::uint64_t> hex(std::string_view digits) {
    std::uint64_t out = 0;
    for (const char c : digits) {
        if (c >= '0' && c <= '9')
            out = out << 4 | static_cast<std::uint64_t>(c - '0');
        else if (c >= 'a' && c <= 'f')
            out = out << 4 | static_cast<std::uint64_t>(c - 'a' + 10);
        else
            return std::nullopt;
    }
    return out;
}

void append_hex(std::string& out, std::uint64_t number) {
    static constexpr char digits[] = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4) out += digits[number >> shift & 15];
}

std::uint64_t nonzero(base::Random& random) {
    std::uint64_t number = random.next();
    while (number == 0) number = random.next();
    return number;
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view header) {
    // version "-" trace-id "-" parent-id "-" flags; later versions may append "-" and more.
    constexpr std::size_t length = 55;
    if (header.size() < length || header[2] != '-' || header[35] != '-' || header[52] != '-')
        return std::nullopt;
    const auto version = hex(header.substr(0, 2));
    const auto high = hex(header.substr(3, 16));
    const auto low = hex(header.substr(19, 16));
    const auto span = hex(header.substr(36, 16));
    const auto flags = hex(header.substr(53, 2));
    if (!version || !high || !low || !span || !flags) return std::nullopt;
    if (*version == 0xff || (*high == 0 && *low == 0) || *span == 0) return std::nullopt;
    if (header.size() > length && (*version == 0 || header[length] != '-')) return std::nullopt;
    return TraceParent{*high, *low, *span, (*flags & 1) != 0};
}

std::string format_traceparent(const TraceParent& trace) {
    std::string out = "00-";
    append_hex(out, trace.trace_high);
    append_hex(out, trace.trace_low);
    out += '-';
    append_hex(out, trace.span);
    out += trace.sampled ? "-01" : "-00";
    return out;
}

TraceParent new_trace(base::Random& random, bool sampled) {
    const std::uint64_t high = nonzero(random);
    const std::uint64_t low = nonzero(random);
    return {high, low, nonzero(random), sampled};
}

TraceParent child_of(const TraceParent& parent, base::Random& random) {
    TraceParent child = parent;
    child.span = nonzero(random);
    return child;
}

RequestId RequestId::make(const base::Clock& clock, base::Random& random) {
    return RequestId(base::make_ulid(clock.utc_now(), random));
}

std::optional<RequestId> RequestId::accept(std::string_view from_peer) {
    const auto allowed = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    if (from_peer.empty() || from_peer.size() > 64 ||
        !std::all_of(from_peer.begin(), from_peer.end(), allowed))
        return std::nullopt;
    return RequestId(std::string(from_peer));
}

}  // namespace jackfield::observe
