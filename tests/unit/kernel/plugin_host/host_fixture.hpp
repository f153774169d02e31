#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <jackfield/sdk/plugin.hpp>

#include "net/network.hpp"
#include "plugin_host/adapters/ports.hpp"
#include "plugin_host/plugin_host.hpp"
#include "runtime/runtime.hpp"

namespace jackfield::plugin_host {

inline std::filesystem::path test_plugins() { return std::filesystem::path(JACKFIELD_BINARY_DIR) / "test_plugins"; }

/// What an op of the kernel's is called back with.
class Recorder final : public OpSink {
  public:
    void on_event(jf_op, const jf_event& event) override {
        const std::lock_guard lock(mutex);
        EXPECT_EQ(done, 0) << "an event after the completion";
        types.push_back(event.type);
        if (const auto* text = event.type == JF_EV_TOKEN ? sdk::data_of<jf_str>(event) : nullptr) words.emplace_back(sdk::view(*text));
    }
    void on_done(jf_op, jf_status result, const jf_event* last, const jf_error* problem) override {
        const std::lock_guard lock(mutex);
        ++done;
        status = result;
        if (problem) error = *problem;
        if (const auto* usage = last && last->type == JF_EV_LLM_USAGE ? sdk::data_of<jf_llm_usage>(*last) : nullptr)
            tokens_out = usage->tokens_out;
        changed.notify_all();
    }
    /// For real time.
    bool wait(std::chrono::seconds limit = std::chrono::seconds(20)) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, limit, [this] { return done > 0; });
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::uint32_t> types;
    std::vector<std::string> words;
    int done = 0;
    jf_status status = 1;
    jf_error error{};
    std::uint64_t tokens_out = 0;
};

/// A PluginHost on some runtime, with the test plugins and the real ones in its search path; keeps what plugins count and log.
class HostUnderTest {
  public:
    explicit HostUnderTest(runtime::Runtime& runtime, TrustPolicy trust = {})
        : network_(net::make_network()), loader_({test_plugins(), std::filesystem::path(JACKFIELD_BINARY_DIR) / "plugins"}, std::move(trust)), host_(runtime, *network_, loader_, hooks()) {}

    PluginHost* operator->() { return &host_; }
    OpTable& ops() { return host_.ops(); }

    std::shared_ptr<Instance> make(const std::string& plugin, Placement placement = Placement::inline_, const std::string& name = "it",
                                   std::vector<std::pair<std::string, std::string>> config = {}) {
        InstanceSpec spec;
        spec.name = name;
        spec.tenant = "demo";
        spec.plugin = plugin;
        spec.placement = placement;
        spec.config_pairs = std::move(config);
        auto made = host_.create(std::move(spec));
        if (!made) throw std::runtime_error(made.error().text());
        return *made;
    }

    /// Asks llm/test_behaviour for something. On the op's shard; answers what start answered.
    jf_status ask(Instance& instance, jf_op op, std::string_view command) {
        jf_message message = sdk::make<jf_message>();
        message.content = sdk::str(command);
        jf_llm_request request = sdk::make<jf_llm_request>();
        request.messages = sdk::array(&message, 1);
        jf_error error = sdk::make<jf_error>();
        const jf_status status = LlmPort(instance).start(op, request, &error);
        // Two shards may ask at the same time.
        const std::lock_guard lock(mutex_);
        last_error = error;
        return status;
    }
    std::uint64_t counted(const std::string& name) {
        const std::lock_guard lock(mutex_);
        const auto found = counted_.find(name);
        return found == counted_.end() ? 0 : found->second;
    }
    std::vector<std::string> logged() {
        const std::lock_guard lock(mutex_);
        return logged_;
    }

    /// The first field of the last log line of this name.
    std::string detail(const std::string& event) {
        const std::lock_guard lock(mutex_);
        return details_[event];
    }

    jf_error last_error{};

  private:
    PluginHostHooks hooks() {
        PluginHostHooks out;
        out.log = [this](const PluginLog& entry) {
            const std::lock_guard lock(mutex_);
            logged_.push_back(entry.event);
            if (!entry.fields.empty()) details_[entry.event] = entry.fields.front().second;
        };
        out.count = [this](const Instance&, std::string_view name, std::uint64_t n) {
            const std::lock_guard lock(mutex_);
            counted_[std::string(name)] += n;
        };
        return out;
    }

    std::mutex mutex_;
    std::map<std::string, std::uint64_t> counted_;
    std::vector<std::string> logged_;
    std::map<std::string, std::string> details_;
    std::unique_ptr<net::Network> network_;
    Loader loader_;
    PluginHost host_;
};

}  // namespace jackfield::plugin_host
