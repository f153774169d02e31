#include "app/plugin_new.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin_host/descriptor.hpp"

namespace jackfield::app {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Key;
using ::testing::Not;

std::map<std::string, std::string> files_of(const std::string& id, const std::string& language) {
    NewPlugin wanted;
    wanted.id = id;
    wanted.language = language;
    wanted.vendor = "Acme Ltd";
    auto files = new_plugin_files(wanted);
    EXPECT_TRUE(files) << files.error().text();
    return files ? *files : std::map<std::string, std::string>();
}

std::string refusal(const NewPlugin& wanted) {
    const auto files = new_plugin_files(wanted);
    return files ? "" : files.error().text();
}

TEST(PluginNew, HasACompletePluginOfEachKind) {
    for (const char* kind : {"telephony", "stt", "tts", "llm", "messaging", "storage", "tools", "telemetry", "service"}) {
        const auto files = files_of(std::string(kind) + "/acme", "c++");

        std::vector<std::string> names;
        for (const auto& [name, text] : files) names.push_back(name);
        EXPECT_THAT(names, IsSupersetOf({"CMakeLists.txt", "README.md", "plugin.json", "plugin.cpp", "plugin_test.cpp"})) << kind;
        if (!files.contains("plugin.json")) continue;
        const auto descriptor = plugin_host::parse_descriptor(files.at("plugin.json"));
        ASSERT_TRUE(descriptor) << kind << ": " << descriptor.error().text();
        EXPECT_EQ(descriptor->id, std::string(kind) + "/acme");
        EXPECT_EQ(descriptor->vendor, "Acme Ltd");
    }
}

TEST(PluginNew, PutsTheNewNameWhereverTheExamplesStood) {
    for (const auto& [id, language] : {std::pair{"tts/beeper", "c"}, {"tools/splitter", "rust"}, {"tools/splitter", "c++"}}) {
        for (const auto& [name, text] : files_of(id, language)) {
            EXPECT_THAT(text, Not(HasSubstr("/example"))) << id << " " << name;
            EXPECT_THAT(text, Not(HasSubstr("example_"))) << id << " " << name;
            EXPECT_THAT(text, Not(HasSubstr("_example"))) << id << " " << name;
            EXPECT_THAT(text, Not(HasSubstr("\"example"))) << id << " " << name;
        }
    }
    EXPECT_THAT(files_of("tts/beeper", "c").at("Makefile"), HasSubstr("NAME = beeper\n"));
    EXPECT_THAT(files_of("tools/splitter", "c++").at("CMakeLists.txt"), HasSubstr("jackfield_add_plugin(KIND tools NAME splitter "));
}

TEST(PluginNew, SaysWhatThereIsInsteadOfWhatThereIsNot) {
    NewPlugin wanted;
    wanted.id = "soup/acme";
    EXPECT_THAT(refusal(wanted), HasSubstr("there are llm, "));
    wanted.id = "tts/acme";
    wanted.language = "cobol";
    EXPECT_THAT(refusal(wanted), HasSubstr("there are c, c++"));
}

TEST(PluginNew, RefusesNamesThatNoPluginCanHave) {
    NewPlugin wanted;
    for (const char* id : {"tts", "tts/", "tts/Acme", "tts/a-b", "tts/../x", "tts/9lives"}) {
        wanted.id = id;
        EXPECT_THAT(refusal(wanted), HasSubstr("wanted is kind/name")) << id;
    }
    wanted.id = "tts/acme";
    wanted.vendor = "A \"great\" one";
    EXPECT_THAT(refusal(wanted), HasSubstr("without quotes"));
}

}  // namespace
}  // namespace jackfield::app
