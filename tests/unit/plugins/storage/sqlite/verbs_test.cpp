#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database.hpp"

namespace jackfield::test {
namespace {

using sdk::Query;
using sdk::Write;
using testing::ElementsAre;
using testing::HasSubstr;

class SqliteVerbs : public testing::Test {
  protected:
    sdk::RecordsReply get(const std::string& id, const std::string& tenant = "acme") { return db(Query(h, tenant).id(id)); }

    TempFolder folder;
    Database db{folder.file("a.db")};
    std::uint32_t h = db.declare(leads::collection()).collection;
};

TEST_F(SqliteVerbs, KeepsEveryTypeAsItWasGiven) {
    const auto written = db(Write::insert(h, "acme", "a")
                                .set(leads::name, "Zo\xc3\xab")
                                .set(leads::score, INT64_MIN)
                                .set(leads::rating, 0.1)
                                .set(leads::due, sdk::Time{1700000000000001})
                                .set(leads::open, true)
                                .set(leads::notes, sdk::Json{R"({"b": [1, null]})"})
                                .set(leads::photo, sdk::Bytes{std::string("\0\xff\0", 3)})
                                .set(leads::log, ""));
    ASSERT_EQ(written.status, JF_OK) << written.error;
    EXPECT_EQ(written.affected, 1u);
    EXPECT_EQ(written.revision, 1u);

    const auto read = get("a");
    ASSERT_EQ(read.rows.size(), 1u);
    const sdk::Row& row = read.rows[0];
    EXPECT_EQ(row.size(), 14u);
    EXPECT_EQ(row.id(), "a");
    EXPECT_EQ(row.field(JF_FIELD_TENANT), sdk::Value("acme"));
    EXPECT_EQ(row.rev(), 1u);
    EXPECT_GT(row.created().us, 1600000000000000);
    EXPECT_EQ(row.created(), row.updated());
    EXPECT_EQ(row.field(leads::name), sdk::Value("Zo\xc3\xab"));
    EXPECT_EQ(row.field(leads::score), sdk::Value(INT64_MIN));
    EXPECT_EQ(row.field(leads::rating), sdk::Value(0.1));
    EXPECT_EQ(row.field(leads::due), sdk::Value(sdk::Time{1700000000000001}));
    EXPECT_EQ(row.field(leads::open), sdk::Value(true));
    EXPECT_EQ(row.field(leads::notes), sdk::Value(sdk::Json{R"({"b": [1, null]})"}));
    EXPECT_EQ(row.field(leads::photo), sdk::Value(sdk::Bytes{std::string("\0\xff\0", 3)}));
    EXPECT_TRUE(row.field(leads::owner).is_null());
    EXPECT_EQ(row.field(leads::log), sdk::Value(""));
}

TEST_F(SqliteVerbs, RefusesASecondRecordOfTheSameId) {
    ASSERT_EQ(db(leads::add(h, "acme", "a", 1)).status, JF_OK);

    const auto again = db(leads::add(h, "acme", "a", 2));

    EXPECT_EQ(again.status, JF_E_CONFLICT);
    EXPECT_THAT(again.error, HasSubstr("this id already"));
    EXPECT_EQ(get("a").rows[0].field(leads::score), sdk::Value(1));
}

TEST_F(SqliteVerbs, RefusesASecondRecordOfTheSameUniqueValues) {
    ASSERT_EQ(db(leads::add(h, "acme", "a", 1).set(leads::owner, "o").set(leads::due, sdk::Time{5})).status, JF_OK);

    const auto same = db(leads::add(h, "acme", "b", 1).set(leads::owner, "o").set(leads::due, sdk::Time{5}));
    const auto other_tenant = db(leads::add(h, "beta", "b", 1).set(leads::owner, "o").set(leads::due, sdk::Time{5}));

    EXPECT_EQ(same.status, JF_E_CONFLICT);
    EXPECT_THAT(same.error, HasSubstr("unique index"));
    EXPECT_EQ(other_tenant.status, JF_OK);
}

TEST_F(SqliteVerbs, UpsertsByIdKeepingWhatWasNotGiven) {
    EXPECT_EQ(db(Write::upsert(h, "acme", "a").set(leads::name, "first").set(leads::score, 7)).revision, 1u);
    const auto second = db(Write::upsert(h, "acme", "a").set(leads::score, 8));

    EXPECT_EQ(second.revision, 2u);
    const sdk::Row row = get("a").rows[0];
    EXPECT_EQ(row.field(leads::name), sdk::Value("first"));
    EXPECT_EQ(row.field(leads::score), sdk::Value(8));
    EXPECT_EQ(row.rev(), 2u);

    const auto incomplete = db(Write::upsert(h, "acme", "new").set(leads::score, 8));
    EXPECT_EQ(incomplete.status, JF_E_INVALID);
    EXPECT_THAT(incomplete.error, HasSubstr("'name' is missing"));
}

TEST_F(SqliteVerbs, UpsertsByAUniqueIndex) {
    const auto write = [&](std::string id, std::int64_t points) {
        return db(Write::upsert(h, "acme", std::move(id))
                      .by_index(1)
                      .set(leads::name, "n")
                      .set(leads::owner, "o")
                      .set(leads::due, sdk::Time{9})
                      .set(leads::score, points));
    };
    EXPECT_EQ(write("a", 1).revision, 1u);
    EXPECT_EQ(write("b", 2).revision, 2u);

    const auto all = db(Query(h, "acme"));
    ASSERT_THAT(ids(all), ElementsAre("a"));
    EXPECT_EQ(all.rows[0].field(leads::score), sdk::Value(2));
    EXPECT_EQ(db(Write::upsert(h, "acme", "c").by_index(1).set(leads::name, "n")).status, JF_E_INVALID);
    EXPECT_EQ(db(Write::upsert(h, "acme", "c").by_index(0).set(leads::name, "n").set(leads::score, 1)).status, JF_E_INVALID);
    EXPECT_EQ(db(Write::upsert(h, "acme", "c").by_index(2).set(leads::name, "n")).status, JF_E_INVALID);
}

TEST_F(SqliteVerbs, InsertOrGetAnswersTheRecordThatStands) {
    const auto first = db(Write::insert_or_get(h, "acme", "a").set(leads::name, "first"));
    const auto second = db(Write::insert_or_get(h, "acme", "a").set(leads::name, "second"));

    EXPECT_EQ(first.affected, 1u);
    ASSERT_EQ(first.rows.size(), 1u);
    EXPECT_EQ(second.affected, 0u);
    EXPECT_EQ(second.rows, first.rows);
    EXPECT_EQ(second.rows[0].field(leads::name), sdk::Value("first"));
}

TEST_F(SqliteVerbs, EditsFieldsInPlace) {
    ASSERT_EQ(db(Write::insert(h, "acme", "a").set(leads::name, "n")).status, JF_OK);
    const auto edit = [&](Write write) {
        const auto reply = db(write);
        EXPECT_EQ(reply.status, JF_OK) << reply.error;
        EXPECT_EQ(reply.affected, 1u);
        return get("a").rows[0];
    };
    const auto update = [&] { return Write::update(h, "acme", "a"); };

    EXPECT_EQ(edit(update().inc(leads::score, 5)).field(leads::score), sdk::Value(5));
    EXPECT_EQ(edit(update().inc(leads::score, -7)).field(leads::score), sdk::Value(-2));
    EXPECT_EQ(edit(update().inc(leads::rating, 0.5)).field(leads::rating), sdk::Value(0.5));
    EXPECT_EQ(edit(update().set(leads::due, sdk::Time{10}).inc(leads::score, 1)).field(leads::due), sdk::Value(sdk::Time{10}));
    EXPECT_EQ(edit(update().inc(leads::due, 5)).field(leads::due), sdk::Value(sdk::Time{15}));
    EXPECT_EQ(edit(update().max(leads::score, -5)).field(leads::score), sdk::Value(-1));
    EXPECT_EQ(edit(update().max(leads::score, 50)).field(leads::score), sdk::Value(50));
    EXPECT_EQ(edit(update().max(leads::rating, 2.5)).field(leads::rating), sdk::Value(2.5));
    EXPECT_EQ(edit(update().append(leads::log, "one ")).field(leads::log), sdk::Value("one "));
    EXPECT_EQ(edit(update().append(leads::log, "two")).field(leads::log), sdk::Value("one two"));
    EXPECT_EQ(edit(update().append(leads::notes, "a \"quoted\"\n")).field(leads::notes), sdk::Value(sdk::Json{R"(["a \"quoted\"\n"])"}));
    EXPECT_EQ(edit(update().append(leads::notes, sdk::Json{R"({"k":1})"})).field(leads::notes),
              sdk::Value(sdk::Json{R"(["a \"quoted\"\n",{"k":1}])"}));
    EXPECT_EQ(edit(update().append(leads::notes, true)).field(leads::notes), sdk::Value(sdk::Json{R"(["a \"quoted\"\n",{"k":1},true])"}));
    const sdk::Row last = edit(update().unset(leads::notes));
    EXPECT_TRUE(last.field(leads::notes).is_null());
    EXPECT_EQ(last.rev(), 15u);
    EXPECT_GE(last.updated(), last.created());
}

TEST_F(SqliteVerbs, RefusesEditsThatDoNotFitNamingTheField) {
    ASSERT_EQ(db(Write::insert(h, "acme", "a").set(leads::name, "n").set(leads::score, INT64_MAX).set(leads::notes, sdk::Json{"{}"})).status, JF_OK);
    const auto refused = [&](Write write, const char* says) {
        const auto reply = db(write);
        EXPECT_EQ(reply.status, JF_E_INVALID) << reply.error;
        EXPECT_THAT(reply.error, HasSubstr(says));
    };
    const auto update = [&] { return Write::update(h, "acme", "a"); };

    refused(update().inc(leads::score, 1), "score");
    refused(update().set(leads::score, "seven"), "'score' takes int, not text");
    refused(update().set(leads::rating, 7), "'rating' takes real, not int");
    refused(update().set(leads::rating, std::numeric_limits<double>::infinity()), "'rating' takes a finite number");
    refused(update().set(leads::name, "\xc3"), "'name' is not UTF-8");
    refused(update().set(leads::name, std::string("a\0b", 3)), "'name' is not UTF-8 or holds a zero byte");
    refused(update().set(leads::notes, sdk::Json{"{broken"}), "notes");
    refused(update().append(leads::notes, 1), "no array");
    refused(update().unset(leads::name), "'name' may not be null");
    refused(update().set(leads::name, nullptr), "'name' may not be null");
    refused(update().inc(leads::name, 1), "'name' is neither number nor time");
    refused(update().set(JF_FIELD_REV, 9), "'rev' is kept by the storage");
    refused(update().set(99, 9), "no field 99");
    refused(update().set(leads::score, 1).inc(leads::score, 1), "'score' stands twice");
    refused(update(), "edits are missing");
    refused(Write::insert(h, "acme", "b"), "'name' is missing");
    refused(Write::insert(h, "acme", "").set(leads::name, "n"), "id is missing");
    EXPECT_EQ(db(update().unset(leads::notes)).status, JF_OK);
    refused(update().append(leads::notes, sdk::Json{"1, 2"}), "malformed JSON");
    EXPECT_EQ(get("a").rows[0].rev(), 2u);
}

TEST_F(SqliteVerbs, ComparesTheRevisionAndSetsOnlyThen) {
    ASSERT_EQ(db(leads::add(h, "acme", "a", 1)).status, JF_OK);

    EXPECT_EQ(db(Write::update(h, "acme", "a").expect_rev(1).inc(leads::score, 1)).revision, 2u);
    EXPECT_EQ(db(Write::update(h, "acme", "a").expect_rev(1).inc(leads::score, 1)).status, JF_E_CONFLICT);
    EXPECT_EQ(db(Write::upsert(h, "acme", "a").expect_rev(1).set(leads::score, 9)).status, JF_E_CONFLICT);
    EXPECT_EQ(db(Write::upsert(h, "acme", "none").expect_rev(1).set(leads::name, "x")).status, JF_E_CONFLICT);
    EXPECT_EQ(db(Write::remove(h, "acme", "a").expect_rev(1)).status, JF_E_CONFLICT);
    EXPECT_EQ(db(Write::update(h, "acme").expect_rev(1).inc(leads::score, 1)).status, JF_E_INVALID);
    EXPECT_EQ(get("a").rows[0].field(leads::score), sdk::Value(2));
    EXPECT_EQ(db(Write::remove(h, "acme", "a").expect_rev(2)).affected, 1u);
    EXPECT_TRUE(get("a").rows.empty());
}

TEST_F(SqliteVerbs, UpdatesAndDeletesWhatMatches) {
    for (int i = 0; i < 10; ++i) ASSERT_EQ(db(leads::add(h, "acme", "r" + std::to_string(i), i)).status, JF_OK);

    EXPECT_EQ(db(Write::update(h, "acme").ge(leads::score, 5).inc(leads::score, 100)).affected, 5u);
    EXPECT_EQ(db(Write::update(h, "acme", "r0").ge(leads::score, 5).inc(leads::score, 100)).affected, 0u);
    EXPECT_EQ(db(Write::update(h, "acme").order_by(leads::score).limit(2).set(leads::log, "low")).affected, 2u);
    EXPECT_THAT(ids(db(Query(h, "acme").eq(leads::log, "low"))), ElementsAre("r0", "r1"));
    EXPECT_EQ(db(Write::remove(h, "acme").lt(leads::score, 100)).affected, 5u);
    EXPECT_EQ(db(Write::remove(h, "acme").limit(1)).affected, 1u);
    EXPECT_EQ(db(Write::remove(h, "acme")).affected, 4u);
    EXPECT_TRUE(db(Query(h, "acme")).rows.empty());
}

TEST_F(SqliteVerbs, ClaimsInOrderAndAnswersWhatItClaimed) {
    for (int i = 0; i < 600; ++i)
        ASSERT_EQ(db(leads::add(h, "acme", "r" + std::to_string(i), 600 - i).set(leads::open, true)).status, JF_OK);
    const auto claim = [&](std::uint32_t n) {
        return db(Write::claim(h, "acme").eq(leads::open, true).order_by(leads::score).limit(n).set(leads::open, false));
    };

    const auto one = claim(0);
    ASSERT_THAT(ids(one), ElementsAre("r599"));
    EXPECT_EQ(one.revision, 2u);
    EXPECT_EQ(one.rows[0].field(leads::open), sdk::Value(false));
    EXPECT_THAT(ids(claim(3)), ElementsAre("r598", "r597", "r596"));
    EXPECT_EQ(claim(1000).rows.size(), 596u);
    EXPECT_EQ(claim(1).affected, 0u);
}

TEST_F(SqliteVerbs, DoesABatchWhollyOrNotAtAll) {
    sdk::Batch good;
    good.add(leads::add(h, "acme", "a", 1)).add(leads::add(h, "acme", "b", 2)).add(Write::update(h, "acme", "a").inc(leads::score, 10));
    good.add(Write::insert_or_get(h, "acme", "b").set(leads::name, "x"));
    const auto done = db(good);
    EXPECT_EQ(done.status, JF_OK) << done.error;
    EXPECT_EQ(done.affected, 3u);
    EXPECT_THAT(ids(done), ElementsAre("b"));

    sdk::Batch bad;
    bad.add(leads::add(h, "acme", "c", 1)).add(leads::add(h, "acme", "a", 2));
    EXPECT_EQ(db(bad).status, JF_E_CONFLICT);
    EXPECT_THAT(ids(db(Query(h, "acme"))), ElementsAre("a", "b"));
    EXPECT_EQ(get("a").rows[0].field(leads::score), sdk::Value(11));
    EXPECT_EQ(db(sdk::Batch()).status, JF_OK);
}

TEST_F(SqliteVerbs, KeepsTenantsApart) {
    ASSERT_EQ(db(leads::add(h, "acme", "a", 1)).status, JF_OK);
    ASSERT_EQ(db(leads::add(h, "beta", "a", 2)).status, JF_OK);

    EXPECT_EQ(get("a", "beta").rows[0].field(leads::score), sdk::Value(2));
    EXPECT_EQ(db(Query(h, "acme").eq(JF_FIELD_TENANT, "beta")).rows.size(), 0u);
    EXPECT_EQ(db(Write::update(h, "beta").inc(leads::score, 1)).affected, 1u);
    EXPECT_EQ(db(Write::remove(h, "beta")).affected, 1u);
    EXPECT_EQ(get("a").rows[0].rev(), 1u);
    for (const auto& reply : {db(Query(h)), db(leads::add(h, "", "x", 1)), db(Write::remove(h, "")), db(Write::claim(h, "").inc(leads::score, 1))}) {
        EXPECT_EQ(reply.status, JF_E_INVALID);
        EXPECT_THAT(reply.error, HasSubstr("tenant is missing"));
    }
}

TEST_F(SqliteVerbs, WakesTheWatchersOfTheTenantUntilTheyCancel) {
    int wakes = 0;
    jf_status ended = JF_OK;
    const jf_op op = db.host().start_op([&](jf_op, const jf_event& event) { wakes += event.type == JF_EV_WAKE; },
                                        [&](jf_op, jf_status status, const jf_event*, const jf_error*) { ended = status; });
    ASSERT_EQ(db.records().watch(db.self(), op, h, sdk::str("acme"), nullptr), JF_OK);

    db(leads::add(h, "acme", "a", 1));
    db(leads::add(h, "beta", "a", 1));
    EXPECT_EQ(wakes, 1);
    EXPECT_EQ(db.functions().cancel(db.self(), op), JF_OK);
    EXPECT_EQ(ended, JF_E_CANCELLED);
    db(leads::add(h, "acme", "b", 1));
    EXPECT_EQ(wakes, 1);
    EXPECT_EQ(db.functions().cancel(db.self(), op), JF_E_INVALID);
    EXPECT_EQ(db.host().double_completions(), 0);
}

TEST_F(SqliteVerbs, WakesOnceForABatchAndNeverForWhatChangedNothing) {
    int wakes = 0;
    const jf_op op = db.host().start_op([&](jf_op, const jf_event& event) { wakes += event.type == JF_EV_WAKE; }, {});
    // Without a tenant: of any.
    ASSERT_EQ(db.records().watch(db.self(), op, h, jf_str{}, nullptr), JF_OK);

    sdk::Batch batch;
    for (int i = 0; i < 10; ++i) batch.add(leads::add(h, "acme", std::to_string(i), i));
    ASSERT_EQ(db(batch).status, JF_OK);
    EXPECT_EQ(wakes, 1);
    ASSERT_EQ(db(leads::add(h, "beta", "a", 1)).status, JF_OK);
    EXPECT_EQ(wakes, 2);
    ASSERT_EQ(db(leads::add(h, "beta", "a", 1)).status, JF_E_CONFLICT);
    ASSERT_EQ(db(Write::update(h, "acme", "gone").inc(leads::score, 1)).affected, 0u);
    EXPECT_EQ(wakes, 2);
    EXPECT_EQ(db.functions().cancel(db.self(), op), JF_OK);
}

TEST_F(SqliteVerbs, PausesManyRecordsInSteps) {
    sdk::Batch many;
    for (int i = 0; i < 20000; ++i) many.add(leads::add(h, "acme", "lead" + std::to_string(i), i % 2));
    ASSERT_EQ(db(many).status, JF_OK);

    std::uint64_t paused = 0, step = 0;
    do {
        step = db(Write::update(h, "acme").eq(leads::score, 1).is_null(leads::open).set(leads::open, false).limit(3000)).affected;
        paused += step;
    } while (step == 3000);

    EXPECT_EQ(paused, 10000u);
    EXPECT_EQ(db(Query(h, "acme").eq(leads::open, false).count()).rows[0][0], sdk::Value(10000));
}

TEST_F(SqliteVerbs, StopsTakingWorkWhenItQuiescesAndStartsAgain) {
    const auto quiesced = db.ask([&](jf_op op, jf_error*) { return db.functions().quiesce(db.self(), op, 1000); });
    EXPECT_EQ(quiesced.status, JF_OK);
    EXPECT_EQ(get("a").status, JF_E_STATE);

    const auto again = db.ask([&](jf_op op, jf_error* error) { return db.functions().start(db.self(), op, error); });
    EXPECT_EQ(again.status, JF_OK);
    EXPECT_EQ(get("a").status, JF_OK);
}

}  // namespace
}  // namespace jackfield::test
