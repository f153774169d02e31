#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hints.hpp"
#include "script.hpp"

namespace jackfield::scripted {

enum class Role { system, user, assistant, tool };

/// One message of the conversation so far; borrowed.
struct Message {
    Role role = Role::user;
    std::string_view content;
    bool no_match = false;
    bool silence = false;
    bool dtmf = false;
    bool interrupted = false;
};

struct Conversation {
    std::span<const Message> messages;
    std::vector<std::string_view> tools;  // what the host offers besides hang_up and transfer
    std::optional<LocalTime> now;
};

struct ToolCall {
    std::string id;
    std::string name;
    std::string arguments;  // JSON object
};

/// What the agent does next.
struct Turn {
    std::string reply;
    std::optional<ToolCall> call;
    Hints hints;  // for what the caller says then
};

/// The agent's turn after this conversation. A pure function: the dialogue's state is found by replaying the messages, so that equal
/// conversations get equal turns, on any host and after any restart.
Turn next_turn(const Script& script, const Conversation& conversation);

}  // namespace jackfield::scripted
