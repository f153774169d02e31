#include <gtest/gtest.h>

#include "plugins/llm/scripted/calendar.hpp"
#include "plugins/llm/scripted/numbers.hpp"
#include "plugins/llm/scripted/slots.hpp"

namespace jackfield::scripted {
namespace {

const std::optional<LocalTime> friday = parse_local_time("2026-11-20T09:30:00-05:00");

std::string read(SlotType type, std::string_view text, Reading reading = Reading::asked) {
    Slot slot;
    slot.type = type;
    const std::optional<FoundValue> found = find_value(slot, words_of(text), {}, reading, friday);
    return found ? found->value.canonical : "-";
}

TEST(Words, DropsCaseMarksAndHesitations) {
    EXPECT_EQ(join(words_of("Um, I'd like to BOOK, please!")), "i would like to book");
    EXPECT_EQ(join(words_of("9:30am on the 23rd")), "9 30 am on the 23rd");
    EXPECT_EQ(join(words_of("nine a.m. or nine o'clock")), "nine am or nine oclock");
    EXPECT_EQ(join(words_of("that\xE2\x80\x99s what Zoë said")), "that is what zoë said");
    EXPECT_EQ(clean_utf8("a\xFFz"), "a?z");
}

TEST(Numbers, ReadsCardinalsAndOrdinals) {
    const struct {
        const char* text;
        std::int64_t value;
        std::size_t length;
    } cases[] = {{"nine", 9, 1}, {"forty two", 42, 2}, {"two hundred and six", 206, 4}, {"17", 17, 1}, {"nine thirty", 9, 1},
                 {"three thousand two hundred", 3200, 4}, {"a hundred", 100, 2}};
    for (const auto& c : cases) {
        const std::optional<Number> number = cardinal_at(words_of(c.text), 0);
        ASSERT_TRUE(number) << c.text;
        EXPECT_EQ(number->value, c.value) << c.text;
        EXPECT_EQ(number->length, c.length) << c.text;
    }
    EXPECT_EQ(ordinal_at(words_of("twenty third"), 0)->value, 23);
    EXPECT_EQ(ordinal_at(words_of("1st"), 0)->value, 1);
    EXPECT_FALSE(ordinal_at(words_of("monday"), 0));
}

TEST(Numbers, ReadsDictatedDigits) {
    EXPECT_EQ(read(SlotType::phone, "five five five one two"), "55512");
    EXPECT_EQ(read(SlotType::phone, "oh two double four triple seven"), "0244777");
    EXPECT_EQ(read(SlotType::phone, "my number is 555-0123"), "5550123");
    EXPECT_EQ(read(SlotType::phone, "twelve thirty four"), "1234");
    EXPECT_EQ(read(SlotType::phone, "five hundred"), "500");
    EXPECT_EQ(read(SlotType::phone, "I do not know"), "-");
    EXPECT_EQ(read(SlotType::phone, "at nine five", Reading::offered), "-");
}

TEST(Numbers, AreSpokenForAVoice) {
    EXPECT_EQ(say_number(0), "zero");
    EXPECT_EQ(say_number(342), "three hundred and forty two");
    EXPECT_EQ(say_number(12005), "twelve thousand and five");
    EXPECT_EQ(say_ordinal(23), "twenty third");
    EXPECT_EQ(say_ordinal(30), "thirtieth");
    EXPECT_EQ(say_digits("5550123"), "five five five, zero one two three");
    EXPECT_EQ(say_digits("55512"), "five five five, one two");
}

TEST(Times, AreReadAsPeopleSayThem) {
    const std::pair<const char*, const char*> cases[] = {
        {"nine", "09:00"},         {"nine a m", "09:00"},          {"two p m", "14:00"},        {"9", "09:00"},
        {"nine thirty", "09:30"},  {"half past nine", "09:30"},    {"quarter to ten", "09:45"}, {"ten past eleven", "11:10"},
        {"nine oh five", "09:05"}, {"nine o'clock", "09:00"},      {"noon", "12:00"},           {"14:30", "14:30"},
        {"twelve", "12:00"},       {"two in the afternoon", "14:00"}, {"0830", "08:30"},        {"at nine in the evening", "21:00"},
        {"twelve a m", "00:00"},   {"a quarter past eight", "08:15"}, {"three", "15:00"}};
    for (const auto& [text, want] : cases) EXPECT_EQ(read(SlotType::time, text), want) << text;
    EXPECT_EQ(read(SlotType::time, "monday"), "-");
    EXPECT_EQ(read(SlotType::time, "nine seventy"), "09:00");
    EXPECT_EQ(read(SlotType::time, "nine", Reading::offered), "-") << "a bare number is a time only where one was asked for";
    EXPECT_EQ(read(SlotType::time, "monday at nine", Reading::offered), "09:00");
}

TEST(Times, AreSettledByTheSlotsRange) {
    Slot evening;
    evening.type = SlotType::time;
    evening.earliest = 17 * 60;
    evening.latest = 23 * 60;
    EXPECT_EQ(find_value(evening, words_of("eight"), {}, Reading::asked, friday)->value.canonical, "20:00");
    EXPECT_EQ(find_value(evening, words_of("eight a m"), {}, Reading::asked, friday)->refusal, Refusal::invalid);
    EXPECT_EQ(say_time(9 * 60 + 5), "nine oh five in the morning");
    EXPECT_EQ(say_time(14 * 60), "two in the afternoon");
    EXPECT_EQ(say_time(720), "noon");
}

TEST(Days, AreReadWithOrWithoutAClock) {
    EXPECT_EQ(read(SlotType::weekday, "on Monday please"), "monday");
    EXPECT_EQ(read(SlotType::weekday, "next tuesday"), "tuesday");
    EXPECT_EQ(read(SlotType::weekday, "tomorrow"), "saturday");
    EXPECT_EQ(read(SlotType::weekday, "the day after tomorrow"), "sunday");
    EXPECT_EQ(read(SlotType::weekday, "not monday, tuesday"), "tuesday");
    EXPECT_EQ(read(SlotType::weekday, "monday, no, wednesday"), "wednesday");
    EXPECT_EQ(read(SlotType::weekday, "nine"), "-");
    EXPECT_FALSE(weekday_at(words_of("tomorrow"), 0, std::nullopt));
    EXPECT_EQ(weekday_at(words_of("friday"), 0, std::nullopt)->weekday, 4);
    EXPECT_EQ(iso_date(*weekday_at(words_of("monday"), 0, friday)->date), "2026-11-23");
    EXPECT_EQ(iso_date(*weekday_at(words_of("friday"), 0, friday)->date), "2026-11-27");
    EXPECT_EQ(iso_date(*weekday_at(words_of("this friday"), 0, friday)->date), "2026-11-20");
}

TEST(Dates, AreReadAsPeopleSayThem) {
    const std::pair<const char*, const char*> cases[] = {
        {"monday", "2026-11-23"},
        {"the twenty third of november", "2026-11-23"},
        {"november third", "2027-11-03"},
        {"monday the twenty third", "2026-11-23"},
        {"2026-12-24", "2026-12-24"},
        {"in two weeks", "2026-12-04"},
        {"tomorrow", "2026-11-21"},
        {"february 29", "2028-02-29"},
        {"the thirty first", "2026-12-31"}};
    for (const auto& [text, want] : cases) EXPECT_EQ(read(SlotType::date, text), want) << text;
    EXPECT_EQ(read(SlotType::date, "the thirty second"), "-");
    EXPECT_EQ(say_date(friday->day), "Friday the twentieth of November");
}

TEST(LocalTimes, AreTakenFromTheHostOrLeftUnknown) {
    EXPECT_EQ(friday->minute, 9 * 60 + 30);
    for (const char* bad : {"", "2026-13-01T00:00", "2026-02-30T00:00:00Z", "yesterday", "2026-11-20T25:00:00Z", "2026-11"})
        EXPECT_FALSE(parse_local_time(bad)) << bad;
}

TEST(Polarity, HearsNoBeforeYes) {
    EXPECT_EQ(polarity_of(words_of("yes please")), Polarity::yes);
    EXPECT_EQ(polarity_of(words_of("that's right")), Polarity::yes);
    EXPECT_EQ(polarity_of(words_of("that is not right")), Polarity::no);
    EXPECT_EQ(polarity_of(words_of("no that is fine")), Polarity::no);
    EXPECT_EQ(polarity_of(words_of("monday")), Polarity::none);
}

TEST(Hours, AreSaidInGroups) {
    Hours hours;
    for (std::size_t day = 0; day < 5; ++day) hours.week[day] = {{480, 720}, {780, 1080}};
    hours.week[5] = {{540, 720}};
    hours.known = true;
    hours.closed_dates = {friday->day};

    EXPECT_EQ(hours.say(), "Monday to Friday from eight in the morning to noon and from one in the afternoon to six in the evening, "
                           "and Saturday from nine in the morning to noon");
    EXPECT_FALSE(hours.open_at(*friday)) << "a closed date";
    EXPECT_EQ(hours.say_next_opening(*friday), "tomorrow at nine in the morning");
    EXPECT_TRUE(hours.open_at(0, 481));
    EXPECT_FALSE(hours.open_at(0, 730));
    EXPECT_EQ(Hours().say_next_opening(*friday), "");
}

}  // namespace
}  // namespace jackfield::scripted
