#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database.hpp"

namespace jackfield::test {
namespace {

using sdk::Query;
using sdk::Row;
using sdk::Time;
using testing::ElementsAre;
using testing::HasSubstr;

class SqliteAggregates : public testing::Test {
  protected:
    void SetUp() override {
        const auto add = [&](const char* id, const char* log, std::int64_t score, sdk::Value rating, std::int64_t due) {
            const auto reply = db(leads::add(h, "acme", id, score).set(leads::log, log).set(leads::rating, rating).set(leads::due, Time{due}));
            ASSERT_EQ(reply.status, JF_OK) << reply.error;
        };
        add("a", "x", 1, 0.5, 100);
        add("b", "x", 2, nullptr, 199);
        add("c", "y", 3, 1.5, 200);
        add("d", "y", 4, 2.5, 900);
        add("e", "z", 5, 1.0, 50);
        db(leads::add(h, "beta", "a", 1000));
    }
    Database db{":memory:"};
    std::uint32_t h = db.declare(leads::collection()).collection;
    Query q() { return Query(h, "acme"); }
};

TEST_F(SqliteAggregates, SumUpTheWholeCollection) {
    const auto reply = db(q().count().count(leads::rating).sum(leads::score).min(leads::due).max(leads::log).avg(leads::rating));
    ASSERT_EQ(reply.rows.size(), 1u) << reply.error;
    EXPECT_EQ(reply.rows[0], Row({5, 4, 15, Time{50}, "z", 1.375}));
    EXPECT_EQ(db(Query(h, "none").count().sum(leads::score)).rows, std::vector<Row>{Row({0, nullptr})});
}

TEST_F(SqliteAggregates, GroupAndOrderGroups) {
    const auto reply = db(q().group_by(leads::log).sum(leads::score).le(leads::score, 4).order_by(leads::log, true));
    EXPECT_THAT(reply.rows, ElementsAre(Row({"y", 7}), Row({"x", 3})));
}

TEST_F(SqliteAggregates, CountByTheBucketsGiven) {
    const auto reply = db(q().group_by(leads::log).bucket_by(leads::due, {100, 200, 800}).count());
    EXPECT_THAT(reply.rows,
                ElementsAre(Row({"x", 0, 2}), Row({"y", 1, 1}), Row({"y", 2, 1}), Row({"z", nullptr, 1})));  // z lies below the first edge
    EXPECT_THAT(db(q().bucket_by(leads::rating, {1, 2}).count()).rows,
                ElementsAre(Row({nullptr, 2}), Row({0, 2}), Row({1, 1})));
}

TEST_F(SqliteAggregates, PageThroughGroups) {
    const auto first = db(q().group_by(leads::log).count().limit(2));
    EXPECT_THAT(first.rows, ElementsAre(Row({"x", 2}), Row({"y", 2})));
    const auto second = db(q().group_by(leads::log).count().limit(2).after(first.cursor));
    EXPECT_THAT(second.rows, ElementsAre(Row({"z", 1})));
    EXPECT_TRUE(second.cursor.empty());
}

TEST_F(SqliteAggregates, RefuseWhatHasNoMeaning) {
    EXPECT_THAT(db(q().sum(leads::log)).error, HasSubstr("'log' is no number"));
    EXPECT_THAT(db(q().group_by(leads::log)).error, HasSubstr("need aggregates"));
    EXPECT_THAT(db(q().bucket_by(leads::due, {5, 5}).count()).error, HasSubstr("ascend"));
    EXPECT_THAT(db(q().bucket_by(leads::log, {5}).count()).error, HasSubstr("no buckets"));
    EXPECT_THAT(db(q().group_by(leads::log).count().order_by(leads::score)).error, HasSubstr("not in group"));
    db(leads::add(h, "acme", "big", INT64_MAX));
    EXPECT_EQ(db(q().sum(leads::score)).status, JF_E_INVALID);
}

}  // namespace
}  // namespace jackfield::test
