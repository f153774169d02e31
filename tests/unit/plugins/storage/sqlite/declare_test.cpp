#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database.hpp"

namespace jackfield::test {
namespace {

using sdk::Collection;
using sdk::Query;
using sdk::Write;
using testing::ElementsAre;
using testing::HasSubstr;

Collection first() {
    return Collection("test.c", JF_SCOPE_HOST).field("a", JF_VALUE_TEXT).field("b", JF_VALUE_INT, JF_FIELD_NOT_NULL).index({"b"});
}

TEST(SqliteDeclare, AnswersTheSameNumberForTheSameCollectionAlsoAfterReopening) {
    TempFolder folder;
    std::uint32_t number = 0;
    {
        Database db(folder.file("a.db"));
        number = db.declare(first()).collection;
        EXPECT_NE(number, 0u);
        EXPECT_NE(db.declare(Collection("test.d", JF_SCOPE_HOST)).collection, number);
        EXPECT_EQ(db.declare(first()).collection, number);
        EXPECT_EQ(db(Write::insert(number, "", "x").set(9, 1)).status, JF_OK);
    }
    Database db(folder.file("a.db"));
    EXPECT_EQ(db(Query(number)).rows.size(), 1u);  // known without being declared again
    EXPECT_EQ(db.declare(first()).collection, number);
}

TEST(SqliteDeclare, AppendsFieldsAndIndexesToRecordsThatStand) {
    TempFolder folder;
    Database db(folder.file("a.db"));
    const std::uint32_t number = db.declare(first()).collection;
    ASSERT_EQ(db(Write::insert(number, "", "x").set(9, 1)).status, JF_OK);

    const auto extended = db.declare(first().field("c", JF_VALUE_JSON).field("d", JF_VALUE_BOOL).unique({"a", "d"}));

    ASSERT_EQ(extended.status, JF_OK) << extended.error;
    EXPECT_EQ(extended.collection, number);
    EXPECT_EQ(db(Write::update(number, "", "x").append(10, 1).set(8, "t").set(11, true)).affected, 1u);
    EXPECT_EQ(db(Query(number)).rows[0].field(10), sdk::Value(sdk::Json{"[1]"}));
    EXPECT_EQ(db(Write::insert(number, "", "y").set(9, 1).set(8, "t").set(11, true)).status, JF_E_CONFLICT);
    // An older declaration, of a plugin that was put back, still fits.
    EXPECT_EQ(db.declare(first()).collection, number);
    EXPECT_EQ(db(Query(number)).rows[0].size(), 9u);
}

TEST(SqliteDeclare, RefusesOtherTypesNamesAndScopes) {
    Database db(":memory:");
    ASSERT_EQ(db.declare(first()).status, JF_OK);
    const auto refused = [&](const Collection& collection, jf_status status, const char* says) {
        const auto reply = db.declare(collection);
        EXPECT_EQ(reply.status, status);
        EXPECT_THAT(reply.error, HasSubstr(says));
    };
    refused(Collection("test.c", JF_SCOPE_HOST).field("a", JF_VALUE_INT), JF_E_CONFLICT, "'a' as text, not int");
    refused(Collection("test.c", JF_SCOPE_HOST).field("z", JF_VALUE_TEXT), JF_E_CONFLICT, "'a' as field 8, not 'z'");
    refused(Collection("test.c", JF_SCOPE_HOST).field("a", JF_VALUE_TEXT, JF_FIELD_NOT_NULL), JF_E_CONFLICT, "NOT_NULL");
    refused(Collection("test.c", JF_SCOPE_TENANT), JF_E_CONFLICT, "scope");
    refused(Collection("Test", JF_SCOPE_HOST), JF_E_INVALID, "no collection name");
    refused(Collection("x\"; DROP TABLE y; --", JF_SCOPE_HOST), JF_E_INVALID, "no collection name");
    refused(Collection("sqlite_x.y", JF_SCOPE_HOST), JF_E_INVALID, "no collection name");
    refused(Collection("test.e", JF_SCOPE_HOST).field("bad\"name", JF_VALUE_INT), JF_E_INVALID, "no field name");
    refused(Collection("test.e", JF_SCOPE_HOST).field("a", 77), JF_E_INVALID, "no known type");
    refused(Collection("test.e", JF_SCOPE_HOST).field("a", JF_VALUE_INT).field("a", JF_VALUE_INT), JF_E_INVALID, "twice");
    refused(Collection("test.e", JF_SCOPE_HOST).field("a", JF_VALUE_INT).index({"nope"}), JF_E_INVALID, "no field 65535");
    refused(Collection("test.e", JF_SCOPE_HOST).field("a", JF_VALUE_INT, 0, "test.c"), JF_E_INVALID, "has to be text");
}

TEST(SqliteDeclare, LeavesNothingOfAnExtensionThatFails) {
    Database db(":memory:");
    const std::uint32_t number = db.declare(first()).collection;
    for (const char* id : {"x", "y"}) ASSERT_EQ(db(Write::insert(number, "", id).set(9, 1)).status, JF_OK);

    const auto duplicate = db.declare(first().field("c", JF_VALUE_INT).unique({"b"}));
    EXPECT_EQ(duplicate.status, JF_E_CONFLICT);
    EXPECT_THAT(duplicate.error, HasSubstr("unique index 1"));
    const auto not_null = db.declare(first().field("c", JF_VALUE_INT, JF_FIELD_NOT_NULL));
    EXPECT_EQ(not_null.status, JF_E_CONFLICT);
    EXPECT_THAT(not_null.error, HasSubstr("without NOT_NULL"));

    EXPECT_EQ(db(Query(number)).rows[0].size(), 7u);
    EXPECT_EQ(db.declare(first().field("other", JF_VALUE_TEXT)).status, JF_OK);
}

TEST(SqliteDeclare, TakesFieldsNamedLikeItsOwnAndLikeSqlWords) {
    Database db(":memory:");
    const auto made = db.declare(Collection("test.words", JF_SCOPE_HOST)
                                     .field("id", JF_VALUE_TEXT)
                                     .field("created", JF_VALUE_INT)
                                     .field("rowid", JF_VALUE_INT)
                                     .field("select", JF_VALUE_TEXT)
                                     .field("order", JF_VALUE_INT)
                                     .index({"select", "order"}));
    ASSERT_EQ(made.status, JF_OK) << made.error;
    const std::uint32_t h = made.collection;
    for (int i = 0; i < 4; ++i)
        ASSERT_EQ(db(Write::insert(h, "", "k" + std::to_string(i)).set(8, "other").set(10, 7).set(12, i)).status, JF_OK);

    const auto claimed = db(Write::claim(h, "").eq(10, 7).order_by(12, true).limit(2).inc(10, 1));

    EXPECT_THAT(ids(claimed), ElementsAre("k3", "k2"));
    EXPECT_EQ(claimed.rows[0].field(8), sdk::Value("other"));
}

}  // namespace
}  // namespace jackfield::test
