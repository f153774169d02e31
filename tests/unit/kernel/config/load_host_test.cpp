#include "config/host_config.hpp"
#include "config_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* host_toml = R"([host]
plugins = ["plugins", "/opt/plugins"]
state_dir = "state"
shards = 2
drain_seconds = 7

[providers.trunk]
plugin = "telephony/sip"
placement = "thread"
listen = ["udp:127.0.0.1:0"]
)";

constexpr const char* tenant_toml = R"([tenant]
name = "Acme"
time_zone = "America/New_York"
limits = { concurrent_calls = 3 }

[providers.ears]
plugin = "stt/pocketsphinx"
key = "${env:KEY}"

[providers.brain]
plugin = "llm/scripted"

[providers.voice]
plugin = "tts/flite"

[agents.desk]
answers = ["host:trunk/+12125550100", "host:trunk/sip:desk@", "host:trunk/*"]
stt = ["ears"]
llm = "brain"
tts = "voice"
tools = ["hang_up", "transfer"]
transfer = { nurse = "+12125550199" }
turn = { endpoint_ms = 700 }

[services.log]
plugin = "service/call_log"
llm = "brain"
)";

TEST(LoadHost, ReadsTheHostAndItsTenants) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", host_toml);
    folder.write("tenants/acme.toml", tenant_toml);
    folder.write("tenants/.acme.toml.swp.toml", "not read");
    folder.write("tenants/notes.txt", "not read");

    const Outcome<HostConfig> loaded = folder.load({{"KEY", "s3cret"}});

    EXPECT_THAT(texts(loaded.problems), IsEmpty());
    const HostConfig& host = loaded.value;
    EXPECT_THAT(host.plugins, ElementsAre(folder.path() / "plugins", "/opt/plugins"));
    EXPECT_EQ(host.shards, 2u);
    EXPECT_EQ(host.drain, std::chrono::seconds(7));
    EXPECT_EQ(host.recordings_dir, "state/recordings");
    EXPECT_EQ(host.control_socket, "state/control.sock");
    EXPECT_EQ(host.storage, "sqlite:var/jackfield.db");
    EXPECT_EQ(host.trust, Trust::any);
    EXPECT_EQ(host.log_level, "info");
    EXPECT_THAT(host.secrets, ElementsAre("s3cret"));
    const ProviderConfig& trunk = host.providers.at("trunk");
    EXPECT_EQ(trunk.kind(), "telephony");
    EXPECT_EQ(trunk.placement, Placement::own_thread);
    EXPECT_EQ(to_json(trunk.options), R"({"listen":["udp:127.0.0.1:0"]})");
    EXPECT_EQ(trunk.at.line, 7);
}

TEST(LoadHost, ReadsHowLongPluginsMayStand) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", std::string(host_toml) + "[host.plugin_limits]\nstream_ms = 300\nstart_ms = 400\n");
    folder.write("tenants/acme.toml", tenant_toml);

    const Outcome<HostConfig> loaded = folder.load({{"KEY", "s3cret"}});

    EXPECT_THAT(texts(loaded.problems), IsEmpty());
    const PluginLimitsConfig& limits = loaded.value.plugin_limits;
    EXPECT_EQ(limits.stream, std::chrono::milliseconds(300));
    EXPECT_EQ(limits.start, std::chrono::milliseconds(400));
    EXPECT_EQ(limits.control, std::chrono::seconds(30));
    EXPECT_EQ(limits.blocking, std::chrono::seconds(120));
    EXPECT_EQ(limits.probe, std::chrono::seconds(1));
}

TEST(LoadHost, ReadsATenant) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", host_toml);
    folder.write("tenants/acme.toml", tenant_toml);

    const Outcome<HostConfig> loaded = folder.load({{"KEY", "s3cret"}});

    const TenantConfig* acme = loaded.value.tenant("acme");
    ASSERT_NE(acme, nullptr);
    EXPECT_EQ(acme->name, "Acme");
    EXPECT_EQ(acme->limits.concurrent_calls, 3u);
    EXPECT_EQ(acme->limits.requests_per_minute, 600u);
    EXPECT_EQ(acme->providers.at("ears").options["key"].text(), "s3cret");
    EXPECT_EQ(acme->services.at("log").placement, Placement::own_thread);
    EXPECT_EQ(to_json(acme->services.at("log").options), R"({"llm":"brain"})");
    const AgentConfig& desk = acme->agents.at("desk");
    EXPECT_EQ(desk.answers.at(0).key, "+12125550100");
    EXPECT_TRUE(desk.answers.at(1).provider.of_host);
    EXPECT_EQ(desk.answers.at(1).text(), "host:trunk/sip:desk@");
    EXPECT_EQ(desk.tts.at(0).name, "voice");
    EXPECT_EQ(desk.language, "en-US");
    EXPECT_EQ(desk.transfer.at("nurse").to, "+12125550199");
    EXPECT_FALSE(desk.recording.enabled);
    EXPECT_EQ(desk.turn.endpoint, std::chrono::milliseconds(700));
    EXPECT_EQ(find_provider(loaded.value, *acme, desk.answers[0].provider)->plugin,
              "telephony/sip");
    EXPECT_EQ(loaded.value.tenant("nobody"), nullptr);
}

