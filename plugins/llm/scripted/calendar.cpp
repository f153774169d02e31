#include "calendar.hpp"

#include <algorithm>
#include <cstdio>

#include "numbers.hpp"

namespace jackfield::scripted {
namespace {

using std::chrono::days;
using std::chrono::local_days;

constexpr std::array<std::string_view, 7> weekdays{"monday", "tuesday",  "wednesday", "thursday",
                                                   "friday", "saturday", "sunday"};
constexpr std::array<std::string_view, 12> months{"january", "february", "march",     "april",   "may",      "june",
                                                  "july",    "august",   "september", "october", "november", "december"};

std::string_view word(const Words& words, std::size_t at) {
    return at < words.size() ? std::string_view(words[at]) : std::string_view();
}

std::optional<int> number_in(std::string_view text, std::size_t at, std::size_t length) {
    if (at + length > text.size() || !is_numeric(text.substr(at, length))) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(at, length)) value = value * 10 + (c - '0');
    return value;
}

std::optional<local_days> make_date(int year, int month, int day) {
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (month < 1 || day < 1 || year < 1970 || year > 9999 || !date.ok()) return std::nullopt;
    return local_days(date);
}

int month_of(std::string_view name) {
    for (std::size_t i = 0; i < months.size(); ++i)
        if (name == months[i] || (name.size() == 3 && months[i].starts_with(name))) return static_cast<int>(i) + 1;
    return 0;
}

/// A span of the day in words at `at`: its minutes to add to a twelve-hour time, -1 when none stands there.
struct Half {
    bool pm = false;
    std::size_t length = 0;
};
Half half_at(const Words& words, std::size_t at) {
    const std::string_view first = word(words, at);
    if (first == "am" || first == "morning") return {false, 1};
    if (first == "pm" || first == "afternoon" || first == "evening" || first == "night") return {true, 1};
    if (first == "in" && word(words, at + 1) == "the") {
        const Half half = half_at(words, at + 2);
        if (half.length == 1) return {half.pm, 3};
    }
    if ((first == "at" && word(words, at + 1) == "night") || first == "this" || first == "tomorrow") {
        const Half half = half_at(words, at + 1);
        if (half.length == 1 && first != "tomorrow") return {half.pm, 2};
    }
    return {};
}

struct Clock {
    int hour = -1;
    int minute = 0;
    bool marked = false;   // has minutes or a leading zero
    bool settled = false;  // cannot be the other half of the day
    std::size_t length = 0;
};

/// "nine", "nine thirty", "nine oh five", "930", "0930", "9 30".
std::optional<Clock> clock_at(const Words& words, std::size_t at) {
    const std::optional<Number> head = cardinal_at(words, at);
    if (!head) return std::nullopt;
    Clock out;
    out.length = head->length;
    if (head->value >= 100) {
        if (head->value > 2400 || head->value % 100 > 59) return std::nullopt;
        out.hour = static_cast<int>(head->value / 100);
        out.minute = static_cast<int>(head->value % 100);
        out.marked = true;
        out.settled = words[at].starts_with("0");
    } else {
        out.hour = static_cast<int>(head->value);
        out.settled = words[at].size() == 2 && words[at].starts_with("0");
        std::size_t next = at + head->length;
        const std::string_view lead = word(words, next);
        if (lead == "oh" || lead == "zero" || lead == "o") {
            const std::optional<Number> unit = cardinal_at(words, next + 1);
            if (unit && unit->value >= 1 && unit->value <= 9 && unit->length == 1) {
                out.minute = static_cast<int>(unit->value);
                out.length += 2;
                out.marked = true;
            }
        } else if (const std::optional<Number> minutes = cardinal_at(words, next);
                   minutes && minutes->value < 60 && (minutes->value >= 10 || words[next].size() == 2)) {
            out.minute = static_cast<int>(minutes->value);
            out.length += minutes->length;
            out.marked = true;
        }
    }
    if (out.hour > 24 || (out.hour == 24 && out.minute > 0)) return std::nullopt;
    if (out.hour == 0 || out.hour > 12) out.settled = true;
    out.hour %= 24;
    return out;
}

/// "half past nine", "quarter to nine", "ten past nine": everything up to the hour.
std::optional<Clock> relative_at(const Words& words, std::size_t at) {
    int minutes = 0;
    std::size_t next = at;
    if (word(words, next) == "a") ++next;
    if (word(words, next) == "half") {
        minutes = 30;
        ++next;
    } else if (word(words, next) == "quarter") {
        minutes = 15;
        ++next;
    } else if (const std::optional<Number> number = cardinal_at(words, next); number && number->value >= 1 && number->value <= 59) {
        minutes = static_cast<int>(number->value);
        next += number->length;
        if (word(words, next) == "minutes") ++next;
    } else {
        return std::nullopt;
    }
    const std::string_view relation = word(words, next);
    const bool past = relation == "past" || relation == "after";
    const bool to = relation == "to" || relation == "before" || relation == "of" || relation == "till";
    if (!past && !to) return std::nullopt;
    const std::optional<Number> hour = cardinal_at(words, next + 1);
    if (!hour || hour->value < 1 || hour->value > 12) return std::nullopt;
    Clock out;
    const int total = (static_cast<int>(hour->value) % 12) * 60 + (past ? minutes : 720 - minutes);
    out.hour = total / 60 % 12;
    out.minute = total % 60;
    if (out.hour == 0) out.hour = 12;
    out.marked = true;
    out.length = next + 1 + hour->length - at;
    return out;
}

std::string say_span(const Hours::Span& span) { return "from " + say_time(span.from) + " to " + say_time(span.to); }

std::string name_of(int weekday) { return capitalised(std::string(weekday_name(weekday))); }

}  // namespace

