#include "app/host.hpp"

#include "app/provider_status.hpp"
#include "call/ended_event.hpp"

#include <filesystem>
#include <iterator>

namespace jackfield::app {
namespace {

constexpr base::Milliseconds stop_budget{3000};
constexpr base::Milliseconds last_words{2000}; ///< after the drain, for BYEs to be answered

observe::LogLevel level_of(std::uint32_t level) {
    switch (level) {
        case JF_LOG_DEBUG: return observe::LogLevel::debug;
        case JF_LOG_INFO: return observe::LogLevel::info;
        case JF_LOG_WARN: return observe::LogLevel::warn;
        default: return observe::LogLevel::error;
    }
}

/// Waits for one leg to be hung up; deletes itself.
class ReapSink final : public plugin_host::OpSink {
  public:
    explicit ReapSink(std::function<void(jf_status)> done) : done_(std::move(done)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<ReapSink> self(this);
        done_(status);
    }

  private:
    std::function<void(jf_status)> done_;
};

}  // namespace

plugin_host::TrustPolicy trust_policy(const config::HostConfig& config) {
    using Mode = plugin_host::TrustPolicy::Mode;
    plugin_host::TrustPolicy trust;
    if (config.trust == config::Trust::listed) trust.mode = Mode::listed;
    if (config.trust == config::Trust::signed_by_operator) trust.mode = Mode::by_signature;
    trust.sha256 = config.trusted;
    // The reader has checked their form; one that is no key all the same opens nothing.
    for (const std::string& text : config.trusted_keys)
        if (const auto key = plugin_host::PublicKey::parse(text)) trust.keys.push_back(*key);
    trust.allow_drafts = config.drafts;
    return trust;
}

plugin_host::Loader make_loader(const config::HostConfig& config) { return {config.plugins, trust_policy(config)}; }

Host::Host(HostParts parts, config::HostConfig config)
    : parts_(std::move(parts)),
      config_(std::move(config)),
      control_(parts_.runtime.shard(parts_.runtime.shard_count() - 1)),
      plugins_(parts_.runtime, parts_.network, parts_.loader, hooks()),
      calendar_(plugins_, [this](const std::string& tenant) {
          const config::TenantConfig* found = config_.tenant(tenant);
          return found ? found->time_zone : std::string();
      }),
      directory_(config_, plugins_, parts_.log),
      services_(plugins_, directory_, control_, parts_.log),
      telemetry_(plugins_, [this](const std::string& tenant) { return telemetry_of(tenant); }, control_, parts_.log, parts_.metrics) {
    const config::PluginLimitsConfig& limits = config_.plugin_limits;
    plugins_.set_limits({limits.stream, limits.control, limits.blocking, limits.start, limits.probe});
    plugins_.set_home_shard(control_.index());
    plugins_.ops().set_call_shards(std::max(1u, parts_.runtime.shard_count() - 1));
    plugins_.set_provider_resolver([this](plugin_host::Instance& consumer, std::string_view name) {
        return directory_.find(consumer.tenant(), name).get();
    });
    for (unsigned i = 0; i < parts_.runtime.shard_count(); ++i)
        media_clocks_.push_back(std::make_unique<call::MediaClock>(parts_.runtime.shard(i)));
    parts_.metrics.read_gauge("jackfield_plugin_host_open_ops", "Operations that have not completed", {},
                              [this] { return static_cast<double>(plugins_.ops().open_ops()); });
    const auto read = [&](const char* name, const char* help, const std::atomic<std::uint64_t>& counter) {
        parts_.metrics.read_gauge(name, help, {}, [&counter] { return static_cast<double>(counter.load()); });
    };
    const plugin_host::OpCounters& counters = plugins_.ops().counters();
    read("jackfield_plugin_host_late_events", "Events that plugins emitted on operations that had ended", counters.late_events);
    read("jackfield_plugin_host_late_completions", "Completions of operations that had completed", counters.late_completions);
    read("jackfield_plugin_host_unknown_events", "Events of types that this host does not know", counters.unknown_events);
    read("jackfield_plugin_host_queue_full", "Events refused since a plugin's queue was full", counters.queue_full);
    read("jackfield_plugin_host_bad_answers", "Events and completions of plugins against their interface's contract", counters.bad_answers);
    read("jackfield_plugin_host_cancel_timeouts", "Operations that a plugin did not complete after cancel", counters.cancel_timeouts);
}

Host::~Host() = default;

plugin_host::PluginHostHooks Host::hooks() {
    plugin_host::PluginHostHooks out;
    out.log = [this, log = parts_.log](const plugin_host::PluginLog& entry) {
        if (!log.wants(level_of(entry.level))) return;
        std::vector<observe::Field> fields;
        plugin_host::OpOwner owner;
        if (entry.op != JF_NO_OP) plugins_.ops().owner_of(entry.op, owner);
        if (entry.instance) fields.emplace_back("provider", entry.instance->name());
        const std::string_view tenant = owner.tenant().empty() && entry.instance ? std::string_view(entry.instance->tenant()) : owner.tenant();
        if (!tenant.empty()) fields.emplace_back("tenant", tenant);
        if (!owner.call().empty()) fields.emplace_back("call_id", owner.call());
        for (const auto& [name, value] : entry.fields) fields.emplace_back(name, value);
        log.write(level_of(entry.level), entry.event, fields.data(), fields.size());
    };
    const auto metric = [](std::string_view name, const char* end) {
        return "jackfield_plugin_" + std::string(name) + end;
    };
    const auto labels = [](const plugin_host::Instance& instance) {
        return observe::Labels{{"provider", instance.name()}, {"tenant", instance.tenant()}};
    };
    out.count = [this, metric, labels](const plugin_host::Instance& instance, std::string_view name, std::uint64_t n) {
        const std::string full = metric(name, "_total");
        if (observe::is_metric_name(full)) parts_.metrics.counter(full, "Counted by a plugin", labels(instance)).add(n);
    };
    out.gauge = [this, metric, labels](const plugin_host::Instance& instance, std::string_view name, double value) {
        const std::string full = metric(name, "");
        if (observe::is_metric_name(full)) parts_.metrics.gauge(full, "Set by a plugin", labels(instance)).set(value);
    };
    return out;
}

call::CallMetrics Host::call_metrics() {
    observe::Metrics& m = parts_.metrics;
    call::CallMetrics out;
    out.active = m.gauge("jackfield_call_active", "Live calls");
    out.started = m.counter("jackfield_call_started_total", "Calls that began");
    out.refused = m.counter("jackfield_call_refused_total", "Incoming calls that nobody answers");
    out.ended = m.counter("jackfield_call_ended_total", "Calls that ended");
    out.chains = call::ChainMetrics::in(m);
    out.packets_dropped = m.counter("jackfield_call_packets_dropped_total", "Audio packets that the carrier's plugin did not take");
    out.stt_dropped = m.counter("jackfield_call_stt_dropped_total", "Audio packets that the recogniser had no room for");
    out.tools.run = m.counter("jackfield_call_tools_total", "Tools that models called");
    out.tools.failed = m.counter("jackfield_call_tools_failed_total", "Tools that failed or got arguments that were no good");
    out.tools.unknown = m.counter("jackfield_call_tools_unknown_total", "Tools of which nobody knows whether they did what was asked");
    out.reply_seconds = m.histogram("jackfield_call_reply_seconds", "Last voiced caller sample to first agent sample sent");
    return out;
}

void Host::start(std::function<void(base::Result<>)> done) {
    control_.post([this, done = std::move(done)] {
        checked_ = tenant::check_providers(config_, parts_.loader);
        if (!checked_.problems.empty()) {
            std::string text;
            for (const config::Problem& problem : checked_.problems) text += (text.empty() ? "" : "\n") + config::to_text(problem);
            return done(base::Error(base::ErrorCode::invalid, text));
        }
        open_storage(checked_, [this, done](base::Result<> opened) {
            if (!opened) return done(opened.error());
            environment_.reset(new call::CallEnvironment{plugins_, *store_, parts_.recordings, parts_.log, call_metrics(),
                                                         [this](const call::CallEvent& event) { publish(event); },
                                                         [this](unsigned shard) -> call::MediaClock& { return *media_clocks_[shard]; }});
            environment_->speech_cache = std::make_shared<call::SpeechCache>();
            environment_->telemetry = [this](call::CallTelemetry call) { telemetry_.add(std::move(call)); };
            for (const config::TenantConfig& tenant : config_.tenants) {
                std::error_code error;
                std::filesystem::create_directories(config_.recordings_dir / tenant.id, error);
                if (error) parts_.log.error("recordings.no_folder", {{"tenant", tenant.id}, {"error", error.message()}});
            }
            router_ = std::make_unique<CallRouter>(*environment_, directory_, config_.recordings_dir.string());
            router_->listen();
            // Before any call can come in: what is open now was left by a crash, what is open later may be live.
            find_left_behind(0, [this, done] {
                directory_.start(control_, checked_, [this, done](base::Result<> started) {
                    if (!started) return done(started.error());
                    register_provider_metrics(parts_.metrics, directory_, parts_.runtime.clock());
                    // A far end that is gone too takes half a minute to be given up: nobody waits for that.
                    reap();
                    services_.start();
                    done(base::Result<>());
                });
            });
        });
    });
}

void Host::open_storage(const tenant::CheckedHost& checked, std::function<void(base::Result<>)> done) {
    auto made = plugins_.create(checked.storage.spec);
    if (!made) return done(made.error());
    storage_ = *made;
    plugins_.start(storage_, control_, [this, done](base::Result<> started) {
        if (!started) return done(started.error());
        plugins_.set_records(storage_.get());
        records_ = std::make_unique<store::RecordsClient>(plugins_, *storage_);
        store_ = std::make_unique<store::CallStore>(*records_);
        store_->prepare(control_, done);
    });
}

void Host::find_left_behind(std::size_t tenant, std::function<void()> done) {
    if (tenant == config_.tenants.size()) return done();
    store_->list_open(control_, config_.tenants[tenant].id, [this, tenant, done](base::Result<std::vector<store::CallRow>> open) {
        if (!open) parts_.log.error("reap.failed", {{"tenant", config_.tenants[tenant].id}, {"error", open.error().text()}});
        else std::move(open->begin(), open->end(), std::back_inserter(left_behind_));
        store_->tool_calls().mark_unknown(control_, config_.tenants[tenant].id, [this, tenant, done](base::Result<std::uint64_t> marked) {
            const std::string& id = config_.tenants[tenant].id;
            if (!marked) parts_.log.error("tools.not_marked", {{"tenant", id}, {"error", marked.error().text()}});
            else if (*marked > 0) parts_.log.error("tools.outcome_unknown", {{"tenant", id}, {"tool_calls", *marked}});
            find_left_behind(tenant + 1, done);
        });
    });
}

/// The far legs of calls that a crash left open are hung up, then the calls get their cause.
void Host::reap() {
    const std::vector<store::CallRow> calls = std::exchange(left_behind_, {});
    for (const store::CallRow& call : calls) reap_call(call);
}

void Host::reap_call(const store::CallRow& call) {
    ++reaping_;
    const auto close = [this, call](jf_status status) {
        store::CallRow closed = call;
        closed.ended = parts_.runtime.clock().utc_now();
        closed.cause = "host_lost";
        closed.ended_by = "host";
        closed.reason = status == JF_OK ? "far_leg_hung_up" : "far_leg_unknown";
        store_->close(control_, closed, [this, call, closed, status](base::Result<> stored) {
            if (!stored) parts_.log.error("call.not_closed", {{"call_id", call.id}, {"error", stored.error().text()}});
            parts_.log.warn("call.reaped", {{"call_id", call.id}, {"tenant", call.tenant}, {"far_leg_hung_up", status == JF_OK}});
            tell_of_reaped(closed);
        });
    };
    const auto telephony = directory_.find(call.tenant, call.provider);
    const plugin_host::TelephonyPort port = telephony ? plugin_host::TelephonyPort(*telephony) : plugin_host::TelephonyPort();
    if (!port || !port.can_reap() || call.leg_state.empty()) return close(JF_E_UNSUPPORTED);
    const jf_op op = plugins_.ops().open(control_, new ReapSink(close), telephony.get());
    jf_error error = sdk::make<jf_error>();
    const jf_status status = port.reap(op, sdk::bytes(call.leg_state), &error);
    if (status != JF_OK) plugins_.ops().complete(*telephony, op, status, nullptr, &error);
}

/// Whoever keeps a book of calls hears of those, too, whose end nobody saw. A transfer's second leg is no call of its own.
void Host::tell_of_reaped(const store::CallRow& call) {
    if (!call.parent.empty()) return reap_over();
    store_->turns(control_, call.tenant, call.id, [this, call](base::Result<std::vector<store::TurnRow>> turns) {
        store::CallRow row = call;
        std::vector<call::TranscriptLine> transcript;
        if (turns)
            for (const store::TurnRow& turn : *turns) transcript.push_back({turn.role == "user", turn.text});
        row.turns = static_cast<std::int64_t>(transcript.size());
        publish({"call.ended", row.tenant, row.id, call::ended_event(row, row.agent, transcript, parts_.runtime.clock().utc_now().us)});
        reap_over();
    });
}

void Host::reap_over() {
    if (--reaping_ == 0 && when_reaped_) std::exchange(when_reaped_, nullptr)();
}

void Host::stop(base::Milliseconds drain, std::function<void()> done) {
    plugins_.set_draining(true);
    control_.post([this, drain, done = std::move(done)] {
        if (stopping_) return;
        stopping_ = true;
        if (!router_) return finish_stop(done);
        parts_.log.info("host.draining", {{"calls", router_->count()}, {"seconds", drain.count() / 1000}});
        auto once = std::make_shared<bool>(false);
        const auto proceed = [this, once, done] {
            control_.post([this, once, done] {
                if (std::exchange(*once, true)) return;
                finish_stop(done);
            });
        };
        router_->when_idle(proceed);
        control_.start_timer(control_.now() + drain, [this, once, proceed] {
            if (*once) return;
            parts_.log.warn("host.drain_over", {{"calls", router_->count()}});
            router_->hang_up_all(JF_CAUSE_NORMAL, "host_stopped");
            control_.start_timer(control_.now() + last_words, proceed);
        });
    });
}

void Host::finish_stop(std::function<void()> done) {
    services_.stop();
    // What the last calls left goes out while its providers are there.
    telemetry_.stop(base::Milliseconds(1000), [this, done] {
        directory_.stop(control_, stop_budget, [this, done] {
            // A farewell that the stop cut short has still to be stored.
            const auto last = [this, done] {
                if (!storage_) return done();
                plugins_.stop(storage_, control_, stop_budget, done);
            };
            if (reaping_ == 0) return last();
            when_reaped_ = last;
        });
    });
}

std::vector<TelemetryExporter::Target> Host::telemetry_of(const std::string& tenant) const {
    std::vector<TelemetryExporter::Target> out;
    for (const config::TenantConfig& candidate : config_.tenants) {
        if (candidate.id != tenant) continue;
        for (const config::ProviderName& name : candidate.telemetry.providers)
            if (auto instance = directory_.find(tenant, name.text())) out.push_back({std::move(instance), candidate.telemetry.environment});
    }
    return out;
}

void Host::publish(const call::CallEvent& event) {
    services_.publish(event);
    std::shared_ptr<const std::map<std::uint64_t, Listener>> listeners;
    {
        const std::lock_guard lock(listeners_mutex_);
        listeners = listeners_;
    }
    for (const auto& [number, listener] : *listeners) listener(event);
}

std::uint64_t Host::subscribe(Listener listener) {
    const std::lock_guard lock(listeners_mutex_);
    auto changed = std::make_shared<std::map<std::uint64_t, Listener>>(*listeners_);
    changed->emplace(next_listener_, std::move(listener));
    listeners_ = std::move(changed);
    return next_listener_++;
}

void Host::unsubscribe(std::uint64_t subscription) {
    const std::lock_guard lock(listeners_mutex_);
    auto changed = std::make_shared<std::map<std::uint64_t, Listener>>(*listeners_);
    changed->erase(subscription);
    listeners_ = std::move(changed);
}

}  // namespace jackfield::app
