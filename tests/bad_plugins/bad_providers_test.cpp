// The real program, with providers that hang or are none.

#include "host_fixture.hpp"

#include <gmock/gmock.h>

namespace jackfield::test {
namespace {

namespace fs = std::filesystem;

/// A host whose folder of plugins has some bad modules beside the good ones.
void add_modules(HostFolder& folder, const std::vector<std::string>& ids) {
    folder.copy_plugins();
    for (const std::string& id : ids) fs::copy_file(fs::path(JACKFIELD_BAD_PLUGINS) / (id + ".so"), folder.plugins() / (id + ".so"));
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
    return text;
}

TEST(BadProvider, ThatHangsInACallIsReplacedByTheNextOne) {
    HostFolder folder;
    add_modules(folder, {"llm/hang_stream"});
    folder.write_tenant("desk", replaced(desk_tenant(), "llm = \"brain\"", "llm = [\"bad\", \"brain\"]") +
                                    "\n[providers.bad]\nplugin = \"llm/hang_stream\"\nplacement = \"thread\"\n");
    folder.write_host(0, 0, "[host.plugin_limits]\nstream_ms = 1500\n");
    HostProcess host(folder);

    expect_normal_call(folder, host);

    const auto lost = host.wait_log({"plugin.thread_hang", "hang_stream.so", "desk/bad"}, 20s);
    ASSERT_TRUE(lost) << host.log();
    // Long before the five seconds that it would have without [host.plugin_limits].
    EXPECT_THAT(*lost, testing::ContainsRegex("\"for_ms\":\"?[1-4][0-9][0-9][0-9][\",}]"));
    EXPECT_EQ(host.stop(60s), 0) << host.log();
}

TEST(BadProvider, ThatHangsAtTheEndKeepsNobody) {
    HostFolder folder;
    add_modules(folder, {"llm/hang_quiesce"});
    folder.write_tenant("desk", desk_tenant() + "\n[providers.bad]\nplugin = \"llm/hang_quiesce\"\n" +
                                    "\n[providers.worse]\nplugin = \"llm/hang_quiesce\"\nplacement = \"thread\"\n");
    folder.write_host();
    HostProcess host(folder);

    const int code = host.stop(60s);

    EXPECT_EQ(code, 0) << host.log();
    for (const char* name : {"desk/bad", "desk/worse"})
        EXPECT_TRUE(host.wait_log({"plugin.control_hang", "hang_quiesce.so", name}, 0ms)) << host.log();
    EXPECT_TRUE(host.wait_log({"host.stopped"}, 0ms)) << host.log();
}

TEST(BadProvider, ThatHoldsAShardIsNamedAndTheHostCanBeStopped) {
    HostFolder folder;
    add_modules(folder, {"llm/hang_stream"});
    folder.write_tenant("desk", replaced(desk_tenant(), "llm = \"brain\"", "llm = \"bad\"") + "\n[providers.bad]\nplugin = \"llm/hang_stream\"\n");
    folder.write_host();
    HostProcess host(folder, {"--drain-seconds", "0"});
    sim::SipPhone phone;
    ASSERT_TRUE(phone.call(host.sip_uri("reception")) && phone.wait_answered(10s)) << host.log();
    ASSERT_TRUE(phone.wait_agent_quiet(400ms, 15s)) << host.log();
    phone.press("2"); // the model is asked

    ASSERT_TRUE(host.wait_log({"plugin.shard_hang", "hang_stream.so", "desk/bad"}, 30s)) << host.log();
    host.signal(SIGTERM);
    const auto ended = host.wait(60s);

    ASSERT_TRUE(ended) << host.log();
    EXPECT_EQ(ended->signal, 0);
    EXPECT_TRUE(host.wait_log({"host.plugin_hangs", "hang_stream.so", "desk/bad"}, 0ms)) << host.log();
}

TEST(BadProvider, OfAnotherMajorIsNamedByCheckAndServe) {
    HostFolder folder;
    add_modules(folder, {"llm/wrong_major"});
    folder.write_tenant("desk", desk_tenant() + "\n[providers.bad]\nplugin = \"llm/wrong_major\"\n");
    folder.write_host();
    const std::string file = (folder.plugins() / "llm" / "wrong_major.so").string();

    const auto check = folder.jackfield({"check"});
    const auto serve = folder.jackfield({"serve"});

    EXPECT_EQ(check.code, 2) << check.out;
    EXPECT_NE(check.err.find(file), std::string::npos) << check.err;
    EXPECT_NE(serve.code, 0);
    EXPECT_NE(serve.err.find(file), std::string::npos) << serve.err;
}

}  // namespace
}  // namespace jackfield::test
