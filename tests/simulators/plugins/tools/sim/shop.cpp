#include "shop.hpp"

#include <array>
#include <string>

namespace jackfield::tools_sim {
namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::string_view anything = R"({"type":"object","properties":{"what":{"type":"string"}}})";

Shop& shop_of(jf_instance* self) { return *reinterpret_cast<Shop*>(self); }

const jf_tools_v1* tools_table() {
    static const jf_tools_v1 table = [] {
        jf_tools_v1 t = sdk::make<jf_tools_v1>();
        t.list = [](jf_instance* self, jf_op op, jf_error* error) {
            return sdk::guarded(error, [&] { return shop_of(self).list(op); });
        };
        t.call = [](jf_instance* self, jf_op op, const jf_tool_request* request, jf_error* error) {
            return sdk::guarded(error, [&] { return shop_of(self).call(op, *request); });
        };
        return t;
    }();
    return &table;
}

}  // namespace

void Errand::begin(std::uint64_t lasts_ns) { start_timer(has("late") ? fault_->argument * ms : lasts_ns); }

/// No child of the call's op, which may be gone when somebody is slow to see it.
void Errand::start_timer(std::uint64_t delay_ns) {
    const jf_op timer = shop_.host().open(has("late_cancel") ? JF_NO_OP : op_, *this);
    waiting_ = true;
    shop_.timer().start(shop_.host().ctx(), timer, delay_ns);
}

void Errand::on_done(jf_op, jf_status status, const jf_event*, const jf_error*) {
    waiting_ = false;
    if (completed_) return shop_.forget(*this);
    if (status != JF_OK) return;
    if (cancelled_) return complete(JF_E_CANCELLED);
    if (has("stall") || has("late_cancel")) return;
    if (has("die")) return complete(JF_E_PEER_LOST);
    answer();
}

void Errand::answer() {
    const std::string content = has("garbage") ? std::string("{\"what\":")
                                : has("giant") ? '"' + std::string(70'000, 'a') + '"'
                                               : std::string(R"({"found":true})");
    jf_tool_result result = sdk::make<jf_tool_result>();
    result.content = sdk::str(content);
    completed_ = true;
    if (has("empty")) shop_.host().complete(op_);
    else shop_.host().complete_with(op_, JF_OK, JF_EV_TOOL_RESULT, result);
    if (has("again")) shop_.host().complete_with(op_, JF_OK, JF_EV_TOOL_RESULT, result);
    if (has("after")) shop_.host().emit(op_, JF_EV_TOOL_PROGRESS, sdk::str("still looking"));
    shop_.retire(op_, waiting_);
}

void Errand::complete(jf_status status) {
    if (std::exchange(completed_, true)) return;
    shop_.host().complete(op_, status);
    shop_.retire(op_, waiting_);
}

void Errand::cancel() {
    if (!has("late_cancel")) return complete(JF_E_CANCELLED);
    cancelled_ = true;
    if (!waiting_) start_timer(fault_->argument * ms);
}

std::unique_ptr<Shop> Shop::create(sdk::Host host, const sdk::Config& config) {
    return std::make_unique<Shop>(host, static_cast<std::uint64_t>(config.integer("seed", 1)),
                                  static_cast<std::uint64_t>(config.integer("longest_ms", 400)) * ms, sim::Faults(config.list("faults")));
}

Shop::Shop(sdk::Host host, std::uint64_t seed, std::uint64_t longest_ns, sim::Faults faults)
    : host_(host), timer_(host.facility<jf_host_timer_v1>(JF_FACILITY_TIMER)), longest_ns_(longest_ns), faults_(std::move(faults)), random_(seed) {
    if (!timer_) throw sdk::Failure(JF_E_UNSUPPORTED, "the host lacks timers");
}

const void* Shop::query(std::string_view interface_id) { return interface_id == JF_TOOLS_V1 ? tools_table() : nullptr; }

jf_status Shop::list(jf_op op) {
    std::array<jf_tool, 2> tools;
    tools.fill(sdk::make<jf_tool>());
    tools[0].name = sdk::str("look_up");
    tools[0].description = sdk::str("Looks something up");
    tools[0].flags = JF_TOOL_READ_ONLY;
    tools[1].name = sdk::str("order");
    tools[1].description = sdk::str("Orders something");
    for (jf_tool& tool : tools) tool.parameters = sdk::str(anything);
    jf_tool_list list = sdk::make<jf_tool_list>();
    list.tools = {tools.data(), static_cast<std::uint32_t>(tools.size()), sizeof tools[0]};
    return host_.complete_with(op, JF_OK, JF_EV_TOOL_LIST, list);
}

jf_status Shop::call(jf_op op, const jf_tool_request&) {
    std::shared_ptr<Errand> errand;
    std::uint64_t lasts_ns = 0;
    {
        const std::lock_guard lock(mutex_);
        const std::uint64_t n = ++called_;
        lasts_ns = random_.between(1, longest_ns_);
        if (faults_.find(n, {"refuse"})) throw sdk::Failure(JF_E_PEER_LOST, "the shop is not reachable");
        if (faults_.find(n, {"fail"})) return host_.fail(op, sdk::Failure(JF_E_INTERNAL, "the shop is closed"));
        errand = std::make_shared<Errand>(*this, op, faults_.find(n, {"stall", "die", "late", "again", "after", "late_cancel", "empty", "garbage", "giant"}));
        errands_.emplace(op, errand);
    }
    errand->begin(lasts_ns);
    return JF_OK;
}

jf_status Shop::cancel(jf_op op) {
    std::shared_ptr<Errand> errand;
    {
        const std::lock_guard lock(mutex_);
        const auto found = errands_.find(op);
        if (found == errands_.end()) return JF_E_INVALID;
        errand = found->second;
    }
    errand->cancel();
    return JF_OK;
}

void Shop::retire(jf_op op, bool timer_runs) {
    std::shared_ptr<Errand> last;
    const std::lock_guard lock(mutex_);
    const auto found = errands_.find(op);
    if (found == errands_.end()) return;
    last = std::move(found->second);
    errands_.erase(found);
    Errand* const errand = last.get();
    if (timer_runs) retired_.emplace(errand, std::move(last));
}

void Shop::forget(Errand& errand) {
    std::shared_ptr<Errand> last;
    const std::lock_guard lock(mutex_);
    const auto found = retired_.find(&errand);
    if (found == retired_.end()) return;
    last = std::move(found->second);
    retired_.erase(found);
}

}  // namespace jackfield::tools_sim
