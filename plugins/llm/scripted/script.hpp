#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "calendar.hpp"
#include "phrase.hpp"

namespace jackfield::scripted {

/// What happens once something has been said.
struct Next {
    enum class Kind {
        ask,       // is there anything else?
        stay,      // say what was asked last once more
        prompt,    // back to the open question
        end,       // goodbye, hang up
        person,    // hand over
        go_to,     // another intent
        repeat,    // the last reply again
        cancel,    // drop the task
        skip       // slots only: leave it empty
    };
    Kind kind = Kind::ask;
    std::string target;
};

enum class SlotType { weekday, date, time, number, digits, phone, name, choice, yes_no, text };
enum class Confirm { none, implicit, explicit_ };

struct Choice {
    std::string value;  // for tools
    std::string say;
    std::vector<std::string> synonyms;
};

struct Slot {
    std::string name;
    SlotType type = SlotType::text;
    std::vector<std::string> labels;  // how callers call it: "day"
    std::vector<Choice> values;
    std::string ask;
    std::vector<std::string> reask;
    std::string help;
    std::string invalid;
    std::string closed;
    std::string echo;
    std::string confirm_says;
    Confirm confirm = Confirm::none;
    int tries = 3;
    Next on_fail{Next::Kind::person, {}};
    int min_length = 1;
    int max_length = 15;
    std::int64_t min = 0;
    std::int64_t max = 0;
    int earliest = 0;
    int latest = 1440;
    bool open_only = false;
    bool optional = false;

    bool is_digits() const { return type == SlotType::digits || type == SlotType::phone; }
};

struct Intent {
    std::string name;
    std::vector<Phrase> phrases;
    std::vector<std::string> keywords;
    std::vector<std::string> slots;
    std::string confirm_says;
    std::string change_says;
    std::string tool;
    /// What it gets: a name, and "{slot}", "{slot_date}" or a text as it is. Empty: each slot under its own name.
    std::vector<std::pair<std::string, std::string>> arguments;
    std::string wait_says;  // while the tool runs
    std::string says;
    std::string says_open;
    std::string says_closed;
    std::string says_failed;
    std::string hours_of;  // the slot whose day decides between says_open and says_closed; else it is now
    Next then;
    Next then_failed;
    std::string dtmf;
    bool anywhere = false;  // may be asked while a slot is being filled
    bool global = false;
};

struct Escalation {
    std::vector<std::string> says;
    int after = 3;
    Next then;
};

/// A dialogue, checked: every name in it exists. Immutable once loaded.
struct Script {
    std::string name;
    std::string language = "en-US";
    std::string greeting;
    std::string greeting_closed;
    std::string prompt;
    std::string anything_else;
    std::string goodbye;
    std::string cancelled;
    std::string interrupted;
    std::string person_to;
    std::string person_says;
    std::string person_unavailable;
    Escalation no_match;
    Escalation silence;
    Hours hours;
    std::vector<Slot> slots;
    std::vector<Intent> intents;  // in the script's order
    std::vector<Intent> globals;

    const Slot* slot(std::string_view name) const;
    const Intent* intent(std::string_view name) const;
};

struct ScriptError {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::string key;
    std::string problem;
    std::string remedy;

    /// "reception.toml:12:5: slots.day.type: 'weekdy' is no slot type; write one of weekday, date, ..."
    std::string text(std::string_view file) const;
};

struct LoadedScript {
    std::optional<Script> script;      // when there are no errors
    std::vector<ScriptError> errors;  // all of them, in the file's order
};

LoadedScript load_script(std::string_view toml);

}  // namespace jackfield::scripted
