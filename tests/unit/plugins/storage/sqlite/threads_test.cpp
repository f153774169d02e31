#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "database.hpp"

namespace jackfield::test {
namespace {

using sdk::Query;
using sdk::Write;

template <typename Body>
void in_threads(int n, Body body) {
    std::vector<std::thread> threads;
    for (int t = 0; t < n; ++t) threads.emplace_back(body, t);
    for (std::thread& thread : threads) thread.join();
}

TEST(SqliteThreads, CountExactlyWhileOthersRead) {
    TempFolder folder;
    Database db(folder.file("a.db"));
    const std::uint32_t h = db.declare(leads::collection()).collection;
    ASSERT_EQ(db(leads::add(h, "acme", "a", 0)).status, JF_OK);
    std::atomic<bool> done = false;
    std::thread reader([&] {
        std::int64_t last = 0;
        while (!done) {
            const auto reply = db(Query(h, "acme").fields({leads::score}));
            ASSERT_EQ(reply.status, JF_OK) << reply.error;
            ASSERT_GE(reply.rows[0][0].integer(), last);
            last = reply.rows[0][0].integer();
        }
    });

    in_threads(8, [&](int) {
        for (int i = 0; i < 1000; ++i) {
            const auto reply = db(Write::update(h, "acme", "a").inc(leads::score, 1));
            ASSERT_EQ(reply.status, JF_OK) << reply.error;
        }
    });
    done = true;
    reader.join();

    EXPECT_EQ(db(Query(h, "acme")).rows[0].field(leads::score), sdk::Value(8000));
    EXPECT_EQ(db(Query(h, "acme")).rows[0].rev(), 8001u);
}

TEST(SqliteThreads, ClaimEachRecordOnce) {
    TempFolder folder;
    Database db(folder.file("a.db"));
    const std::uint32_t h = db.declare(leads::collection()).collection;
    sdk::Batch batch;
    for (int i = 0; i < 1500; ++i) batch.add(leads::add(h, "acme", std::to_string(i), i));
    ASSERT_EQ(db(batch).status, JF_OK);
    std::mutex mutex;
    std::multiset<std::string> claimed;

    in_threads(8, [&](int t) {
        while (true) {
            const auto reply = db(Write::claim(h, "acme").is_null(leads::owner).order_by(leads::score).limit(3).set(leads::owner, "w" + std::to_string(t)));
            ASSERT_EQ(reply.status, JF_OK) << reply.error;
            if (reply.affected == 0) return;
            const std::lock_guard lock(mutex);
            for (const std::string& id : ids(reply)) claimed.insert(id);
        }
    });

    EXPECT_EQ(claimed.size(), 1500u);
    EXPECT_EQ(std::set<std::string>(claimed.begin(), claimed.end()).size(), 1500u);
}

TEST(SqliteThreads, FailAloneWithinAGroup) {
    Database db(":memory:");
    const std::uint32_t h = db.declare(leads::collection()).collection;
    std::atomic<int> made = 0;
    std::atomic<int> refused = 0;

    in_threads(8, [&](int) {
        for (int i = 0; i < 200; ++i) {
            const auto reply = db(leads::add(h, "acme", std::to_string(i), i));
            if (reply.status == JF_OK) ++made;
            else if (reply.status == JF_E_CONFLICT) ++refused;
        }
    });

    EXPECT_EQ(made, 200);
    EXPECT_EQ(refused, 1400);
    EXPECT_EQ(db(Query(h, "acme").count()).rows[0][0], sdk::Value(200));
}

TEST(SqliteThreads, StopAQueryThatIsCancelled) {
    Database db(":memory:");
    const std::uint32_t h = db.declare(leads::collection()).collection;
    sdk::Batch batch;
    for (int i = 0; i < 3000; ++i) batch.add(leads::add(h, "acme", std::to_string(i), i));
    ASSERT_EQ(db(batch).status, JF_OK);
    std::size_t rows = 0;
    jf_status ended = JF_OK;
    const jf_op op = db.host().start_op(
        [&](jf_op self, const jf_event& event) {
            const auto* part = sdk::data_of<jf_rows>(event);
            rows += part->values.n / part->columns;
            db.functions().cancel(db.self(), self);
        },
        [&](jf_op, jf_status status, const jf_event*, const jf_error*) { ended = status; });
    const Query query = Query(h, "acme").limit(3000);

    EXPECT_EQ(db.records().query(db.self(), op, query.abi(), nullptr), JF_OK);

    EXPECT_EQ(ended, JF_E_CANCELLED);
    EXPECT_EQ(rows, 256u);
    EXPECT_EQ(db(Query(h, "acme").count()).status, JF_OK);
}

}  // namespace
}  // namespace jackfield::test
