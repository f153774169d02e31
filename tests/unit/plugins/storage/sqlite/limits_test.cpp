#include <gtest/gtest.h>

#include <sqlite3.h>

#include <filesystem>
#include <mutex>

#include "database.hpp"
#include "plugins/storage/sqlite/request.hpp"
#include "plugins/storage/sqlite/store.hpp"

// What one user of a store may cost the others: connections, memory, the log.

namespace jackfield::test {
namespace {

using sdk::Query;

const std::atomic<bool> never{false};

class SqliteLimits : public testing::Test {
  protected:
    sqlite::Options options() {
        sqlite::Options out;
        out.path = folder_.file("a.db");
        out.utc_us = [] { return 1; };
        out.warn = [this](const char* event, const std::string&) {
            const std::lock_guard lock(mutex_);
            warned_.emplace_back(event);
        };
        return out;
    }
    void open(const sqlite::Options& options) {
        store_ = sqlite::Store::open(options);
        const sdk::Collection collection = leads::collection();
        h_ = store_->declare(sqlite::read_collection(collection.abi()));
    }
    void add(int i, std::size_t bytes = 14000) {
        const sdk::Write write = leads::add(h_, "acme", std::to_string(i), i).set(leads::log, std::string(bytes, 'x'));
        store_->write({sqlite::read_write(write.abi(), store_->catalogue())}, never);
    }
    void ask(const sqlite::RowSink& sink, const std::atomic<bool>& cancelled) {
        const Query query(h_, "acme");
        store_->query(sqlite::read_query(query.abi(), store_->catalogue()), sink, cancelled);
    }

    TempFolder folder_;
    std::mutex mutex_;
    std::vector<std::string> warned_;
    std::unique_ptr<sqlite::Store> store_;
    std::uint32_t h_ = 0;
};

TEST_F(SqliteLimits, AReaderThatStaysKeepsTheLogAndNoWriter) {
    sqlite::Options limited = options();
    limited.checkpoint_pages = 50;
    limited.wal_limit_mib = 1;
    open(limited);
    // More than the rows of one part.
    for (int i = 0; i < 300; ++i) add(i, 10);
    const auto log_bytes = [&] { return std::filesystem::file_size(limited.path + "-wal"); };

    std::uintmax_t kept = 0;
    ask([&](sqlite::RowBuffer&) {
        if (kept != 0) return;
        for (int i = 300; i < 500; ++i) add(i);
        kept = log_bytes();
    }, never);
    for (int i = 500; i < 620; ++i) add(i);

    EXPECT_GT(kept, 2u << 20);
    EXPECT_LT(log_bytes(), 2u << 20);
    EXPECT_GE(std::count(warned_.begin(), warned_.end(), "sqlite.log_is_long"), 1);
    std::size_t rows = 0;
    ask([&](sqlite::RowBuffer& buffer) { rows += buffer.rows().values.n / buffer.rows().columns; }, never);
    EXPECT_EQ(rows, 620u);
}

TEST_F(SqliteLimits, AQueryThatWaitsForAConnectionCanBeCancelled) {
    sqlite::Options one = options();
    one.readers = 1;
    open(one);
    for (int i = 0; i < 300; ++i) add(i, 10);
    const std::atomic<bool> cancelled{true};
    std::string said;

    ask([&](sqlite::RowBuffer&) {
        try {
            ask([](sqlite::RowBuffer&) {}, cancelled);
        } catch (const sqlite::StoreFailure& failure) {
            said = failure.what();
        }
    }, never);

    EXPECT_EQ(said, "cancelled");
}

TEST_F(SqliteLimits, StatementsAreKeptUpToANumberEvenWithinOneThatIsAtWork) {
    const auto connection = sqlite::Connection::open(options(), sqlite::Connection::Role::writer);
    const auto prepare = [&](int from, int to) {
        for (int i = from; i < to; ++i) connection->prepare(sqlite::Sql("SELECT " + std::to_string(i) + " UNION SELECT 1")).run();
        return sqlite3_memory_used();
    };
    sqlite::Statement outer = connection->prepare(sqlite::Sql("SELECT 1 UNION SELECT 2"));
    ASSERT_TRUE(outer.step());

    const std::int64_t some = prepare(0, 300), many = prepare(300, 3000);

    EXPECT_LT(many, some + (64 << 10));
    EXPECT_TRUE(outer.step());
    EXPECT_EQ(outer.integer(0), 2);
}

}  // namespace
}  // namespace jackfield::test
