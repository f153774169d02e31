#include "call/tool_calls.hpp"

#include <algorithm>

#include "call/machine.hpp"

namespace jackfield::call {

bool ToolCalls::offers(std::string_view name) const { return std::find(offered_.begin(), offered_.end(), name) != offered_.end(); }

std::uint32_t ToolCalls::begin(base::MonoTime now, std::uint64_t reply, std::size_t place, std::string_view id, std::string_view name,
                               std::string_view arguments) {
    if (reply != last_reply_) next_index_ = 0;
    last_reply_ = reply;
    if (!waiting()) since_ = now;
    pending_.push_back({reply, next_index_, place, std::string(id), std::string(name), std::string(arguments), std::nullopt});
    return next_index_++;
}

ToolCalls::Pending* ToolCalls::find(std::uint64_t reply, std::uint32_t index) {
    const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.reply == reply && p.index == index; });
    return found == pending_.end() ? nullptr : &*found;
}

bool ToolCalls::finish(std::uint64_t reply, std::uint32_t index, std::string_view content) {
    Pending* const call = find(reply, index);
    if (!call || call->content) return false;
    call->content = content;
    if (!waiting()) progress_.clear();
    return true;
}

void ToolCalls::progress(std::uint64_t reply, std::uint32_t index, std::string_view text) {
    const Pending* const call = find(reply, index);
    if (call && !call->content) progress_ = text;
}

bool ToolCalls::waiting() const {
    return std::any_of(pending_.begin(), pending_.end(), [](const Pending& p) { return !p.content; });
}

bool ToolCalls::made_in(std::uint64_t reply) const {
    return std::any_of(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.reply == reply; });
}

void ToolCalls::stand_behind(std::size_t place) {
    for (Pending& pending : pending_) pending.place = place;
}

void ToolCalls::settle(std::vector<ChatMessage>& messages) {
    std::size_t inserted = 0;
    for (Pending& pending : pending_) {
        ChatMessage call;
        call.role = Role::assistant;
        call.tool_call_id = pending.id;
        call.tool_name = std::move(pending.name);
        call.tool_arguments = std::move(pending.arguments);
        ChatMessage result;
        result.role = Role::tool;
        result.tool_call_id = std::move(pending.id);
        result.content = std::move(*pending.content);
        const auto at = messages.begin() + static_cast<std::ptrdiff_t>(std::min(pending.place + inserted, messages.size()));
        messages.insert(messages.insert(at, std::move(result)), std::move(call));
        inserted += 2;
    }
    pending_.clear();
}

}  // namespace jackfield::call
