#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database.hpp"

namespace jackfield::test {
namespace {

using sdk::Query;
using sdk::Write;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::uint16_t text = 8, title = 9, call = 10;

/// Turns of calls, whose texts and titles are searched.
class SqliteSearch : public testing::Test {
  protected:
    void SetUp() override {
        calls_ = db_.declare(sdk::Collection("test.calls", JF_SCOPE_TENANT).field("agent", JF_VALUE_TEXT)).collection;
        sdk::Collection turns("test.turns", JF_SCOPE_TENANT);
        turns.field("text", JF_VALUE_TEXT, JF_FIELD_TEXT_SEARCH).field("title", JF_VALUE_TEXT, JF_FIELD_TEXT_SEARCH);
        turns.field("call", JF_VALUE_TEXT, 0, "test.calls");
        h_ = db_.declare(turns).collection;
        ASSERT_NE(h_, 0u);
    }
    void add(const std::string& tenant, const std::string& id, const std::string& words, const std::string& heading = "", const std::string& of = "") {
        auto write = Write::insert(h_, tenant, id).set(text, words);
        if (!heading.empty()) write.set(title, heading);
        if (!of.empty()) write.set(call, of);
        ASSERT_EQ(db_(write).status, JF_OK);
    }
    std::vector<std::string> find(const std::string& words) {
        const auto reply = db_(Query(h_, "acme").words(text, words));
        EXPECT_EQ(reply.status, JF_OK) << reply.error;
        return ids(reply);
    }

    Database db_{":memory:"};
    std::uint32_t h_ = 0, calls_ = 0;
};

TEST_F(SqliteSearch, FindsWordsWithoutCaseAndDiacritics) {
    add("acme", "a", "Ich möchte einen Termin, bitte!");
    add("acme", "b", "Une crème brûlée pour midi");
    add("acme", "c", "МОСКВА говорит");

    EXPECT_THAT(find("termin"), ElementsAre("a"));
    EXPECT_THAT(find("MOCHTE"), ElementsAre("a"));
    EXPECT_THAT(find("creme brulee"), ElementsAre("b"));
    EXPECT_THAT(find("москва"), ElementsAre("c"));
    EXPECT_THAT(find("termin midi"), IsEmpty());
    EXPECT_THAT(find("ter"), IsEmpty());
    EXPECT_THAT(find("ter*"), ElementsAre("a"));
    EXPECT_THAT(find("\"einen termin\""), ElementsAre("a"));
    EXPECT_THAT(find("\"termin einen\""), IsEmpty());
}

TEST_F(SqliteSearch, TakesEveryCharacterOfAQuestionAsText) {
    add("acme", "a", "say OR near NOT (this) column: text -x ^y");
    for (const char* words : {"OR", "near", "NOT", "(this)", "column:", "text -x", "^y", "say \"", "or* near*", "\"\" say", "say 👍"})
        EXPECT_THAT(find(words), ElementsAre("a")) << words;
    for (const char* words : {"", "*", "\"\"", "- ( ) : ^ +", "👍", "''; DROP TABLE x"}) EXPECT_THAT(find(words), IsEmpty()) << words;
}

TEST_F(SqliteSearch, LooksInTheFieldOrInAll) {
    add("acme", "a", "refund", "billing");
    add("acme", "b", "billing", "refund");

    EXPECT_EQ(ids(db_(Query(h_, "acme").words(title, "refund"))), std::vector<std::string>{"b"});
    EXPECT_THAT(ids(db_(Query(h_, "acme").text("refund billing"))), UnorderedElementsAre("a", "b"));
    EXPECT_EQ(ids(db_(Query(h_, "acme").words(title, "refund").words(text, "billing"))), std::vector<std::string>{"b"});
}

TEST_F(SqliteSearch, FollowsEveryWrite) {
    add("acme", "a", "one");
    ASSERT_EQ(db_(Write::update(h_, "acme", "a").append(text, " two")).status, JF_OK);
    EXPECT_THAT(find("two"), ElementsAre("a"));
    ASSERT_EQ(db_(Write::update(h_, "acme", "a").set(text, "three")).status, JF_OK);
    EXPECT_THAT(find("one"), IsEmpty());
    ASSERT_EQ(db_(Write::update(h_, "acme", "a").unset(text)).status, JF_OK);
    EXPECT_THAT(find("three"), IsEmpty());
    ASSERT_EQ(db_(Write::upsert(h_, "acme", "a").set(text, "four")).status, JF_OK);
    EXPECT_THAT(find("four"), ElementsAre("a"));
    // What fails leaves no word behind.
    sdk::Batch batch;
    batch.add(Write::insert(h_, "acme", "b").set(text, "ghost")).add(Write::insert(h_, "acme", "a"));
    ASSERT_EQ(db_(batch).status, JF_E_CONFLICT);
    EXPECT_THAT(find("ghost"), IsEmpty());
    ASSERT_EQ(db_(Write::remove(h_, "acme")).affected, 1u);
    EXPECT_THAT(find("four"), IsEmpty());
}

TEST_F(SqliteSearch, StaysInTheTenant) {
    add("acme", "a", "secret");
    add("other", "b", "secret");
    add("acme corp", "c", "secret acme");

    EXPECT_THAT(find("secret"), ElementsAre("a"));
    EXPECT_THAT(ids(db_(Query(h_, "acme corp").words(text, "secret"))), ElementsAre("c"));
    EXPECT_THAT(find("acme"), IsEmpty());
}

TEST_F(SqliteSearch, PutsTheBestFirstAndPagesThroughThem) {
    for (int i = 0; i < 20; ++i) add("acme", "dull" + std::to_string(i), "a long sentence in which the refund is one of very many words " + std::to_string(i));
    add("acme", "best", "refund refund refund");

    std::vector<std::string> found;
    std::string cursor;
    double last = 1e9;
    do {
        const auto page = db_(Query(h_, "acme").text("refund").order_by(JF_FIELD_RANK, true).column(JF_FIELD_ID).column(JF_FIELD_RANK).limit(6).after(cursor));
        ASSERT_EQ(page.status, JF_OK) << page.error;
        for (const sdk::Row& row : page.rows) {
            found.push_back(row[0].text());
            EXPECT_LE(row[1].real(), last);
            last = row[1].real();
        }
        cursor = page.cursor;
    } while (!cursor.empty());

    ASSERT_EQ(found.size(), 21u);
    EXPECT_EQ(found.front(), "best");
    EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), 21u);
}

