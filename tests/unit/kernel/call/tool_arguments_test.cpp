#include "call/tool_arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::call {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* booking = R"json({"type":"object","required":["day","party"],"additionalProperties":false,"properties":{
    "day":{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}$"},
    "party":{"type":"integer","minimum":1,"maximum":8},
    "seat":{"enum":["inside","terrace"]},
    "name":{"type":["string","null"],"minLength":2,"maxLength":5},
    "tags":{"type":"array","items":{"type":"string"},"maxItems":2}}})json";

TEST(ToolArguments, PassWhenTheyFitTheSchema) {
    EXPECT_THAT(argument_problems(booking, R"({"day":"2026-11-23","party":4,"seat":"inside","name":null,"tags":["a","b"]})"), IsEmpty());
    EXPECT_THAT(argument_problems(R"({"type":"object"})", R"({"anything":[1,2]})"), IsEmpty());
}

TEST(ToolArguments, SayWhatIsMissingAndWhatIsWrong) {
    EXPECT_THAT(argument_problems(booking, R"({"party":12,"seat":"roof"})"),
                ElementsAre("day: is missing", "party: 12 is above the most, 8", R"(seat: "roof" is not one of "inside", "terrace")"));
    EXPECT_THAT(argument_problems(booking, R"({"day":"monday","party":"four"})"),
                ElementsAre(HasSubstr("does not match"), R"(party: "four" is no integer)"));
    EXPECT_THAT(argument_problems(booking, R"({"day":"2026-11-23","party":1,"name":"J","tags":["a",1,"c"],"room":3})"),
                ElementsAre(R"(name: "J" is too short)", "tags: may have at most 2 elements", "tags[1]: 1 is no string", "room: is not known"));
}

TEST(ToolArguments, MustBeAnObject) {
    EXPECT_THAT(argument_problems(booking, "[1]"), ElementsAre("the arguments: are no JSON object"));
    EXPECT_THAT(argument_problems(booking, "{"), ElementsAre(HasSubstr("are not JSON")));
    EXPECT_THAT(argument_problems(booking, ""), ElementsAre(HasSubstr("are not JSON")));
}

TEST(ToolArguments, CountCharactersAndNotBytes) {
    EXPECT_THAT(argument_problems(booking, "{\"day\":\"2026-11-23\",\"party\":1,\"name\":\"\u00e4\u00f6\u00fc\u00df\u00e9\"}"), IsEmpty());
}

TEST(ToolArguments, StopComplainingAtSomePoint) {
    std::string many = R"({"day":"2026-11-23","party":1)";
    for (int i = 0; i < 50; ++i) many += ",\"x" + std::to_string(i) + "\":1";

    EXPECT_EQ(argument_problems(booking, many + "}").size(), 8u);
}

TEST(ToolArguments, LeaveAFaultySchemaToTheTool) {
    EXPECT_THAT(argument_problems("nonsense", "{}"), IsEmpty());
    EXPECT_THAT(argument_problems(R"({"properties":{"a":{"type":"string","pattern":"("}}})", R"({"a":"b"})"), IsEmpty());
}

}  // namespace
}  // namespace jackfield::call
