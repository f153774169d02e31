// `jackfield calls list` and `show`: the stored calls, read without a running host.

#include <future>
#include <iostream>

#include "app/commands.hpp"
#include "app/control_server.hpp"
#include "app/host.hpp"
#include "base/json.hpp"
#include "tenant/plugin_options.hpp"

namespace jackfield::app {
namespace {

/// A host with nothing but its storage.
class OfflineStore {
  public:
    static base::Result<std::unique_ptr<OfflineStore>> open(const config::HostConfig& config) {
        auto out = std::unique_ptr<OfflineStore>(new OfflineStore(config));
        config::HostConfig only_storage = config;
        only_storage.tenants.clear();
        std::erase_if(only_storage.providers, [&](const auto& entry) { return entry.first != config.storage; });
        const auto checked = tenant::check_providers(only_storage, out->loader_);
        if (!checked.problems.empty()) return base::Error(base::ErrorCode::invalid, config::to_text(checked.problems.front()));
        auto instance = out->plugins_->create(checked.storage.spec);
        if (!instance) return instance.error();
        out->instance_ = *instance;
        out->runtime_.start();
        auto started = out->wait<base::Result<>>([&](auto done) { out->plugins_->start(out->instance_, out->shard(), done); });
        if (!started) return started.error();
        out->records_ = std::make_unique<store::RecordsClient>(*out->plugins_, *out->instance_);
        out->calls_ = std::make_unique<store::CallStore>(*out->records_);
        auto prepared = out->wait<base::Result<>>([&](auto done) { out->calls_->prepare(out->shard(), done); });
        if (!prepared) return prepared.error();
        return out;
    }
    ~OfflineStore() {
        if (calls_)
            wait<bool>([&](auto done) { plugins_->stop(instance_, shard(), base::Milliseconds(2000), [done] { done(true); }); });
        runtime_.stop();
    }

    runtime::Shard& shard() { return runtime_.shard(0); }
    store::CallStore& calls() { return *calls_; }

    /// Runs `start` on the shard and waits for what it reports.
    template <typename T, typename Start>
    T wait(Start start) {
        auto promise = std::make_shared<std::promise<T>>();
        auto future = promise->get_future();
        shard().post([start, promise] { start([promise](T value) { promise->set_value(std::move(value)); }); });
        return future.get();
    }

  private:
    explicit OfflineStore(const config::HostConfig& config)
        : loader_(make_loader(config)), runtime_({1, 2, 64}), network_(net::make_network()) {
        plugins_ = std::make_unique<plugin_host::PluginHost>(runtime_, *network_, loader_, plugin_host::PluginHostHooks{});
    }

    plugin_host::Loader loader_;
    runtime::RealRuntime runtime_;
    std::unique_ptr<net::Network> network_;
    std::unique_ptr<plugin_host::PluginHost> plugins_;
    std::shared_ptr<plugin_host::Instance> instance_;
    std::unique_ptr<store::RecordsClient> records_;
    std::unique_ptr<store::CallStore> calls_;
};

void write_call(base::JsonWriter& json, const store::CallRow& call) {
    json.member("id", call.id).member("tenant", call.tenant).member("agent", call.agent).member("direction", call.direction);
    json.member("provider", call.provider).member("from", call.from).member("to", call.to).member("state", call.state);
    json.member("started_us", call.started.us).member("answered_us", call.answered.us).member("ended_us", call.ended.us);
    json.member("cause", call.cause).member("ended_by", call.ended_by).member("reason", call.reason);
    json.member("sip_status", call.sip_status).member("recording", call.recording).member("turns_count", call.turns);
}

std::string seconds_text(std::int64_t from_us, std::int64_t to_us) {
    if (from_us == 0 || to_us == 0) return "-";
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(to_us - from_us) / 1e6);
    return text;
}

void print_turn_line(const store::TurnRow& turn) {
    std::cout << "  " << turn.began_ms / 1000 << "." << (turn.began_ms % 1000) / 100 << " s  "
              << (turn.role == "user" ? "caller: " : "agent:  ") << (turn.text.empty() ? "(" + turn.rule + ")" : turn.text);
    if (turn.interrupted) std::cout << " ...(interrupted)";
    if (turn.reply_ms >= 0) std::cout << "   [" << turn.reply_ms << " ms]";
    std::cout << "\n";
}

using Calls = base::Result<std::vector<store::CallRow>>;
using Turns = base::Result<std::vector<store::TurnRow>>;

int list_live(const CommonOptions& common, const config::HostConfig& config) {
    int code = exit_failed;
    const auto sent = control_request(config.control_socket, R"({"cmd":"calls"})", [&](const std::string& line) {
        code = exit_ok;
        if (common.json) {
            std::cout << line << "\n";
            return false;
        }
        const auto document = base::JsonDocument::parse(line);
        if (!document) return false;
        const base::JsonView calls = document->root()["calls"];
        for (std::size_t i = 0; i < calls.size(); ++i)
            std::cout << calls.at(i)["id"].text_or("") << "  " << calls.at(i)["tenant"].text_or("") << "/" << calls.at(i)["agent"].text_or("")
                      << "  " << calls.at(i)["direction"].text_or("") << "  " << calls.at(i)["from"].text_or("") << "\n";
        return false;
    });
    return sent ? code : fail(sent.error().text());
}

}  // namespace

