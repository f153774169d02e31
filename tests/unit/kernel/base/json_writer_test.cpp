#include "base/json.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace jackfield::base {
namespace {

TEST(JsonWriter, WritesNestedValuesWithCommasInPlace) {
    JsonWriter json;

    json.begin_object()
        .member("a", 1)
        .key("list")
        .begin_array()
        .value("x")
        .null()
        .begin_object()
        .end_object()
        .end_array()
        .member("last", true)
        .end_object();

    EXPECT_EQ(json.str(), R"({"a":1,"list":["x",null,{}],"last":true})");
}

TEST(JsonWriter, EscapesWhatJsonMustEscape) {
    std::string out;

    append_json_string(out, std::string_view("q\" b\\ nl\n tab\t nul\0.", 20));

    EXPECT_EQ(out, R"("q\" b\\ nl\n tab\u0009 nul\u0000.")");
}

TEST(JsonWriter, ReplacesBytesThatAreNotUtf8) {
    std::string out;

    append_json_string(out, "a\xff\xe2\x82z");

    EXPECT_EQ(out, "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
}

TEST(JsonWriter, WritesTheExtremesOfNumbers) {
    JsonWriter json;

    json.begin_array()
        .value(std::numeric_limits<std::int64_t>::min())
        .value(std::numeric_limits<std::uint64_t>::max())
        .value(0.1)
        .value(std::nan(""))
        .value(std::numeric_limits<double>::infinity())
        .end_array();

    EXPECT_EQ(json.str(), "[-9223372036854775808,18446744073709551615,0.1,null,null]");
}

TEST(JsonWriter, RoundTripsEachCharacterBelow0x80) {
    std::string every;
    for (int c = 0; c < 0x80; ++c) every += static_cast<char>(c);
    JsonWriter json;
    json.begin_array().value(every).end_array();

    const Result<JsonDocument> back = JsonDocument::parse(json.str());

    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back->root().at(0).text(), every);
}

}  // namespace
}  // namespace jackfield::base
