#include <chrono>

#include "talk.hpp"

namespace jackfield::scripted {
namespace {

TEST(Dialogue, HoldsTheDemonstrationsCall) {
    Talk talk = clinic();
    EXPECT_EQ(talk.reply(), "Thank you for calling the clinic. How can I help you?");

    EXPECT_EQ(talk.says("what are your opening hours"),
              "We are open Monday to Friday from eight in the morning to six in the evening, and Saturday from nine in the "
              "morning to noon. Is there anything else I can do for you?");
    EXPECT_EQ(talk.says("I would like to book an appointment"), "Which day would you like?");
    EXPECT_EQ(talk.says("monday"), "Monday. What time would you like?");
    EXPECT_EQ(talk.says("nine a m"), "Nine in the morning, good. Which number can we call you back on?");
    EXPECT_EQ(talk.says("five five five one two three four"),
              "I have Monday at nine in the morning, and your number is five five five, one two three four. Is that right?");
    EXPECT_EQ(talk.says("no tuesday"),
              "I have Tuesday at nine in the morning, and your number is five five five, one two three four. Is that right?");
    EXPECT_EQ(talk.says("yes that is right"),
              "Thank you. Your appointment is on Tuesday at nine in the morning. We will call you back to confirm it. Is there "
              "anything else I can do for you?");
    EXPECT_EQ(talk.says("goodbye"), "Thank you for calling. Goodbye.");
    EXPECT_EQ(talk.call(), "hang_up{}");
}

TEST(Dialogue, FillsSlotsThatWereGivenUpFront) {
    Talk talk = clinic();
    EXPECT_EQ(talk.says("I'd like to book an appointment on monday at nine"),
              "Monday. Nine in the morning, good. Which number can we call you back on?");

    Talk other = clinic();
    other.says("book an appointment");
    EXPECT_EQ(other.says("on tuesday at half past ten please"), "Tuesday. Ten thirty in the morning, good. Which number can we call you back on?");

    Talk third = clinic();
    EXPECT_EQ(third.says("make an appointment wednesday nine"), "Wednesday. Nine in the morning, good. Which number can we call you back on?");
}

TEST(Dialogue, UnderstandsWhatIsOnlyNearAPhrase) {
    for (const char* text : {"hello, um, I am calling to book an appointment", "can you make me an appointment please",
                             "I need to see a doctor", "APPOINTMENT!"}) {
        Talk talk = clinic();
        EXPECT_EQ(talk.says(text), "Which day would you like?") << text;
    }
}

TEST(Dialogue, TakesCorrectionsWhileTheTaskGoesOn) {
    Talk talk = clinic();
    talk.says("book an appointment on monday");
    EXPECT_EQ(talk.says("no, tuesday"), "Tuesday. What time would you like?");
    EXPECT_EQ(talk.says("actually wednesday at ten"), "Wednesday. Ten in the morning, good. Which number can we call you back on?");
    talk.says("five five five one two three four");
    EXPECT_EQ(talk.says("no"), "What would you like to change, the day, the time or the number?");
    EXPECT_EQ(talk.says("the time"), "What time would you like?");
    EXPECT_EQ(talk.says("eleven"), "I have Wednesday at eleven in the morning, and your number is five five five, one two three four. Is that right?");
    EXPECT_EQ(talk.says("no ten"), "I have Wednesday at ten in the morning, and your number is five five five, one two three four. Is that right?");
    EXPECT_EQ(talk.says("my number is five five five four three two one"),
              "I have Wednesday at ten in the morning, and your number is five five five, four three two one. Is that right?");
    EXPECT_EQ(talk.says("yes wednesday"), "Thank you. Your appointment is on Wednesday at ten in the morning. We will call you back to "
                                          "confirm it. Is there anything else I can do for you?");
}

TEST(Dialogue, RefusesDaysAndTimesWhenThePlaceIsClosed) {
    Talk talk = clinic();
    talk.says("book an appointment");
    EXPECT_EQ(talk.says("sunday"), "I am sorry, we are closed on Sunday. Which day of the week would you like?");
    EXPECT_EQ(talk.says("saturday"), "Saturday. What time would you like?");
    EXPECT_EQ(talk.says("four p m"), "I am sorry, we are closed at four in the afternoon. At what time would you like to come?");
    EXPECT_EQ(talk.says("monday at four p m"), "Monday. Four in the afternoon, good. Which number can we call you back on?");
    EXPECT_EQ(talk.says("saturday"), "I am sorry, we are closed at four in the afternoon. Please say a time, for example nine in the morning.")
        << "the new day does not have the old time";
}

TEST(Dialogue, RephrasesThenHandsOverWhenNothingMatches) {
    Talk talk = clinic();
    EXPECT_EQ(talk.no_match(), "Sorry, I did not understand that. How can I help you?");
    EXPECT_EQ(talk.says("purple elephants"), "I am sorry, I still did not understand. How can I help you?");
    EXPECT_EQ(talk.no_match(), "One moment please. I will connect you to the reception.");
    EXPECT_EQ(talk.call(), R"(transfer{"to":"reception"})");

    Talk slot = clinic();
    slot.says("book an appointment");
    EXPECT_EQ(slot.says("purple"), "Sorry, I did not understand that. Which day of the week would you like?");
    EXPECT_EQ(slot.no_match(), "I am sorry, I still did not understand. You can say a day from Monday to Saturday. Please say a day, for example Monday.");
    EXPECT_EQ(slot.no_match(), "One moment please. I will connect you to the reception.");
}

TEST(Dialogue, ForgetsMissesAfterAnAnswer) {
    Talk talk = clinic();
    talk.no_match();
    talk.no_match();
    talk.says("book an appointment");
    EXPECT_EQ(talk.no_match(), "Sorry, I did not understand that. Which day of the week would you like?");
}

TEST(Dialogue, NudgesOnSilenceThenHangsUp) {
    Talk talk = clinic();
    EXPECT_EQ(talk.silence(), "Are you still there? How can I help you?");
    EXPECT_EQ(talk.silence(), "I cannot hear you. How can I help you?");
    EXPECT_EQ(talk.silence(), "Thank you for calling. Goodbye.");
    EXPECT_EQ(talk.call(), "hang_up{}");
}

TEST(Dialogue, AnswersInPassingAndGoesOn) {
    Talk talk = clinic();
    talk.says("book an appointment");
    EXPECT_EQ(talk.says("when are you open").substr(0, 11), "We are open");
    EXPECT_TRUE(talk.reply().ends_with("Which day of the week would you like?")) << talk.reply();
    EXPECT_EQ(talk.says("help"), "You can say a day from Monday to Saturday. Which day of the week would you like?");
    EXPECT_EQ(talk.says("monday"), "Monday. What time would you like?");
    EXPECT_EQ(talk.says("say that again"), "Monday. What time would you like?");
    EXPECT_EQ(talk.says("never mind"), "All right, never mind. How can I help you?");
}

TEST(Dialogue, HandsOverOnRequestAndSaysWhenNobodyAnswers) {
    Talk talk = clinic();
    EXPECT_EQ(talk.says("can I speak to a person"), "One moment please. I will connect you to the reception.");
    EXPECT_EQ(talk.call(), R"(transfer{"to":"reception"})");
    EXPECT_EQ(talk.tool(R"({"error": "busy"})"), "I am sorry, nobody at the reception can answer at the moment. Is there anything else I can do for you?");
    EXPECT_EQ(talk.says("no thank you"), "Thank you for calling. Goodbye.");
}

TEST(Dialogue, ContinuesAfterAnInterruption) {
    Talk talk = clinic();
    talk.interrupt();
    EXPECT_EQ(talk.says("book an appointment"), "Which day would you like?");
    talk.interrupt();
    EXPECT_EQ(talk.no_match(), "Sorry, go ahead.") << "a cough in mid-sentence counts for nothing";
    EXPECT_EQ(talk.says("monday"), "Monday. What time would you like?");
}

TEST(Dialogue, AnswersByTheClock) {
    EXPECT_EQ(clinic().says("are you open now"), "Yes, we are open until six in the evening today. Is there anything else I can do for you?");
    EXPECT_EQ(clinic("2026-11-20T20:00:00-05:00").says("are you open"),
              "No, we are closed now. We open tomorrow at nine in the morning. Is there anything else I can do for you?");
    EXPECT_EQ(clinic().says("are you open on sunday"), "No, we are closed on Sunday. Is there anything else I can do for you?");
    EXPECT_EQ(clinic().says("are you open tomorrow"), "Yes, we are open on Saturday. Is there anything else I can do for you?");
}

TEST(Dialogue, TakesKeysAsShortcutsAndAsDigits) {
    Talk talk = clinic();
    EXPECT_EQ(talk.keys("1"), "Which day would you like?");
    EXPECT_EQ(talk.keys("1"), "Monday. What time would you like?");
    EXPECT_EQ(talk.keys("0930"), "Nine thirty in the morning, good. Which number can we call you back on?");
    for (const char* key : {"5", "5", "5", "0", "1", "2"}) EXPECT_EQ(talk.keys(key), "") << "more keys may come";
    EXPECT_EQ(talk.keys("4"), "I have Monday at nine thirty in the morning, and your number is five five five, zero one two four. Is that right?");
    EXPECT_EQ(talk.keys("2"), "What would you like to change, the day, the time or the number?");
    EXPECT_EQ(talk.says("the number"), "Which number can we call you back on?");
    EXPECT_EQ(talk.keys("5550123"), "I have Monday at nine thirty in the morning, and your number is five five five, zero one two three. Is that right?");
    EXPECT_TRUE(talk.keys("1").starts_with("Thank you. Your appointment"));

    Talk person = clinic();
    person.keys("0");
    EXPECT_EQ(person.call(), R"(transfer{"to":"reception"})");
}

constexpr const char* with_extension = R"(
[dialogue]
greeting = "Hello."
[slots.extension]
type = "digits"
ask = "Which extension?"
min_length = 2
max_length = 5
[intents.connect]
phrases = ["connect me"]
slots = ["extension"]
says = "Extension {extension}."
then = "prompt"
)";

TEST(Dialogue, TakesPressedDigitsAtTheirEndKeyOrAfterAPause) {
    Talk ended{script_of(with_extension)}, paused{script_of(with_extension)}, burst{script_of(with_extension)};
    for (Talk* talk : {&ended, &paused}) {
        talk->says("connect me");
        for (const char* key : {"5", "0", "1"}) EXPECT_EQ(talk->keys(key), "");
    }
    burst.says("connect me");

    EXPECT_EQ(ended.keys("#"), "Extension five zero one. How can I help you?");
    EXPECT_EQ(paused.silence(), "Extension five zero one. How can I help you?");
    EXPECT_EQ(burst.keys("501"), "Extension five zero one. How can I help you?");
}

TEST(Dialogue, FinishesDigitsByLengthAndRefusesShortOnes) {
    Talk talk = clinic();
    talk.says("book an appointment monday nine");
    EXPECT_EQ(talk.says("five five"), "That number is not complete. Please say your telephone number, one digit after the other.");
    EXPECT_EQ(talk.keys("12#"), "That number is not complete. You can also press the digits and then the pound key.");
    for (int i = 0; i < 6; ++i) EXPECT_EQ(talk.keys("7"), "");
    EXPECT_TRUE(talk.keys("7").starts_with("I have Monday"));
}

constexpr const char* with_tool = R"(
[dialogue]
greeting = "Hello."
[slots.party]
type = "number"
ask = "For how many?"
min = 1
max = 8
invalid = "We have tables for up to eight."
[slots.name]
type = "name"
ask = "And your name?"
confirm = "explicit"
[slots.seat]
type = "choice"
ask = "Inside or outside?"
values = ["inside", { value = "terrace", say = "on the terrace", synonyms = ["outside", "out side"] }]
optional = true
[intents.table]
phrases = ["a table", "a table for {party}"]
slots = ["party", "name", "seat"]
tool = "book_table"
wait_says = "One moment."
says = "A table for {party} {seat}, {name}. The code is {result.code}."
says_failed = "I could not book that."
then_failed = "ask"
)";

