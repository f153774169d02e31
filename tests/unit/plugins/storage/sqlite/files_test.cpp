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
    EXPECT_THAT(Database(folder.file("later.db")).started().error, HasSubstr("has storage format 9 and this plugin knows up to 2"));
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
    const auto expect_damage = [&](const sdk::RecordsReply& reply) {
        EXPECT_EQ(reply.status, JF_E_INTERNAL);
        EXPECT_THAT(reply.error, HasSubstr("database '" + path + "' is damaged"));
        EXPECT_THAT(reply.error, HasSubstr("restore a backup"));
    };

    expect_damage(Database(path).started());
    // Where nobody looked at the start, whoever meets the damage says it.
    Database unchecked(path, 5000, {{"check_at_start_ms", "0"}});
    expect_damage(unchecked(Query(h, "acme").limit(5000)));
}

TEST(SqliteFiles, RefuseAValueThatIsLargerThanAllowed) {
    TempFolder folder;
    Database db(folder.file("a.db"), 5000, {{"max_record_kib", "64"}});
    const std::uint32_t h = db.declare(leads::collection()).collection;
    ASSERT_EQ(db(leads::add(h, "acme", "a", 1).set(leads::log, std::string(50000, 'x'))).status, JF_OK);

    const auto large = db(leads::add(h, "acme", "b", 1).set(leads::log, std::string(70000, 'x')));
    const auto grown = db(Write::update(h, "acme", "a").append(leads::log, std::string(50000, 'x')));

    EXPECT_EQ(large.status, JF_E_INVALID);
    EXPECT_THAT(large.error, HasSubstr("max_record_kib"));
    EXPECT_EQ(grown.status, JF_E_INVALID);
    EXPECT_EQ(db(Query(h, "acme")).rows[0].field(leads::log).text().size(), 50000u);
}

TEST(SqliteFiles, KeepTheLogShortWhileWritersNeverPause) {
    TempFolder folder;
    const std::string path = folder.file("a.db");
    Database db(path, 5000, {{"checkpoint_pages", "100"}});
    const std::uint32_t h = db.declare(leads::collection()).collection;

    std::uintmax_t longest = 0;
    for (int i = 0; i < 600; ++i) {
        ASSERT_EQ(db(leads::add(h, "acme", std::to_string(i), i).set(leads::log, std::string(14000, 'x'))).status, JF_OK);
        longest = std::max(longest, std::filesystem::file_size(path + "-wal"));
    }

    // 600 records of four pages each, and what they touch besides, would be 12 MiB and more.
    EXPECT_LT(longest, 6u << 20);
}

TEST(SqliteFiles, OfTheFirstFormatGoOnWithEverythingThatTheyHold) {
    TempFolder folder;
    const std::string path = folder.file("a.db");
    run_sql(path, R"sql(PRAGMA journal_mode = WAL;
        CREATE TABLE _jf_collections (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, scope INTEGER NOT NULL, version INTEGER NOT NULL) STRICT;
        CREATE TABLE _jf_fields (collection INTEGER NOT NULL REFERENCES _jf_collections, number INTEGER NOT NULL, name TEXT NOT NULL, type INTEGER NOT NULL,
            flags INTEGER NOT NULL, refers_to TEXT NOT NULL, PRIMARY KEY (collection, number), UNIQUE (collection, name)) STRICT;
        CREATE TABLE _jf_indexes (collection INTEGER NOT NULL REFERENCES _jf_collections, position INTEGER NOT NULL, is_unique INTEGER NOT NULL,
            place INTEGER NOT NULL, field INTEGER NOT NULL, PRIMARY KEY (collection, position, place)) STRICT;
        CREATE TABLE "test.notes" (_id TEXT NOT NULL, _tenant TEXT NOT NULL, _rev INTEGER NOT NULL, _created INTEGER NOT NULL, _updated INTEGER NOT NULL,
            "body" TEXT NOT NULL, "stars" INTEGER, PRIMARY KEY (_tenant, _id)) STRICT;
        CREATE INDEX "test.notes#0" ON "test.notes" (_tenant, "stars", _id);
        INSERT INTO _jf_collections VALUES (1, 'test.notes', 1, 1);
        INSERT INTO _jf_fields VALUES (1, 8, 'body', 3, 1, ''), (1, 9, 'stars', 1, 0, '');
        INSERT INTO _jf_indexes VALUES (1, 0, 0, 0, 9);
        INSERT INTO "test.notes" VALUES ('a', 'acme', 3, 10, 20, 'the grey goose', 5), ('b', 'acme', 1, 10, 20, 'a white duck', NULL);
        PRAGMA application_id = 1246447172; PRAGMA user_version = 1;)sql");
    const auto notes = [](std::uint16_t flags) {
        return sdk::Collection("test.notes", JF_SCOPE_TENANT).field("body", JF_VALUE_TEXT, flags).field("stars", JF_VALUE_INT).index({"stars"});
    };
    constexpr std::uint16_t body = 8, stars = 9;

    Database db(path);
    ASSERT_EQ(db.started().status, JF_OK) << db.started().error;
    ASSERT_EQ(db.declare(notes(JF_FIELD_NOT_NULL)).collection, 1u);
    ASSERT_EQ(db(Write::update(1, "acme", "b").set(stars, 1)).status, JF_OK);
    EXPECT_EQ(db(Write::insert(1, "acme", "a").set(body, "x")).error, "collection 'test.notes' has a record with this id already");
    // Searching its words needs another table, which it gets.
    ASSERT_EQ(db.declare(notes(JF_FIELD_NOT_NULL | JF_FIELD_TEXT_SEARCH)).collection, 1u);
    const auto found = db(Query(1, "acme").words(body, "goose"));
    ASSERT_EQ(ids(found), std::vector<std::string>{"a"});
    EXPECT_EQ(found.rows[0].rev(), 3u);
    EXPECT_EQ(db(Query(1, "acme").order_by(stars)).rows.size(), 2u);
}

}  // namespace
}  // namespace jackfield::test
