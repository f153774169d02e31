// Input: a script in TOML, a line "---", then what callers say, one turn a line. The first character of a turn may be a flag: '#' keys,
// '?' no match, '.' silence, '=' a tool's result, '!' the reply before it was interrupted. A script that does not load is replaced by a
// fixed one, so that the turns are tried either way.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/llm/scripted/dialogue.hpp"
#include "plugins/llm/scripted/words.hpp"

namespace {

using namespace jackfield::scripted;

constexpr std::string_view fallback = R"(
[dialogue]
greeting = "Hello."
[hours]
monday = ["08:00-12:00", "13:00-18:00"]
tuesday = "08:00-18:00"
[slots.day]
type = "date"
ask = "Day?"
open_only = true
[slots.time]
type = "time"
ask = "Time?"
confirm = "implicit"
[slots.phone]
type = "phone"
ask = "Number?"
confirm = "explicit"
[slots.name]
type = "name"
ask = "Name?"
[intents.book]
phrases = ["book *", "[i would like] an appointment {day} at {time}"]
slots = ["day", "time", "phone", "name"]
confirm_says = "{day} {time} {phone} {name}?"
tool = "book"
says = "Done {result.code}."
[intents.open]
phrases = ["are you open"]
says_open = "Yes."
says_closed = "No, {opens}."
)";

Message message_of(std::string_view line) {
    Message out;
    out.content = line;
    if (line.empty()) return out;
    const std::string_view rest = line.substr(1);
    switch (line[0]) {
        case '#': out.dtmf = true; break;
        case '?': out.no_match = true; break;
        case '.': out.silence = true; break;
        case '=': out.role = Role::tool; break;
        case '!':
            out.role = Role::assistant;
            out.interrupted = true;
            break;
        default: return out;
    }
    out.content = rest;
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 16 * 1024) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t cut = input.find("---\n");
    const std::string_view toml = cut == std::string_view::npos ? std::string_view() : input.substr(0, cut);
    std::string_view turns = cut == std::string_view::npos ? input : input.substr(cut + 4);

    static const Script fixed = *load_script(fallback).script;
    LoadedScript loaded;
    if (!toml.empty()) loaded = load_script(toml);
    if (!toml.empty() && loaded.script.has_value() != loaded.errors.empty()) std::abort();
    const Script& script = loaded.script ? *loaded.script : fixed;

    std::vector<Message> messages;
    while (!turns.empty() && messages.size() < 12) {
        const std::size_t end = std::min(turns.find('\n'), turns.size());
        messages.push_back(message_of(turns.substr(0, end)));
        turns.remove_prefix(std::min(end + 1, turns.size()));
    }
    Conversation conversation;
    conversation.messages = messages;
    conversation.tools = {"book"};
    conversation.now = parse_local_time("2026-11-20T09:30:00-05:00");
    const Turn turn = next_turn(script, conversation);
    if (clean_utf8(turn.reply) != turn.reply && clean_utf8(toml) == toml) std::abort();
    return 0;
}
