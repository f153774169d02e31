// A plugin that needs a draft interface loads where the operator said so, and nowhere else.

#include <gtest/gtest.h>

#include "app/host.hpp"
#include "unit/kernel/plugin_host/host_fixture.hpp"

namespace jackfield::app {
namespace {

config::HostConfig with_drafts(bool drafts) {
    config::HostConfig out;
    out.plugins = {plugin_host::test_plugins()};
    out.drafts = drafts;
    return out;
}

TEST(Drafts, AreRefusedWithTheRemedy) {
    runtime::SimRuntime runtime(3);
    plugin_host::HostUnderTest host(runtime, trust_policy(with_drafts(false)));

    try {
        host.make("stt/test_draft");
        FAIL() << "it loaded";
    } catch (const std::runtime_error& refused) {
        EXPECT_NE(std::string(refused.what()).find("draft interfaces"), std::string::npos) << refused.what();
        EXPECT_NE(std::string(refused.what()).find("`drafts = true` in [host]"), std::string::npos) << refused.what();
    }
}

TEST(Drafts, LoadWhereTheOperatorOptedIn) {
    runtime::SimRuntime runtime(3);
    plugin_host::HostUnderTest host(runtime, trust_policy(with_drafts(true)));

    EXPECT_EQ(host.make("stt/test_draft")->plugin().file.descriptor.drafts, true);
}

TEST(Drafts, AreNoMatterToPluginsThatNeedNone) {
    runtime::SimRuntime runtime(3);
    plugin_host::HostUnderTest host(runtime, trust_policy(with_drafts(false)));

    EXPECT_NO_THROW(host.make("stt/test_null"));
}

}  // namespace
}  // namespace jackfield::app
