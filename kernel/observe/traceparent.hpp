#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::observe {

/// A W3C trace context: which trace this act belongs to, and the span that caused it.
/// Source: www.w3.org/TR/trace-context, section 3.2.
struct TraceParent {
    std::uint64_t trace_high = 0;
    std::uint64_t trace_low = 0;
    std::uint64_t span = 0;
    bool sampled = false;

    friend bool operator==(const TraceParent&, const TraceParent&) = default;
};

/// The value of a `traceparent` header. Nothing when it is malformed: then a new trace begins, as
/// the standard says.
std::optional<TraceParent> parse_traceparent(std::string_view header);
/// As version 00.
std::string format_traceparent(const TraceParent& trace);

TraceParent new_trace(base::Random& random, bool sampled);
/// The same trace, one span further.
TraceParent child_of(const TraceParent& parent, base::Random& random);

/// An id that goes with one request from its door to every log line about it.
class RequestId {
  public:
    static RequestId make(const base::Clock& clock, base::Random& random);
    /// What a peer sent along, if it is 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`: anything else
    /// has no business in a log.
    static std::optional<RequestId> accept(std::string_view from_peer);

    const std::string& text() const { return text_; }
    friend bool operator==(const RequestId&, const RequestId&) = default;

  private:
    explicit RequestId(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

}  // namespace jackfield::observe
