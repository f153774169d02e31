#pragma once

// A conversation with a script, as the host holds it: everything said so far goes in again each time.

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "plugins/llm/scripted/dialogue.hpp"

namespace jackfield::scripted {

inline std::string clinic_path() { return JACKFIELD_SOURCE_DIR "/configs/dialogues/clinic.toml"; }

inline std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

inline Script script_of(std::string_view toml) {
    LoadedScript loaded = load_script(toml);
    for (const ScriptError& error : loaded.errors) ADD_FAILURE() << error.text("script");
    return loaded.script ? std::move(*loaded.script) : Script{};
}

class Talk {
  public:
    // A Friday morning.
    explicit Talk(Script script, std::string now = "2026-11-20T09:30:00-05:00") : script_(std::move(script)), now_(std::move(now)) {
        answer();
    }

    std::string says(std::string text) { return with({Role::user, text, 0}); }
    std::string no_match() { return with({Role::user, "", 'n'}); }
    std::string silence() { return with({Role::user, "", 's'}); }
    std::string keys(std::string digits) { return with({Role::user, digits, 'd'}); }
    std::string tool(std::string content) { return with({Role::tool, content, 0}); }
    /// The caller talked over the last reply.
    void interrupt() {
        if (!lines_.empty()) lines_.back().mark = 'i';
    }
    void offer(std::string tool) { tools_.push_back(std::move(tool)); }

    const Turn& last() const { return turn_; }
    const std::string& reply() const { return turn_.reply; }
    std::string call() const { return turn_.call ? turn_.call->name + turn_.call->arguments : std::string(); }

  private:
    struct Line {
        Role role;
        std::string text;
        char mark;
    };

    std::string with(Line line) {
        lines_.push_back(std::move(line));
        answer();
        return turn_.reply;
    }

    void answer() {
        std::vector<Message> messages;
        for (const Line& line : lines_) {
            Message m;
            m.role = line.role;
            m.content = line.text;
            m.no_match = line.mark == 'n';
            m.silence = line.mark == 's';
            m.dtmf = line.mark == 'd';
            m.interrupted = line.mark == 'i';
            messages.push_back(m);
        }
        Conversation conversation;
        conversation.messages = messages;
        for (const std::string& tool : tools_) conversation.tools.push_back(tool);
        conversation.now = parse_local_time(now_);
        turn_ = next_turn(script_, conversation);
        lines_.push_back({Role::assistant, turn_.reply, 0});
    }

    Script script_;
    std::string now_;
    std::vector<std::string> tools_;
    std::vector<Line> lines_;
    Turn turn_;
};

inline Talk clinic(std::string now = "2026-11-20T09:30:00-05:00") {
    return Talk(script_of(read_text(clinic_path())), std::move(now));
}

}  // namespace jackfield::scripted
