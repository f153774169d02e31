#include "call/keypad.hpp"

#include <gtest/gtest.h>

#include <jackfield/stt.h>

#include "talk.hpp"

namespace jackfield::call {
namespace {

constexpr base::MonoTime start{1'000'000'000};

TEST(Keypad, TakesEachKeyForAChoiceWhereNoDigitsAreAskedFor) {
    Keypad keypad;

    EXPECT_EQ(keypad.press(start, '1'), "1");
    EXPECT_EQ(keypad.press(start, '#'), "#");
    EXPECT_TRUE(keypad.empty());
}

TEST(Keypad, GathersDigitsUpToTheTerminator) {
    Keypad keypad;
    keypad.expect(true);

    EXPECT_FALSE(keypad.press(start, '4'));
    EXPECT_FALSE(keypad.press(start, '2'));

    EXPECT_EQ(keypad.press(start, '#'), "42#");
}

TEST(Keypad, EndsAnEntryAtTheExpectedNumber) {
    Keypad keypad;
    keypad.expect(true, 3);
    keypad.press(start, '1');
    keypad.press(start, '2');

    EXPECT_EQ(keypad.press(start, '3'), "123");
}

TEST(Keypad, EndsAnEntryAtTheAgentsOwnNumberBeforeTheModels) {
    config::KeypadOptions options;
    options.max_digits = 2;
    Keypad keypad(options);
    keypad.expect(true, 4);
    keypad.press(start, '1');

    EXPECT_EQ(keypad.press(start, '2'), "12");
}

TEST(Keypad, EndsAnEntryAfterThePause) {
    config::KeypadOptions options;
    options.inter_digit = 2000ms;
    Keypad keypad(options);
    keypad.expect(true);
    keypad.press(start, '1');
    keypad.press(start + 1500ms, '2');

    EXPECT_EQ(keypad.next_deadline(), start + 3500ms);
    EXPECT_FALSE(keypad.on_time(start + 3499ms));
    EXPECT_EQ(keypad.on_time(start + 3500ms), "12");
    EXPECT_FALSE(keypad.next_deadline());
}

TEST(Keypad, HasTheTerminatorThatTheAgentChose) {
    config::KeypadOptions options;
    options.terminator = "*";
    Keypad keypad(options);
    keypad.expect(true);
    keypad.press(start, '#');

    EXPECT_EQ(keypad.press(start, '*'), "#*");
    options.terminator.clear();
    keypad = Keypad(options);
    keypad.expect(true);
    EXPECT_FALSE(keypad.press(start, '#'));
}

TEST(Keypad, NeverGrowsWithoutBound) {
    Keypad keypad;
    keypad.expect(true);
    std::size_t longest = 0;
    for (int i = 0; i < 1000; ++i)
        if (const auto entry = keypad.press(start, '1')) longest = std::max(longest, entry->size());

    EXPECT_EQ(longest, 64U);
}

TEST(DtmfSources, CountAToneAndItsEventOnce) {
    DtmfSources sources;

    EXPECT_TRUE(sources.tone(start, '5'));
    EXPECT_FALSE(sources.event(start + 800ms, '5')) << "SIP INFO comes when the key is let go";
    EXPECT_TRUE(sources.event(start + 2000ms, '6'));
    EXPECT_FALSE(sources.tone(start + 2040ms, '6'));
}

TEST(DtmfSources, CountTheSameKeyTwice) {
    DtmfSources sources;

    EXPECT_TRUE(sources.tone(start, '5'));
    EXPECT_TRUE(sources.tone(start + 200ms, '5'));
    EXPECT_FALSE(sources.event(start + 300ms, '5'));
    EXPECT_FALSE(sources.event(start + 400ms, '5'));
    EXPECT_TRUE(sources.event(start + 500ms, '5'));
}

TEST(DtmfSources, CountAnotherKeyAndALaterOne) {
    DtmfSources sources;

    EXPECT_TRUE(sources.tone(start, '5'));
    EXPECT_TRUE(sources.event(start + 100ms, '6'));
    EXPECT_TRUE(sources.event(start + 1700ms, '5'));
}

TEST(Keypad, KnowsWhatIsAKey) {
    for (const char key : std::string("0123456789*#ABCD")) EXPECT_TRUE(is_key(static_cast<std::uint32_t>(key))) << key;
    for (const std::uint32_t none : {0u, 32u, 97u, 0x2603u, 0xffffff31u}) EXPECT_FALSE(is_key(none)) << none;
}

TEST(DigitsToSend, AreKeysAndPauses) {
    EXPECT_EQ(digits_to_send(R"({"digits":"1w2#*A"})"), "1w2#*A");
    EXPECT_EQ(digits_to_send(R"({"digits":"call"})"), "");
    EXPECT_EQ(digits_to_send(R"({"digits":12})"), "");
    EXPECT_EQ(digits_to_send("nonsense"), "");
    EXPECT_EQ(digits_to_send(R"({"digits":")" + std::string(65, '1') + "\"}"), "");
}

TEST(MachineKeys, EndAnEntryAtTheNumberThatTheModelExpects) {
    Talk talk;
    talk.greet();
    talk.ask("my number");
    talk.token("Please press it. ");
    talk.machine.on_slot(JF_SLOT_DIGITS, 4);
    talk.generated();
    talk.sent();
    talk.spoken();
    talk.done();

    talk.keys("123");
    EXPECT_THAT(talk.done(), Not(Contains("generate")));
    talk.keys("4");

    EXPECT_THAT(talk.done(), Contains("generate"));
    EXPECT_EQ(talk.transcript().back(), "user: 1234");
}

TEST(MachineKeys, AreAskedForAgainWhenTheFirstTakesTooLong) {
    config::AgentConfig agent = Talk::desk();
    agent.keypad.first_digit = 4000ms;
    Talk talk(agent);
    talk.greet();
    talk.ask("my number");
    talk.token("Please press it. ");
    talk.machine.on_slot(JF_SLOT_DIGITS, 4);
    talk.generated();
    talk.sent();
    talk.spoken();
    talk.done();

    talk.advance(3999ms);
    EXPECT_THAT(talk.done(), Not(Contains("generate")));
    talk.advance(1ms);

    EXPECT_THAT(talk.done(), Contains("generate"));
}

TEST(MachineKeys, AreSentWhenTheModelMayDoSo) {
    config::AgentConfig agent = Talk::desk();
    agent.tools = {"send_digits"};
    Talk talk(agent);
    talk.greet();
    talk.ask("choose sales");

    talk.tool("send_digits", R"({"digits":"1w2"})");

    EXPECT_THAT(talk.done(), Contains("send_digits 1w2"));
    EXPECT_EQ(talk.transcript().back(), R"(tool: {"ok":true})");
}

TEST(MachineKeys, AreNotSentWhenItMayNotOrTheyAreNone) {
    Talk forbidden;
    forbidden.greet();
    forbidden.ask("choose sales");
    forbidden.tool("send_digits", R"({"digits":"1"})");
    EXPECT_THAT(forbidden.done(), Not(Contains("send_digits 1")));

    config::AgentConfig agent = Talk::desk();
    agent.tools = {"send_digits"};
    Talk talk(agent);
    talk.greet();
    talk.ask("choose sales");
    talk.tool("send_digits", R"({"digits":"one"})");
    EXPECT_THAT(talk.transcript().back(), ::testing::HasSubstr("error"));
}

}  // namespace
}  // namespace jackfield::call
