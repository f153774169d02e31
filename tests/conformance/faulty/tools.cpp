#include <jackfield/sdk/tools.hpp>

#include "faulty.hpp"
#include "plugins/tools/example/plugin.cpp"

#include <atomic>

namespace {

using faulty::is;
const jf_tools_v1* right = nullptr;

jf_status call(jf_instance* self, jf_op op, const jf_tool_request* request, jf_error* error) {
    if (is("takes_any_name")) {
        jf_tool_request changed = *request;
        changed.name = jackfield::sdk::str("days_until");
        return right->call(self, op, &changed, error);
    }
    if (is("never_completes")) return JF_OK;
    if (is("crashes_on_odd_arguments") && request->arguments.len > 100'000) __builtin_trap();
    if (is("reads_beyond") && request->now_local.len) {
        const volatile char first = request->now_local.ptr[0];
        (void)first;
    }
    return right->call(self, op, request, error);
}

jf_status complete(jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    static std::atomic<int> count{0};
    if (last && last->type == JF_EV_TOOL_RESULT) {
        jf_tool_result result = *static_cast<const jf_tool_result*>(last->data);
        const std::string counted = "{\"n\":" + std::to_string(++count) + "}";
        if (is("answers_no_json")) result.content = jackfield::sdk::str("all right");
        else if (is("does_it_again")) result.content = jackfield::sdk::str(counted);
        else return faulty::real.complete(ctx, op, status, last, error);
        const jf_event event = jackfield::sdk::Host::event_of(JF_EV_TOOL_RESULT, &result, sizeof result, 0, 0);
        return faulty::real.complete(ctx, op, status, &event, error);
    }
    if (last && last->type == JF_EV_TOOL_LIST && (is("lists_bad_names") || is("lists_no_schema"))) {
        jf_tool_list list = *static_cast<const jf_tool_list*>(last->data);
        jf_tool tool = *JF_AT(jf_tool, list.tools, 0);
        if (is("lists_bad_names")) tool.name = jackfield::sdk::str("look it up!");
        else tool.parameters = jackfield::sdk::str("date");
        list.tools = jackfield::sdk::array(&tool, 1);
        const jf_event event = jackfield::sdk::Host::event_of(JF_EV_TOOL_LIST, &list, sizeof list, 0, 0);
        return faulty::real.complete(ctx, op, status, &event, error);
    }
    return faulty::real.complete(ctx, op, status, last, error);
}

const bool set = [] {
    faulty::host_faults = {nullptr, complete};
    faulty::query_fault = [](const void* table, std::string_view) -> const void* {
        static jf_tools_v1 wrong = *static_cast<const jf_tools_v1*>(table);
        right = static_cast<const jf_tools_v1*>(table);
        wrong.call = call;
        return &wrong;
    };
    return true;
}();

}  // namespace

FAULTY_MODULE