TEST(Dialogue, CallsAToolWithTheSlotsAndSaysItsResult) {
    Talk talk{script_of(with_tool)};
    talk.offer("book_table");
    EXPECT_EQ(talk.says("a table for twelve"), "We have tables for up to eight. For how many?");
    EXPECT_EQ(talk.says("four"), "And your name?");
    EXPECT_EQ(talk.says("my name is ann miller"), "I heard Ann Miller. Is that right?");
    EXPECT_EQ(talk.says("yes"), "Inside or outside?");
    EXPECT_EQ(talk.says("out side"), "One moment.");
    EXPECT_EQ(talk.call(), R"(book_table{"party":4,"name":"Ann Miller","seat":"terrace"})");
    EXPECT_EQ(talk.tool(R"({"ok": true, "code": "B seven"})"),
              "A table for four on the terrace, Ann Miller. The code is B seven. Is there anything else I can do for you?");
}

TEST(Dialogue, ClaimsNothingThatAToolDidNotDo) {
    Talk failed{script_of(with_tool)};
    failed.offer("book_table");
    for (const char* line : {"a table for four", "ann", "yes", "no"}) failed.says(line);
    EXPECT_EQ(failed.call(), R"(book_table{"party":4,"name":"Ann"})") << "an optional slot was declined";
    EXPECT_EQ(failed.tool(R"({"ok": false})"), "I could not book that. Is there anything else I can do for you?");

    Talk not_offered{script_of(with_tool)};
    for (const char* line : {"a table for four", "ann", "yes"}) not_offered.says(line);
    EXPECT_EQ(not_offered.says("inside"), "I could not book that. Is there anything else I can do for you?");

    Talk unanswered{script_of(with_tool)};
    unanswered.offer("book_table");
    for (const char* line : {"a table for four", "ann", "yes", "inside"}) unanswered.says(line);
    EXPECT_EQ(unanswered.says("no thank you"), "Thank you for calling. Goodbye.");
}

