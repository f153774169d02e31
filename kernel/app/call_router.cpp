#include "app/call_router.hpp"

#include "base/id.hpp"

namespace jackfield::app {
namespace {

using plugin_host::Instance;

/// Holds an op that nobody answers until it is gone.
class RefusedLeg final : public plugin_host::OpSink {
  public:
    explicit RefusedLeg(std::shared_ptr<void> keep) : keep_(std::move(keep)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status, const jf_event*, const jf_error*) override { delete this; }

  private:
    std::shared_ptr<void> keep_;
};

std::string text_of(jf_str s) { return std::string(sdk::view(s)); }

}  // namespace

CallRouter::CallRouter(call::CallEnvironment& environment, const tenant::Directory& directory, std::string recordings_dir)
    : env_(environment), directory_(directory), recordings_dir_(std::move(recordings_dir)) {}

CallRouter::~CallRouter() = default;

void CallRouter::listen() {
    env_.plugins.ops().set_incoming_handler(
        [this](Instance& telephony, jf_op leg, const jf_incoming& incoming) { on_incoming(telephony, leg, incoming); });
}

void CallRouter::refuse(Instance& telephony, jf_op leg, std::uint32_t cause, const char* why) {
    env_.metrics.refused.add();
    env_.log.info("call.refused", {{"provider", telephony.name()}, {"why", why}});
    env_.plugins.ops().set_sink(leg, new RefusedLeg(nullptr));
    if (plugin_host::TelephonyPort(telephony).hangup(leg, cause) != JF_OK) env_.plugins.ops().cancel(leg);
}

void CallRouter::on_incoming(Instance& telephony, jf_op leg, const jf_incoming& incoming) {
    std::vector<std::string_view> keys;
    for (std::uint32_t i = 0; i < incoming.keys.n; ++i) keys.push_back(sdk::view(*JF_AT(jf_str, incoming.keys, i)));
    const auto route = directory_.route(telephony, keys);
    if (!route) return refuse(telephony, leg, JF_CAUSE_NOT_FOUND, "nobody answers that number");
    store::CallRow row;
    row.direction = "inbound";
    row.provider = route->provider;
    row.leg = text_of(incoming.leg);
    row.from = text_of(incoming.from);
    row.to = text_of(incoming.to);
    row.started = env_.plugins.runtime().clock().utc_now();
    auto made = make(*route, env_.plugins.ops().shard_of(leg), std::move(row));
    if (!made) return refuse(telephony, leg, JF_CAUSE_UNAVAILABLE, "the tenant's calls are used up");
    (*made)->accept(leg, std::string(sdk::view(incoming.leg_state)));
}

base::Result<std::shared_ptr<call::Call>> CallRouter::make(const tenant::Route& route, runtime::Shard& shard, store::CallRow row) {
    auto& runtime = env_.plugins.runtime();
    row.id = base::make_ulid(runtime.clock().utc_now(), runtime.random());
    row.tenant = route.tenant->id;
    row.agent = route.agent->name;
    call::CallSetup setup;
    setup.row = row;
    setup.agent = *route.agent;
    setup.time_zone = route.tenant->time_zone;
    setup.telemetry = !route.tenant->telemetry.providers.empty();
    setup.telemetry_contents = route.tenant->telemetry.contents;
    setup.telephony = route.telephony;
    setup.stt = route.stt;
    setup.llm = route.llm;
    setup.tts = route.tts;
    setup.tools = route.tools;
    setup.find_agent = [this, tenant = row.tenant, provider = route.provider](const std::string& name) -> std::optional<call::OtherAgent> {
        auto other = directory_.agent(tenant, name, provider);
        if (!other) return std::nullopt;
        return call::OtherAgent{*other->agent, std::move(other->stt), std::move(other->llm), std::move(other->tts), std::move(other->tools)};
    };
    setup.find_provider = [this, tenant = row.tenant](const std::string& name) { return directory_.find(tenant, name); };
    setup.find_music = [this](const std::filesystem::path& file) { return music_.find(file); };
    if (route.agent->recording.enabled) setup.recording_path = recordings_dir_ + "/" + row.tenant + "/" + row.id + ".wav";
    const std::uint32_t limit = route.tenant->limits.concurrent_calls;
    setup.line = take_line(row.tenant, limit);
    if (!setup.line) return base::Error(base::ErrorCode::quota, "tenant '" + row.tenant + "' has " + std::to_string(limit) + " calls, its limit");
    setup.take_line = [this, tenant = row.tenant, limit] { return take_line(tenant, limit); };
    const std::lock_guard lock(mutex_);
    auto made = std::make_shared<call::Call>(env_, shard, std::move(setup), [this](call::Call& call) { gone(call); });
    calls_.emplace(row.id, made);
    return made;
}

base::Result<std::string> CallRouter::place(const std::string& tenant, const std::string& agent, const std::string& provider,
                                            const std::string& to, const std::string& from, base::Milliseconds ring_timeout) {
    if (env_.plugins.draining())
        return base::Error(base::ErrorCode::state, "the host is stopping and takes no new calls");
    const auto route = directory_.agent(tenant, agent, provider);
    if (!route) return route.error();
    store::CallRow row;
    row.direction = "outbound";
    row.provider = route->provider;
    row.from = from;
    row.to = to;
    row.started = env_.plugins.runtime().clock().utc_now();
    auto& runtime = env_.plugins.runtime();
    const unsigned calls_on = std::max(1u, runtime.shard_count() - 1);
    runtime::Shard& shard = runtime.shard(next_shard_++ % calls_on);
    auto made = make(*route, shard, std::move(row));
    if (!made) return made.error();
    std::string id = (*made)->row().id;
    shard.post([call = *made, to, from, ring_timeout] { call->place(to, from, ring_timeout); });
    return id;
}

std::shared_ptr<void> CallRouter::take_line(const std::string& tenant, std::uint32_t limit) {
    std::shared_ptr<std::atomic<std::uint32_t>> used;
    {
        const std::lock_guard lock(mutex_);
        std::shared_ptr<std::atomic<std::uint32_t>>& known = per_tenant_[tenant];
        if (!known) known = std::make_shared<std::atomic<std::uint32_t>>(0);
        if (*known >= limit) return nullptr;
        ++*known;
        used = known;
    }
    return std::shared_ptr<void>(used.get(), [used](void*) { --*used; });
}

bool CallRouter::hang_up(const std::string& id, std::uint32_t cause, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return false;
    found->second->shard().post([call = found->second, cause, reason] { call->hang_up(cause, reason); });
    return true;
}

bool CallRouter::with_call(const std::string& id, std::function<void(call::Call&)> task) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return false;
    found->second->shard().post([call = found->second, task = std::move(task)] { task(*call); });
    return true;
}

