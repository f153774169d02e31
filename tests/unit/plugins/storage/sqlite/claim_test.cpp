#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "database.hpp"

namespace jackfield::test {
namespace {

using sdk::Write;
using testing::ElementsAre;

constexpr std::uint16_t owner = 8, state = 9, due = 10;

class SqliteFairClaim : public testing::Test {
  protected:
    void SetUp() override {
        sdk::Collection jobs("test.jobs", JF_SCOPE_HOST);
        jobs.field("owner", JF_VALUE_TEXT).field("state", JF_VALUE_TEXT, JF_FIELD_NOT_NULL).field("due", JF_VALUE_INT).index({"state", "owner", "due"});
        h_ = db_.declare(jobs).collection;
    }
    void add(const std::string& id, sdk::Value whose, std::int64_t when, const std::string& what = "ready") {
        ASSERT_EQ(db_(Write::insert(h_, "", id).set(owner, std::move(whose)).set(state, what).set(due, when)).status, JF_OK);
    }
    Write claim(std::uint32_t n, std::uint32_t most = 0) {
        return Write::claim(h_, "").eq(state, "ready").order_by(due).limit(n).fair_by(owner, most).busy(state, JF_TERM_EQ, "running").set(state, "running");
    }

    Database db_{":memory:"};
    std::uint32_t h_ = 0;
};

TEST_F(SqliteFairClaim, GoesRoundTheOwnersWithinOneClaim) {
    for (int i = 0; i < 5; ++i) add("a" + std::to_string(i), "a", i);
    add("b0", "b", 100);
    add("c0", "c", 200);
    add("c1", "c", 201);

    EXPECT_THAT(ids(db_(claim(6))), ElementsAre("a0", "b0", "c0", "a1", "c1", "a2"));
}

TEST_F(SqliteFairClaim, GivesEachOwnerItsTurnWhenClaimsTakeOneEach) {
    for (int i = 0; i < 1000; ++i) add("big" + std::to_string(i), "big", i);
    for (int i = 0; i < 3; ++i) add("small" + std::to_string(i), "small", 5000 + i);

    std::vector<std::string> order;
    for (int i = 0; i < 6; ++i) order.push_back(ids(db_(claim(1))).at(0));

    EXPECT_THAT(order, ElementsAre("big0", "small0", "big1", "small1", "big2", "small2"));
}

TEST_F(SqliteFairClaim, LetsNoOwnerBeyondItsShare) {
    for (int i = 0; i < 9; ++i) add("a" + std::to_string(i), "a", i);
    add("b0", "b", 100);
    add("run", "a", 0, "running");

    EXPECT_THAT(ids(db_(claim(10, 3))), ElementsAre("b0", "a0", "a1"));
    EXPECT_EQ(db_(claim(10, 3)).affected, 0u);
}

TEST_F(SqliteFairClaim, TakesRecordsWithoutAnOwnerAsOneOwnersOwn) {
    add("n0", {}, 1);
    add("n1", {}, 2);
    add("a0", "a", 50);

    EXPECT_THAT(ids(db_(claim(3))), ElementsAre("n0", "a0", "n1"));
}

TEST_F(SqliteFairClaim, StaysQuickBehindALongQueueOfOneOwner) {
    sdk::Batch batch;
    for (int i = 0; i < 20000; ++i)
        batch.add(Write::insert(h_, "", "big" + std::to_string(i)).set(owner, "big").set(state, "ready").set(due, i));
    for (int i = 0; i < 50; ++i)
        batch.add(Write::insert(h_, "", "s" + std::to_string(i)).set(owner, "s" + std::to_string(i)).set(state, "ready").set(due, 90000));
    ASSERT_EQ(db_(batch).status, JF_OK);

    std::map<std::string, int> per_owner;
    for (int i = 0; i < 51; ++i) ++per_owner[db_(claim(1)).rows.at(0).field(owner).text()];

    EXPECT_EQ(per_owner.size(), 51u);
}

TEST_F(SqliteFairClaim, RefusesWhatMakesNoSense) {
    EXPECT_EQ(db_(Write::update(h_, "").set(state, "x").fair_by(owner)).status, JF_E_INVALID);
    EXPECT_EQ(db_(Write::claim(h_, "").set(state, "x").busy(state, JF_TERM_EQ, "y")).status, JF_E_INVALID);
    EXPECT_EQ(db_(Write::claim(h_, "").set(state, "x").fair_by(77)).status, JF_E_INVALID);
}

TEST(SqliteRequire, TakesTheWholeBatchBackWhenTheLeaseIsGone) {
    Database db(":memory:");
    const std::uint32_t h = db.declare(leads::collection()).collection;
    ASSERT_EQ(db(leads::add(h, "acme", "job", 1)).status, JF_OK);
    const auto finish = [&](std::int64_t lease) {
        sdk::Batch batch;
        batch.add(leads::add(h, "acme", "effect of " + std::to_string(lease), 0));
        batch.add(Write::update(h, "acme", "job").eq(leads::score, lease).set(leads::score, 0).require());
        return db(batch);
    };

    const auto lost = finish(7);
    EXPECT_EQ(lost.status, JF_E_CONFLICT);
    EXPECT_THAT(lost.error, testing::HasSubstr("requires one"));
    EXPECT_EQ(finish(1).status, JF_OK);
    EXPECT_EQ(finish(1).status, JF_E_CONFLICT);
    EXPECT_EQ(db(sdk::Query(h, "acme")).rows.size(), 2u);
}

TEST(SqliteUpsert, GivesAStandingRecordItsOwnEdits) {
    Database db(":memory:");
    const std::uint32_t h = db.declare(leads::collection()).collection;
    const auto used = [&] { return Write::upsert(h, "acme", "pattern").set(leads::name, "p").set(leads::score, 1).if_stands().inc(leads::score, 1); };

    for (int i = 0; i < 3; ++i) ASSERT_EQ(db(used()).status, JF_OK);

    EXPECT_EQ(db(sdk::Query(h, "acme")).rows[0].field(leads::score), sdk::Value(3));
}

TEST(SqliteConflict, SaysWhichIndexIsInTheWay) {
    Database db(":memory:");
    const std::uint32_t h = db.declare(leads::collection()).collection;
    ASSERT_EQ(db(leads::add(h, "acme", "a", 1).set(leads::owner, "o").set(leads::due, sdk::Time{5})).status, JF_OK);

    const auto reply = db(leads::add(h, "acme", "b", 1).set(leads::owner, "o").set(leads::due, sdk::Time{5}));

    EXPECT_EQ(reply.status, JF_E_CONFLICT);
    EXPECT_EQ(reply.error, "collection 'test.leads' has a record with these values of unique index 1 (owner, due) already");
}

}  // namespace
}  // namespace jackfield::test
