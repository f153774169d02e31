#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database.hpp"

namespace jackfield::test {
namespace {

using sdk::Query;
using sdk::Write;
using testing::HasSubstr;

constexpr std::uint16_t name = 8, age = 9, note = 10, born = 11;

sdk::Collection first() {
    sdk::Collection made("test.people", JF_SCOPE_TENANT);
    made.field("name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL).field("age", JF_VALUE_TEXT).field("note", JF_VALUE_TEXT, JF_FIELD_NOT_NULL);
    return made.index({"age"}).version(1);
}
/// Renamed, retyped, dropped, added, with other indexes.
sdk::Collection second() {
    sdk::Collection made("test.people", JF_SCOPE_TENANT);
    made.field("full_name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL | JF_FIELD_TEXT_SEARCH).field("age", JF_VALUE_INT).field("note", JF_VALUE_TEXT, JF_FIELD_DROPPED);
    made.field("born", JF_VALUE_TIME);
    return made.unique({"full_name"}).version(2);
}

class SqliteMigrations : public testing::Test {
  protected:
    void SetUp() override {
        Database db(path_);
        h_ = db.declare(first()).collection;
        ASSERT_NE(h_, 0u);
        ASSERT_EQ(db(person("ann", "41")).status, JF_OK);
        ASSERT_EQ(db(person("bob", "old")).status, JF_OK);
        ASSERT_EQ(db(Write::insert(h_, "acme", "cy").set(name, "cy").set(note, "quiet")).status, JF_OK);
        ASSERT_EQ(db(Write::update(h_, "acme", "ann").set(note, "moved")).status, JF_OK);
    }
    Write person(const std::string& who, const std::string& years) {
        return Write::insert(h_, "acme", who).set(name, who).set(age, years).set(note, "about " + who);
    }
    static std::string texts(const sdk::RecordsReply& reply) {
        std::string out;
        for (const sdk::MigrationStep& step : reply.steps) out += step.text + "\n";
        return out;
    }
    TempFolder folder_;
    std::string path_ = folder_.file("a.db");
    std::uint32_t h_ = 0;
};

TEST_F(SqliteMigrations, WaitForTheOperatorAndShowTheirPlan) {
    Database db(path_);
    const auto refused = db.declare(second());
    EXPECT_EQ(refused.status, JF_E_CONFLICT);
    EXPECT_THAT(refused.error, HasSubstr("the database has version 1 of 'test.people' and this program wants version 2"));
    EXPECT_THAT(refused.error, HasSubstr("jackfield store plan"));

    const auto plan = db.migrate(JF_MIGRATE_PLAN);

    ASSERT_EQ(plan.status, JF_OK) << plan.error;
    EXPECT_THAT(texts(plan), HasSubstr("the whole database is copied"));
    EXPECT_THAT(texts(plan), HasSubstr("field 8 'name' is called 'full_name'"));
    EXPECT_THAT(texts(plan), HasSubstr("field 9 'age' turns from text into int; 1 value can't be converted"));
    EXPECT_THAT(texts(plan), HasSubstr("field 10 'note' is dropped with 3 values"));
    EXPECT_THAT(texts(plan), HasSubstr("field 11 'born', time, is added"));
    EXPECT_THAT(texts(plan), HasSubstr("indexes unique(full_name) instead of (age)"));
    for (const sdk::MigrationStep& step : plan.steps) {
        EXPECT_EQ(step.collection, "test.people");
        EXPECT_EQ(step.from_version, 1u);
        EXPECT_EQ(step.to_version, 2u);
        EXPECT_TRUE(step.kind == JF_STEP_BACKUP || (step.flags & JF_STEP_REVERSIBLE) != 0) << step.text;
    }
    // A plan changes nothing.
    EXPECT_EQ(db.declare(first()).status, JF_OK);
    EXPECT_EQ(db(Query(h_, "acme").id("bob")).rows[0].field(age), sdk::Value("old"));
}

TEST_F(SqliteMigrations, ConvertWhatStandsAndGoOneStepBack) {
    {
        Database db(path_);
        ASSERT_EQ(db.declare(second()).status, JF_E_CONFLICT);
        const auto careful = db.migrate(JF_MIGRATE_APPLY);
        EXPECT_EQ(careful.status, JF_E_CONFLICT);
        EXPECT_THAT(careful.error, HasSubstr("--lossy"));
        const auto done = db.migrate(JF_MIGRATE_APPLY, {}, true);
        ASSERT_EQ(done.status, JF_OK) << done.error;
        EXPECT_EQ(done.affected, 3u);
        ASSERT_EQ(db.declare(second()).collection, h_);

        // The copy is a database of its own, as it was before.
        std::vector<std::filesystem::directory_entry> copies;
        for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(path_).parent_path()))
            if (file.path().string().find(".before-test.people-v2-") != std::string::npos) copies.push_back(file);
        ASSERT_EQ(copies.size(), 1u);
        EXPECT_EQ(copies[0].status().permissions() & std::filesystem::perms::mask, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        EXPECT_EQ(Database(copies[0].path().string()).declare(first()).collection, h_);

        const auto rows = db(Query(h_, "acme")).rows;
        ASSERT_EQ(rows.size(), 3u);
        EXPECT_EQ(rows[0].field(age), sdk::Value(41));
        EXPECT_EQ(rows[0].rev(), 2u);
        EXPECT_TRUE(rows[1].field(age).is_null());
        EXPECT_TRUE(rows[0].field(note).is_null());
        EXPECT_EQ(db(Write::update(h_, "acme", "ann").set(note, "x")).status, JF_E_INVALID);
        EXPECT_EQ(ids(db(Query(h_, "acme").words(name, "BOB"))), std::vector<std::string>{"bob"});
        EXPECT_EQ(db(Write::insert(h_, "acme", "d").set(name, "ann")).status, JF_E_CONFLICT);
        ASSERT_EQ(db(Write::update(h_, "acme", "ann").set(age, 42)).status, JF_OK);
        ASSERT_EQ(db(Write::insert(h_, "acme", "dan").set(name, "dan").set(age, 7).set(born, sdk::Time{5})).status, JF_OK);
        // The earlier program says clearly that it is too old.
        EXPECT_THAT(db.declare(first()).error, HasSubstr("the database has version 2 of 'test.people' and this program knows version 1: use the later program"));
    }
    Database db(path_);
    const auto plan = db.migrate(JF_MIGRATE_PLAN_ROLLBACK);
    EXPECT_THAT(texts(plan), HasSubstr("field 10 'note' comes back with 3 values"));
    EXPECT_THAT(texts(plan), HasSubstr("field 11 'born', which came later, goes with 1 value"));
    ASSERT_EQ(db.migrate(JF_MIGRATE_ROLLBACK, "test.people", true).status, JF_OK);
    ASSERT_EQ(db.declare(first()).collection, h_);

    const auto rows = db(Query(h_, "acme")).rows;
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_EQ(rows[0].field(age), sdk::Value("42"));    // changed since: converted
    EXPECT_EQ(rows[0].field(note), sdk::Value("moved"));
    EXPECT_EQ(rows[1].field(age), sdk::Value("old"));   // as it was
    EXPECT_EQ(rows[3].field(note), sdk::Value(""));     // never had one
    EXPECT_EQ(rows[3].size(), 8u);
    EXPECT_EQ(db.migrate(JF_MIGRATE_ROLLBACK, {}, true).affected, 0u);
    const auto status = db.migrate(JF_MIGRATE_STATUS);
    EXPECT_THAT(texts(status), HasSubstr("taken back, copy in " + path_ + ".before-test.people-v2-"));
}

TEST_F(SqliteMigrations, AreBlockedByWhatStandsInTheWay) {
    Database db(path_);
    const auto try_declared = [&](sdk::Collection wanted) {
        EXPECT_EQ(db.declare(wanted.version(5)).status, JF_E_CONFLICT);
        return db.migrate(JF_MIGRATE_APPLY, {}, true);
    };
    sdk::Collection not_null("test.people", JF_SCOPE_TENANT);
    not_null.field("name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL).field("age", JF_VALUE_TEXT, JF_FIELD_NOT_NULL).field("note", JF_VALUE_TEXT, JF_FIELD_NOT_NULL);
    sdk::Collection shorter("test.people", JF_SCOPE_TENANT);
    shorter.field("names", JF_VALUE_TEXT, JF_FIELD_NOT_NULL);

    const auto nulls = try_declared(not_null.index({"age"}));
    EXPECT_EQ(nulls.status, JF_E_CONFLICT);
    EXPECT_THAT(nulls.error, HasSubstr("field 9 'age' may not be null, but is in 1 record"));
    EXPECT_THAT(try_declared(shorter).error, HasSubstr("field 9 'age' is not declared any more: declare it with DROPPED"));
    EXPECT_EQ(db(Query(h_, "acme")).rows.size(), 3u);
}

TEST_F(SqliteMigrations, LeaveEverythingAsItWasWhenTheyFailInTheMiddle) {
    Database db(path_);
    ASSERT_EQ(db(Write::insert(h_, "acme", "twin").set(name, "ann").set(note, "")).status, JF_OK);
    ASSERT_EQ(db.declare(second()).status, JF_E_CONFLICT);

    const auto reply = db.migrate(JF_MIGRATE_APPLY, {}, true);

    EXPECT_EQ(reply.status, JF_E_CONFLICT);
    EXPECT_THAT(reply.error, HasSubstr("break its new unique index 0"));
    ASSERT_EQ(db.declare(first()).collection, h_);
    EXPECT_EQ(db(Query(h_, "acme").eq(age, "41")).rows.size(), 1u);
}

TEST_F(SqliteMigrations, AreNotNeededForWhatIsOnlyAppended) {
    Database db(path_);
    EXPECT_EQ(db.declare(first().field("more", JF_VALUE_JSON).index({"more_or_less"})).status, JF_E_INVALID);
    EXPECT_EQ(db.declare(first().field("more", JF_VALUE_INT).index({"more"}).version(2)).collection, h_);
    // The earlier program goes on with what it knows.
    EXPECT_EQ(db.declare(first()).collection, h_);
    EXPECT_TRUE(db.migrate(JF_MIGRATE_PLAN).steps.empty());
}

}  // namespace
}  // namespace jackfield::test
