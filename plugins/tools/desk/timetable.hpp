#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::desk {

/// A local moment, as the host says it and as appointments are kept: the offset plays no part.
struct Moment {
    std::chrono::local_days day;
    int minute = 0; ///< of the day
    friend auto operator<=>(const Moment&, const Moment&) = default;
};

/// "2026-11-23"; nothing when there is no such day.
std::optional<std::chrono::local_days> parse_date(std::string_view text);
/// "09:30", "9:30", "24:00".
std::optional<int> parse_time(std::string_view text);
/// RFC 3339: "2026-11-20T09:30:00-05:00".
std::optional<Moment> parse_moment(std::string_view text);
std::string date_text(std::chrono::local_days day);
std::string time_text(int minute);
/// "monday"
std::string weekday_text(std::chrono::local_days day);

/// When the desk is open, and when appointments may begin.
class Timetable {
  public:
    struct Span {
        int from = 0;
        int to = 0;
    };
    std::array<std::vector<Span>, 7> week; ///< Monday first
    std::vector<std::chrono::local_days> closed;
    int length = 30; ///< of an appointment, minutes

    bool empty() const;
    const std::vector<Span>& spans(std::chrono::local_days day) const;
    /// Minutes at which an appointment may begin, in order.
    std::vector<int> begins(std::chrono::local_days day) const;
};

/// Reads "08:00-12:00"; nothing when it is none or ends before it begins.
std::optional<Timetable::Span> parse_span(std::string_view text);

}  // namespace jackfield::desk
