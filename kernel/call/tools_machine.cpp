// What the model calls: the host's own tools, and those that providers carry out.

#include "call/machine.hpp"

#include <algorithm>

namespace jackfield::call {
namespace {

using base::MonoTime;

constexpr int most_tool_rounds = 3;

bool allows(const config::AgentConfig& agent, std::string_view tool) {
    return std::find(agent.tools.begin(), agent.tools.end(), tool) != agent.tools.end();
}

}  // namespace

Actions Machine::on_tool_call(MonoTime now, std::uint64_t reply, std::string_view id, std::string_view name,
                              std::string_view arguments) {
    Actions out;
    if (is_draft(reply)) {
        ChatMessage held;
        held.tool_call_id = id;
        held.tool_name = name;
        held.tool_arguments = arguments;
        draft_->pieces.push_back({{}, std::move(held)});
        return out;
    }
    if (!reply_ || reply_->id != reply || over_) return out;
    reply_->last_token = now;
    decisions_.note(now, Decision::tool_call, tool_rounds_, 0, name);
    ChatMessage call;
    call.role = Role::assistant;
    call.tool_call_id = id;
    call.tool_name = name;
    call.tool_arguments = arguments;
    if (name == "hang_up" && allows(agent_, name)) {
        end_ = EndOfCall{true, {}, "hang_up"};
        messages_.push_back(std::move(call));
        return out;
    }
    std::string refusal;
    if ((name == "transfer" && allows(agent_, name)) || (name == "hand_off" && !agent_.hand_off.empty())) {
        if (begin_departure(name, id, arguments)) {
            messages_.push_back(std::move(call));
            return out;
        }
        refusal = R"({"error":"there is nobody of that name to transfer to"})";
    } else if ((name == "pause_recording" || name == "resume_recording") && allows(agent_, name)) {
        refusal = switch_recording(name);
    } else if (name == "send_digits" && allows(agent_, name)) {
        const std::string digits = digits_to_send(arguments);
        if (!digits.empty()) out.push_back(act::SendDigits{digits});
        refusal = digits.empty() ? R"({"error":"digits must be 1 to 64 of 0-9, *, #, A-D and w"})" : R"({"ok":true})";
    } else if (tools_.offers(name)) {
        const std::uint32_t index = tools_.begin(now, reply, messages_.size(), id, name, arguments);
        pending_tools_ = true;
        out.push_back(act::RunTool{reply, index, std::string(name), std::string(arguments)});
        return out;
    } else {
        refusal = R"({"error":"this tool is not available"})";
    }
    messages_.push_back(std::move(call));
    ChatMessage result;
    result.role = Role::tool;
    result.tool_call_id = id;
    result.content = refusal;
    messages_.push_back(std::move(result));
    pending_tools_ = true;
    return out;
}

/// Nothing is being generated, and no tool is waited for: the model is told what the tools answered, or the reply is complete.
void Machine::go_on_after_tools(MonoTime now, Actions& out) {
    if (!tools_.waiting()) tools_.settle(messages_);
    if (pending_tools_ && !end_ && tool_rounds_ < most_tool_rounds) {
        ++tool_rounds_;
        pending_tools_ = false;
        reply_->generating = true;
        reply_->began = now;
        out.push_back(act::Generate{reply_->id});
        return;
    }
    pending_tools_ = false;
    reply_->text_complete = true;
    if (!reply_->text.empty()) {
        out.push_back(act::EndSpeech{reply_->id});
        return;
    }
    // Nothing to say: silence is an answer too, unless the call was to end.
    finish_reply(now, out);
}

Actions Machine::on_tool_result(MonoTime now, std::uint64_t reply, std::uint32_t index, std::string_view content) {
    Actions out;
    if (!tools_.finish(reply, index, content)) return out;
    decisions_.note(now, Decision::tool_result, static_cast<std::int64_t>(reply), index);
    if (tools_.waiting()) return out;
    if (over_ || !active_ || end_) {
        tools_.settle(messages_);
        return out;
    }
    if (reply_) {
        // One that is being generated (another call may follow) takes it up when that is done.
        if (!reply_->generating && !reply_->text_complete) go_on_after_tools(now, out);
        return out;
    }
    tools_.settle(messages_);
    // The caller speaks: their turn's answer takes it up. When nobody does, the caller is owed what they asked for.
    if (!user_ && !away()) start_reply(now, out);
    return out;
}

/// When the caller is told that a tool takes its time: the first time soon, later at the pace of any other silence.
std::optional<MonoTime> Machine::tool_filler_at() const {
    if (!reply_ || reply_->generating || reply_->text_complete || end_ || !tools_.waiting() || agent_.turn.fillers_most == 0) return std::nullopt;
    if (dead_air_.fillers() > 0 && !tools_.has_progress()) return std::nullopt;
    if (dead_air_.fillers() >= agent_.turn.fillers_most) return std::nullopt;
    // Something is being spoken, or about to be.
    if (!reply_->text.empty() && !reply_->dry) return std::nullopt;
    return std::max(tools_.since(), reply_->dry ? dead_air_.since() : reply_->began) + agent_.turn.tool_filler;
}

}  // namespace jackfield::call
