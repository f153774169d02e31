#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <jackfield/llm.h>
#include <jackfield/telephony.h>

#include <chrono>
#include <string>
#include <type_traits>
#include <vector>

#include "call/machine.hpp"

namespace jackfield::call {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

/// A Machine on a clock of its own, with its actions as words: "speak 1 Good day." Time passes with advance(), which serves the
/// machine's deadlines as its driver does.
class Talk {
  public:
    explicit Talk(config::AgentConfig agent = desk()) : machine(std::move(agent), 400ms) {}

    /// An agent with two providers of each kind.
    static config::AgentConfig desk() {
        config::AgentConfig agent;
        agent.name = "desk";
        agent.language = "en-US";
        for (auto* chain : {&agent.stt, &agent.llm, &agent.tts}) chain->resize(2);
        agent.greeting = "Good day, this is the desk.";
        agent.tools = {"hang_up", "transfer"};
        agent.transfer["reception"].to = "sip:reception@example.org";
        return agent;
    }
    static config::AgentConfig without_greeting() {
        config::AgentConfig agent = desk();
        agent.greeting.clear();
        return agent;
    }

    base::MonoTime now() const { return now_; }
    /// What happened since the last look.
    std::vector<std::string> done() { return std::exchange(done_, {}); }

    void advance(base::Milliseconds time) {
        const base::MonoTime end = now_ + time;
        while (const auto due = machine.next_deadline()) {
            if (*due > end || machine.over()) break;
            now_ = std::max(now_, *due);
            const std::size_t before = done_.size();
            take(machine.on_time(now_));
            // A driver hangs up when told, and is not asked again.
            if (done_.size() == before && *due <= now_ && machine.next_deadline() == due) break;
            if (hung_up_) break;
        }
        now_ = end;
    }
    void take(Actions actions) {
        for (Action& action : actions) done_.push_back(word(action));
    }

    void answer() { take(machine.on_answered(now_)); }
    /// The reply in hand becomes audible.
    void sent() { take(machine.on_first_sent(now_)); }
    void spoken() {
        machine.set_heard({0, true});
        take(machine.on_spoken(now_, machine.current_reply()));
    }
    void heard(std::uint64_t bytes) { machine.set_heard({bytes, false}); }
    void token(const std::string& text) { take(machine.on_token(now_, machine.current_reply(), text)); }
    void generated() { take(machine.on_generated(now_, machine.current_reply())); }
    void tool(const std::string& name, const std::string& arguments = "{}") {
        take(machine.on_tool_call(now_, machine.current_reply(), "t1", name, arguments));
    }
    void reply(const std::string& text) {
        token(text);
        generated();
    }
    /// What the model writes on words whose turn is not over.
    std::uint64_t draft() const { return draft_; }
    void draft_token(const std::string& text) { take(machine.on_token(now_, draft_, text)); }
    void draft_tool(const std::string& name) { take(machine.on_tool_call(now_, draft_, "t1", name, "{}")); }
    void draft_done() { take(machine.on_generated(now_, draft_)); }
    /// A whole reply, from its text to its last sample.
    void say(const std::string& text) {
        reply(text);
        sent();
        spoken();
    }
    void greet() {
        answer();
        sent();
        advance(1500ms);
        spoken();
        done();
    }

    /// The caller speaks for so long; the detector is sure after 100 ms and says stop 200 ms after the end.
    void voice(base::Milliseconds length) {
        start_voice();
        for (auto voiced = 100ms; voiced < length; voiced += 20ms) {
            advance(20ms);
            take(machine.on_voice(now_, voiced + 20ms));
        }
        advance(200ms);
        stop_voice();
    }
    void start_voice() {
        advance(100ms);
        take(machine.on_speech_start(now_, now_ - 100ms));
        take(machine.on_voice(now_, 100ms));
    }
    void stop_voice() { take(machine.on_speech_stop(now_, now_ - 200ms)); }
    void partial(const std::string& text) { take(machine.on_partial(now_, text)); }
    void final_text(const std::string& text, float confidence = 0.9F) { take(machine.on_final(now_, ticket_, text, confidence)); }
    void no_match(const std::string& nearest = "") { take(machine.on_no_match(now_, ticket_, nearest)); }
    /// A whole turn of the caller's, up to its text.
    void ask(const std::string& text) {
        voice(500ms);
        advance(600ms);
        final_text(text);
    }
    void keys(const std::string& digits) {
        for (const char digit : digits) take(machine.on_dtmf(now_, digit));
    }

