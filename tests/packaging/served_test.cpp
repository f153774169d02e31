// The plugins that package_test built out of tree, in C and in Rust, at work in a host.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "integration/host/host_fixture.hpp"
#include "unit/kernel/plugin_host/host_fixture.hpp"

namespace jackfield::test {
namespace {

namespace fs = std::filesystem;
using plugin_host::Placement;
using plugin_host::Recorder;

constexpr const char* beeps = "tts/example_c.so";
constexpr const char* bills = "tools/example_rust.so";

fs::path built(const char* file) {
    const std::string name = fs::path(file).stem().string();
    return fs::path(JACKFIELD_BINARY_DIR) / "out_of_tree" / name / "build/plugins" / file;
}

void copy_into(const fs::path& plugins, const char* file) {
    ASSERT_TRUE(fs::exists(built(file))) << "packaging_plugins builds it, run that first";
    fs::create_directories((plugins / file).parent_path());
    fs::copy_file(built(file), plugins / file, fs::copy_options::overwrite_existing);
}

/// The Rust plugin on a thread of its own, as third parties' are by default.
class RustInAHost : public testing::Test {
  protected:
    RustInAHost() {
        copy_into(plugin_host::test_plugins(), bills);
        plugin_ = host_.make("tools/example_rust", Placement::thread);
        runtime_.start();
    }
    ~RustInAHost() override {
        std::promise<void> stopped;
        runtime_.shard(0).post([&] { host_->stop(plugin_, runtime_.shard(0), 1000ms, [&] { stopped.set_value(); }); });
        EXPECT_EQ(stopped.get_future().wait_for(20s), std::future_status::ready);
        runtime_.stop();
    }
    void call(Recorder& sink, const std::string& arguments) {
        runtime_.shard(0).post([this, &sink, arguments] {
            jf_tool_request request = sdk::make<jf_tool_request>();
            request.name = sdk::str("split_bill");
            request.arguments = sdk::str(arguments);
            jf_error error = sdk::make<jf_error>();
            const jf_op op = host_.ops().open(runtime_.shard(0), &sink, plugin_.get());
            EXPECT_EQ(plugin_host::ToolsPort(*plugin_).call(op, request, &error), JF_OK) << "the mailbox takes it";
        });
        ASSERT_TRUE(sink.wait());
    }
    static runtime::RuntimeOptions options() {
        runtime::RuntimeOptions out;
        out.shards = 1;
        out.pool_threads = 1;
        return out;
    }

    runtime::RealRuntime runtime_{options()};
    plugin_host::HostUnderTest host_{runtime_};
    std::shared_ptr<plugin_host::Instance> plugin_;
};

TEST_F(RustInAHost, APanicIsAnErrorAndTheNextCallIsServed) {
    Recorder panicked, served;

    call(panicked, R"({"total_cents":100,"people":0})");
    call(served, R"({"total_cents":100,"people":4})");

    EXPECT_EQ(panicked.status, JF_E_INTERNAL);
    EXPECT_THAT(std::string(panicked.error.text), testing::HasSubstr("divide by zero"));
    EXPECT_EQ(served.status, JF_OK);
    EXPECT_EQ(plugin_->counters().exceptions, 0u) << "nothing crossed the boundary";
}

TEST(OutOfTree, ACallIsSpokenByTheCPluginAndReckonedByTheRustPlugin) {
    HostFolder folder;
    folder.copy_plugins();
    copy_into(folder.plugins(), beeps);
    copy_into(folder.plugins(), bills);
    folder.write("bill.toml", R"(
[dialogue]
name = "bill"
greeting = "Welcome here."
prompt = "Next?"
[person]
to = "reception"
[intents.bill]
dtmf = "2"
tool = "bill.currency"
says = "We take {result.currency}."
then = "prompt"
)");
    folder.write_tenant("diner", R"([tenant]
name = "Diner"
[providers.ears]
plugin = "stt/pocketsphinx"
[providers.brain]
plugin = "llm/scripted"
script = ")" + (folder.path() / "bill.toml").string() + R"("
[providers.voice]
plugin = "tts/example_c"
letter_ms = 40
[providers.bill]
plugin = "tools/example_rust"
currency = "CHF"
[agents.reception]
answers = ["host:trunk/*"]
stt = "ears"
llm = "brain"
tts = "voice"
greeting = "Welcome here."
tools = ["hang_up", "bill"]
)");
    folder.write_host();
    const auto check = folder.jackfield({"check"});
    ASSERT_EQ(check.code, 0) << check.err;
    HostProcess host(folder);
    const std::size_t before = host.log_lines();
    sim::SipPhone phone;

    ASSERT_TRUE(phone.call(host.sip_uri("reception")) && phone.wait_answered(10s)) << host.log();
    ASSERT_TRUE(phone.wait_agent_speaking(80ms, 15s)) << host.log();
    ASSERT_TRUE(phone.wait_agent_quiet(600ms, 15s));
    phone.press("2");
    ASSERT_TRUE(phone.wait_said(5s));
    ASSERT_TRUE(phone.wait_agent_speaking(200ms, 15s)) << host.log();
    ASSERT_TRUE(phone.wait_agent_quiet(1000ms, 20s));
    phone.hang_up();
    ASSERT_TRUE(phone.wait_ended(5s));
    ASSERT_TRUE(call_is_stored(host, before));

    const auto said = StoredCall(folder).agent_said();
    ASSERT_EQ(said.size(), 2u) << host.log();
    EXPECT_EQ(said[0], "Welcome here.");
    EXPECT_EQ(said[1], "We take CHF. Next?");
    EXPECT_EQ(host.stop(), 0) << host.log();
}

}  // namespace
}  // namespace jackfield::test
