#include "plugins/storage/sqlite/number_arrays.hpp"

#include <gtest/gtest.h>

#include "database.hpp"

namespace jackfield::test {
namespace {

using sqlite::NumberArray;

TEST(SqliteNumberArrays, AreReadAsJsonHasThem) {
    for (const char* json : {"[]", "[1]", " [ 1 , -2,3.5e2 ]\n", "[9223372036854775807]"}) EXPECT_TRUE(NumberArray::parse(json)) << json;
    for (const char* json : {"", "[", "[1", "[1,]", "[,1]", "{}", "1", "[\"1\"]", "[null]", "[[1]]", "[1] 2", "[inf]", "[nan]", "[1e999]", "[+1]", "[.5]"})
        EXPECT_FALSE(NumberArray::parse(json)) << json;
}

TEST(SqliteNumberArrays, AddUpElementByElement) {
    auto total = *NumberArray::parse("[1,2]");
    total.add(*NumberArray::parse("[10,20,30]"));
    total.add(*NumberArray::parse("[0.5]"));
    EXPECT_EQ(total.json(), "[11.5,22,30]");

    auto large = *NumberArray::parse("[9223372036854775807]");
    large.add(*NumberArray::parse("[1]"));
    EXPECT_EQ(large.json(), "[9223372036854775808]");
    auto again = *NumberArray::parse(large.json());
    again.add(*NumberArray::parse("[9223372036854775807]"));
    EXPECT_EQ(again.json(), "[18446744073709551616]");
}

TEST(SqliteHistograms, AreKeptByWritersAndSummedByReaders) {
    Database db(":memory:");
    sdk::Collection declared("test.latency", JF_SCOPE_HOST);
    declared.field("provider", JF_VALUE_TEXT).field("counts", JF_VALUE_JSON);
    const std::uint32_t h = db.declare(declared).collection;
    const auto observe = [&](const std::string& id, const std::string& provider, const std::string& counts) {
        return db(sdk::Write::upsert(h, "", id).set(8, provider).set(9, sdk::Json{counts}).if_stands().add_each(9, sdk::Json{counts}));
    };
    ASSERT_EQ(observe("a/10:00", "a", "[1,0,0]").status, JF_OK);
    ASSERT_EQ(observe("a/10:00", "a", "[0,2]").status, JF_OK);
    ASSERT_EQ(observe("a/11:00", "a", "[0,0,0,7]").status, JF_OK);
    ASSERT_EQ(observe("b/10:00", "b", "[5]").status, JF_OK);
    ASSERT_EQ(db(sdk::Write::insert(h, "", "c").set(8, "c")).status, JF_OK);

    const auto reply = db(sdk::Query(h).group_by(8).sum_each(9).count());

    ASSERT_EQ(reply.status, JF_OK) << reply.error;
    EXPECT_EQ(reply.rows, (std::vector<sdk::Row>{sdk::Row({"a", sdk::Json{"[1,2,0,7]"}, 2}), sdk::Row({"b", sdk::Json{"[5]"}, 1}), sdk::Row({"c", {}, 1})}));
    EXPECT_EQ(observe("a/10:00", "a", "{}").status, JF_E_INVALID);
    ASSERT_EQ(db(sdk::Write::insert(h, "", "d").set(9, sdk::Json{"[\"x\"]"})).status, JF_OK);
    EXPECT_EQ(db(sdk::Query(h).sum_each(9)).status, JF_E_INVALID);
}

}  // namespace
}  // namespace jackfield::test
