#include "conformance/kit/bench.hpp"

#include <algorithm>
#include <cfenv>
#include <ctime>
#include <filesystem>
#include <future>

#include <fmt/format.h>
#include <sys/resource.h>

#include "net/network.hpp"
#include "plugin_host/marshal.hpp"

namespace jackfield::conformance {
namespace {

namespace fs = std::filesystem;

/// A call may block the calling thread no longer; the header's budget is 2 ms, and the rest is what a busy machine adds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr milliseconds cpu_limit{200}, blocked_limit{500};
#elif defined(JACKFIELD_INSTRUMENTED)
constexpr milliseconds cpu_limit{200}, blocked_limit{50};
#else
constexpr milliseconds cpu_limit{20}, blocked_limit{50};
#endif
milliseconds call_limit() { return patience * 4 / 5; }

std::chrono::nanoseconds thread_cpu() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

long voluntary_switches() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

runtime::RuntimeOptions two_shards() {
    runtime::RuntimeOptions options;
    options.shards = 2;  // ops of one instance run at the same time
    return options;
}

/// Each thread has its own rounding: it is looked at where a call was made.
class RoundingWatch {
  public:
    ~RoundingWatch() {
        if (std::fegetround() == before_) return;
        std::fesetround(before_);
        Spy::get().saw("process.rounding", "a call changed how floating point rounds");
    }

