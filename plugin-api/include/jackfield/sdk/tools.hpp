#pragma once

// jf.tools/1 for functions that answer at once: derive Tools, name the functions in the constructor, and this header lists and runs them.
//
//   class Desk : public sdk::Tools {
//     public:
//       explicit Desk(sdk::Host host) : Tools(host) {
//           add({"hello", "Greets", R"({"type":"object","properties":{"name":{"type":"string"}},"required":["name"]})", JF_TOOL_READ_ONLY},
//               [](const sdk::ToolCall& call) { return "{\"said\":" + sdk::quoted("Hello " + call.arguments.text("name").value_or("")) + "}"; });
//       }
//   };
//   JACKFIELD_MODULE(Desk), with create() and query() as in plugin.hpp and sdk::tools_table<Desk>()
//
// A function that waits for something takes the op and completes it later: write its table by hand, as tools/desk does.

#include <jackfield/sdk/gate.hpp>
#include <jackfield/sdk/json.hpp>
#include <jackfield/sdk/plugin.hpp>
#include <jackfield/tools.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jackfield::sdk {

struct ToolFunction {
    std::string name;
    std::string description;
    std::string parameters; ///< JSON Schema of an object
    std::uint32_t flags = 0; ///< JF_TOOL_*
};

/// One call, for as long as the function runs.
struct ToolCall {
    const jf_tool_request& request;
    JsonObject arguments;
};

class Tools {
  public:
    explicit Tools(Host host) : host_(host) {}
    virtual ~Tools() = default;

    void start(jf_op op) {
        gate_.open();
        host_.complete(op);
    }
    void quiesce(jf_op op, std::uint32_t budget_ms) { gate_.close(host_, op, budget_ms); }
    /// Calls are over before the host can give them up.
    jf_status cancel(jf_op) { return JF_E_INVALID; }

    void list(jf_op op) const {
        std::vector<jf_tool> tools;
        for (const auto& [function, run] : functions_) {
            jf_tool& tool = tools.emplace_back(make<jf_tool>());
            tool.flags = function.flags;
            tool.name = str(function.name);
            tool.description = str(function.description);
            tool.parameters = str(function.parameters);
        }
        jf_tool_list list = make<jf_tool_list>();
        list.tools = array(tools);
        host_.complete_with(op, JF_OK, JF_EV_TOOL_LIST, list);
    }
    void call(jf_op op, const jf_tool_request& request) {
        gate_.enter(op);
        try {
            run(op, request);
        } catch (...) {
            gate_.leave(host_, op);
            throw;
        }
    }

  protected:
    /// Answers JSON for the model. Throws Failure when nothing was done.
    using Run = std::function<std::string(const ToolCall&)>;
    void add(ToolFunction function, Run run) { functions_.emplace_back(std::move(function), std::move(run)); }
    const Host& host() const { return host_; }

  private:
    void run(jf_op op, const jf_tool_request& request) {
        for (const auto& [function, body] : functions_) {
            if (function.name != view(request.name)) continue;
            const std::string content = body({request, JsonObject(view(request.arguments))});
            jf_tool_result result = make<jf_tool_result>();
            result.content = str(content);
            gate_.leave(host_, op);
            host_.complete_with(op, JF_OK, JF_EV_TOOL_RESULT, result);
            return;
        }
        throw Failure(JF_E_NOT_FOUND, "there is no function '" + std::string(view(request.name)) + "'");
    }

    Host host_;
    Gate gate_;
    std::vector<std::pair<ToolFunction, Run>> functions_;
};

/// The jf.tools/1 table of a class with list(op) and call(op, request).
template <typename T>
const jf_tools_v1* tools_table() {
    static const jf_tools_v1 table = [] {
        jf_tools_v1 t = make<jf_tools_v1>();
        t.list = [](jf_instance* self, jf_op op, jf_error* error) {
            return guarded(error, [&] { reinterpret_cast<T*>(self)->list(op); });
        };
        t.call = [](jf_instance* self, jf_op op, const jf_tool_request* request, jf_error* error) {
            return guarded(error, [&]() -> jf_status {
                if (!JF_HAS(request, jf_tool_request, arguments)) return JF_E_INVALID;
                reinterpret_cast<T*>(self)->call(op, known(request));
                return JF_OK;
            });
        };
        return t;
    }();
    return &table;
}

}  // namespace jackfield::sdk
