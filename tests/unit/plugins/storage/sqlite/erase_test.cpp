#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "database.hpp"

namespace jackfield::test {
namespace {

using sdk::Write;

/// Whether the bytes stand in the database or in what lies beside it.
bool stands_in_files(const std::string& path, const std::string& bytes) {
    for (const char* suffix : {"", "-wal"}) {
        std::ifstream file(path + suffix, std::ios::binary);
        const std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        if (content.find(bytes) != std::string::npos) return true;
    }
    return false;
}

class SqliteErase : public testing::Test {
  protected:
    void SetUp() override {
        sdk::Collection people("test.people", JF_SCOPE_TENANT);
        people.field("note", JF_VALUE_TEXT, JF_FIELD_TEXT_SEARCH).index({"note"});
        h_ = db_.declare(people).collection;
        sdk::Batch many;
        for (int i = 0; i < 300; ++i) many.add(Write::insert(h_, "acme", std::to_string(i)).set(8, "ordinary person number " + std::to_string(i)));
        ASSERT_EQ(db_(many).status, JF_OK);
        ASSERT_EQ(db_(Write::insert(h_, "acme", "x").set(8, "zygomorphic " + std::string(9000, 'y'))).status, JF_OK);
        ASSERT_EQ(db_(Write::update(h_, "acme", "x").set(8, "now xylophonist " + std::string(20, 'y'))).status, JF_OK);
        ASSERT_TRUE(stands_in_files(path_, "xylophonist"));
    }
    TempFolder folder_;
    std::string path_ = folder_.file("a.db");
    Database db_{path_};
    std::uint32_t h_ = 0;
};

TEST_F(SqliteErase, LeavesNothingOfThePersonInTheFiles) {
    const auto reply = db_(Write::remove(h_, "acme", "x").erase());

    ASSERT_EQ(reply.status, JF_OK) << reply.error;
    EXPECT_EQ(reply.affected, 1u);
    for (const char* word : {"xylophonist", "zygomorphic", "yyyyyyyyyy"}) EXPECT_FALSE(stands_in_files(path_, word)) << word;
    EXPECT_EQ(db_(sdk::Query(h_, "acme").words(8, "ordinary").limit(1000)).rows.size(), 300u);
}

TEST_F(SqliteErase, AlsoOverwritesWhatAnUpdateReplaces) {
    ASSERT_EQ(db_(Write::update(h_, "acme", "x").unset(8).erase()).status, JF_OK);

    for (const char* word : {"xylophonist", "zygomorphic", "yyyyyyyyyy"}) EXPECT_FALSE(stands_in_files(path_, word)) << word;
    EXPECT_EQ(db_(sdk::Query(h_, "acme").id("x")).rows.size(), 1u);
}

}  // namespace
}  // namespace jackfield::test
