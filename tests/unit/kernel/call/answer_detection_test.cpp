#include "call/answer_detection.hpp"

#include "talk.hpp"

namespace jackfield::call {
namespace {

constexpr base::MonoTime answer_time{5'000'000'000};

/// A callee who speaks and pauses, in milliseconds since the answer; the detection is asked at its own deadlines.
class Callee {
  public:
    explicit Callee(config::AmdOptions options = {}) : detection(options, machine_phrases("en")) { detection.start(answer_time); }

    Callee& speak(base::Milliseconds length) {
        keep(detection.on_speech_start(now_));
        pass(length);
        const base::MonoTime end = now_;
        pass(200ms); // the detector is sure 200 ms later
        keep(detection.on_speech_stop(end));
        return *this;
    }
    Callee& pass(base::Milliseconds time) {
        const base::MonoTime end = now_ + time;
        while (const auto due = detection.next_deadline()) {
            if (*due > end) break;
            now_ = std::max(now_, *due);
            keep(detection.on_time(now_));
        }
        now_ = end;
        return *this;
    }
    Callee& words(std::string_view text) { return keep(detection.on_words(now_, text)), *this; }
    Callee& beep() { return keep(detection.on_beep(now_)), *this; }
    Callee& carrier(AnsweredBy by) { return keep(detection.on_carrier(by)), *this; }

    /// "human by short_speech at 1700", one after the other.
    std::vector<std::string> verdicts;
    AnswerDetection detection;
    base::MonoTime now() const { return now_; }

  private:
    void keep(const std::optional<AnswerVerdict>& verdict) {
        if (verdict)
            verdicts.push_back(std::string(name_of(verdict->by)) + " by " + verdict->rule + " at " +
                               std::to_string(std::chrono::duration_cast<base::Milliseconds>(now_ - answer_time).count()));
    }
    base::MonoTime now_ = answer_time;
};

TEST(AnswerDetection, TakesAShortGreetingForAPerson) {
    Callee callee;

    callee.pass(400ms).speak(800ms).pass(2000ms);

    EXPECT_THAT(callee.verdicts, ElementsAre("human by short_speech at 1700"));
}

TEST(AnswerDetection, TakesALongOneForAMachineWhileItStillSpeaks) {
    Callee callee;

    callee.pass(400ms).speak(6000ms);

    EXPECT_THAT(callee.verdicts, ElementsAre("machine by long_speech at 2900"));
}

TEST(AnswerDetection, CountsBreathsBetweenWordsAsTheSameSpeech) {
    Callee callee;

    callee.speak(1500ms).pass(100ms).speak(1500ms).pass(1000ms);

    EXPECT_THAT(callee.verdicts, ElementsAre("machine by long_speech at 2500"));
}

TEST(AnswerDetection, IsUnsureOfSilence) {
    Callee callee;

    callee.pass(4999ms);
    EXPECT_THAT(callee.verdicts, IsEmpty());
    callee.pass(1ms).pass(20'000ms);

    EXPECT_THAT(callee.verdicts, ElementsAre("unsure by no_speech at 5000"));
    EXPECT_TRUE(callee.detection.over(callee.now()));
}

TEST(AnswerDetection, TakesBackAPersonWhoseWordsAreAMachines) {
    Callee callee;

    callee.speak(1200ms).pass(600ms).words("please leave a message after the tone");

    EXPECT_THAT(callee.verdicts, ElementsAre("human by short_speech at 1700", "machine by words at 2000"));
}

TEST(AnswerDetection, BelievesABeep) {
    Callee callee;

    callee.speak(1000ms).pass(600ms).beep();

    EXPECT_THAT(callee.verdicts, ElementsAre("human by short_speech at 1500", "machine by beep at 1800"));
    EXPECT_TRUE(callee.detection.ready_for_message(callee.now()));
}

TEST(AnswerDetection, BelievesTheCarrierAndTakesNoMachineBack) {
    Callee callee;

    callee.carrier(AnsweredBy::machine).carrier(AnsweredBy::human).speak(500ms).pass(2000ms);

    EXPECT_THAT(callee.verdicts, ElementsAre("machine by carrier at 0"));
}

TEST(AnswerDetection, LeavesAPersonInPeaceLaterInTheCall) {
    Callee callee;

    callee.speak(800ms).pass(15'000ms).words("you can leave a message for me").beep();

    EXPECT_THAT(callee.verdicts, ElementsAre("human by short_speech at 1300"));
}

TEST(AnswerDetection, WaitsForTheMachinesQuiet) {
    Callee callee;
    callee.speak(4000ms);

    EXPECT_EQ(callee.detection.message_at(), answer_time + 5500ms);
    EXPECT_FALSE(callee.detection.ready_for_message(answer_time + 5499ms));
    callee.speak(2000ms);
    EXPECT_EQ(callee.detection.message_at(), answer_time + 6200ms + 1500ms) << "it went on: its last word counts";
}

TEST(AnswerDetection, DoesNotWaitForeverForAMachineThatTalks) {
    Callee callee;
    callee.detection.on_speech_start(answer_time);
    callee.pass(60'000ms);

    EXPECT_EQ(callee.detection.message_at(), answer_time + 2500ms + base::Nanoseconds(1) + 20'000ms);
}

config::AgentConfig caller(config::OnMachine on_machine) {
    config::AgentConfig agent = Talk::desk();
    agent.amd.enabled = true;
    agent.amd.on_machine = on_machine;
    agent.amd.message = "This is the desk. Please call us back.";
    return agent;
}

TEST(MachineAnsweringMachine, SpeaksAtOnceAndTakesItBack) {
    Talk talk(caller(config::OnMachine::hang_up));
    talk.machine.detect_answer();
    talk.answer();
    EXPECT_THAT(talk.done(), Contains("speak Good day, this is the desk."));
    talk.sent();
    talk.advance(300ms);
    talk.start_voice();
    talk.heard(4);
    talk.done();

    talk.advance(2500ms);

    EXPECT_THAT(talk.done(), ElementsAre("answered_by machine", "stop_speech", "unduck", "commit agent: Good", "discard", "hang_up machine"));
}

TEST(MachineAnsweringMachine, LeavesTheMessageAfterTheMachinesQuietAndHangsUp) {
    Talk talk(caller(config::OnMachine::message));
    talk.machine.detect_answer();
    talk.answer();
    talk.sent();
    talk.start_voice();
    talk.advance(4000ms);
    talk.stop_voice();
    talk.done();

    talk.advance(1299ms);
    EXPECT_THAT(talk.done(), IsEmpty());
    talk.advance(1ms);
    EXPECT_THAT(talk.done(), ElementsAre("speak This is the desk. Please call us back.", "end_speech"));
    talk.sent();
    talk.voice(900ms);
    EXPECT_THAT(talk.done(), Not(Contains("duck"))) << "what a machine plays meanwhile interrupts nothing";
    talk.spoken();

    EXPECT_THAT(talk.done(), ElementsAre("commit agent: This is the desk. Please call us back.", "hang_up machine_message"));
}

TEST(MachineAnsweringMachine, LeavesTheMessageAtTheBeep) {
    Talk talk(caller(config::OnMachine::message));
    talk.machine.detect_answer();
    talk.answer();
    talk.sent();
    talk.start_voice();
    talk.advance(3000ms);
    talk.done();

    talk.take(talk.machine.on_beep(talk.now()));

    EXPECT_THAT(talk.done(), Contains("speak This is the desk. Please call us back."));
}

TEST(MachineAnsweringMachine, KeepsOfTheMessageOnlyWhatWasPlayed) {
    Talk talk(caller(config::OnMachine::message));
    talk.machine.detect_answer();
    talk.answer();
    talk.sent();
    talk.take(talk.machine.on_carrier_detection(talk.now(), AnsweredBy::machine));
    talk.advance(1500ms);
    talk.sent();
    talk.heard(11);
    talk.done();

    talk.take(talk.machine.on_ended(talk.now()));

    EXPECT_EQ(talk.last_turn().text, "This is the");
    EXPECT_EQ(talk.last_turn().unheard, " desk. Please call us back.");
}

TEST(MachineAnsweringMachine, TalksToAPersonAsUsual) {
    Talk talk(caller(config::OnMachine::hang_up));
    talk.machine.detect_answer();
    talk.greet();
    talk.voice(700ms);
    talk.advance(600ms);
    EXPECT_THAT(talk.done(), Contains("answered_by human"));

    talk.final_text("hello");

    EXPECT_THAT(talk.done(), Contains("generate"));
}

TEST(MachineAnsweringMachine, HearsItInTheWordsOfAPersonToo) {
    Talk talk(caller(config::OnMachine::hang_up));
    talk.machine.detect_answer();
    talk.greet();
    talk.voice(700ms);
    talk.advance(600ms);
    talk.done();

    talk.final_text("leave a message after the tone");

    EXPECT_THAT(talk.done(), Contains("hang_up machine"));
    EXPECT_THAT(talk.done(), Not(Contains("generate")));
}

TEST(MachineAnsweringMachine, IsNobodysBusinessOnIncomingCalls) {
    Talk talk(caller(config::OnMachine::hang_up));
    talk.greet();
    talk.start_voice();

    talk.advance(4000ms);

    EXPECT_THAT(talk.done(), Not(Contains("answered_by machine")));
}

}  // namespace
}  // namespace jackfield::call
