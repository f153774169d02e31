#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialogue.hpp"
#include "json.hpp"
#include "slots.hpp"

namespace jackfield::scripted {

constexpr double good_enough = 0.65; ///< an utterance is near a phrase of the script

struct Filled {
    Value value;
    bool confirmed = false;
};

struct State {
    Asking asking = Asking::open;
    const Intent* intent = nullptr;
    const Slot* slot = nullptr;
    std::map<std::string, Filled> values;
    std::map<std::string, int> tries;
    std::set<std::string> skipped;
    const Intent* waiting_tool = nullptr;
    bool transferring = false;
    bool ended = false;
    int no_matches = 0;
    int silences = 0;
    std::string keys;         // pressed, not yet complete
    std::string last_prompt;  // what the caller was asked last
    std::string last_reply;
};

struct Match {
    const Intent* intent = nullptr;
    const Phrase* phrase = nullptr;
    double score = 0;
};

/// Goes through a conversation from its beginning, as the script has it, and says what comes next.
class Replay {
  public:
    Replay(const Script& script, const Conversation& conversation) : script_(script), conversation_(conversation) {}

    Turn run();

  private:
    // ---- what is said
    void begin();
    void say(const std::string& text, const std::string* value = nullptr, const std::map<std::string, std::string>* result = nullptr);
    /// Says it and keeps it as what the caller has to answer.
    void prompt(const std::string& text, const std::string* value = nullptr);
    std::string fill(const std::string& text, const std::string* value, const std::map<std::string, std::string>* result) const;
    std::string placeholder(const std::string& name, const std::string* value, const std::map<std::string, std::string>* result) const;

    // ---- the course of the conversation
    void greet();
    void to_open(Asking asking);
    void ask_anything_else();
    void hang_up();
    void hand_over();
    std::string call_id() const;
    /// What was asked last, once more and possibly in other words.
    void ask_again();
    void follow(const Next& next);

    // ---- messages
    void on_user(const Message& message);
    void on_tool(std::string_view content);
    void on_silence();
    void on_no_match();
    void escalate(const Escalation& escalation, int count);
    /// Counts a failed try for the slot in hand; true when that was the last one and the script's way out was taken.
    bool failed_try();
    void skip_slot();

    // ---- keys
    void on_keys(std::string_view pressed);
    /// Keys for the slot in hand. False when they are not for it.
    bool collect_keys(std::string_view pressed);
    bool complete_keys(bool after_pause);
    bool take_keys(std::string_view keys, bool complain);

    // ---- words
    bool on_words(const Words& words, const std::string& text);
    Match best_of(const std::vector<Intent>& intents, const Words& words) const;
    static bool has_keyword(const Intent& intent, const Words& words);
    void on_yes();
    void on_no();

    // ---- tasks
    void start_or_digress(const Intent& intent);
    /// Something new is wanted. What only informs is answered in passing and the task in hand goes on.
    void start(const Intent& intent, const Words& words, const Phrase* phrase);
    void begin_intent(const Intent& intent, const Words& words = {}, const Phrase* phrase = nullptr);
    static void mark(std::vector<bool>& used, const FoundValue& found);
    /// An utterance while a task is in hand. False when nothing in it belongs to the task.
    bool task_words(const Words& words, const std::string& text);
    /// Yes, no, and "change the day".
    bool task_answer(const Words& words, Polarity polarity);
    const Slot* slot_named_in(const Words& words) const;
    Refusal check(const Slot& slot, const FoundValue& found) const;
    int task_weekday() const;
    void keep(const Slot& slot, const FoundValue& found);
    void take(const Slot& slot, const FoundValue& found);
    void take_all(const std::vector<std::pair<const Slot*, FoundValue>>& all);
    void refuse(const Slot& slot, Refusal refusal, const std::string& spoken);
    /// To the next value that is missing or unconfirmed, then to the end of the task.
    void advance();
    /// What was just understood, so that the caller can object. A confirmation that follows says it anyway.
    void say_echo();
    void complete_task();
    /// "crm.lookup" as the host offers it to models.
    static std::string offered_name(std::string name);
    std::vector<JsonMember> arguments_of(const Intent& intent) const;
    std::vector<JsonMember> slot_arguments(const Intent& intent) const;
    void finish(const Intent& intent, bool ok, const std::map<std::string, std::string>& result);
    const std::string& answer_of(const Intent& intent) const;

    const Script& script_;
    const Conversation& conversation_;
    State state_;
    std::string reply_;
    std::optional<ToolCall> call_;
    std::vector<const Slot*> echo_;
    bool interrupted_ = false;
    int hops_ = 0;
    int turn_ = 0;
};

}  // namespace jackfield::scripted
