#include <set>
#include <sstream>

extern "C" {
#include <sphinxbase/err.h>
#include <sphinxbase/fsg_model.h>
#include <sphinxbase/jsgf.h>
#include <sphinxbase/logmath.h>
}

#include "talk.hpp"

namespace jackfield::scripted {
namespace {

constexpr const char* dictionary = "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict";

/// Every point at which the script can wait for the caller.
std::vector<Hints> all_hints(const Script& script) {
    std::vector<Hints> out{hints_for(script, Asking::open, nullptr, nullptr), hints_for(script, Asking::anything_else, nullptr, nullptr)};
    for (const Intent& intent : script.intents) {
        out.push_back(hints_for(script, Asking::confirm_task, &intent, nullptr));
        out.push_back(hints_for(script, Asking::change, &intent, nullptr));
        for (const std::string& name : intent.slots) {
            out.push_back(hints_for(script, Asking::slot, &intent, script.slot(name)));
            out.push_back(hints_for(script, Asking::confirm_slot, &intent, script.slot(name)));
        }
    }
    return out;
}

/// The grammar as the recogniser's library compiles it; accepts whole utterances.
class Compiled {
  public:
    explicit Compiled(const std::string& grammar) : logmath_(logmath_init(1.0001, 0, 0)) {
        err_set_logfp(nullptr);
        jsgf_ = jsgf_parse_string(grammar.c_str(), nullptr);
        if (!jsgf_) return;
        jsgf_rule_t* rule = jsgf_get_public_rule(jsgf_);
        if (rule) fsg_ = jsgf_build_fsg(jsgf_, rule, logmath_, 1.0F);
    }
    ~Compiled() {
        if (fsg_) fsg_model_free(fsg_);
        if (jsgf_) jsgf_grammar_free(jsgf_);
        logmath_free(logmath_);
    }
    Compiled(const Compiled&) = delete;

    explicit operator bool() const { return fsg_ != nullptr; }
    bool accepts(const std::string& utterance) const {
        std::set<int> states = closure({fsg_model_start_state(fsg_)});
        std::istringstream words(utterance);
        for (std::string word; words >> word;) {
            std::set<int> next;
            const int id = fsg_model_word_id(fsg_, word.c_str());
            for (const int state : states)
                for (auto* arc = fsg_model_arcs(fsg_, state); arc; arc = fsg_arciter_next(arc)) {
                    const fsg_link_t* link = fsg_arciter_get(arc);
                    if (id >= 0 && link->wid == id) next.insert(link->to_state);
                }
            states = closure(next);
        }
        return states.contains(fsg_model_final_state(fsg_));
    }

  private:
    std::set<int> closure(std::set<int> states) const {
        std::vector<int> open(states.begin(), states.end());
        while (!open.empty()) {
            const int state = open.back();
            open.pop_back();
            for (auto* arc = fsg_model_arcs(fsg_, state); arc; arc = fsg_arciter_next(arc)) {
                const fsg_link_t* link = fsg_arciter_get(arc);
                if (link->wid < 0 && states.insert(link->to_state).second) open.push_back(link->to_state);
            }
        }
        return states;
    }

