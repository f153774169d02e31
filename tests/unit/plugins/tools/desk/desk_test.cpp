// What the desk knows and when it has time, without the record store.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "book.hpp"
#include "functions.hpp"

namespace jackfield::desk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Config clinic() {
    Config config;
    config.entries = {{"Parking", {"car park", "garage"}, "There is a garage at Main Street."},
                      {"Doctor Miller", {}, "Doctor Miller is here on Mondays."},
                      {"Miller's bakery", {}, "It is next door."}};
    for (std::size_t day = 0; day < 5; ++day) config.timetable.week[day] = {{8 * 60, 10 * 60}, {13 * 60, 14 * 60}};
    config.timetable.closed = {*parse_date("2026-12-25")};
    return config;
}

Arguments arguments(std::string_view json) { return Arguments::parse(json); }

// A Friday.
const Moment now = *parse_moment("2026-11-20T09:10:00-05:00");

TEST(Timetable, ReadsDatesAndTimes) {
    EXPECT_EQ(date_text(*parse_date("2028-02-29")), "2028-02-29");
    EXPECT_FALSE(parse_date("2026-02-29"));
    EXPECT_FALSE(parse_date("26-02-03"));
    EXPECT_EQ(parse_time("9:05"), 545);
    EXPECT_EQ(parse_time("24:00"), 1440);
    EXPECT_FALSE(parse_time("24:01"));
    EXPECT_FALSE(parse_time("9.30"));
    EXPECT_FALSE(parse_time("-9:30"));
    EXPECT_FALSE(parse_moment("2026-11-20"));
    EXPECT_EQ(weekday_text(now.day), "friday");
    EXPECT_FALSE(parse_span("12:00-08:00"));
}

TEST(Timetable, BeginsAppointmentsThatEndInTime) {
    Timetable table = clinic().timetable;
    table.length = 45;

    EXPECT_THAT(table.begins(now.day), ElementsAre(480, 525, 780));
    EXPECT_THAT(table.begins(*parse_date("2026-11-21")), IsEmpty());
    EXPECT_THAT(table.begins(*parse_date("2026-12-25")), IsEmpty());
}

