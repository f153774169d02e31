// What it costs to call a plugin with a guard around (Instance::invoke, inline, media class) beside a bare call through the same
// function pointer. Prints a table and one line for machines; the guard should cost less than 100 ns.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <vector>

#include <jackfield/sdk/plugin.hpp>

#include "net/network.hpp"
#include "plugin_host/adapters/ports.hpp"
#include "plugin_host/plugin_host.hpp"
#include "runtime/runtime.hpp"

namespace {

using namespace jackfield;

constexpr int calls_per_round = 200'000;
constexpr int rounds = 41;

/// Nanoseconds per call of one round.
template <typename Call>
double measure(Call call) {
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < calls_per_round; ++i) call();
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - began;
    return elapsed.count() / calls_per_round;
}

double quantile(std::vector<double> values, double q) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

/// Keeps the compiler from turning the bare call into anything but a call.
template <typename T>
T opaque(T value) {
    asm volatile("" : "+r"(value) : : "memory");
    return value;
}

}  // namespace

// The bare call needs the instance's own pointer, which the host hands to nobody: the plugin is called once more beside the host.
int main() {
    runtime::SimRuntime runtime(1);
    const auto network = net::make_network();
    plugin_host::Loader loader({std::filesystem::path(JACKFIELD_TEST_PLUGINS)}, {});
    plugin_host::PluginHost host(runtime, *network, loader, {});
    plugin_host::InstanceSpec spec;
    spec.name = "null";
    spec.plugin = "stt/test_null";
    auto made = host.create(std::move(spec));
    if (!made) {
        std::fprintf(stderr, "%s\n", made.error().text().c_str());
        return 1;
    }
    plugin_host::Instance& instance = **made;
    const auto* table = instance.table<jf_stt_v1>(JF_STT_V1);
    const plugin_host::SttPort port(instance, table);
    jf_instance* self = nullptr;
    const jf_instance_v1* functions = nullptr;
    jf_error error = sdk::make<jf_error>();
    if (instance.plugin().module->create(&host.module_host(), {}, {}, {}, &self, &functions, &error) != JF_OK) return 1;

    jf_frame frame = sdk::make<jf_frame>();
    frame.samples = 160;
    std::vector<double> bare, guarded;
    std::int64_t answers = 0;
    for (int round = 0; round < rounds; ++round) {
        const auto push = opaque(table->push);
        bare.push_back(measure([&] { answers += push(opaque(self), 1, &frame); }));
        guarded.push_back(measure([&] { answers += port.push(opaque<jf_op>(1), frame); }));
    }
    functions->destroy(self);

    const double bare_ns = quantile(bare, 0.5), guarded_ns = quantile(guarded, 0.5);
    std::printf("%-28s %10s %10s %10s\n", "call (ns)", "p10", "median", "p90");
    std::printf("%-28s %10.2f %10.2f %10.2f\n", "bare function pointer", quantile(bare, 0.1), bare_ns, quantile(bare, 0.9));
    std::printf("%-28s %10.2f %10.2f %10.2f\n", "guarded, inline, media", quantile(guarded, 0.1), guarded_ns, quantile(guarded, 0.9));
    std::printf("bench abi_call bare_ns=%.2f guarded_ns=%.2f guard_ns=%.2f\n", bare_ns, guarded_ns, guarded_ns - bare_ns);
    return answers == 0 ? 0 : 1;
}