    std::vector<std::string> transcript() const {
        std::vector<std::string> out;
        for (const ChatMessage& message : machine.messages()) {
            const char* who = message.role == Role::user ? "user: " : message.role == Role::tool ? "tool: " : "agent: ";
            out.push_back(who + message.content + (message.tool_name.empty() ? "" : "[" + message.tool_name + "]"));
        }
        return out;
    }
    const TurnRecord& last_turn() const { return turns.back(); }

    Machine machine;
    std::vector<TurnRecord> turns;

  private:
    std::string word(Action& action) {
        return std::visit([this](auto& a) -> std::string {
            using T = std::decay_t<decltype(a)>;
            if constexpr (std::is_same_v<T, act::OpenStt>) return a.feed_turn ? "open_stt_fed" : "open_stt";
            else if constexpr (std::is_same_v<T, act::FinalizeStt>) return ticket_ = a.ticket, "finalize";
            else if constexpr (std::is_same_v<T, act::DiscardStt>) return "discard";
            else if constexpr (std::is_same_v<T, act::Listen>) return "listen";
            else if constexpr (std::is_same_v<T, act::Generate>) {
                if (a.provisional) draft_ = a.reply;
                if (!a.said.empty()) return "generate behind " + a.said;
                return a.provisional ? "generate " + *a.provisional : "generate";
            }
            else if constexpr (std::is_same_v<T, act::CancelGeneration>) return "cancel_generation";
            else if constexpr (std::is_same_v<T, act::Prewarm>) return "prewarm";
            else if constexpr (std::is_same_v<T, act::Speak>) return "speak " + a.text;
            else if constexpr (std::is_same_v<T, act::EndSpeech>) return "end_speech";
            else if constexpr (std::is_same_v<T, act::SpeakOn>) return "speak_on " + std::to_string(a.from);
            else if constexpr (std::is_same_v<T, act::StopSpeech>) return "stop_speech";
            else if constexpr (std::is_same_v<T, act::Adopt>) return "adopt";
            else if constexpr (std::is_same_v<T, act::WaitingTone>) return a.on ? "tone" : "tone_off";
            else if constexpr (std::is_same_v<T, act::Duck>) return "duck";
            else if constexpr (std::is_same_v<T, act::Unduck>) return "unduck";
            else if constexpr (std::is_same_v<T, act::Commit>) {
                turns.push_back(a.turn);
                return std::string("commit ") + (a.turn.role == Role::user ? "user: " : "agent: ") + a.turn.text;
            } else if constexpr (std::is_same_v<T, act::HangUp>) return hung_up_ = true, "hang_up " + a.reason;
            else if constexpr (std::is_same_v<T, act::Transfer>) return "transfer " + a.name;
            else if constexpr (std::is_same_v<T, act::HandOff>) return "hand_off " + a.to;
            else if constexpr (std::is_same_v<T, act::Consent>) return a.granted ? "consent" : "no_consent";
            else if constexpr (std::is_same_v<T, act::AnsweredBy>) return std::string("answered_by ") + name_of(a.by);
            else if constexpr (std::is_same_v<T, act::SendDigits>) return "send_digits " + a.digits;
            else if constexpr (std::is_same_v<T, act::RunTool>) return "run_tool " + a.name;
            else return a.kind == act::NextProvider::stt ? "next_stt" : a.kind == act::NextProvider::llm ? "next_llm" : "next_tts";
        }, action);
    }

    base::MonoTime now_{1'000'000'000};
    std::vector<std::string> done_;
    std::uint64_t ticket_ = 0;
    std::uint64_t draft_ = 0;
    bool hung_up_ = false;
};

}  // namespace jackfield::call
