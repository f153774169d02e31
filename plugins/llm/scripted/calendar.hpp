#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "words.hpp"

namespace jackfield::scripted {

/// The tenant's local time. A conversation gets by without one: what depends on it is then not understood.
struct LocalTime {
    std::chrono::local_days day;
    int minute = 0;  // of the day
};

/// RFC 3339, of which the offset does not matter here: "2026-11-20T09:30:00-05:00".
std::optional<LocalTime> parse_local_time(std::string_view rfc3339);

/// 0 Monday .. 6 Sunday.
int weekday_of(std::chrono::local_days day);
std::string_view weekday_name(int weekday);  // "monday"
std::optional<int> parse_weekday(std::string_view name);

struct DayFound {
    int weekday = -1;
    std::optional<std::chrono::local_days> date;  // known when the clock is
    std::size_t length = 0;
};
/// "monday", "on next tuesday", "tomorrow", "the day after tomorrow".
std::optional<DayFound> weekday_at(const Words& words, std::size_t at, const std::optional<LocalTime>& now);
/// Besides: "the twenty third of november", "november third", "the third", "2026-11-23", "in two weeks".
std::optional<DayFound> date_at(const Words& words, std::size_t at, const std::optional<LocalTime>& now);

struct TimeFound {
    int minute = 0;          // of the day, before `either_half` is settled
    bool either_half = false;  // "nine": in the morning or in the evening
    bool marked = false;     // cannot be anything but a time: "at nine", "nine thirty", "nine p m"
    std::size_t length = 0;
};
/// "nine", "nine thirty", "half past nine", "ten to nine", "two p m", "noon", "14:30".
std::optional<TimeFound> time_at(const Words& words, std::size_t at);
/// The half of the day that falls between `earliest` and `latest` (minutes), else the one in usual working hours.
int settle_half(const TimeFound& time, int earliest, int latest);

std::string say_time(int minute);                         // "half past" is not used: "nine thirty in the morning"
std::string say_date(std::chrono::local_days day);        // "Monday the twenty third of November"
std::string iso_date(std::chrono::local_days day);        // "2026-11-23"
std::string iso_time(int minute);                         // "09:30"
std::optional<int> parse_iso_time(std::string_view text);  // "24:00" too

/// When the place is open.
class Hours {
  public:
    struct Span {
        int from = 0;
        int to = 0;
    };
    std::array<std::vector<Span>, 7> week;
    std::vector<std::chrono::local_days> closed_dates;
    bool known = false;

    bool open_at(const LocalTime& now) const;
    bool open_on(int weekday) const;
    bool open_on(std::chrono::local_days day) const;
    bool open_at(int weekday, int minute) const;
    /// "Monday to Friday from nine in the morning to five in the afternoon, and Saturday from ..."
    std::string say() const;
    /// "on Saturday from nine ... to one ...": one day's spans; empty when closed.
    std::string say_day(int weekday) const;
    /// "today at two in the afternoon", "tomorrow at nine in the morning", "on Monday at ..."; empty when never.
    std::string say_next_opening(const LocalTime& now) const;
    /// When today's current or last span ends.
    std::string say_closing(const LocalTime& now) const;
};

}  // namespace jackfield::scripted
