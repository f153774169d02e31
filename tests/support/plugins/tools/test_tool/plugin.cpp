// tools/test_tool: each call is logged with its key, so that a test can count them. `lost` and `lost_safe` lose their first call, and answer
// later ones; `wait` takes its time and says so; `deaf` ignores its deadline until it is cancelled.

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/tools.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace jackfield::test_tool {

constexpr std::chrono::nanoseconds slow = std::chrono::milliseconds(2500);

class Tools {
  public:
    static std::unique_ptr<Tools> create(sdk::Host host, const sdk::Config&) { return std::make_unique<Tools>(host); }
    explicit Tools(sdk::Host host) : host_(host) {}

    void start(jf_op op) { host_.complete(op); }
    void quiesce(jf_op op, std::uint32_t) { host_.complete(op); }
    const void* query(std::string_view id);
    jf_status cancel(jf_op op) { return host_.complete(op, JF_E_CANCELLED); }

    void list(jf_op op) const {
        jf_tool tools[4] = {sdk::make<jf_tool>(), sdk::make<jf_tool>(), sdk::make<jf_tool>(), sdk::make<jf_tool>()};
        constexpr const char* names[] = {"wait", "lost", "lost_safe", "deaf"};
        for (int i = 0; i < 4; ++i) {
            tools[i].name = sdk::str(names[i]);
            tools[i].description = sdk::str("For tests.");
        }
        tools[2].flags = JF_TOOL_IDEMPOTENT;
        jf_tool_list all = sdk::make<jf_tool_list>();
        all.tools = sdk::array(tools, 4);
        host_.complete_with(op, JF_OK, JF_EV_TOOL_LIST, all);
    }

    void call(jf_op op, const jf_tool_request& request) {
        const std::string name(sdk::view(request.name)), key(sdk::view(request.idempotency_key));
        host_.log(JF_LOG_INFO, "test_tool.called", {{"tool", name}, {"key", key}}, op);
        if (name == "deaf") return;
        if (name == "wait") {
            host_.emit(op, JF_EV_TOOL_PROGRESS, sdk::str("I am asking the other branch."));
            return answer_later(op, R"({"waited":"long"})");
        }
        bool first;
        {
            const std::lock_guard lock(mutex_);
            first = ++calls_[key] == 1;
        }
        if (first) return host_.fail(op, sdk::Failure(JF_E_PEER_LOST, "the line to the branch broke")), void();
        answer(op, R"({"try":"second"})");
    }

    void answer(jf_op op, const char* json) const {
        jf_tool_result result = sdk::make<jf_tool_result>();
        result.content = sdk::str(json);
        host_.complete_with(op, JF_OK, JF_EV_TOOL_RESULT, result);
    }

  private:
    struct Later final : public sdk::OpUser {
        Later(const Tools& tools, jf_op op, const char* json) : owner(tools), answered(op), text(json) {}
        void on_event(jf_op, const jf_event&) override {}
        void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
            const std::unique_ptr<Later> self(this);
            if (status == JF_OK) owner.answer(answered, text);
        }
        const Tools& owner;
        jf_op answered;
        const char* text;
    };

    void answer_later(jf_op op, const char* json) const {
        auto* later = new Later(*this, op, json);
        const auto* timer = host_.facility<jf_host_timer_v1>(JF_FACILITY_TIMER);
        timer->start(host_.ctx(), host_.open(op, *later), static_cast<std::uint64_t>(slow.count()));
    }

    const sdk::Host host_;
    std::mutex mutex_;
    std::map<std::string, int> calls_;
};

const void* Tools::query(std::string_view id) {
    static const jf_tools_v1 table = [] {
        jf_tools_v1 t = sdk::make<jf_tools_v1>();
        t.list = [](jf_instance* self, jf_op op, jf_error* error) {
            return sdk::guarded(error, [&] { reinterpret_cast<Tools*>(self)->list(op); });
        };
        t.call = [](jf_instance* self, jf_op op, const jf_tool_request* request, jf_error* error) {
            return sdk::guarded(error, [&] { reinterpret_cast<Tools*>(self)->call(op, *request); });
        };
        return t;
    }();
    return id == JF_TOOLS_V1 ? &table : nullptr;
}

}  // namespace jackfield::test_tool

JACKFIELD_MODULE(jackfield::test_tool::Tools)
