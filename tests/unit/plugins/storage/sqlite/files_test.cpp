#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>

#include "database.hpp"
#include "plugins/storage/sqlite/store.hpp"

namespace jackfield::test {
namespace {

using sdk::Query;
using sdk::Write;
using testing::HasSubstr;

void run_sql(const std::string& path, const std::string& sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
}

TEST(SqliteFiles, AreMadeForTheirOwnerOnly) {
    TempFolder folder;
    Database db(folder.file("new/deep/a.db"));
    ASSERT_EQ(db.started().status, JF_OK) << db.started().error;
    const auto mode = [&](const char* name) {
        struct stat status {};
        EXPECT_EQ(::stat(folder.file(name).c_str(), &status), 0) << name;
        return status.st_mode & 0777;
    };
    EXPECT_EQ(mode("new"), 0700u);
    EXPECT_EQ(mode("new/deep"), 0700u);
    EXPECT_EQ(mode("new/deep/a.db"), 0600u);
    EXPECT_EQ(mode("new/deep/a.db-wal"), 0600u);
}

TEST(SqliteFiles, AreSyncedAtEachCommit) {
    TempFolder folder;
    sqlite::Options options;
    options.path = folder.file("a.db");
    const auto writer = sqlite::Connection::open(options, sqlite::Connection::Role::writer);
    const auto pragma = [&](const char* name) {
        sqlite::Statement row = writer->prepare(sqlite::Sql(name));
        EXPECT_TRUE(row.step());
        return std::string(row.text(0));
    };
    EXPECT_EQ(pragma("PRAGMA synchronous"), "2");  // FULL
    EXPECT_EQ(pragma("PRAGMA journal_mode"), "wal");
    EXPECT_EQ(pragma("PRAGMA foreign_keys"), "1");
}

TEST(SqliteFiles, CarryTheTimesOfTheClockGiven) {
    TempFolder folder;
    sqlite::Options options;
    options.path = folder.file("a.db");
    std::int64_t now = 1000;
    options.utc_us = [&] { return now; };
    const auto store = sqlite::Store::open(options);
    const sdk::Collection collection = leads::collection();
    const std::uint32_t h = store->declare(sqlite::read_collection(collection.abi()));
    const std::atomic<bool> never{false};
    const auto write = [&](const Write& w) { store->write({sqlite::read_write(w.abi(), store->catalogue())}, never); };

    write(leads::add(h, "acme", "a", 1));
    now = 2000;
    write(Write::update(h, "acme", "a").inc(leads::score, 1));

    std::vector<sdk::Row> rows;
    const Query query(h, "acme");
    store->query(sqlite::read_query(query.abi(), store->catalogue()), [&](sqlite::RowBuffer& buffer) {
        const jf_rows part = buffer.rows();
        sdk::read_rows(sdk::Host::event_of(JF_EV_ROWS, &part, sizeof part, 0, 0), rows);
    }, never);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].created(), sdk::Time{1000});
    EXPECT_EQ(rows[0].updated(), sdk::Time{2000});
}

TEST(SqliteFiles, KeepNothingOfAWriteThatIsCancelledInTheMiddle) {
    sqlite::Options options;
    options.path = ":memory:";
    std::atomic<bool> cancelled{false};
    bool cancel_at_clock = false;
    // The clock is read once a write has begun: from there it can be cancelled in its middle.
    options.utc_us = [&] {
        if (cancel_at_clock) cancelled = true;
        return 1;
    };
    const auto store = sqlite::Store::open(options);
    const sdk::Collection collection = leads::collection();
    const std::uint32_t h = store->declare(sqlite::read_collection(collection.abi()));
    const auto write = [&](const Write& w) { return store->write({sqlite::read_write(w.abi(), store->catalogue())}, cancelled); };
    for (int i = 0; i < 500; ++i) write(leads::add(h, "acme", std::to_string(i), i));

    cancel_at_clock = true;
    EXPECT_THROW(write(Write::update(h, "acme").inc(leads::score, 1000)), sqlite::StoreFailure);
    cancel_at_clock = false;
    cancelled = false;

    EXPECT_EQ(write(Write::update(h, "acme").ge(leads::score, 1000).inc(leads::score, 1)).affected, 0u);
    EXPECT_EQ(write(Write::update(h, "acme").inc(leads::score, 1)).affected, 500u);
}

