#include "config/transfer_options.hpp"

#include "config_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string tenant(const std::string& agent) {
    return "[tenant]\nname = 'T'\n"
           "[providers]\n"
           "ears = { plugin = 'stt/pocketsphinx' }\n"
           "brain = { plugin = 'llm/scripted' }\n"
           "voice = { plugin = 'tts/flite' }\n"
           "[agents.billing]\nstt = 'ears'\nllm = 'brain'\ntts = 'voice'\n"
           "[agents.desk]\nstt = 'ears'\nllm = 'brain'\ntts = 'voice'\n" +
           agent;
}

/// The tenant's agent `desk`, with lines from the test.
struct Desk {
    explicit Desk(const std::string& agent) {
        folder.write("jackfield.toml", "[providers.trunk]\nplugin = 'telephony/sip'\n");
        folder.write("music.wav", "");
        folder.write("tenants/a.toml", tenant(agent));
        problems = folder.problems();
        const Outcome<HostConfig> host = folder.load();
        if (!host.value.tenants.empty()) config = host.value.tenants[0].agents.at("desk");
    }
    ConfigFolder folder;
    std::vector<std::string> problems;
    AgentConfig config;
};

TEST(TransferOptions, AStringIsATargetAndTheCarrierDecidesHow) {
    const Desk desk("transfer = { nurse = '+12125550199' }\n");

    EXPECT_THAT(desk.problems, IsEmpty());
    const TransferConfig& nurse = desk.config.transfer.at("nurse");
    EXPECT_EQ(nurse.to, "+12125550199");
    EXPECT_EQ(nurse.mode, TransferMode::automatic);
    EXPECT_EQ(nurse.ring_timeout, std::chrono::seconds(30));
}

TEST(TransferOptions, ATableSaysHow) {
    const Desk desk(
        "[agents.desk.transfer]\n"
        "nurse = { to = 'sip:nurse@example.org', mode = 'attended', provider = 'host:trunk', from = "
        "'+1', announce = 'A call from {caller}.', accept_key = '1', ring_timeout_ms = 12000, "
        "hold_music = '../music.wav', hold_caller = true, accept_within_ms = 5000 }\n");

    EXPECT_THAT(desk.problems, IsEmpty());
    const TransferConfig& nurse = desk.config.transfer.at("nurse");
    EXPECT_EQ(nurse.mode, TransferMode::attended);
    EXPECT_EQ(nurse.provider, "host:trunk");
    EXPECT_EQ(nurse.from, "+1");
    EXPECT_EQ(nurse.announce, "A call from {caller}.");
    EXPECT_EQ(nurse.accept_key, "1");
    EXPECT_EQ(nurse.accept_within, std::chrono::seconds(5));
    EXPECT_EQ(nurse.ring_timeout, std::chrono::seconds(12));
    EXPECT_EQ(nurse.hold_music.filename(), "music.wav");
    EXPECT_TRUE(nurse.hold_caller);
}

TEST(TransferOptions, MistakesAreToldWithTheirPlace) {
    EXPECT_THAT(Desk("transfer.nurse = { mode = 'bridge' }\n").problems,
                ElementsAre(HasSubstr("agents.desk.transfer.nurse.to: this option must be given")));
    EXPECT_THAT(Desk("transfer.nurse = { to = '+1212', mode = 'brigde' }\n").problems,
                ElementsAre(HasSubstr("did you mean 'bridge'?")));
    EXPECT_THAT(Desk("transfer.nurse = { to = '+1212', mode = 'attended' }\n").problems,
                ElementsAre(HasSubstr("write announce = ")));
    EXPECT_THAT(Desk("transfer.nurse = { to = '+1212', accept_key = '12' }\n").problems,
                ElementsAre(HasSubstr("'12' is not a key of a telephone")));
    EXPECT_THAT(Desk("transfer.nurse = { to = '+1212', hold_music = 'no.wav' }\n").problems,
                ElementsAre(HasSubstr("there is no file")));
    EXPECT_THAT(Desk("transfer.nurse = { to = '+1212', provider = 'trunk' }\n").problems,
                ElementsAre(HasSubstr("did you mean 'host:trunk'?")));
    EXPECT_THAT(Desk("transfer.nurse = 7\n").problems,
                ElementsAre(HasSubstr("strings or tables [transfer.<name>] are wanted")));
}

TEST(TransferOptions, AnAgentHandsOffToAgentsThatThereAre) {
    EXPECT_THAT(Desk("hand_off = ['billing']\n").config.hand_off, ElementsAre("billing"));
    EXPECT_THAT(Desk("hand_off = ['biling']\n").problems,
                ElementsAre(HasSubstr("this tenant has no agent 'biling'; did you mean 'billing'?")));
}

TEST(ConsentOptions, AreRead) {
    const Desk desk(
        "[agents.desk.consent]\ntext = 'Recorded.'\nlocked = false\nrequire = 'words'\n"
        "accept_words = ['yes']\nwait_ms = 3000\nrefused = 'end'\nrefused_text = 'Bye.'\n"
        "[agents.desk.recording]\nenabled = true\nafter_consent = true\npause_on_digits = true\n");

    EXPECT_THAT(desk.problems, IsEmpty());
    const ConsentConfig& consent = desk.config.consent;
    EXPECT_EQ(consent.text, "Recorded.");
    EXPECT_FALSE(consent.locked);
    EXPECT_EQ(consent.require, ConsentBy::words);
    EXPECT_THAT(consent.accept_words, ElementsAre("yes"));
    EXPECT_EQ(consent.wait, std::chrono::seconds(3));
    EXPECT_TRUE(consent.refusal_ends_call);
    EXPECT_EQ(consent.refused_text, "Bye.");
    EXPECT_TRUE(desk.config.recording.after_consent);
    EXPECT_TRUE(desk.config.recording.pause_on_digits);
}

TEST(ConsentOptions, NobodyIsAskedWithoutWords) {
    EXPECT_THAT(Desk("consent.require = 'keypress'\n").problems,
                ElementsAre(HasSubstr("nobody is asked for consent")));
    EXPECT_THAT(Desk("recording = { enabled = true, after_consent = true }\n").problems,
                ElementsAre(HasSubstr("nothing would be recorded")));
}

}  // namespace
}  // namespace jackfield::config
