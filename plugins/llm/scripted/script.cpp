#include "script.hpp"

namespace jackfield::scripted {

const Slot* Script::slot(std::string_view wanted) const {
    for (const Slot& slot : slots)
        if (slot.name == wanted) return &slot;
    return nullptr;
}

const Intent* Script::intent(std::string_view wanted) const {
    for (const Intent& intent : intents)
        if (intent.name == wanted) return &intent;
    for (const Intent& intent : globals)
        if (intent.name == wanted) return &intent;
    return nullptr;
}

std::string ScriptError::text(std::string_view file) const {
    std::string out = std::string(file) + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
    if (!key.empty()) out += key + ": ";
    out += problem;
    if (!remedy.empty()) out += "; " + remedy;
    return out;
}

}  // namespace jackfield::scripted