  private:
    int before_ = std::fegetround();
};

/// What the host itself noticed about a plugin.
void look_at_host_log(const plugin_host::PluginLog& entry) {
    if (entry.event == "plugin.cancel_timeout")
        Spy::get().saw("module.completes_after_cancel", "an op was not completed within 1000 ms of its cancel");
    if (entry.event == "plugin.not_idle") Spy::get().saw("module.stops_in_time", "work of it was still under way after quiesce and abandonment");
}

}  // namespace

Heard::Heard(const jf_event& from) : event(from) {
    const plugin_host::Layout* const layout = plugin_host::layout_of_event(from.type);
    if (!layout || !from.data) {
        event.data = nullptr;
        event.data_size = 0;
        return;
    }
    plugin_host::pack(*layout, from.data, from.data_size, store);
    plugin_host::unpack(*layout, store.data());
    event.data = store.data();
    event.data_size = layout->size;
}

std::string said(const jf_error& error) {
    const std::size_t length = strnlen(error.text, sizeof error.text);
    if (length == sizeof error.text) Spy::get().saw("module.ends_texts", "it filled the text of an error without ending it");
    return base::to_valid_utf8(std::string(error.text, length));
}

int OpRecord::count(std::uint32_t type) const {
    int n = 0;
    for (const Heard& heard : events) n += heard.type() == type;
    return n;
}

void OpRecord::on_event(jf_op, const jf_event& event) {
    const std::lock_guard lock(bench_.mutex_);
    events.emplace_back(event);
    bench_.changed_.notify_all();
}

void OpRecord::on_done(jf_op, jf_status result, const jf_event* with, const jf_error* problem) {
    const std::lock_guard lock(bench_.mutex_);
    ++completions;
    status = result;
    if (with) last.emplace(*with);
    if (problem) error = problem->text;
    bench_.changed_.notify_all();
}

Rig::Rig(Target target) : target_(std::move(target)), runtime_(two_shards()), network_(net::make_network()) {
    const fs::path place = fs::current_path() / "plugins" / (target_.id() + ".so");
    fs::create_directories(place.parent_path());
    std::error_code ignored;
    fs::create_symlink(target_.file, place, ignored);  // the process before may have made it
    plugin_host::TrustPolicy trust;
    trust.allow_drafts = true;
    loader_ = std::make_unique<plugin_host::Loader>(std::vector<fs::path>{fs::current_path() / "plugins", target_.plugins}, trust);
    plugin_host::PluginHostHooks hooks;
    hooks.log = look_at_host_log;
    hooks.count = [](const plugin_host::Instance&, std::string_view, std::uint64_t) {};
    hooks.gauge = [](const plugin_host::Instance&, std::string_view, double) {};
    host_ = std::make_unique<plugin_host::PluginHost>(runtime_, *network_, *loader_, std::move(hooks));
    // Nobody answers the calls that come in by themselves: they are refused as by a host that is full.
    host_->ops().set_incoming_handler([this](plugin_host::Instance& instance, jf_op op, const jf_incoming& call) {
        const std::lock_guard lock(incoming_mutex_);
        if (incoming_) incoming_(instance, op, call);
        else host_->ops().cancel(op);
    });
    runtime_.start();
}

void Rig::set_incoming(plugin_host::OpTable::IncomingHandler handler) {
    const std::lock_guard lock(incoming_mutex_);
    incoming_ = std::move(handler);
}

std::shared_ptr<plugin_host::LoadedPlugin> Rig::load() {
    auto loaded = loader_->load(target_.id(), host_->module_host());
    if (!loaded) fail(loaded.error().text());
    Spy::get().watch(**loaded, target_.secrets);
    return *loaded;
}

void Rig::provide_records() {
    const auto& needs = target_.facts.descriptor.needs;
    const bool wanted = std::find(needs.begin(), needs.end(), JF_FACILITY_RECORDS) != needs.end();
    if (records_ || !wanted) return;
    plugin_host::InstanceSpec spec;
    spec.name = "store";
    spec.plugin = "storage/sqlite";
    spec.config_pairs = {{"path", (fs::current_path() / "records.db").string()}};
    spec.config_json = R"({"path":"records.db"})";
    auto made = host_->create(std::move(spec));
    if (!made) fail("it keeps records, and the store to try it with is missing (--plugins names its folder): " + made.error().text());
    std::promise<std::string> started;
    host_->start(*made, runtime_.shard(0), [&](base::Result<> result) { started.set_value(result ? "" : result.error().text()); });
    if (const std::string problem = started.get_future().get(); !problem.empty()) fail("storage/sqlite did not start: " + problem);
    records_ = *made;
    host_->set_records(records_.get());
}

Bench::Bench(Rig& rig) : rig_(rig) {}

void Bench::notice() {
    for (const auto& instance : instances_)
        if (instance->counters().exceptions) spy().saw("module.throws_nothing", "an exception left the plugin through a C function");
}

void Bench::take_calls() {
    rig_.set_incoming([this](Instance& instance, jf_op op, const jf_incoming& call) { keep_call(instance, op, call); });
}

/// On the op's shard, before anything else of it is delivered.
void Bench::keep_call(Instance& instance, jf_op op, const jf_incoming& call) {
    const std::lock_guard lock(mutex_);
    OpRecord& record = *call_records_.emplace_back(new OpRecord(*this));
    record.op = op;
    record.shard = plugin_host::OpTable::shard_index(op);
    record.instance_ = &instance;
    record.begun_ = true;
    ops().set_sink(op, &record);
    Call& kept = calls_.emplace_back();
    kept.record = &record;
    kept.leg = view(call.leg);
    kept.from = view(call.from);
    kept.to = view(call.to);
    for (std::uint32_t i = 0; i < call.keys.n; ++i) kept.keys.emplace_back(view(*JF_AT(jf_str, call.keys, i)));
    kept.leg_state = call.leg_state.len;
    changed_.notify_all();
}

Bench::Call Bench::next_call(milliseconds limit) {
    if (!wait([&] { return !calls_.empty(); }, limit)) fail(fmt::format("it reported no call within {} ms", limit.count()));
    return locked([&] {
        const Call call = std::move(calls_.front());
        calls_.pop_front();
        return call;
    });
}

void Bench::finish() {
    rig_.set_incoming({});
    for (auto& record : call_records_) records_.push_back(std::move(record));
    call_records_.clear();
    // What a check leaves open is given up, then the instances go, as when a host shuts down.
    for (const auto& record : records_) {
        if (locked([&] { return record->done(); })) continue;
        // The plugin does not know of those that no start function was called for.
        if (record->begun_) cancel(*record);
        else ops().complete(*record->instance_, record->op, JF_OK, nullptr, nullptr);
    }
    wait([&] {
        for (const auto& record : records_)
            if (record->op != JF_NO_OP && !record->done()) return false;
        return true;
    }, milliseconds(2500));
    while (!instances_.empty()) {
        const auto instance = instances_.back();
        try {
            stop(instance);
        } catch (const Failed& failed) {
            spy().saw("module.stops_in_time", failed.why);
        }
    }
    for (const auto& record : records_) {
        if (locked([&] { return record->done(); })) continue;
        on_shard(record->shard, [&] { ops().detach(record->op); });
    }
}

const jf_module_v1& Bench::module() {
    rig_.load();
    return spy().module();
}

std::shared_ptr<plugin_host::Instance> Bench::create(Placement placement) {
    rig_.load();
    rig_.provide_records();
    plugin_host::InstanceSpec spec;
    spec.name = fmt::format("verify/{}", ++made_);
    spec.tenant = "verify";
    spec.plugin = target().id();
    spec.placement = placement;
    spec.config_json = target().config_json;
    spec.config_pairs = target().config_pairs;
    auto made = host().create(std::move(spec));
    if (!made) fail("create refused: " + made.error().text());
    instances_.push_back(*made);
    return *made;
}

std::shared_ptr<plugin_host::Instance> Bench::start(Placement placement) {
    auto instance = create(placement);
    start(instance);
    return instance;
}

void Bench::start(const std::shared_ptr<Instance>& instance) {
    OpRecord& record = open(*instance);
    const jf_status status = begin_blocking(record, *instance, "start", [&] {
        jf_error error = make<jf_error>();
        const jf_status answer = spy().functions_of(*instance)->start(spy().self_of(*instance), record.op, &error);
        if (answer != JF_OK) record.error = said(error);
        return answer;
    });
    if (status != JF_OK) fail(fmt::format("start answered {}: {}", status_name(status), record.error));
    expect_done(record, "start");
    if (record.status != JF_OK) fail(fmt::format("start completed with {}: {}", status_name(record.status), record.error));
}

void Bench::stop(std::shared_ptr<Instance> instance, milliseconds budget) {
    std::erase(instances_, instance);
    const auto stopped = std::make_shared<std::promise<void>>();
    const auto began = std::chrono::steady_clock::now();
    const std::uint64_t exceptions = instance->counters().exceptions;
    host().stop(instance, runtime().shard(0), budget, [stopped] { stopped->set_value(); });
    const bool in_time = stopped->get_future().wait_for(budget + milliseconds(6000)) == std::future_status::ready;
    const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    if (exceptions || instance->counters().exceptions)
        spy().saw("module.throws_nothing", "an exception left the plugin through a C function");
    if (!in_time) fail("it did not stop: quiesce, its ops or destroy never ended");
    if (took >= budget) fail(fmt::format("stopping took {} ms with a budget of {}: quiesce did not complete, or it left ops of its own open", took.count(), budget.count()));
}

void Bench::on_shard(unsigned shard, const std::function<void()>& body) {
    const auto ran = std::make_shared<std::promise<void>>();
    runtime().shard(shard).post([ran, body] {
        try {
            body();
            ran->set_value();
        } catch (...) {
            ran->set_exception(std::current_exception());
        }
    });
    auto future = ran->get_future();
    if (future.wait_for(call_limit()) != std::future_status::ready) fail(fmt::format("a call into the plugin has not returned for {} ms", call_limit().count()));
    future.get();
}

void Bench::measured(const char* what, const std::function<void()>& body) {
    const auto cpu_before = thread_cpu();
    const long switches_before = voluntary_switches();
    const auto before = std::chrono::steady_clock::now();
    {
        const RoundingWatch rounding;
        body();
    }
    const auto wall = std::chrono::steady_clock::now() - before;
    const auto cpu = thread_cpu() - cpu_before;
    const bool blocked = voluntary_switches() != switches_before;
    if (cpu > cpu_limit || (blocked && wall > blocked_limit))
        spy().saw("module.keeps_budgets",
                  fmt::format("{} took {} ms on the call's thread{}; a stream call has 2 ms", what,
                              std::chrono::duration_cast<milliseconds>(blocked ? wall : cpu).count(), blocked ? ", waiting" : " of CPU"));
}

jf_status Bench::call(const OpRecord& record, const char* what, const std::function<jf_status()>& body) {
    jf_status status = JF_E_INTERNAL;
    on_shard(record.shard, [&] { measured(what, [&] { status = body(); }); });
    return status;
}

jf_status Bench::begin(OpRecord& record, Instance& instance, const char* what, const std::function<jf_status()>& body) {
    record.begun_ = true;
    const jf_status status = call(record, what, body);
    spy().op_answered(record.op, status == JF_OK);
    if (status != JF_OK) ops().complete(instance, record.op, status, nullptr, nullptr);
    return status;
}

jf_status Bench::begin_blocking(OpRecord& record, Instance& instance, const char* what, const std::function<jf_status()>& body) {
    record.begun_ = true;
    const auto answered = std::make_shared<std::promise<jf_status>>();
    if (!runtime().control_pool().submit([answered, body, &instance] {
            try {
                const plugin_host::CallGuard guard(instance, plugin_host::ThreadClass::control);
                const RoundingWatch rounding;
                answered->set_value(body());
            } catch (...) {
                Spy::get().saw("module.throws_nothing", "an exception left the plugin through a C function");
                answered->set_value(JF_E_INTERNAL);
            }
        }))
        fail("the kit's own pool is full");
    auto future = answered->get_future();
    if (future.wait_for(call_limit()) != std::future_status::ready) fail(fmt::format("{} has not returned for {} ms", what, call_limit().count()));
    const jf_status status = future.get();
    spy().op_answered(record.op, status == JF_OK);
    if (status != JF_OK) ops().complete(instance, record.op, status, nullptr, nullptr);
    return status;
}

OpRecord& Bench::open(Instance& instance, unsigned shard) {
    OpRecord& record = *records_.emplace_back(new OpRecord(*this));
    record.shard = shard;
    record.instance_ = &instance;
    on_shard(shard, [&] {
        record.op = ops().open(runtime().shard(shard), &record, &instance);
        spy().op_started(record.op);
    });
    require(record.op != JF_NO_OP, "the kit has no op left");
    return record;
}

void Bench::cancel(const OpRecord& record) {
    spy().op_cancelled(record.op);
    on_shard(record.shard, [&] { measured("cancel", [&] { ops().cancel(record.op); }); });
}

jf_status Bench::plugin_cancel(Instance& instance, jf_op op) {
    jf_status status = JF_E_INTERNAL;
    const unsigned shard = ops().knows_shard(op) ? plugin_host::OpTable::shard_index(op) : 0;
    spy().op_cancelled(op);
    on_shard(shard, [&] { measured("cancel", [&] { status = instance.invoke(plugin_host::ThreadClass::stream, false, spy().functions_of(instance)->cancel, op); }); });
    return status;
}

bool Bench::wait(const std::function<bool()>& ready, milliseconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, ready);
}

void Bench::expect_done(const OpRecord& record, std::string_view of, milliseconds limit) {
    if (!wait([&] { return record.done(); }, limit)) fail(fmt::format("{} did not complete within {} ms", of, limit.count()));
}

void Bench::expect_quiet(const std::function<bool()>& happened, std::string_view otherwise) {
    if (wait(happened, a_while)) fail(std::string(otherwise));
}

}  // namespace jackfield::conformance
