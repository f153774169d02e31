// Keys in the audio and beside it, keys that the agent presses, and machines that answer.

#include "host_fixture.hpp"
#include "media/dtmf.hpp"
#include "media/tone.hpp"

namespace jackfield::test {
namespace {

using Pcm = sim::Pcm;

/// A key as a telephone without events sounds it.
Pcm key_tone(char key) {
    media::DtmfGenerator generator;
    EXPECT_TRUE(generator.start(key, {150ms, 50ms, -12.0F}));
    Pcm out(1600);
    generator.fill(out);
    return out;
}

void append(Pcm& to, const Pcm& from) { to.insert(to.end(), from.begin(), from.end()); }

Pcm silence(int ms) { return Pcm(static_cast<std::size_t>(ms) * 8); }

/// What the phone heard: the second channel.
Pcm far_side(const sim::Wav& recording) {
    Pcm out;
    for (std::size_t i = 1; i < recording.samples.size(); i += 2) out.push_back(recording.samples[i]);
    return out;
}

/// The keys that sound in it, of which no two neighbours are the same: a machine under load may leave a packet out in the middle of a tone.
std::string keys_in(const Pcm& audio) {
    media::DtmfDetector detector;
    std::string out;
    for (std::size_t at = 0; at + 160 <= audio.size(); at += 160)
        if (const auto key = detector.feed(std::span(audio).subspan(at, 160)); key && !out.ends_with(*key)) out += *key;
    return out;
}

/// Greets; key 9 makes it press keys itself. `more` goes into the agent's table.
std::string tenant(const std::string& more) {
    return R"([tenant]
name = "Desk"
[providers.ears]
plugin = "stt/pocketsphinx"
[providers.brain]
plugin = "llm/scripted"
script_inline = '''
[dialogue]
name = "menu"
greeting = "Hello."
prompt = "What else?"
[person]
to = "reception"
[slots.code]
type = "digits"
ask = "Your code?"
length = 4
[intents.hours]
dtmf = "2"
says = "We are open all day long, from Monday to Sunday."
then = "prompt"
[intents.menu]
dtmf = "9"
tool = "send_digits"
arguments = { digits = "1w23#" }
says = "I pressed it."
then = "prompt"
[intents.code]
dtmf = "5"
slots = ["code"]
says = "Your code is {code}."
then = "prompt"
'''
[providers.voice]
plugin = "tts/flite"
[agents.reception]
answers = ["host:trunk/*"]
stt = "ears"
llm = "brain"
tts = "voice"
greeting = "Hello, this is the clinic calling about your appointment."
tools = ["hang_up", "send_digits"]
)" + more;
}

std::vector<std::string> caller_said(const StoredCall& call) {
    std::vector<std::string> out;
    for (const base::JsonView turn : call.turns("user")) out.push_back(turn["text"].text_or(""));
    return out;
}

TEST(Keys, AreHeardInTheAudioWhenTheTelephoneSendsNoEvents) {
    HostFolder folder;
    folder.write_tenant("desk", tenant(""));
    folder.write_host();
    HostProcess host(folder);
    const std::size_t before = host.log_lines();
    sim::PhoneOptions options;
    options.offers_dtmf = false;
    sim::SipPhone phone(options);
    ASSERT_TRUE(greeted(phone, host, 600ms));

    phone.say("2", key_tone('2'));
    ASSERT_TRUE(phone.wait_said(5s));
    EXPECT_TRUE(phone.wait_agent_speaking(1000ms, 10s)) << host.log();
    ASSERT_TRUE(phone.wait_agent_quiet(600ms, 15s));
    ASSERT_TRUE(hung_up(phone, host, before));

    const StoredCall call(folder);
    EXPECT_EQ(caller_said(call), (std::vector<std::string>{"2"}));
    EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST(Keys, CountOnceWhenBothWaysTellThem) {
    HostFolder folder;
    folder.write_tenant("desk", tenant("[agents.reception.keypad]\ndtmf = \"both\"\n"));
    folder.write_host();
    HostProcess host(folder);
    const std::size_t before = host.log_lines();
    sim::SipPhone phone;
    ASSERT_TRUE(greeted(phone, host, 600ms));

    phone.say("2", key_tone('2'));
    phone.press("2");
    ASSERT_TRUE(phone.wait_said(5s));
    EXPECT_TRUE(phone.wait_agent_speaking(1000ms, 10s)) << host.log();
    ASSERT_TRUE(phone.wait_agent_quiet(600ms, 15s));
    ASSERT_TRUE(hung_up(phone, host, before));

    EXPECT_EQ(caller_said(StoredCall(folder)), (std::vector<std::string>{"2"}));
    EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST(Keys, MakeAnEntryAtTheNumberThatTheDialogueExpects) {
    HostFolder folder;
    folder.write_tenant("desk", tenant("[agents.reception.keypad]\ninter_digit_ms = 20000\n"));
    folder.write_host();
    HostProcess host(folder);
    const std::size_t before = host.log_lines();
    sim::SipPhone phone;
    ASSERT_TRUE(greeted(phone, host, 600ms));
    phone.press("5");
    ASSERT_TRUE(phone.wait_said(5s));
    ASSERT_TRUE(phone.wait_agent_quiet(600ms, 15s));

    phone.press("4711");
    ASSERT_TRUE(phone.wait_said(5s));
    EXPECT_TRUE(phone.wait_agent_speaking(500ms, 10s)) << host.log();
    ASSERT_TRUE(phone.wait_agent_quiet(600ms, 15s));
    ASSERT_TRUE(hung_up(phone, host, before));

    EXPECT_EQ(caller_said(StoredCall(folder)), (std::vector<std::string>{"5", "4711"}));
    EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST(Keys, ThatTheAgentPressesReachTheFarEndAsEventsOrAsTones) {
    HostFolder folder;
    folder.write_tenant("desk", tenant(""));
    folder.write_host();
    HostProcess host(folder);
    for (const bool events : {true, false}) {
        SCOPED_TRACE(events ? "events" : "tones");
        sim::PhoneOptions options;
        options.offers_dtmf = events;
        sim::SipPhone phone(options);
        ASSERT_TRUE(greeted(phone, host, 600ms));

        if (events) phone.press("9");
        else phone.say("9", key_tone('9'));
        ASSERT_TRUE(phone.wait_said(5s));
        if (events) {
            EXPECT_TRUE(phone.wait_heard_key("123#", 10s)) << phone.report().json();
        }
        ASSERT_TRUE(phone.wait_agent_quiet(2500ms, 20s));
        if (!events) {
            EXPECT_EQ(keys_in(far_side(phone.recording())), "123#");
        }
        phone.hang_up();
        ASSERT_TRUE(phone.wait_ended(5s));
    }
    EXPECT_EQ(host.stop(), 0) << host.log();
}

constexpr const char* leaves_a_message = R"([agents.reception.amd]
enabled = true
on_machine = "message"
message = "Please call the clinic back."
)";

TEST(AnsweringMachine, GetsTheMessageAfterItsBeep) {
    HostFolder folder;
    folder.write_tenant("desk", tenant(leaves_a_message));
    folder.write_host();
    HostProcess host(folder);
    const std::size_t before = host.log_lines();
    sim::SipPhone callee;
    sim::AnswerPlan plan;
    for (int i = 0; i < 3; ++i) append(plan.greeting, speech("book-appointment"));
    append(plan.greeting, silence(200));
    media::ToneGenerator tone(1000, 0, -12, 8000);
    Pcm beep(4000);
    tone.fill(beep);
    append(plan.greeting, beep);
    callee.set_answer(plan);

    const auto ran = folder.jackfield({"call", "desk/reception", callee.uri(), "--wait"}, 60s);
    ASSERT_TRUE(call_is_stored(host, before, 30s));

    const StoredCall call(folder);
    EXPECT_EQ(call.text("answered_by"), "machine") << host.log();
    EXPECT_EQ(call.text("reason"), "machine_message");
    EXPECT_EQ(call.text("cause"), "normal");
    ASSERT_FALSE(call.agent_said().empty()) << ran.out;
    EXPECT_EQ(call.agent_said().back(), "Please call the clinic back.");
    EXPECT_TRUE(caller_said(call).empty()) << "a machine's words are no turn";
    EXPECT_TRUE(host.wait_log({"\"call.answered_by\"", "machine"}, 1s, before));
    EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST(AnsweringMachine, IsHungUpOn) {
    HostFolder folder;
    folder.write_tenant("desk", tenant("[agents.reception.amd]\nenabled = true\n"));
    folder.write_host();
    HostProcess host(folder);
    const std::size_t before = host.log_lines();
    sim::SipPhone callee;
    sim::AnswerPlan plan;
    for (int i = 0; i < 4; ++i) append(plan.greeting, speech("book-appointment"));
    callee.set_answer(plan);

    folder.jackfield({"call", "desk/reception", callee.uri(), "--wait"}, 60s);
    ASSERT_TRUE(call_is_stored(host, before, 30s));

    const StoredCall call(folder);
    EXPECT_EQ(call.text("answered_by"), "machine") << host.log();
    EXPECT_EQ(call.text("reason"), "machine");
    EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST(AnsweringMachine, IsNoPersonWhoSaysAWord) {
    HostFolder folder;
    folder.write_tenant("desk", tenant(leaves_a_message));
    folder.write_host();
    HostProcess host(folder);
    const std::size_t before = host.log_lines();
    sim::SipPhone callee;
    sim::AnswerPlan plan;
    plan.greeting = speech("monday");
    plan.hang_up_after = 6s;
    callee.set_answer(plan);

    folder.jackfield({"call", "desk/reception", callee.uri(), "--wait"}, 60s);
    ASSERT_TRUE(call_is_stored(host, before, 30s));

    EXPECT_EQ(StoredCall(folder).text("answered_by"), "human") << host.log();
    EXPECT_EQ(host.stop(), 0) << host.log();
}

}  // namespace
}  // namespace jackfield::test
