#pragma once

#include <future>
#include <memory>

#include "app/host.hpp"
#include "tenant/plugin_options.hpp"

namespace jackfield::app {

/// A host with nothing but its storage.
class OfflineStore {
  public:
    /// Whether the kernel's own collections have to fit. Those that wait for a migration do not, and are noted by the attempt.
    enum class Fit { required, tried };

    static base::Result<std::unique_ptr<OfflineStore>> open(const config::HostConfig& config, Fit fit = Fit::required) {
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
        if (!prepared && fit == Fit::required) return prepared.error();
        return out;
    }
    ~OfflineStore() {
        if (calls_)
            wait<bool>([&](auto done) { plugins_->stop(instance_, shard(), base::Milliseconds(2000), [done] { done(true); }); });
        runtime_.stop();
    }

    runtime::Shard& shard() { return runtime_.shard(0); }
    store::CallStore& calls() { return *calls_; }
    store::RecordsClient& records() { return *records_; }

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

}  // namespace jackfield::app
