#pragma once

#include "plugin_host/plugin_host.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace jackfield::conformance {

/// Stands between the plugin under test and the host's table: sees every emit, completion, op and log line with the thread that it came from,
/// and can answer AGAIN. The host itself stays as it is.
class Spy {
  public:
    /// What was seen that no plugin may do, by the check's name.
    struct Sighting {
        std::string check;
        std::string what;
    };

    static Spy& get();

    /// From now on instances of `plugin` get watched tables.
    void watch(plugin_host::LoadedPlugin& plugin, std::vector<std::string> secrets);
    /// The module's own table, unwatched.
    const jf_module_v1& module() const { return *module_; }

    /// The plugin's side of an instance; null before it was created.
    jf_instance* self_of(const plugin_host::Instance& instance);
    const jf_instance_v1* functions_of(const plugin_host::Instance& instance);
    /// The host's table as this instance has it.
    const jf_host_v1* table_of(const plugin_host::Instance& instance);

    /// The next `n` emits are not taken.
    void refuse_emits(int n) { refusals_ = n; }
    int emits_to_refuse() const { return refusals_; }

    /// The host has handed `op` to the plugin; `accepted` says whether its start function took it.
    void op_started(jf_op op);
    void op_answered(jf_op op, bool accepted);
    /// From here on late events of it are a race that nobody has to win.
    void op_cancelled(jf_op op);
    /// How often the plugin has completed it.
    int completions_of(jf_op op);

    void saw(std::string check, std::string what);
    std::vector<Sighting> take_sightings();
    std::uint64_t emits() const { return emits_; }
    int ops_opened() const { return ops_opened_; }

  private:
    struct Seen {
        jf_host_v1 table{};
        const jf_host_v1* real = nullptr;
        jf_instance* self = nullptr;
        const jf_instance_v1* functions = nullptr;
    };
    struct SeenOp {
        bool refused = false;
        bool cancelled = false;
        int completions = 0;
    };
    Seen* seen(jf_host_ctx* ctx);
    void look_at_events(const jf_event* events, std::uint32_t n);
    void look_at_completion(jf_op op, bool taken, const jf_event* last, const jf_error* error);
    void look_at_log(jf_str event, jf_array fields);

    static jf_status create(const jf_host_v1*, jf_str, jf_str, jf_array, jf_instance**, const jf_instance_v1**, jf_error*);
    static jf_status emit(jf_host_ctx*, jf_op, const jf_event*, std::uint32_t);
    static jf_status complete(jf_host_ctx*, jf_op, jf_status, const jf_event*, const jf_error*);
    static jf_status op_open(jf_host_ctx*, jf_op, const jf_sink*, jf_op*);
    static void log(jf_host_ctx*, std::uint32_t, jf_op, jf_str, jf_array);

    const jf_module_v1* module_ = nullptr;
    jf_module_v1 watched_{};
    std::vector<std::string> secrets_;
    std::mutex mutex_;
    std::map<jf_host_ctx*, Seen> instances_;
    std::map<jf_op, SeenOp> ops_;
    std::vector<Sighting> sightings_;
    std::set<std::string> told_;
    std::atomic<int> refusals_{0};
    std::atomic<std::uint64_t> emits_{0};
    std::atomic<int> ops_opened_{0};
};

}  // namespace jackfield::conformance