TEST(Dialogue, AsksAgainForANameThatWasHeardWrong) {
    Talk talk{script_of(with_tool)};
    talk.says("a table for two");
    EXPECT_EQ(talk.says("ann"), "I heard Ann. Is that right?");
    EXPECT_EQ(talk.says("no"), "And your name?");
    EXPECT_EQ(talk.says("hanna"), "I heard Hanna. Is that right?");
}

TEST(Dialogue, EndsAGotoLoop) {
    Talk talk{script_of(R"(
[dialogue]
greeting = "Hello."
[intents.a]
phrases = ["alpha"]
says = "A."
then = "goto:b"
[intents.b]
phrases = ["beta"]
says = "B."
then = "goto:a"
)")};
    EXPECT_TRUE(talk.says("alpha").starts_with("A. B. A."));
    EXPECT_TRUE(talk.reply().ends_with("Is there anything else I can do for you?"));
}

TEST(Dialogue, ReplaysToTheSameTurn) {
    Talk one = clinic(), two = clinic();
    for (const char* line : {"book an appointment", "purple", "monday at nine", "five five five one two three four", "no tuesday"}) {
        one.says(line);
        two.says(line);
        EXPECT_EQ(one.reply(), two.reply());
        EXPECT_EQ(one.last().hints.grammar, two.last().hints.grammar);
        EXPECT_EQ(one.last().hints.phrases, two.last().hints.phrases);
    }
}

TEST(Dialogue, SurvivesTextThatIsNone) {
    Talk talk = clinic();
    talk.says("book an appointment");
    for (const std::string& text : {std::string("\xFF\xFE\x00", 3), std::string(20000, 'a'), std::string(5000, '9'), std::string("{day}"),
                                    std::string("not not not"), std::string("\xE2\x80")})
        EXPECT_FALSE(talk.says(text).empty());
}

constexpr const char* with_arguments = R"(
[dialogue]
name = "desk"
greeting = "Hello."
prompt = "How can I help you?"
anything_else = "Anything else?"
[person]
to = "desk"
[slots.day]
type = "weekday"
ask = "Which day?"
[slots.party]
type = "number"
ask = "How many?"
[intents.book]
phrases = ["book a table"]
slots = ["day", "party"]
tool = "desk.book"
arguments = { date = "{day_date}", guests = "{party}", note = "by telephone" }
wait_says = "One moment."
says = "Done, {result.code}."
says_failed = "Sorry, {result.error}."
then_failed = "prompt"
)";

