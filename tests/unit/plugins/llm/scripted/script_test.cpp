#include "talk.hpp"

namespace jackfield::scripted {
namespace {

TEST(Script, ReportsAllErrorsWithPlaceKeyAndRemedy) {
    const LoadedScript loaded = load_script(R"([dialogue]
greting = "Hello"
[slots.day]
type = "weekdy"
ask = "Which {x} day?"
open_only = true
[intents.book]
phrases = ["book {dy}", "(a"]
slots = ["day", "time"]
says = "At {time}, {nothing}."
then = "goto:nowhere"
[no_match]
after = "three"
)");

    ASSERT_FALSE(loaded.script);
    std::string all;
    for (const ScriptError& error : loaded.errors) all += error.text("r.toml") + "\n";
    for (const char* want :
         {"r.toml:2:1: dialogue.greting: unknown key; did you mean 'greeting'?", "dialogue.greeting: is missing",
          "r.toml:4:8: slots.day.type: 'weekdy' is no slot type; write one of weekday, date",
          "r.toml:6:13: slots.day.open_only: depends on opening hours", "\"book {dy}\" names the unknown slot 'dy'", "\"(a\": ')' is missing",
          "slots: unknown slot 'time'", "{nothing} has no value here", "r.toml:11:8: intents.book.then: unknown intent 'nowhere'",
          "r.toml:13:9: no_match.after: must be a whole number"})
        EXPECT_NE(all.find(want), std::string::npos) << want << "\nin\n" << all;
}

TEST(Script, OfTheFrontDeskExampleLoads) {
    const LoadedScript loaded = load_script(read_text(JACKFIELD_SOURCE_DIR "/configs/examples/front-desk/dialogue.toml"));
    for (const ScriptError& error : loaded.errors) ADD_FAILURE() << error.text("dialogue.toml");
}

TEST(Script, WantsArgumentsThatAToolCanBeGiven) {
    const LoadedScript loaded = load_script(R"([dialogue]
greeting = "Hello"
[person]
to = "a"
[slots.day]
type = "weekday"
ask = "Which day?"
[intents.book]
phrases = ["book"]
slots = ["day"]
tool = "desk.book"
arguments = { date = "{day_date}", time = "{time}", n = 4 }
[intents.tell]
phrases = ["tell"]
says = "Well."
arguments = { a = "b" }
)");

    std::string all;
    for (const ScriptError& error : loaded.errors) all += error.text("r.toml") + "\n";
    for (const char* want : {"{time} is no slot of this intent", "'n' is no text", "stands without a tool"})
        EXPECT_NE(all.find(want), std::string::npos) << want << "\nin\n" << all;
    EXPECT_EQ(loaded.errors.size(), 3u) << all;
}

TEST(Script, NamesThePlaceOfBrokenToml) {
    const LoadedScript loaded = load_script("[dialogue]\ngreeting = \"Hello\n");
    ASSERT_EQ(loaded.errors.size(), 1u);
    EXPECT_EQ(loaded.errors[0].line, 2u);
}

TEST(Script, RefusesWhatItsTomlLibraryAssertsOn) {
    EXPECT_FALSE(load_script("[.]\n").script);
}

TEST(Script, RefusesAnEmptyOneAndOtherLanguages) {
    EXPECT_FALSE(load_script("").script);
    EXPECT_FALSE(load_script("[dialogue]\ngreeting='Hallo'\nlanguage='de-DE'\n[intents.a]\nphrases=['ja']\n").script);
}

TEST(Script, ReadsHoursInOrderOnly) {
    const std::string head = "[dialogue]\ngreeting='Hi'\n[intents.a]\nphrases=['ok']\n[hours]\n";
    EXPECT_TRUE(load_script(head + "monday = ['08:00-12:00', '13:00-18:00']\nclosed_dates = ['2026-12-25']\n").script);
    EXPECT_FALSE(load_script(head + "monday = ['13:00-18:00', '08:00-12:00']\n").script);
    EXPECT_FALSE(load_script(head + "monday = '9-5'\n").script);
    EXPECT_FALSE(load_script(head + "closed_dates = ['christmas']\n").script);
}

TEST(Script, TheReadmesExampleLoads) {
    const std::string readme = read_text(JACKFIELD_SOURCE_DIR "/plugins/llm/scripted/README.md");
    int blocks = 0;
    for (std::size_t at = readme.find("```toml\n[dialogue]"); at != std::string::npos; at = readme.find("```toml\n[dialogue]", at + 1)) {
        const std::size_t from = at + 8;
        const LoadedScript loaded = load_script(readme.substr(from, readme.find("```", from) - from));
        for (const ScriptError& error : loaded.errors) ADD_FAILURE() << error.text("README.md");
        ++blocks;
    }
    EXPECT_GE(blocks, 1);
}

}  // namespace
}  // namespace jackfield::scripted
