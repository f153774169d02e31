#include "call/telemetry_log.hpp"

#include <algorithm>

namespace jackfield::call {

void TelemetryLog::opened(jf_op op, const char* name, std::string provider, std::int64_t reply, base::MonoTime now) {
    if (!enabled_) return;
    if (ops_.size() == most_ops) {
        ++left_out_;
        return;
    }
    TelemetryOp& added = ops_.emplace_back();
    added.op = op;
    added.name = name;
    added.provider = std::move(provider);
    added.reply = reply;
    added.began = now;
}

/// What is under way is among the last: few ops of a call are open at one time.
TelemetryOp* TelemetryLog::find(jf_op op) {
    if (!enabled_) return nullptr;
    const auto found = std::find_if(ops_.rbegin(), ops_.rend(), [&](const TelemetryOp& o) { return o.op == op; });
    return found == ops_.rend() ? nullptr : &*found;
}

void TelemetryLog::asked(jf_op op, std::string_view input) {
    if (!contents_) return;
    if (TelemetryOp* found = find(op)) found->input = input.substr(0, most_text);
}

void TelemetryLog::said(jf_op op, std::string_view text, base::MonoTime now) {
    TelemetryOp* const found = find(op);
    if (!found) return;
    if (found->first_output == base::MonoTime{}) found->first_output = now;
    if (contents_) found->output += text.substr(0, most_text - std::min(most_text, found->output.size()));
}

void TelemetryLog::used(jf_op op, const jf_llm_usage& usage) {
    if (TelemetryOp* found = find(op)) found->usage = usage;
}

void TelemetryLog::done(jf_op op, jf_status status, base::MonoTime now) {
    TelemetryOp* const found = find(op);
    if (!found) return;
    found->ended = now;
    found->status = status;
    found->op = JF_NO_OP; // ids come again
}

}  // namespace jackfield::call
