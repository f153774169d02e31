#include "plugin_host/tool_list.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <algorithm>

#include "base/json.hpp"
#include "plugin_host/adapters/ports.hpp"

namespace jackfield::plugin_host {
namespace {

constexpr std::size_t longest_name = 48;
constexpr std::uint32_t most_functions = 128;
/// A provider that asks its far end what there is may take this long.
constexpr base::Milliseconds patience{10000};

using Done = std::function<void(base::Result<std::vector<ToolFunction>>)>;

bool is_function_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_name && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

/// Why no model can be offered it; empty when one can.
std::string fault_of(const ToolFunction& function) {
    if (!is_function_name(function.name)) return "its name is not 1 to 48 of A-Z, a-z, 0-9, _ and -";
    const auto schema = base::JsonDocument::parse(function.parameters);
    if (!schema) return "its parameters are not JSON: " + schema.error().text();
    if (!schema->root().is_object() || schema->root()["type"].text_or("object") != "object") return "its parameters are no schema of an object";
    return {};
}

/// Deletes itself with the completion.
class ListSink final : public OpSink {
  public:
    ListSink(PluginHost& host, std::shared_ptr<Instance> instance, runtime::Shard& shard, Done done)
        : host_(host), instance_(std::move(instance)), shard_(shard), done_(std::move(done)) {}

    void give_up_after(base::Milliseconds time, jf_op op) {
        timer_ = shard_.start_timer(shard_.now() + time, [this, op] {
            timer_ = 0;
            host_.ops().cancel(op);
        });
    }

    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) override {
        const std::unique_ptr<ListSink> self(this);
        if (timer_) shard_.cancel_timer(timer_);
        if (status != JF_OK) return done_(error_from(status, error).with_context(instance_->name() + ": list of tools"));
        std::vector<ToolFunction> functions;
        const auto* list = last && last->type == JF_EV_TOOL_LIST ? sdk::data_of<jf_tool_list>(*last) : nullptr;
        for (std::uint32_t i = 0; list && i < std::min(list->tools.n, most_functions); ++i) {
            const jf_tool& tool = *JF_AT(jf_tool, list->tools, i);
            ToolFunction function{std::string(sdk::view(tool.name)), std::string(sdk::view(tool.description)),
                                  std::string(sdk::view(tool.parameters)), tool.flags};
            if (function.parameters.empty()) function.parameters = R"({"type":"object","properties":{}})";
            if (const std::string fault = fault_of(function); fault.empty()) functions.push_back(std::move(function));
            else host_.log({JF_LOG_ERROR, instance_.get(), JF_NO_OP, "tool.unusable", {{"tool", function.name}, {"why", fault}}});
        }
        done_(std::move(functions));
    }

  private:
    PluginHost& host_;
    std::shared_ptr<Instance> instance_;
    runtime::Shard& shard_;
    Done done_;
    runtime::TimerId timer_ = 0;
};

}  // namespace

std::string offered_tool_name(std::string_view provider, std::string_view function) {
    if (provider.starts_with("host:")) provider.remove_prefix(5);
    return std::string(provider) + "_" + std::string(function);
}

void list_tools(PluginHost& host, std::shared_ptr<Instance> instance, runtime::Shard& shard, Done done) {
    const ToolsPort port(*instance);
    if (!port) return done(base::Error(base::ErrorCode::unsupported, instance->name() + " offers no tools (" JF_TOOLS_V1 ")"));
    OpTable& ops = host.ops();
    auto* sink = new ListSink(host, instance, shard, std::move(done));
    const jf_op op = ops.open(shard, sink, instance.get());
    sink->give_up_after(patience, op);
    instance->run_control([&ops, port, instance, op] {
        jf_error error = sdk::make<jf_error>();
        const jf_status status = port.list(op, &error);
        if (status != JF_OK) ops.complete(*instance, op, status, nullptr, &error);
    });
}

}  // namespace jackfield::plugin_host
