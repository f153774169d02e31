// The configuration files in the tree: they load, they say the defaults, and what is generated is
// up to date. UPDATE=1 in the environment writes the generated ones.

#include "config/option_docs.hpp"
#include "config/plugin_schema.hpp"
#include "config_files.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using testing::IsEmpty;

const std::filesystem::path configs = std::filesystem::path(JACKFIELD_SOURCE_DIR) / "configs";

void expect_up_to_date(const std::string& name, const std::string& wanted) {
    const std::filesystem::path file = configs / "schema" / name;
    if (std::getenv("UPDATE")) {
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << wanted;
    }
    const base::Result<std::string> found = read_file(file);
    ASSERT_TRUE(found.has_value()) << found.error().text();
    EXPECT_TRUE(*found == wanted) << file
                                  << " differs from the option tables; run this test with UPDATE=1";
}

TEST(ConfigFiles, TheSchemasAreUpToDate) {
    expect_up_to_date("host.schema.json",
                      schema_json(host_option_table(), "Jackfield: the host's file"));
    expect_up_to_date("tenant.schema.json",
                      schema_json(tenant_option_table(), "Jackfield: a tenant's file"));
}

TEST(ConfigFiles, TheListingsAreUpToDate) {
    expect_up_to_date("host.defaults.toml", toml_listing(host_option_table()));
    expect_up_to_date("tenant.defaults.toml", toml_listing(tenant_option_table()));
}

TEST(ConfigFiles, TheHostsFileShowsEveryOptionAtItsDefault) {
    const Outcome<Value> loaded = load_toml(configs / "jackfield.toml", Environment::with({}));
    ASSERT_THAT(texts(loaded.problems), IsEmpty());
    Problems problems;
    const Value given = loaded.value["host"];
    const Value defaults = check(host_option_table(), toml(""), problems)["host"];

    for (const Value::Member& option : defaults.table()) {
        ASSERT_NE(given.find(option.key), nullptr)
            << option.key << " is missing from configs/jackfield.toml";
        EXPECT_EQ(to_json(given[option.key]), to_json(option.value)) << option.key;
    }
    for (const Value::Member& option : given.table())
        EXPECT_NE(defaults.find(option.key), nullptr) << option.key;
}

TEST(ConfigFiles, TheHostsFileLoadsWithWhateverTenantsStandBesideIt) {
    EXPECT_THAT(texts(load_host(configs / "jackfield.toml", Environment::with({})).problems),
                IsEmpty());
}

TEST(ConfigFiles, EveryExampleLoads) {
    int loaded = 0;
    for (const auto& entry : std::filesystem::directory_iterator(configs / "examples")) {
        if (!entry.is_directory()) continue;
        const auto host = load_host(entry.path() / "jackfield.toml", Environment::with({}));
        EXPECT_THAT(texts(host.problems), IsEmpty()) << entry.path();
        ++loaded;
    }
    EXPECT_GT(loaded, 0);
}

/// The descriptor of a plugin in the tree, empty when there is none of that id.
std::string descriptor_of(const std::string& id) {
    const auto text =
        read_file(std::filesystem::path(JACKFIELD_SOURCE_DIR) / "plugins" / id / "plugin.json");
    return text ? *text : "";
}

TEST(ConfigFiles, SchemasOfThePluginsStayWithinTheSubset) {
    const std::filesystem::path plugins = std::filesystem::path(JACKFIELD_SOURCE_DIR) / "plugins";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(plugins)) {
        if (entry.path().filename() != "plugin.json") continue;
        const auto descriptor = base::JsonDocument::parse(*read_file(entry.path()));
        ASSERT_TRUE(descriptor.has_value()) << entry.path() << ": " << descriptor.error().text();
        EXPECT_THAT(schema_faults(descriptor->root()["config_schema"]), IsEmpty()) << entry.path();
    }
}

void expect_accepted(const std::map<std::string, ProviderConfig>& instances) {
    for (const auto& [name, instance] : instances) {
        const auto descriptor = base::JsonDocument::parse(descriptor_of(instance.plugin));
        ASSERT_TRUE(descriptor.has_value()) << name << ": there is no plugin " << instance.plugin;
        EXPECT_THAT(
            texts(check_schema(descriptor->root()["config_schema"], instance.options).problems),
            IsEmpty());
    }
}

TEST(ConfigFiles, PluginsAcceptTheOptionsThatTheFilesGiveThem) {
    for (const char* file : {"jackfield.toml",
                             "examples/two-tenants/jackfield.toml",
                             "examples/front-desk/jackfield.toml",
                             "examples/tones/jackfield.toml"}) {
        const auto host = load_host(configs / file, Environment::with({}));
        expect_accepted(host.value.providers);
        for (const TenantConfig& tenant : host.value.tenants) {
            expect_accepted(tenant.providers);
            expect_accepted(tenant.services);
        }
    }
}

TEST(ConfigFiles, TheExampleOfTonesSendsItsTracesSomewhere) {
    const auto loaded = load_host(configs / "examples/tones/jackfield.toml", Environment::with({}));

    const TenantConfig* lab = loaded.value.tenant("lab");
    ASSERT_TRUE(lab);
    ASSERT_EQ(lab->telemetry.providers.size(), 1u);
    EXPECT_EQ(lab->telemetry.providers[0].text(), "traces");
    EXPECT_TRUE(lab->telemetry.contents);
    EXPECT_EQ(lab->telemetry.environment, "lab");
    EXPECT_FALSE(loaded.value.drafts);
}

TEST(ConfigFiles, TheExampleOfTwoTenantsKeepsThemApart) {
    const auto loaded =
        load_host(configs / "examples/two-tenants/jackfield.toml", Environment::with({}));

    ASSERT_EQ(loaded.value.tenants.size(), 2u);
    const TenantConfig* acme = loaded.value.tenant("acme");
    const TenantConfig* garden = loaded.value.tenant("garden");
    ASSERT_TRUE(acme && garden);
    EXPECT_EQ(acme->agents.at("reception").turn.endpoint, std::chrono::milliseconds(800));
    EXPECT_EQ(garden->agents.at("shop").turn.endpoint, std::chrono::milliseconds(450));
    EXPECT_EQ(acme->agents.at("reception").tts.size(), 2u);
    EXPECT_EQ(garden->providers.at("ears").placement, Placement::own_thread);
}

}  // namespace
}  // namespace jackfield::config
