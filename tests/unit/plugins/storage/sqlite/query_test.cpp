#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "database.hpp"

namespace jackfield::test {
namespace {

using sdk::Query;
using sdk::Write;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SqliteQuery : public testing::Test {
  protected:
    Database db{":memory:"};
    std::uint32_t h = db.declare(leads::collection()).collection;
    Query q() { return Query(h, "acme"); }
};

TEST_F(SqliteQuery, FiltersWithEveryVerb) {
    db(leads::add(h, "acme", "a", 1).set(leads::log, "Anna"));
    db(leads::add(h, "acme", "b", 2).set(leads::log, "Annabel"));
    db(leads::add(h, "acme", "c", 3).set(leads::log, "\xc3\xa9t\xc3\xa9"));
    db(leads::add(h, "acme", "d", 4));

    EXPECT_THAT(ids(db(q().eq(leads::score, 2))), ElementsAre("b"));
    EXPECT_THAT(ids(db(q().ne(leads::score, 2))), ElementsAre("a", "c", "d"));
    EXPECT_THAT(ids(db(q().ne(leads::log, "Anna"))), ElementsAre("b", "c"));  // null is neither equal nor unequal
    EXPECT_THAT(ids(db(q().lt(leads::score, 2))), ElementsAre("a"));
    EXPECT_THAT(ids(db(q().le(leads::score, 2))), ElementsAre("a", "b"));
    EXPECT_THAT(ids(db(q().gt(leads::score, 2).lt(leads::score, 4))), ElementsAre("c"));
    EXPECT_THAT(ids(db(q().ge(leads::score, 3))), ElementsAre("c", "d"));
    EXPECT_THAT(ids(db(q().in(leads::score, {1, 4, 9}))), ElementsAre("a", "d"));
    EXPECT_THAT(ids(db(q().in(leads::score, {}))), IsEmpty());
    EXPECT_THAT(ids(db(q().prefix(leads::log, "Anna"))), ElementsAre("a", "b"));
    EXPECT_THAT(ids(db(q().prefix(leads::log, "\xc3\xa9"))), ElementsAre("c"));
    EXPECT_THAT(ids(db(q().prefix(leads::log, ""))), ElementsAre("a", "b", "c"));
    EXPECT_THAT(ids(db(q().contains(leads::log, "nab"))), ElementsAre("b"));
    EXPECT_THAT(ids(db(q().contains(leads::log, "NAB"))), IsEmpty());
    EXPECT_THAT(ids(db(q().is_null(leads::log))), ElementsAre("d"));
    EXPECT_THAT(ids(db(q().not_null(leads::log).in(JF_FIELD_ID, {"a", "d"}))), ElementsAre("a"));
    EXPECT_THAT(ids(db(q().eq(JF_FIELD_REV, 1).limit(1))), ElementsAre("a"));
}

TEST_F(SqliteQuery, RefusesWhatItCannotAnswer) {
    const auto refused = [&](const Query& query, jf_status status, const char* says) {
        const auto reply = db(query);
        EXPECT_EQ(reply.status, status);
        EXPECT_THAT(reply.error, HasSubstr(says));
    };
    refused(q().eq(leads::score, "2"), JF_E_INVALID, "'score' takes int, not text");
    refused(q().eq(leads::score, nullptr), JF_E_INVALID, "use IS_NULL");
    refused(q().eq(leads::notes, sdk::Json{"{}"}), JF_E_INVALID, "'notes' is JSON");
    refused(q().order_by(leads::notes), JF_E_INVALID, "'notes' is JSON");
    refused(q().prefix(leads::score, "2"), JF_E_INVALID, "'score' is no text");
    refused(q().eq(6, 1), JF_E_INVALID, "no field 6");
    refused(q().fields({77}), JF_E_INVALID, "no field 77");
    refused(q().term(leads::name, 40, "x"), JF_E_UNSUPPORTED, "40");
    refused(q().words(leads::name, "x"), JF_E_INVALID, "'name' is not declared with TEXT_SEARCH");
    refused(q().text("words"), JF_E_INVALID, "no field with TEXT_SEARCH");
    refused(q().order_by(JF_FIELD_RANK), JF_E_INVALID, "RANK");
    refused(q().include(leads::name), JF_E_INVALID, "refers to no collection");
    refused(q().include(leads::owner), JF_E_INVALID, "not declared");
    refused(Query(999, "acme"), JF_E_INVALID, "no collection 999");
}

TEST_F(SqliteQuery, ReadsStructsOfOlderAndNewerCallers) {
    db(leads::add(h, "acme", "a", 1));
    const Query whole = q();
    struct Longer {
        jf_query query;
        std::uint64_t later;
    } longer{*whole.abi(), 0};
    longer.query.struct_size = sizeof longer;
    EXPECT_EQ(db.raw(longer.query).rows.size(), 1u);
    longer.later = 1;
    EXPECT_EQ(db.raw(longer.query).status, JF_E_TOO_NEW);
    jf_query shorter = *whole.abi();
    shorter.struct_size = offsetof(jf_query, where);
    shorter.where = {nullptr, 7, 1};
    EXPECT_EQ(db.raw(shorter).rows.size(), 1u);
    shorter.struct_size = sizeof shorter;
    EXPECT_EQ(db.raw(shorter).status, JF_E_INVALID);
}

TEST_F(SqliteQuery, AnswersTheFieldsAskedForInTheirOrder) {
    db(leads::add(h, "acme", "a", 1));
    const auto reply = db(q().fields({leads::score, JF_FIELD_ID, leads::open}));
    ASSERT_EQ(reply.rows.size(), 1u);
    EXPECT_EQ(reply.rows[0], sdk::Row({1, "a", nullptr}));
}

TEST_F(SqliteQuery, PagesExactlyThroughTiesAndNulls) {
    std::vector<std::string> all;
    for (int i = 0; i < 97; ++i) {
        const std::string id = "r" + std::to_string(1000 + i * 37 % 97);
        Write write = Write::insert(h, "acme", id).set(leads::name, "n");
        if (i % 5 != 0) write.set(leads::score, i % 4);
        if (i % 3 != 0) write.set(leads::rating, static_cast<double>(i % 7) / 3);
        ASSERT_EQ(db(write).status, JF_OK);
        all.push_back(id);
    }
    std::sort(all.begin(), all.end());
    for (const bool first_down : {false, true})
        for (const bool second_down : {false, true})
            for (const std::uint32_t page : {1u, 7u, 97u}) {
                const auto query = [&] { return q().order_by(leads::score, first_down).order_by(leads::rating, second_down); };
                const std::vector<std::string> whole = ids(db(query()));
                std::vector<std::string> paged;
                std::string cursor;
                do {
                    const auto reply = db(query().limit(page).after(cursor));
                    ASSERT_EQ(reply.status, JF_OK) << reply.error;
                    for (const std::string& id : ids(reply)) paged.push_back(id);
                    cursor = reply.cursor;
                } while (!cursor.empty());
                EXPECT_EQ(paged, whole);
                std::sort(paged.begin(), paged.end());
                EXPECT_EQ(paged, all);
            }
}

TEST_F(SqliteQuery, KeepsItsPlaceWhileRecordsComeAndGo) {
    for (int i = 0; i < 10; ++i) db(leads::add(h, "acme", "r" + std::to_string(i), 5));
    const auto first = db(q().order_by(leads::score, true).limit(4));
    ASSERT_THAT(ids(first), ElementsAre("r9", "r8", "r7", "r6"));

    db(Write::remove(h, "acme", "r6"));
    db(leads::add(h, "acme", "r65", 5));
    db(leads::add(h, "acme", "r55", 5));

    EXPECT_THAT(ids(db(q().order_by(leads::score, true).limit(3).after(first.cursor))), ElementsAre("r55", "r5", "r4"));
}

TEST_F(SqliteQuery, RefusesACursorOfAnotherQuery) {
    for (int i = 0; i < 5; ++i) db(leads::add(h, "acme", "r" + std::to_string(i), i));
    const std::string cursor = db(q().order_by(leads::score).limit(2)).cursor;
    ASSERT_FALSE(cursor.empty());

    EXPECT_EQ(db(q().order_by(leads::score).limit(4).after(cursor)).status, JF_OK);
    EXPECT_EQ(db(q().order_by(leads::score, true).after(cursor)).status, JF_E_INVALID);
    EXPECT_EQ(db(q().after(cursor)).status, JF_E_INVALID);
    EXPECT_EQ(db(Query(h, "beta").order_by(leads::score).after(cursor)).status, JF_E_INVALID);
    EXPECT_EQ(db(q().order_by(leads::score).after(cursor + "x")).status, JF_E_INVALID);
    EXPECT_EQ(db(q().order_by(leads::score).after(cursor.substr(0, cursor.size() - 1))).status, JF_E_INVALID);
    EXPECT_EQ(db(q().order_by(leads::score).after("?")).status, JF_E_INVALID);
}

TEST_F(SqliteQuery, FollowsReferencesWithinTheTenant) {
    const auto owners = db.declare(sdk::Collection("test.owners", JF_SCOPE_TENANT).field("phone", JF_VALUE_TEXT));
    ASSERT_EQ(owners.status, JF_OK);
    db(Write::insert(owners.collection, "acme", "o1").set(8, "+1"));
    db(Write::insert(owners.collection, "beta", "o2").set(8, "+2"));
    db(leads::add(h, "acme", "a", 1).set(leads::owner, "o1"));
    db(leads::add(h, "acme", "b", 1).set(leads::owner, "o2"));
    db(leads::add(h, "acme", "c", 1));

    const auto reply = db(q().fields({JF_FIELD_ID}).include(leads::owner));

    ASSERT_EQ(reply.rows.size(), 3u) << reply.error;
    ASSERT_EQ(reply.rows[0].size(), 7u);
    EXPECT_EQ(reply.rows[0][1], sdk::Value("o1"));
    EXPECT_EQ(reply.rows[0][6], sdk::Value("+1"));
    EXPECT_TRUE(reply.rows[1][1].is_null());
    EXPECT_TRUE(reply.rows[1][6].is_null());
    EXPECT_TRUE(reply.rows[2][6].is_null());
}

TEST_F(SqliteQuery, SendsManyRowsInSeveralEvents) {
    sdk::Batch batch;
    for (int i = 0; i < 1500; ++i) batch.add(leads::add(h, "acme", std::to_string(10000 + i), i));
    ASSERT_EQ(db(batch).affected, 1500u);
    int events = 0;
    std::uint32_t largest = 0;
    sdk::RecordsReply reply;
    const jf_op op = db.host().start_op(
        [&](jf_op, const jf_event& event) {
            const auto* rows = sdk::data_of<jf_rows>(event);
            ++events;
            largest = std::max(largest, rows->values.n / rows->columns);
            reply.on_event(event);
        },
        [&](jf_op, jf_status status, const jf_event* last, const jf_error* error) { reply.on_done(status, last, error); });
    const Query query = q();
    ASSERT_EQ(db.records().query(db.self(), op, query.abi(), nullptr), JF_OK);

    EXPECT_EQ(reply.rows.size(), 1000u);
    EXPECT_EQ(events, 4);
    EXPECT_EQ(largest, 256u);
    EXPECT_FALSE(reply.cursor.empty());
    EXPECT_EQ(db(q().limit(5000)).rows.size(), 1500u);
}

TEST_F(SqliteQuery, WaitsForAHostWhoseQueueIsFull) {
    db(leads::add(h, "acme", "a", 1));
    // A host that answers AGAIN twice, then takes the rows.
    static int refusals;
    static jf_status (*real_emit)(jf_host_ctx*, jf_op, const jf_event*, std::uint32_t);
    refusals = 0;
    auto* table = const_cast<jf_host_v1*>(db.host().table());
    real_emit = table->emit;
    table->emit = [](jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) -> jf_status {
        if (refusals < 2) return ++refusals, JF_E_AGAIN;
        return real_emit(ctx, op, events, n);
    };

    const auto reply = db(q());

    table->emit = real_emit;
    EXPECT_EQ(refusals, 2);
    EXPECT_THAT(ids(reply), ElementsAre("a"));
}

}  // namespace
}  // namespace jackfield::test