TEST(LoadHost, ReportsTheProblemsOfAllFilesAtOnce) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", "[host]\nshard = 2\ndrain_seconds = 'long'\n");
    folder.write(
        "tenants/a.toml",
        "[tenant]\nname = 'A'\ntime_zone = 'Mars/Base'\n[providers.x]\nplugin = 'sst/y'\n");
    folder.write("tenants/b.toml", "[tenant\n");

    EXPECT_THAT(folder.problems(),
                ElementsAre("jackfield.toml:2:1: host.shard: there is no option of this name here; "
                            "did you mean 'shards'?",
                            "jackfield.toml:3:17: host.drain_seconds: a whole number of seconds is "
                            "wanted, 'long' is a string; "
                            "write drain_seconds = 3600",
                            "tenants/a.toml:3:13: tenant.time_zone: 'Mars/Base' is not a known "
                            "time zone; write its name in the "
                            "tz database, for instance Europe/Berlin",
                            "tenants/a.toml:5:10: providers.x.plugin: there is no kind of plugin "
                            "'sst'; did you mean 'stt'?",
                            testing::StartsWith("tenants/b.toml:1:")));
}

TEST(LoadHost, AMissingHostFileIsOneProblem) {
    const ConfigFolder folder;

    EXPECT_THAT(folder.problems(), ElementsAre(HasSubstr("there is no file")));
}

TEST(LoadHost, AMissingTenantsFolderIsAProblem) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", "[host]\ntenants = 'elsewhere'\n");

    EXPECT_THAT(folder.problems(),
                ElementsAre(HasSubstr("2:11: host.tenants: the folder elsewhere cannot be read")));
}

TEST(LoadHost, AnEmptyHostFileMeansAllDefaults) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", "");

    const Outcome<HostConfig> loaded = folder.load();

    EXPECT_THAT(texts(loaded.problems), IsEmpty());
    EXPECT_THAT(loaded.value.roles, ElementsAre("api", "calls", "jobs"));
    EXPECT_EQ(loaded.value.drain, std::chrono::hours(1));
    EXPECT_EQ(loaded.value.shards, 0u);
}

TEST(LoadHost, ChecksTheHostsOwnOptions) {
    const ConfigFolder folder;
    folder.write(
        "jackfield.toml",
        "[host]\npublic_url = 'voice'\ntrust = 'listed'\ntrusted = []\nstorage = 'redis:x'\n"
        "metrics_listen = '9464'\n");

    EXPECT_THAT(folder.problems(),
                ElementsAre(HasSubstr("host.public_url: this is not the address of a web server"),
                            HasSubstr("host.trust: with trust = \"listed\" and nothing in trusted"),
                            HasSubstr("host.storage: no storage is reached by 'redis:'"),
                            HasSubstr("host.metrics_listen: an address and a port are wanted")));
}

TEST(LoadHost, TrustedSumsAreChecked) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", "[host]\ntrusted = ['" + std::string(64, 'a') + "', 'AB']\n");

    EXPECT_THAT(folder.problems(),
                ElementsAre(HasSubstr("host.trusted.1: this is not a SHA-256 sum")));
}

TEST(LoadHost, NamesAndIdsStayPlain) {
    const ConfigFolder folder;
    folder.write("jackfield.toml",
                 "[providers.'My Trunk']\nplugin = 'telephony/sip'\n[providers.b]\nplugin = 'sip'\n"
                 "[providers.c]\nplugin = 'stt/../../evil'\n[providers.d]\nlisten = []\n");
    folder.write("tenants/Big One.toml", "[tenant]\nname = 'B'\n");

    EXPECT_THAT(folder.problems(),
                ElementsAre(HasSubstr("'My Trunk' cannot be a name"),
                            HasSubstr("4:10: providers.b.plugin: 'sip' is not the id of a plugin"),
                            HasSubstr("'stt/../../evil' is not the id of a plugin"),
                            HasSubstr("providers.d.plugin: this option must be given"),
                            HasSubstr("rename the file")));
}

TEST(LoadHost, ATimeZoneCannotLeaveItsFolder) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", "");
    folder.write("tenants/a.toml", "[tenant]\nname='A'\ntime_zone='../../../etc/passwd'\n");

    EXPECT_THAT(folder.problems(), ElementsAre(HasSubstr("is not a known time zone")));
}

}  // namespace
}  // namespace jackfield::config
