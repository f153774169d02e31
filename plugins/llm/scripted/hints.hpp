#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "script.hpp"

namespace jackfield::scripted {

/// What the dialogue waits for.
enum class Asking { open, slot, confirm_slot, confirm_task, change, anything_else };

struct Hints {
    enum class Dictation { none, digits, name, other };
    Dictation dictation = Dictation::none;
    std::string grammar;  // JSGF; empty where no grammar can cover the answer
    std::vector<std::string> phrases;
    std::vector<std::string> keywords;
    int min_digits = 0;  // while digits are asked for; 0 unknown
    int max_digits = 0;
};

/// What a caller is likely to say at this point: answers to what was asked, corrections, other values of the task given along, and
/// what may be said at any time. `intent` and `slot` may be null where `asking` needs none.
Hints hints_for(const Script& script, Asking asking, const Intent* intent, const Slot* slot);

}  // namespace jackfield::scripted