TEST(Desk, FindsWhatIsAskedForByItsNames) {
    const Config config = clinic();

    EXPECT_THAT(lookup(config, arguments(R"({"topic":"PARKING"})")), HasSubstr("Main Street"));
    EXPECT_THAT(lookup(config, arguments(R"({"topic":"the car park, please"})")), HasSubstr("Main Street"));
    EXPECT_THAT(lookup(config, arguments(R"({"topic":"Miller"})")), HasSubstr("Mondays"));
    EXPECT_THAT(lookup(config, arguments(R"({"topic":"miller s bakery"})")), HasSubstr("next door"));
    EXPECT_EQ(lookup(config, arguments(R"({"topic":"pool"})")), R"({"found":false,"known":["Parking","Doctor Miller","Miller's bakery"]})");
    EXPECT_THAT(lookup(config, arguments("nonsense")), HasSubstr("\"found\":false"));
}

TEST(Desk, TellsItsHours) {
    EXPECT_EQ(hours(clinic(), arguments("{}"), now),
              R"({"date":"2026-11-20","weekday":"friday","open":true,"hours":["08:00-10:00","13:00-14:00"]})");
    EXPECT_EQ(hours(clinic(), arguments(R"({"date":"2026-11-22"})"), now),
              R"({"date":"2026-11-22","weekday":"sunday","open":false,"hours":[]})");
    EXPECT_THAT(hours(clinic(), arguments(R"({"date":"soon"})"), now), HasSubstr("error"));
}

TEST(Desk, OffersWhatItsConfigurationAllows) {
    const auto names = [](const Config& config) {
        std::vector<std::string> out;
        for (const Function& function : functions_of(config)) out.emplace_back(function.name);
        return out;
    };
    Config facts = clinic();
    facts.timetable = {};
    Config book = clinic();
    book.entries.clear();

    EXPECT_THAT(names(clinic()), ElementsAre("lookup", "hours", "free_times", "book", "find", "cancel"));
    EXPECT_THAT(names(facts), ElementsAre("lookup"));
    EXPECT_THAT(names(book), ElementsAre("hours", "free_times", "book", "find", "cancel"));
}

TEST(Book, KeepsToTheHoursTheNoticeAndTheHorizon) {
    const Config config = clinic();
    const auto at = [](const char* text) { return *parse_moment(text); };

    EXPECT_EQ(objection(config, at("2026-11-20T13:00"), now), "");
    EXPECT_EQ(objection(config, at("2026-11-20T10:00"), now), "no appointment begins at that time");
    EXPECT_EQ(objection(config, at("2026-11-20T09:30"), now), "that is too soon or over");
    EXPECT_EQ(objection(config, at("2026-11-19T13:00"), now), "that is too soon or over");
    EXPECT_EQ(objection(config, at("2026-11-21T08:00"), now), "the desk is closed on that day");
    EXPECT_EQ(objection(config, at("2027-02-01T08:00"), now), "that is too far ahead");
}

TEST(Book, OffersTimesThatAreFree) {
    Config config = clinic();
    const auto monday = *parse_date("2026-11-23");
    EXPECT_THAT(free_times(config, monday, {}, now), ElementsAre(480, 510, 540, 570, 780, 810));

    EXPECT_THAT(free_times(config, monday, {"2026-11-23T08:00", "2026-11-23T13:30"}, now), ElementsAre(510, 540, 570, 780));
    config.at_once = 2;
    EXPECT_THAT(free_times(config, monday, {"2026-11-23T08:00", "2026-11-23T13:30", "2026-11-23T13:30"}, now), ElementsAre(480, 510, 540, 570, 780));
    EXPECT_EQ(free_times_json(monday, {}), R"({"date":"2026-11-23","weekday":"monday","count":0,"times":[]})");
}

TEST(Book, GivesOneKeyOneCode) {
    EXPECT_EQ(code_for("01J:3:0"), code_for("01J:3:0"));
    EXPECT_NE(code_for("01J:3:0"), code_for("01J:3:1"));
    EXPECT_EQ(code_for("anything").size(), 6U);
    EXPECT_EQ(booked_json("123456", "2026-11-23T09:30", ""),
              R"({"ok":true,"code":"123456","code_spoken":"1 2 3 4 5 6","date":"2026-11-23","weekday":"monday","time":"09:30"})");
    EXPECT_EQ(digits_of("+1 (212) 555-0100"), "12125550100");
}

TEST(DeskOptions, NameWhatIsWrong) {
    const auto problem = [](std::vector<std::pair<std::string, std::string>> options) -> std::string {
        std::vector<jf_pair> pairs;
        for (const auto& [key, value] : options) pairs.push_back({sdk::str(key), sdk::str(value)});
        try {
            static_cast<void>(Config::from(sdk::Config({}, sdk::array(pairs))));
        } catch (const sdk::Failure& failure) {
            return failure.what();
        }
        return "";
    };

    EXPECT_EQ(problem({{"hours.monday.0", "08:00-12:00"}, {"hours.monday.1", "13:00-18:00"}}), "");
    EXPECT_THAT(problem({{"hours.monday.0", "8 to 12"}}), HasSubstr("hours.monday: '8 to 12'"));
    EXPECT_THAT(problem({{"hours.monday.0", "13:00-18:00"}, {"hours.monday.1", "08:00-12:00"}}), HasSubstr("08:00-12:00"));
    EXPECT_THAT(problem({{"hours.monday.0", "08:00-12:00"}, {"closed_dates.0", "2026-02-30"}}), HasSubstr("closed_dates"));
    EXPECT_THAT(problem({}), HasSubstr("nothing to offer"));
}

TEST(DeskArguments, HalvesOfACharacterBecomeTheReplacementCharacter) {
    EXPECT_EQ(arguments(R"({"date":"e\\\udeaark"})")["date"], "e\\\xef\xbf\xbdrk");
}

}  // namespace
}  // namespace jackfield::desk