std::optional<LocalTime> parse_local_time(std::string_view text) {
    const auto year = number_in(text, 0, 4), month = number_in(text, 5, 2), day = number_in(text, 8, 2);
    const auto hour = number_in(text, 11, 2), minute = number_in(text, 14, 2);
    if (!year || !month || !day || !hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
    const std::optional<local_days> date = make_date(*year, *month, *day);
    if (!date) return std::nullopt;
    return LocalTime{*date, *hour * 60 + *minute};
}

int weekday_of(local_days day) { return static_cast<int>(std::chrono::weekday(day).iso_encoding()) - 1; }

std::string_view weekday_name(int weekday) {
    return weekdays[static_cast<std::size_t>(std::clamp(weekday, 0, 6))];
}

std::optional<int> parse_weekday(std::string_view name) {
    if (name.size() < 3) return std::nullopt;
    for (std::size_t i = 0; i < weekdays.size(); ++i) {
        const std::string_view full = weekdays[i];
        const bool plural = name.size() == full.size() + 1 && name.ends_with('s') && name.starts_with(full);
        const bool short_form = name.size() <= 5 && full.starts_with(name);
        if (name == full || plural || short_form) return static_cast<int>(i);
    }
    return std::nullopt;
}

std::optional<DayFound> weekday_at(const Words& words, std::size_t at, const std::optional<LocalTime>& now) {
    std::size_t next = at;
    if (word(words, next) == "on" || word(words, next) == "for" || word(words, next) == "the") ++next;
    bool is_this = false;
    while (word(words, next) == "this" || word(words, next) == "next" || word(words, next) == "coming") {
        is_this = is_this || word(words, next) == "this";
        ++next;
    }
    if (const std::optional<int> weekday = parse_weekday(word(words, next))) {
        DayFound out{*weekday, std::nullopt, next + 1 - at};
        if (now) {
            int ahead = (*weekday - weekday_of(now->day) + 7) % 7;
            // "Monday", said on a Monday, is a week away: for today a caller says "today" or "this Monday".
            if (ahead == 0 && !is_this) ahead = 7;
            out.date = now->day + days(ahead);
        }
        return out;
    }
    int ahead = -1;
    std::size_t length = 0;
    if (word(words, next) == "today") ahead = 0, length = 1;
    if (word(words, next) == "tomorrow") ahead = 1, length = 1;
    if (word(words, next) == "day" && word(words, next + 1) == "after" && word(words, next + 2) == "tomorrow")
        ahead = 2, length = 3;
    if (ahead < 0 || !now) return std::nullopt;
    const local_days date = now->day + days(ahead);
    return DayFound{weekday_of(date), date, next + length - at};
}

namespace {

/// The next date on or after today that has this day of the month, in `month` when that is not 0.
std::optional<local_days> coming(int month, int day, const LocalTime& now) {
    const std::chrono::year_month_day today(now.day);
    int y = static_cast<int>(today.year());
    int m = month ? month : static_cast<int>(static_cast<unsigned>(today.month()));
    // A leap day may be up to eight years off.
    for (int tries = 0; tries < 12; ++tries) {
        const std::optional<local_days> date = make_date(y, m, day);
        if (date && *date >= now.day) return date;
        if (month) {
            ++y;
        } else if (++m > 12) {
            m = 1;
            ++y;
        }
    }
    return std::nullopt;
}

std::optional<DayFound> on(std::optional<local_days> date, std::size_t length) {
    if (!date) return std::nullopt;
    return DayFound{weekday_of(*date), date, length};
}

/// An ordinal or cardinal day of the month.
std::optional<Number> month_day_at(const Words& words, std::size_t at, bool cardinal_too) {
    std::optional<Number> day = ordinal_at(words, at);
    if (!day && cardinal_too) day = cardinal_at(words, at);
    if (!day || day->value < 1 || day->value > 31) return std::nullopt;
    return day;
}

}  // namespace

std::optional<DayFound> date_at(const Words& words, std::size_t at, const std::optional<LocalTime>& now) {
    std::size_t next = at;
    if (word(words, next) == "on" || word(words, next) == "for") ++next;
    // A weekday in front of a date is only its ornament: "monday the twenty third".
    const std::optional<DayFound> weekday = weekday_at(words, next, now);
    const std::size_t after = weekday ? next + weekday->length : next;

    if (const std::optional<int> year = word(words, next).size() == 4 ? number_in(word(words, next), 0, 4) : std::nullopt;
        year && *year >= 1970) {
        const std::optional<Number> month = cardinal_at(words, next + 1), day = cardinal_at(words, next + 2);
        if (month && day && month->value <= 12 && day->value <= 31) {
            if (auto found = on(make_date(*year, static_cast<int>(month->value), static_cast<int>(day->value)), next + 3 - at))
                return found;
        }
    }
    if (now) {
        if (word(words, next) == "in") {
            const std::optional<Number> count = cardinal_at(words, next + 1);
            const std::string_view unit = count ? word(words, next + 1 + count->length) : std::string_view();
            const bool is_weeks = unit == "week" || unit == "weeks";
            if (count && count->value <= 400 && (is_weeks || unit == "day" || unit == "days"))
                return on(now->day + days(static_cast<int>(count->value) * (is_weeks ? 7 : 1)), next + 2 + count->length - at);
        }
        for (const std::size_t from : {after, next}) {
            std::size_t p = from;
            if (word(words, p) == "the") ++p;
            if (const int month = month_of(word(words, p))) {
                if (word(words, p + 1) == "the") ++p;
                if (const auto day = month_day_at(words, p + 1, true))
                    return on(coming(month, static_cast<int>(day->value), *now), p + 1 + day->length - at);
            }
            if (const auto day = month_day_at(words, p, false)) {
                std::size_t q = p + day->length;
                if (word(words, q) == "of") ++q;
                const int month = month_of(word(words, q));
                if (auto found = on(coming(month, static_cast<int>(day->value), *now),
                                    (month ? q + 1 : p + day->length) - at))
                    return found;
            }
        }
    }
    if (weekday && weekday->date) {
        DayFound out = *weekday;
        out.length = after - at;
        return out;
    }
    return std::nullopt;
}

std::optional<TimeFound> time_at(const Words& words, std::size_t at) {
    TimeFound out;
    std::size_t next = at;
    const std::string_view lead = word(words, next);
    if (lead == "at" || lead == "around" || lead == "about") {
        out.marked = true;
        ++next;
    }
    const std::string_view first = word(words, next);
    if (first == "noon" || first == "midday" || first == "midnight") {
        out.minute = first == "midnight" ? 0 : 720;
        out.marked = true;
        out.length = next + 1 - at;
        return out;
    }
    std::optional<Clock> clock = relative_at(words, next);
    if (!clock) clock = clock_at(words, next);
    if (!clock) return std::nullopt;
    next += clock->length;
    out.marked = out.marked || clock->marked;
    if (word(words, next) == "oclock") {
        out.marked = true;
        ++next;
    }
    out.either_half = !clock->settled;
    const Half half = half_at(words, next);
    if (half.length > 0) {
        out.marked = true;
        next += half.length;
        if (out.either_half) clock->hour = clock->hour % 12 + (half.pm ? 12 : 0);
        out.either_half = false;
    }
    out.minute = clock->hour * 60 + clock->minute;
    out.length = next - at;
    return out;
}

int settle_half(const TimeFound& time, int earliest, int latest) {
    if (!time.either_half) return time.minute;
    const int morning = time.minute % 720;
    const int evening = morning + 720;
    const auto fits = [&](int minute) { return minute >= earliest && minute <= latest; };
    if (fits(morning) != fits(evening)) return fits(morning) ? morning : evening;
    return morning >= 7 * 60 ? morning : evening;
}

std::string say_time(int minute) {
    minute = ((minute % 1440) + 1440) % 1440;
    if (minute == 720) return "noon";
    if (minute == 0) return "midnight";
    const int hour = minute / 60;
    std::string out = say_number(hour % 12 == 0 ? 12 : hour % 12);
    const int rest = minute % 60;
    if (rest > 0) out += (rest < 10 ? " oh " : " ") + say_number(rest);
    // "a m" is read as an article by some voices; the part of the day is plain to all of them and to the caller.
    return out + (hour < 12 ? " in the morning" : hour < 18 ? " in the afternoon" : " in the evening");
}

std::string say_date(local_days day) {
    const std::chrono::year_month_day date(day);
    const auto month = static_cast<unsigned>(date.month());
    return name_of(weekday_of(day)) + " the " + say_ordinal(static_cast<int>(static_cast<unsigned>(date.day()))) + " of " +
           capitalised(std::string(months[month - 1]));
}

std::string iso_date(local_days day) {
    const std::chrono::year_month_day date(day);
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()));
    return text;
}