int run_calls_list(const CommonOptions& common, const ListCommand& command) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    if (command.live) return list_live(common, *config);
    if (!command.tenant.empty() && !config->tenant(command.tenant)) return fail("there is no tenant '" + command.tenant + "'", exit_usage);
    auto store = OfflineStore::open(*config);
    if (!store) return fail(store.error().text());
    base::JsonWriter json;
    json.begin_array();
    for (const config::TenantConfig& tenant : config->tenants) {
        if (!command.tenant.empty() && tenant.id != command.tenant) continue;
        const auto calls = (*store)->wait<Calls>([&](auto done) { (*store)->calls().list((*store)->shard(), tenant.id, command.limit, done); });
        if (!calls) return fail(calls.error().text());
        for (const store::CallRow& call : *calls) {
            if (common.json) {
                json.begin_object();
                write_call(json, call);
                json.end_object();
                continue;
            }
            std::cout << call.id << "  " << utc_text(call.started.us) << "  " << call.tenant << "/" << call.agent << "  "
                      << call.direction << "  " << call.from << " -> " << call.to << "  "
                      << (call.state == "open" ? "open" : call.cause + " by " + call.ended_by) << "  "
                      << seconds_text(call.answered.us, call.ended.us) << "  " << call.turns << " turns\n";
        }
    }
    json.end_array();
    if (common.json) std::cout << json.str() << "\n";
    return exit_ok;
}

int run_calls_show(const CommonOptions& common, const std::string& id) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    auto store = OfflineStore::open(*config);
    if (!store) return fail(store.error().text());
    for (const config::TenantConfig& tenant : config->tenants) {
        const auto shard = [&]() -> runtime::Shard& { return (*store)->shard(); };
        auto found = id == "last" ? (*store)->wait<Calls>([&](auto done) { (*store)->calls().list(shard(), tenant.id, 1, done); })
                                  : (*store)->wait<Calls>([&](auto done) { (*store)->calls().get(shard(), tenant.id, id, done); });
        if (!found) return fail(found.error().text());
        if (found->empty()) continue;
        const store::CallRow& call = found->front();
        const auto turns = (*store)->wait<Turns>([&](auto done) { (*store)->calls().turns(shard(), tenant.id, call.id, done); });
        if (!turns) return fail(turns.error().text());
        if (common.json) {
            base::JsonWriter json;
            json.begin_object();
            write_call(json, call);
            json.key("turns").begin_array();
            for (const store::TurnRow& turn : *turns) {
                json.begin_object().member("number", turn.number).member("role", turn.role).member("text", turn.text);
                json.member("unheard", turn.unheard).member("interrupted", turn.interrupted).member("rule", turn.rule);
                json.member("confidence", turn.confidence).member("began_ms", turn.began_ms).member("ended_ms", turn.ended_ms);
                json.member("reply_ms", turn.reply_ms);
                if (!turn.stages_json.empty()) json.key("stages").raw(turn.stages_json);
                json.end_object();
            }
            json.end_array().end_object();
            std::cout << json.str() << "\n";
            return exit_ok;
        }
        std::cout << "call       " << call.id << "\nagent      " << call.tenant << "/" << call.agent << "\n"
                  << call.direction << "    " << call.from << " -> " << call.to << " (" << call.provider << ")\n"
                  << "started    " << utc_text(call.started.us) << "\nlasted     " << seconds_text(call.answered.us, call.ended.us) << "\n"
                  << "ended      " << (call.state == "open" ? "still open" : call.cause + " by " + call.ended_by)
                  << (call.reason.empty() ? "" : " (" + call.reason + ")") << "\n";
        if (!call.recording.empty()) std::cout << "recording  " << call.recording << "\n";
        for (const store::TurnRow& turn : *turns) print_turn_line(turn);
        return exit_ok;
    }
    return fail("there is no call '" + id + "'; `jackfield calls list` shows those there are");
}

}  // namespace jackfield::app
