#include "desk.hpp"

#include <algorithm>

#include "book.hpp"
#include "task.hpp"

namespace jackfield::desk {
namespace {

Desk& desk_of(jf_instance* self) { return *reinterpret_cast<Desk*>(self); }

const jf_tools_v1* tools_table() {
    static const jf_tools_v1 table = [] {
        jf_tools_v1 t = sdk::make<jf_tools_v1>();
        t.list = [](jf_instance* self, jf_op op, jf_error* error) { return sdk::guarded(error, [&] { desk_of(self).list(op); }); };
        t.call = [](jf_instance* self, jf_op op, const jf_tool_request* request, jf_error* error) {
            return sdk::guarded(error, [&] {
                if (!JF_HAS(request, jf_tool_request, now_local)) throw sdk::Failure(JF_E_INVALID, "there is no request");
                desk_of(self).call(op, *request);
            });
        };
        return t;
    }();
    return &table;
}

}  // namespace

/// Declares one collection, then the next; the last one completes the start. Owns itself until its on_done.
class Desk::Declaration final : public sdk::OpUser {
  public:
    Declaration(Desk& desk, jf_op start_op, bool second) : desk_(desk), start_op_(start_op), second_(second) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) override {
        const std::unique_ptr<Declaration> self(this);
        const sdk::Host host = desk_.host_;
        if (status != JF_OK || !last || last->type != JF_EV_DECLARED) {
            host.table()->complete(host.ctx(), start_op_, status != JF_OK ? status : JF_E_INTERNAL, nullptr, error);
            return;
        }
        (second_ ? desk_.cancellations_ : desk_.appointments_) = static_cast<std::uint32_t>(last->pos);
        if (second_) {
            host.complete(start_op_);
            return;
        }
        jf_error problem = sdk::make<jf_error>();
        const jf_status begun = sdk::guarded(&problem, [&] { desk_.declare(start_op_, true); });
        if (begun != JF_OK) host.table()->complete(host.ctx(), start_op_, begun, nullptr, &problem);
    }

  private:
    Desk& desk_;
    jf_op start_op_;
    bool second_;
};

void Desk::start(jf_op op) {
    if (config_.timetable.empty()) {
        host_.complete(op); // facts only: nothing is kept
        return;
    }
    const auto* store = host_.facility<jf_host_records_v1>(JF_FACILITY_RECORDS);
    if (!store) throw sdk::Failure(JF_E_UNSUPPORTED, "this host has no record store");
    jf_error error = sdk::make<jf_error>();
    jf_provider_ref records = sdk::make<jf_provider_ref>();
    if (const jf_status status = store->find(host_.ctx(), &records, &error); status != JF_OK)
        throw sdk::Failure(status, std::string("the record store: ") + error.text);
    records_ = records;
    declare(op, false);
}

void Desk::declare(jf_op start_op, bool second) {
    auto declaration = std::make_unique<Declaration>(*this, start_op, second);
    const jf_op op = host_.open(start_op, *declaration);
    const sdk::Collection collection = second ? desk::cancellations() : desk::appointments();
    jf_error error = sdk::make<jf_error>();
    const jf_status status = static_cast<const jf_records_v1*>(records_.table)->declare(records_.instance, op, collection.abi(), &error);
    if (status == JF_OK) {
        declaration.release();
        return;
    }
    host_.cancel(op);
    throw sdk::Failure(status, std::string("declare the appointment book: ") + error.text, JF_RETRY_AFTER);
}

const void* Desk::query(std::string_view interface_id) { return interface_id == JF_TOOLS_V1 ? tools_table() : nullptr; }

jf_status Desk::cancel(jf_op op) {
    std::shared_ptr<Task> task;
    {
        const std::lock_guard lock(mutex_);
        const auto found = tasks_.find(op);
        if (found == tasks_.end()) return JF_E_INVALID;
        task = found->second;
    }
    task->cancel();
    return JF_OK;
}

void Desk::list(jf_op op) const {
    std::vector<jf_tool> tools;
    for (const Function& function : functions_) {
        jf_tool& tool = tools.emplace_back(sdk::make<jf_tool>());
        tool.flags = function.flags;
        tool.name = sdk::str(function.name);
        tool.description = sdk::str(function.description);
        tool.parameters = sdk::str(function.parameters);
    }
    jf_tool_list list = sdk::make<jf_tool_list>();
    list.tools = sdk::array(tools);
    host_.complete_with(op, JF_OK, JF_EV_TOOL_LIST, list);
}

Moment Desk::now_of(const jf_tool_request& request) {
    if (const auto now = parse_moment(sdk::view(request.now_local))) return *now;
    throw sdk::Failure(JF_E_INVALID, "the request does not say what time it is");
}

void Desk::call(jf_op op, const jf_tool_request& request) {
    if (refusing_) throw sdk::Failure(JF_E_STATE, "the desk is closing", JF_RETRY_OTHER_PROVIDER);
    const std::string name(sdk::view(request.name));
    const bool known = std::any_of(functions_.begin(), functions_.end(), [&](const Function& f) { return name == f.name; });
    if (!known) throw sdk::Failure(JF_E_NOT_FOUND, "this desk offers no function '" + name + "'");
    if (name == "lookup") return answer(op, lookup(config_, Arguments::parse(sdk::view(request.arguments))));
    if (name == "hours") return answer(op, hours(config_, Arguments::parse(sdk::view(request.arguments)), now_of(request)));
    auto task = std::make_shared<Task>(*this, op, request);
    {
        const std::lock_guard lock(mutex_);
        tasks_[op] = task;
    }
    task->run();
}

void Desk::forget(jf_op op) {
    std::shared_ptr<Task> gone;
    const std::lock_guard lock(mutex_);
    if (const auto found = tasks_.find(op); found != tasks_.end()) {
        gone = std::move(found->second);
        tasks_.erase(found);
    }
}

void Desk::answer(jf_op op, const std::string& json) {
    forget(op);
    jf_tool_result result = sdk::make<jf_tool_result>();
    result.content = sdk::str(json);
    host_.complete_with(op, JF_OK, JF_EV_TOOL_RESULT, result);
}

void Desk::fail(jf_op op, jf_status status, const jf_error* error) {
    forget(op);
    const sdk::Host host = host_;
    host.table()->complete(host.ctx(), op, status, nullptr, error);
}

}  // namespace jackfield::desk