TEST(DialogueTools, GetTheArgumentsThatTheScriptNames) {
    Talk talk{script_of(with_arguments)};
    talk.offer("desk_book");
    talk.says("book a table");
    talk.says("monday");

    EXPECT_EQ(talk.says("four"), "One moment.");

    EXPECT_EQ(talk.call(), R"(desk_book{"date":"2026-11-23","guests":4,"note":"by telephone"})");
    EXPECT_EQ(talk.tool(R"({"error":"that day is full"})"), "Sorry, that day is full. How can I help you?");
}

TEST(DialogueTools, AreTheOnesOfThatProviderOnly) {
    Talk talk{script_of(with_arguments)};
    talk.offer("other_book");
    talk.says("book a table");
    talk.says("monday");

    EXPECT_EQ(talk.says("four"), "Sorry, that is not possible at the moment. How can I help you?");
}

TEST(DialogueTools, AreHeardOfAlthoughTheCallerSpokeMeanwhile) {
    const Script script = script_of(with_arguments);
    const auto answer = [&](const Message& last) {
        const std::vector<Message> messages{{Role::user, "book a table"}, {Role::user, "monday"}, {Role::user, "four"},
                                            {Role::tool, R"({"code":"seven"})"}, last};
        Conversation conversation;
        conversation.messages = messages;
        conversation.tools = {"desk_book"};
        conversation.now = parse_local_time("2026-11-20T09:30:00-05:00");
        return next_turn(script, conversation).reply;
    };
    Message noise;
    noise.no_match = true;

    EXPECT_EQ(answer(noise), "Done, seven. Anything else?");
    EXPECT_EQ(answer({Role::user, "book a table"}), "Done, seven. Anything else? Which day?");
}

}  // namespace
}  // namespace jackfield::scripted