TEST_F(SqliteSearch, GoesWithReferencesAggregatesAndWrites) {
    ASSERT_EQ(db_(Write::insert(calls_, "acme", "c1").set(8, "reception")).status, JF_OK);
    ASSERT_EQ(db_(Write::insert(calls_, "acme", "c2").set(8, "sales")).status, JF_OK);
    add("acme", "a", "a refund", "", "c1");
    add("acme", "b", "no refund", "", "c2");
    add("acme", "c", "refund at last", "", "gone");

    const auto with_agent = db_(Query(h_, "acme").text("refund").via(call, 8, JF_TERM_EQ, "sales").column(JF_FIELD_ID).column(8, call));
    ASSERT_EQ(with_agent.rows.size(), 1u) << with_agent.error;
    EXPECT_EQ(with_agent.rows[0], sdk::Row({"b", "sales"}));
    EXPECT_EQ(db_(Query(h_, "acme").text("refund").count()).rows[0][0], sdk::Value(3));
    EXPECT_EQ(db_(Write::update(h_, "acme").words(text, "last").set(title, "found")).affected, 1u);
    EXPECT_EQ(db_(Query(h_, "acme").words(title, "found")).rows[0].id(), "c");
    EXPECT_EQ(db_(Query(h_, "acme").include(call).words(text, "last")).rows[0].size(), 8u + 6u);
}

TEST_F(SqliteSearch, AnswersRowsByColumnsWhereTheReferenceLeadsToNothing) {
    add("acme", "c", "x", "", "gone");
    const auto reply = db_(Query(h_, "acme").column(8, call).column(JF_FIELD_ID, call).column(JF_FIELD_ID));
    ASSERT_EQ(reply.rows.size(), 1u) << reply.error;
    EXPECT_EQ(reply.rows[0], sdk::Row({{}, {}, "c"}));
}

}  // namespace
}  // namespace jackfield::test
