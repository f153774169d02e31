// `jackfield store`: a database that an earlier program left, its plan, the migration, and the way back.

#include <gmock/gmock.h>

#include "host_fixture.hpp"
#include "unit/plugins/storage/sqlite/database.hpp"

namespace jackfield::test {
namespace {

using testing::HasSubstr;

class StoreCommand : public testing::Test {
  protected:
    void SetUp() override {
        folder_.write_tenant("desk", desk_tenant(DeskOptions()));
        folder_.write_host();
        // Traces as no released version had them: as plain text.
        Database earlier(folder_.database().string());
        const std::uint32_t h = earlier.declare(sdk::Collection("jf.traces", JF_SCOPE_TENANT).field("entries", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)).collection;
        ASSERT_EQ(earlier(sdk::Write::insert(h, "desk", "call-1").set(8, "[1, 2]")).status, JF_OK);
        ASSERT_EQ(earlier(sdk::Write::insert(h, "desk", "call-2").set(8, "no JSON")).status, JF_OK);
    }
    HostFolder folder_;
};

TEST_F(StoreCommand, ShowsThePlanThenMigratesThenGoesBack) {
    // The host says which command helps.
    try {
        HostProcess host(folder_);
        FAIL() << "the host started";
    } catch (const std::runtime_error& problem) {
        EXPECT_THAT(problem.what(), HasSubstr("jackfield store plan"));
    }

    const auto plan = folder_.jackfield({"store", "plan"});
    EXPECT_EQ(plan.code, 0) << plan.err;
    EXPECT_THAT(plan.out, HasSubstr("jf.traces  version 0 -> 1\n  field 8 'entries' turns from text into json\n"));
    const auto unasked = folder_.jackfield({"store", "migrate"});
    EXPECT_EQ(unasked.code, 1);
    EXPECT_THAT(unasked.err, HasSubstr("--yes"));

    const auto done = folder_.jackfield({"store", "migrate", "--yes"});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("done: 2 records"));
    {
        HostProcess host(folder_);
        const auto refused = folder_.jackfield({"store", "rollback", "--yes"});
        EXPECT_EQ(refused.code, 1);
        EXPECT_THAT(refused.err, HasSubstr("a host is running on this store"));
        EXPECT_EQ(host.stop(), 0) << host.log();
    }
    const auto status = folder_.jackfield_json({"store", "status", "jf.traces"});
    ASSERT_TRUE(status);
    EXPECT_EQ(status->root()["collections"].at(0)["to_version"].integer_or(-1), 1);
    EXPECT_EQ(status->root()["collections"].at(1)["kind"].text_or(""), "migrated");

    EXPECT_THAT(folder_.jackfield({"store", "plan", "--back"}).out, HasSubstr("turns back from json into text"));
    EXPECT_EQ(folder_.jackfield({"store", "rollback", "--yes"}).code, 0);
    Database again(folder_.database().string());
    const std::uint32_t h = again.declare(sdk::Collection("jf.traces", JF_SCOPE_TENANT).field("entries", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)).collection;
    EXPECT_EQ(again(sdk::Query(h, "desk").id("call-2")).rows.at(0).field(8), sdk::Value("no JSON"));
}

TEST_F(StoreCommand, ExplainsItself) {
    for (const char* command : {"status", "plan", "migrate", "rollback"}) {
        const auto help = folder_.jackfield({"store", command, "--help"});
        EXPECT_EQ(help.code, 0);
        EXPECT_THAT(help.out, HasSubstr("collection"));
    }
    EXPECT_EQ(folder_.jackfield({"store"}).code, 2);
    const auto unknown = folder_.jackfield({"store", "plan", "no.such"});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_THAT(unknown.err, HasSubstr("nothing is to be migrated in 'no.such'"));
}

}  // namespace
}  // namespace jackfield::test