std::string iso_time(int minute) {
    char text[32];
    std::snprintf(text, sizeof text, "%02d:%02d", minute / 60, minute % 60);
    return text;
}

std::optional<int> parse_iso_time(std::string_view text) {
    const auto hour = number_in(text, 0, 2), minute = number_in(text, 3, 2);
    if (text.size() != 5 || text[2] != ':' || !hour || !minute || *minute > 59 || *hour * 60 + *minute > 1440)
        return std::nullopt;
    return *hour * 60 + *minute;
}

bool Hours::open_on(int weekday) const { return !week[static_cast<std::size_t>(std::clamp(weekday, 0, 6))].empty(); }

bool Hours::open_on(local_days day) const {
    return std::find(closed_dates.begin(), closed_dates.end(), day) == closed_dates.end() && open_on(weekday_of(day));
}

bool Hours::open_at(int weekday, int minute) const {
    const std::vector<Span>& spans = week[static_cast<std::size_t>(std::clamp(weekday, 0, 6))];
    return std::any_of(spans.begin(), spans.end(), [&](const Span& s) { return minute >= s.from && minute < s.to; });
}

bool Hours::open_at(const LocalTime& now) const {
    return open_on(now.day) && open_at(weekday_of(now.day), now.minute);
}

std::string Hours::say_day(int weekday) const {
    std::string out;
    for (const Span& span : week[static_cast<std::size_t>(std::clamp(weekday, 0, 6))]) {
        if (!out.empty()) out += " and ";
        out += say_span(span);
    }
    return out;
}

