#include "timetable.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace jackfield::desk {
namespace {

constexpr const char* weekdays[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

std::optional<int> number(std::string_view text, std::size_t least, std::size_t most) {
    if (text.size() < least || text.size() > most) return std::nullopt;
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

unsigned monday_first(std::chrono::local_days day) { return (std::chrono::weekday(day).iso_encoding() + 6) % 7; }

}  // namespace

std::optional<std::chrono::local_days> parse_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto year = number(text.substr(0, 4), 4, 4), month = number(text.substr(5, 2), 2, 2), day = number(text.substr(8, 2), 2, 2);
    if (!year || !month || !day) return std::nullopt;
    const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day)));
    if (!date.ok()) return std::nullopt;
    return std::chrono::local_days(date);
}

std::optional<int> parse_time(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto hour = number(text.substr(0, colon), 1, 2), minute = number(text.substr(colon + 1), 2, 2);
    if (!hour || !minute || *minute > 59 || *hour * 60 + *minute > 1440) return std::nullopt;
    return *hour * 60 + *minute;
}

std::optional<Moment> parse_moment(std::string_view text) {
    if (text.size() < 16 || text[10] != 'T') return std::nullopt;
    const auto day = parse_date(text.substr(0, 10));
    const auto minute = parse_time(text.substr(11, 5));
    if (!day || !minute) return std::nullopt;
    return Moment{*day, *minute};
}

std::string date_text(std::chrono::local_days day) {
    const std::chrono::year_month_day date(day);
    char text[24];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()));
    return text;
}

std::string time_text(int minute) {
    char text[16];
    std::snprintf(text, sizeof text, "%02d:%02d", minute / 60, minute % 60);
    return text;
}

std::string weekday_text(std::chrono::local_days day) { return weekdays[monday_first(day)]; }

std::optional<Timetable::Span> parse_span(std::string_view text) {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto from = parse_time(text.substr(0, dash)), to = parse_time(text.substr(dash + 1));
    if (!from || !to || *from >= *to) return std::nullopt;
    return Timetable::Span{*from, *to};
}

bool Timetable::empty() const {
    return std::all_of(week.begin(), week.end(), [](const auto& day) { return day.empty(); });
}

const std::vector<Timetable::Span>& Timetable::spans(std::chrono::local_days day) const {
    static const std::vector<Span> none;
    return std::find(closed.begin(), closed.end(), day) == closed.end() ? week[monday_first(day)] : none;
}

std::vector<int> Timetable::begins(std::chrono::local_days day) const {
    std::vector<int> out;
    for (const Span& span : spans(day))
        for (int minute = span.from; minute + length <= span.to; minute += length) out.push_back(minute);
    return out;
}

}  // namespace jackfield::desk