TEST(SqliteFiles, OfTwoProcessesSeeEachOther) {
    TempFolder folder;
    Database host(folder.file("a.db"));
    Database tool(folder.file("a.db"));
    const std::uint32_t h = host.declare(leads::collection()).collection;
    ASSERT_EQ(tool.declare(leads::collection()).collection, h);

    ASSERT_EQ(host(leads::add(h, "acme", "a", 1)).status, JF_OK);
    ASSERT_EQ(tool(Write::update(h, "acme", "a").inc(leads::score, 1)).affected, 1u);
    EXPECT_EQ(host(Query(h, "acme")).rows[0].field(leads::score), sdk::Value(2));
    // One extends the collection, the other goes on with what it declared.
    ASSERT_EQ(tool.declare(leads::collection().field("later", JF_VALUE_INT).index({"later"})).status, JF_OK);
    EXPECT_EQ(host(leads::add(h, "acme", "b", 1)).status, JF_OK);
    EXPECT_EQ(host(Query(h, "acme")).rows[1].size(), 14u);
    EXPECT_EQ(tool(Query(h, "acme")).rows[1].size(), 15u);
}

TEST(SqliteFiles, LockedByAnotherProcessAreAFailureToRetry) {
    TempFolder folder;
    const std::string path = folder.file("a.db");
    Database db(path, 30);
    const std::uint32_t h = db.declare(leads::collection()).collection;
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);

    const auto locked = db(leads::add(h, "acme", "a", 1));
    EXPECT_EQ(locked.status, JF_E_TIMEOUT);
    EXPECT_EQ(locked.retry_class, JF_RETRY_AFTER);
    EXPECT_GT(locked.retry_after_ms, 0u);
    EXPECT_THAT(locked.error, HasSubstr("locked by another process for 30 ms"));
    EXPECT_EQ(db(Query(h, "acme")).status, JF_OK);

    sqlite3_close(other);
    EXPECT_EQ(db(leads::add(h, "acme", "a", 1)).status, JF_OK);
}

TEST(SqliteFiles, ThatAreNoDatabaseAreNamed) {
    TempFolder folder;
    const std::string path = folder.file("a.db");
    const std::string text = "this is a letter and not a database, and it is long enough to be looked at as one would be, really";
    std::ofstream(path) << text << text << text << text << text << text;
    Database db(path);
    EXPECT_EQ(db.started().status, JF_E_INVALID);
    EXPECT_THAT(db.started().error, HasSubstr("'" + path + "' is not an SQLite database; move it away"));
    EXPECT_EQ(db(Query(1)).status, JF_E_STATE);
    std::ifstream kept(path);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(kept), {}).size(), 6 * text.size());
}

TEST(SqliteFiles, OfOtherProgramsAndLaterVersionsAreLeftAlone) {
    TempFolder folder;
    run_sql(folder.file("other.db"), "CREATE TABLE theirs (a)");
    EXPECT_THAT(Database(folder.file("other.db")).started().error, HasSubstr("another program's database"));

    { Database ours(folder.file("later.db")); }
    run_sql(folder.file("later.db"), "PRAGMA user_version = 9");
    EXPECT_THAT(Database(folder.file("later.db")).started().error, HasSubstr("has storage format 9 and this plugin knows up to 1"));
}

TEST(SqliteFiles, InAPlaceThatCannotBeAreNamed) {
    TempFolder folder;
    std::ofstream(folder.file("file")) << "x";
    Database db(folder.file("file/a.db"));
    EXPECT_EQ(db.started().status, JF_E_INVALID);
    EXPECT_THAT(db.started().error, HasSubstr("cannot make '" + folder.file("file")));
    EXPECT_THAT(db.started().error, HasSubstr("write access"));
}

TEST(SqliteFiles, WithDamagedPagesAreAClearFailure) {
    TempFolder folder;
    const std::string path = folder.file("a.db");
    std::uint32_t h = 0;
    {
        Database db(path);
        h = db.declare(leads::collection()).collection;
        sdk::Batch batch;
        for (int i = 0; i < 2000; ++i) batch.add(leads::add(h, "acme", std::to_string(i), i).set(leads::log, std::string(200, 'x')));
        ASSERT_EQ(db(batch).status, JF_OK);
    }
    const auto size = std::filesystem::file_size(path);
    ASSERT_GT(size, 200000u);
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(60000);
        file << std::string(size - 60000, '\x7f');
    }
    Database db(path);
    const auto reply = db(Query(h, "acme").limit(5000));
    EXPECT_EQ(reply.status, JF_E_INTERNAL);
    EXPECT_THAT(reply.error, HasSubstr("database '" + path + "' is damaged"));
    EXPECT_THAT(reply.error, HasSubstr("restore a backup"));
}

}  // namespace
}  // namespace jackfield::test