    logmath_t* logmath_;
    jsgf_t* jsgf_ = nullptr;
    fsg_model_t* fsg_ = nullptr;
};

std::set<std::string> words_of_grammar(const std::string& grammar) {
    std::set<std::string> out;
    std::string word;
    bool in_name = false;
    for (const char c : grammar.substr(grammar.find('\n', grammar.find('\n') + 1) + 1)) {
        if (c == '<') in_name = true;
        const bool letter = (c >= 'a' && c <= 'z') || c == '\'';
        if (letter && !in_name) {
            word += c;
        } else {
            if (!word.empty()) out.insert(word);
            word.clear();
        }
        if (c == '>') in_name = false;
    }
    out.erase("public");
    return out;
}

TEST(Hints, EveryGrammarOfTheDemonstrationCompilesAndIsInTheDictionary) {
    std::ifstream file(dictionary);
    ASSERT_TRUE(file) << dictionary << " is missing: apt-get install pocketsphinx-en-us";
    std::set<std::string> known;
    for (std::string line; std::getline(file, line);) known.insert(line.substr(0, line.find(' ')));

    const Script script = script_of(read_text(clinic_path()));
    for (const Hints& hints : all_hints(script)) {
        ASSERT_FALSE(hints.grammar.empty());
        EXPECT_TRUE(Compiled(hints.grammar)) << hints.grammar;
        for (const std::string& word : words_of_grammar(hints.grammar)) EXPECT_TRUE(known.contains(word)) << word;
        for (const std::string& phrase : hints.phrases) {
            std::istringstream words(phrase);
            for (std::string word; words >> word;) EXPECT_TRUE(known.contains(word)) << phrase;
        }
    }
}

TEST(Hints, TheGrammarCoversNaturalAnswers) {
    Talk talk = clinic();
    const auto accepts = [&](const char* text) { return Compiled(talk.last().hints.grammar).accepts(text); };
    for (const char* text : {"i would like to book an appointment", "i'd like to make an appointment please", "opening hours", "goodbye",
                             "book an appointment on monday at nine", "can i speak to a person", "are you open on saturday"})
        EXPECT_TRUE(accepts(text)) << text;
    EXPECT_FALSE(accepts("purple elephants"));
    EXPECT_FALSE(accepts("yes"));

    talk.says("book an appointment");
    for (const char* text : {"monday", "on monday", "next monday please", "monday at nine", "tomorrow", "help", "goodbye", "when are you open"})
        EXPECT_TRUE(accepts(text)) << text;
    EXPECT_EQ(talk.last().hints.dictation, Hints::Dictation::none);
    EXPECT_EQ(talk.last().hints.max_digits, 0);

    talk.says("monday");
    for (const char* text : {"nine", "nine a m", "half past nine", "two p m", "nine thirty", "nine o'clock", "at ten in the morning",
                             "no tuesday"})
        EXPECT_TRUE(accepts(text)) << text;

    talk.says("nine");
    for (const char* text : {"five five five one two three four", "oh two double four seven eight nine", "my number is one two three four five six seven",
                             "goodbye", "help"})
        EXPECT_TRUE(accepts(text)) << text;
    EXPECT_FALSE(accepts("five five five one two three")) << "the script says seven digits";
    EXPECT_EQ(talk.last().hints.dictation, Hints::Dictation::digits);
    EXPECT_EQ(talk.last().hints.min_digits, 7);
    EXPECT_EQ(talk.last().hints.max_digits, 7);

    talk.says("five five five one two three four");
    for (const char* text : {"yes", "yes that's right", "no", "no tuesday", "no ten", "change the time", "the day", "no five five five one two three four"})
        EXPECT_TRUE(accepts(text)) << text;
}

TEST(Hints, AnyNumberOfDigitsIsCoveredWhereTheLengthIsOpen) {
    const Script script = script_of(R"(
[dialogue]
greeting = "Hello."
[slots.number]
type = "phone"
ask = "Which number?"
[intents.call]
phrases = ["call"]
slots = ["number"]
)");
    const Compiled grammar(hints_for(script, Asking::slot, script.intent("call"), script.slot("number")).grammar);
    for (const char* text : {"five", "double four oh", "one two three four five six seven eight nine zero one two three four five"})
        EXPECT_TRUE(grammar.accepts(text)) << text;
}

TEST(Hints, WhatTheGrammarAcceptsTheDialogueUnderstands) {
    Talk talk = clinic();
    for (const std::string& phrase : talk.last().hints.phrases) {
        Talk fresh = clinic();
        EXPECT_EQ(fresh.says(phrase).find("did not understand"), std::string::npos) << phrase;
    }
}

TEST(Hints, LeaveFreeTextToTheRecogniser) {
    const Script script = script_of(R"(
[dialogue]
greeting = "Hello."
[slots.note]
type = "text"
ask = "What is it about?"
[intents.note]
phrases = ["a message"]
slots = ["note"]
)");
    const Hints hints = hints_for(script, Asking::slot, script.intent("note"), script.slot("note"));
    EXPECT_EQ(hints.grammar, "");
    EXPECT_EQ(hints.dictation, Hints::Dictation::other);
    EXPECT_FALSE(hints.phrases.empty());
}

}  // namespace
}  // namespace jackfield::scripted
