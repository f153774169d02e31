#include "plugin_host/adapters/tools.hpp"

#include <jackfield/sdk/plugin.hpp>

#include "base/json.hpp"

namespace jackfield::plugin_host {
namespace {

// tools.h publishes these.
constexpr std::uint32_t most_functions = 128;
constexpr std::uint64_t longest_result = 64 * 1024;

class ListCheck final : public OutputCheck {
  public:
    Verdict look(const jf_event&) override { return Verdict::drop; }
    bool complete(const jf_event* last) override {
        const auto* list = last && last->type == JF_EV_TOOL_LIST ? sdk::data_of<jf_tool_list>(*last) : nullptr;
        if (!list || list->tools.n > most_functions) return false;
        for (std::uint32_t i = 0; i < list->tools.n; ++i)
            if (JF_AT(jf_tool, list->tools, i)->name.len == 0) return false;
        return true;
    }
};

class CallCheck final : public OutputCheck {
  public:
    Verdict look(const jf_event& event) override {
        const auto* text = event.type == JF_EV_TOOL_PROGRESS ? sdk::data_of<jf_str>(event) : nullptr;
        return text && base::is_valid_utf8(sdk::view(*text)) ? Verdict::pass : Verdict::drop;
    }
    bool complete(const jf_event* last) override {
        const auto* result = last && last->type == JF_EV_TOOL_RESULT ? sdk::data_of<jf_tool_result>(*last) : nullptr;
        return result && result->content.len <= longest_result && base::is_valid_utf8(sdk::view(result->content));
    }
};

}  // namespace

std::unique_ptr<OutputCheck> check_tool_list() { return std::make_unique<ListCheck>(); }
std::unique_ptr<OutputCheck> check_tool_call() { return std::make_unique<CallCheck>(); }

}  // namespace jackfield::plugin_host
