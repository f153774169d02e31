#include "config.hpp"

namespace jackfield::desk {
namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& text, const char* example) {
    throw sdk::Failure(JF_E_INVALID, option + ": '" + text + "' is none; write " + example);
}

}  // namespace

Config Config::from(const sdk::Config& given) {
    Config out;
    for (std::size_t i = 0;; ++i) {
        const std::string key = "entries." + std::to_string(i);
        if (!given.has(key + ".name")) break;
        out.entries.push_back({given.text(key + ".name"), given.list(key + ".synonyms"), given.text(key + ".text")});
    }
    constexpr const char* days[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
    for (std::size_t day = 0; day < 7; ++day) {
        const std::string key = std::string("hours.") + days[day];
        int before = 0;
        for (const std::string& text : given.list(key)) {
            const auto span = parse_span(text);
            if (!span || span->from < before) refuse(key, text, "\"08:00-12:00\", in the order of the day");
            before = span->to;
            out.timetable.week[day].push_back(*span);
        }
    }
    for (const std::string& text : given.list("closed_dates")) {
        const auto date = parse_date(text);
        if (!date) refuse("closed_dates", text, "a day, as \"2026-12-25\"");
        out.timetable.closed.push_back(*date);
    }
    out.timetable.length = static_cast<int>(given.integer("appointment_minutes", 30));
    out.at_once = static_cast<int>(given.integer("at_once", 1));
    out.days_ahead = static_cast<int>(given.integer("days_ahead", 60));
    out.notice_minutes = static_cast<int>(given.integer("notice_minutes", 60));
    if (out.entries.empty() && out.timetable.empty()) throw sdk::Failure(JF_E_INVALID, "neither entries nor hours are given: nothing to offer");
    return out;
}

}  // namespace jackfield::desk