std::string Hours::say() const {
    std::vector<std::string> parts;
    for (int first = 0; first < 7;) {
        int last = first;
        while (last < 6 && say_day(last + 1) == say_day(first)) ++last;
        if (open_on(first)) {
            std::string part = name_of(first);
            if (last > first) part += (last == first + 1 ? " and " : " to ") + name_of(last);
            parts.push_back(part + " " + say_day(first));
        }
        first = last + 1;
    }
    std::string out;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) out += i + 1 == parts.size() ? ", and " : ", ";
        out += parts[i];
    }
    return out;
}

std::string Hours::say_next_opening(const LocalTime& now) const {
    for (int ahead = 0; ahead <= 28; ++ahead) {
        const local_days day = now.day + days(ahead);
        if (!open_on(day)) continue;
        for (const Span& span : week[static_cast<std::size_t>(weekday_of(day))]) {
            if (ahead == 0 && span.from <= now.minute) continue;
            const std::string when = ahead == 0   ? "today"
                                     : ahead == 1 ? "tomorrow"
                                     : ahead < 7  ? "on " + name_of(weekday_of(day))
                                                  : "on " + say_date(day);
            return when + " at " + say_time(span.from);
        }
    }
    return {};
}

std::string Hours::say_closing(const LocalTime& now) const {
    std::string last;
    for (const Span& span : week[static_cast<std::size_t>(weekday_of(now.day))]) {
        last = say_time(span.to);
        if (now.minute < span.to) break;
    }
    return last;
}

}  // namespace jackfield::scripted
