// What an agent may use and hear: its tools, keys, languages, and answering machines.

#include "config_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The tenant's agent `desk`, with lines from the test.
struct Desk {
    explicit Desk(const std::string& agent) {
        folder.write("jackfield.toml",
                     "[providers.trunk]\nplugin = 'telephony/sip'\n"
                     "[providers.shop]\nplugin = 'tools/desk'\n");
        folder.write("tenants/a.toml",
                     "[tenant]\nname = 'T'\n"
                     "[providers]\n"
                     "ears = { plugin = 'stt/pocketsphinx' }\n"
                     "brain = { plugin = 'llm/scripted' }\n"
                     "voice = { plugin = 'tts/flite' }\n"
                     "crm = { plugin = 'tools/desk' }\n"
                     "[agents.desk]\nstt = 'ears'\nllm = 'brain'\ntts = 'voice'\n" +
                         agent);
        problems = folder.problems();
        const Outcome<HostConfig> host = folder.load();
        if (!host.value.tenants.empty()) config = host.value.tenants[0].agents.at("desk");
    }
    ConfigFolder folder;
    std::vector<std::string> problems;
    AgentConfig config;
};

TEST(AgentTools, AreTheHostsOwnProvidersAndTheirFunctions) {
    const Desk desk("tools = ['hang_up', 'crm', 'host:shop.book', 'send_digits']\n");

    EXPECT_THAT(desk.problems, IsEmpty());
    EXPECT_THAT(desk.config.tools, ElementsAre("hang_up", "send_digits"));
    ASSERT_EQ(desk.config.tool_choices.size(), 2u);
    EXPECT_EQ(desk.config.tool_choices[0].provider, "crm");
    EXPECT_EQ(desk.config.tool_choices[0].function, "");
    EXPECT_EQ(desk.config.tool_choices[1].provider, "host:shop");
    EXPECT_EQ(desk.config.tool_choices[1].function, "book");
}

TEST(AgentTools, ThatDoNotExistComeWithASuggestion) {
    EXPECT_THAT(Desk("tools = ['hang_upp']\n").problems,
                ElementsAre(HasSubstr("did you mean 'hang_up'?")));
    EXPECT_THAT(Desk("tools = ['shop.book']\n").problems,
                ElementsAre(HasSubstr("did you mean 'host:shop'?")));
    EXPECT_THAT(Desk("tools = ['voice']\n").problems,
                ElementsAre(HasSubstr("'voice' is tts/flite, which offers no tools")));
}

TEST(AgentKeypad, HasDefaultsAndBounds) {
    const Desk plain("");
    EXPECT_EQ(plain.config.keypad.dtmf, DtmfSource::automatic);
    EXPECT_EQ(plain.config.keypad.terminator, "#");

    const Desk own(
        "keypad = { dtmf = 'both', max_digits = 6, terminator = '', inter_digit_ms = 2000, "
        "first_digit_ms = 4000 }\n");
    EXPECT_THAT(own.problems, IsEmpty());
    EXPECT_EQ(own.config.keypad.dtmf, DtmfSource::both);
    EXPECT_EQ(own.config.keypad.max_digits, 6);
    EXPECT_EQ(own.config.keypad.terminator, "");
    EXPECT_EQ(own.config.keypad.first_digit, KeypadOptions::ms(4000));
    EXPECT_THAT(Desk("keypad = { terminator = 'pound' }\n").problems,
                ElementsAre(HasSubstr("'pound' is not a key")));
    EXPECT_THAT(Desk("keypad = { dtmf = 'inbnad' }\n").problems,
                ElementsAre(HasSubstr("did you mean 'inband'?")));
}

TEST(AgentAmd, WantsAMessageToLeaveOne) {
    const Desk good(
        "amd = { enabled = true, on_machine = 'message', message = 'Call us.', "
        "human_speech_ms = 2000, phrases = ['piep'] }\n");
    EXPECT_THAT(good.problems, IsEmpty());
    EXPECT_TRUE(good.config.amd.enabled);
    EXPECT_EQ(good.config.amd.on_machine, OnMachine::message);
    EXPECT_EQ(good.config.amd.human_speech, AmdOptions::ms(2000));
    EXPECT_THAT(good.config.amd.phrases, ElementsAre("piep"));
    EXPECT_THAT(Desk("amd = { enabled = true, on_machine = 'message' }\n").problems,
                ElementsAre(HasSubstr("there is no message to leave")));
}

TEST(AgentLanguage, TakesItsOwnWords) {
    const Desk desk(
        "language = 'de-DE'\nstop_words = ['halt']\nbackchannels = ['mhm', 'jawohl']\n");

    EXPECT_THAT(desk.problems, IsEmpty());
    EXPECT_THAT(desk.config.stop_words, ElementsAre("halt"));
    EXPECT_THAT(desk.config.backchannels, ElementsAre("mhm", "jawohl"));
}

}  // namespace
}  // namespace jackfield::config