void CallRouter::hang_up_all(std::uint32_t cause, const std::string& reason) {
    for (const LiveCall& call : live()) hang_up(call.id, cause, reason);
}

std::vector<LiveCall> CallRouter::live() const {
    const std::lock_guard lock(mutex_);
    std::vector<LiveCall> out;
    for (const auto& [id, call] : calls_) {
        // Only what never changes after the call was made is read here: the rest belongs to its shard.
        const store::CallRow& row = call->setup_row();
        out.push_back({id, row.tenant, row.agent, row.direction, row.from, row.to, row.started});
    }
    return out;
}

std::size_t CallRouter::count() const {
    const std::lock_guard lock(mutex_);
    return calls_.size();
}

void CallRouter::when_idle(std::function<void()> idle) {
    {
        const std::lock_guard lock(mutex_);
        if (!calls_.empty()) {
            idle_ = std::move(idle);
            return;
        }
    }
    idle();
}

void CallRouter::gone(call::Call& call) {
    std::function<void()> idle;
    std::shared_ptr<call::Call> last;
    {
        const std::lock_guard lock(mutex_);
        const auto found = calls_.find(call.row().id);
        last = std::move(found->second);
        calls_.erase(found);
        if (calls_.empty()) idle.swap(idle_);
    }
    last.reset();
    if (idle) idle();
}

}  // namespace jackfield::app
