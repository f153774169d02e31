#include "config_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* host_toml = "[providers.trunk]\nplugin = 'telephony/sip'\n";

/// A tenant with one agent, whose lines come from the test.
std::string tenant(const std::string& agent) {
    return "[tenant]\nname = 'T'\n"
           "[providers]\n"
           "ears = { plugin = 'stt/pocketsphinx' }\n"
           "brain = { plugin = 'llm/scripted' }\n"
           "voice = { plugin = 'tts/flite' }\n"
           "[agents.desk]\n" +
           agent;
}

constexpr const char* chains = "stt = 'ears'\nllm = 'brain'\ntts = 'voice'\n";

std::vector<std::string> problems_of(const std::string& agent) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", host_toml);
    folder.write("tenants/a.toml", tenant(agent));
    return folder.problems();
}

TEST(References, GoodOnesPass) {
    EXPECT_THAT(problems_of(std::string(chains) + "answers = ['host:trunk/+12125550100']\n"),
                IsEmpty());
}

TEST(References, AnUnknownProviderComesWithASuggestion) {
    EXPECT_THAT(
        problems_of("stt = ['ears', 'eras']\nllm = 'brain'\ntts = 'trunk'\n"),
        ElementsAre(
            "tenants/a.toml:8:16: agents.desk.stt: there is no provider 'eras'; did you mean "
            "'ears'?",
            "tenants/a.toml:10:7: agents.desk.tts: there is no provider 'trunk'; did you mean "
            "'host:trunk'?"));
}

TEST(References, AProviderOfTheWrongKindIsRefused) {
    EXPECT_THAT(
        problems_of("stt = 'voice'\nllm = 'brain'\ntts = 'voice'\nanswers = ['ears/*']\n"),
        ElementsAre(
            "tenants/a.toml:8:7: agents.desk.stt: 'voice' is tts/flite, and stt wants a plugin of "
            "kind stt; "
            "name a provider whose plugin is stt/...",
            HasSubstr("'ears' is stt/pocketsphinx, and answers wants a plugin of kind telephony")));
}

TEST(References, TracesGoToTelemetryProviders) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", host_toml);
    folder.write("tenants/a.toml",
                 "[tenant]\nname = 'A'\ntelemetry = { providers = ['traces', 'voice', 'trace'] }\n"
                 "[providers]\ntraces = { plugin = 'telemetry/example' }\n"
                 "voice = { plugin = 'tts/flite' }\n");

    EXPECT_THAT(
        folder.problems(),
        ElementsAre(HasSubstr("tenant.telemetry.providers: 'voice' is tts/flite, and providers "
                              "wants a plugin of kind telemetry"),
                    HasSubstr("there is no provider 'trace'; did you mean 'traces'?")));
}

TEST(References, WhatIsAnsweredHasAForm) {
    for (const char* good : {"host:trunk/+12125550100",
                             "host:trunk/sip:desk@",
                             "host:trunk/sip:a@b.example",
                             "host:trunk/*"})
        EXPECT_THAT(problems_of(std::string(chains) + "answers = ['" + good + "']\n"), IsEmpty())
            << good;
    for (const char* bad : {"host:trunk",
                            "host:trunk/",
                            "/+12125550100",
                            "host:trunk/12125550100",
                            "host:trunk/+0123",
                            "host:trunk/+1234567890123456",
                            "host:trunk/sip:@x",
                            "host:trunk/sip:desk",
                            "host:trunk/sip:a b@",
                            "host:trunk/sip:a@b@c"})
        EXPECT_THAT(problems_of(std::string(chains) + "answers = ['" + bad + "']\n"),
                    ElementsAre(HasSubstr("does not say what is answered")))
            << bad;
}

TEST(References, TwoAgentsCannotAnswerOneNumber) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", host_toml);
    folder.write("tenants/a.toml",
                 tenant(std::string(chains) + "answers = ['host:trunk/+12125550100']\n"));
    folder.write("tenants/b.toml",
                 tenant(std::string(chains) + "answers = ['host:trunk/+12125550100']\n"));

    EXPECT_THAT(folder.problems(),
                ElementsAre("tenants/b.toml:11:12: agents.desk.answers: 'host:trunk/+12125550100' "
                            "is already answered by "
                            "a.desk at tenants/a.toml:11:12; leave it to one of the two"));
}

TEST(References, TenantsMayHaveTrunksOfOneName) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", "");
    const std::string text =
        "[tenant]\nname='T'\n[providers]\ntrunk = { plugin = 'telephony/sip' }\n"
        "ears = { plugin = 'stt/x' }\nbrain = { plugin = 'llm/x' }\nvoice = { plugin = 'tts/x' }\n"
        "[agents.desk]\nanswers = ['trunk/*']\n" +
        std::string(chains);
    folder.write("tenants/a.toml", text);
    folder.write("tenants/b.toml", text);

    EXPECT_THAT(folder.problems(), IsEmpty());
}

TEST(References, AChainNamesEachProviderOnceAndAtLeastOne) {
    EXPECT_THAT(
        problems_of("stt = []\nllm = ['brain', 'brain']\ntts = 'voice'\n"),
        ElementsAre(HasSubstr("agents.desk.stt: the chain is empty"),
                    HasSubstr("9:17: agents.desk.llm.1: 'brain' stands twice in this chain")));
}

TEST(References, AnAgentNeedsEarsBrainAndVoice) {
    EXPECT_EQ(problems_of("").size(), 3u);
}

TEST(References, StorageIsAProviderOfKindStorage) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", "[host]\nstorage = 'trunk'\n" + std::string(host_toml));
    EXPECT_THAT(folder.problems(),
                ElementsAre(HasSubstr("'trunk' is telephony/sip, which stores nothing")));

    folder.write("jackfield.toml", "[host]\nstorage = 'db'\n");
    EXPECT_THAT(folder.problems(),
                ElementsAre(HasSubstr("there is no provider 'db' in this file")));

    folder.write("jackfield.toml",
                 "[host]\nstorage = 'db'\n[providers.db]\nplugin = 'storage/sqlite'\n");
    EXPECT_THAT(folder.problems(), IsEmpty());
}

TEST(References, AServiceIsAPluginOfKindService) {
    const ConfigFolder folder;
    folder.write("jackfield.toml", "");
    folder.write("tenants/a.toml", "[tenant]\nname='T'\n[services.x]\nplugin='tts/flite'\n");

    EXPECT_THAT(folder.problems(),
                ElementsAre(HasSubstr("services.x: 'tts/flite' is not a service")));
}

}  // namespace
}  // namespace jackfield::config
