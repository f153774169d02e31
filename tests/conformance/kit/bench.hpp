#pragma once

#include "conformance/kit/check.hpp"
#include "conformance/kit/spy.hpp"
#include "conformance/kit/target.hpp"
#include "plugin_host/adapters/ports.hpp"
#include "plugin_host/plugin_host.hpp"
#include "runtime/runtime.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace jackfield::conformance {

using std::chrono::milliseconds;

/// How long a check waits for what must come (--patience). Long, since the machine may be busy; what must not come is waited for much shorter.
inline milliseconds patience{10'000};
inline constexpr milliseconds a_while{60};

/// An event that outlives its callback.
struct Heard {
    jf_event event{};
    std::vector<std::byte> store;

    Heard() = default;
    explicit Heard(const jf_event& from);
    std::uint32_t type() const { return event.type; }
    /// The data, null when it is no T.
    template <typename T>
    const T* as() const {
        return event.data && event.data_size >= sizeof(T) ? static_cast<const T*>(event.data) : nullptr;
    }
};

/// One op as the host sees it. Read it under Bench's lock (inside wait) or when it is over.
class OpRecord final : public plugin_host::OpSink {
  public:
    jf_op op = JF_NO_OP;
    unsigned shard = 0;
    std::deque<Heard> events;
    int completions = 0;
    jf_status status = 1;
    std::optional<Heard> last;
    std::string error;

    int count(std::uint32_t type) const;
    bool done() const { return completions > 0; }

    void on_event(jf_op op, const jf_event& event) override;
    void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) override;

  private:
    friend class Bench;
    explicit OpRecord(Bench& bench) : bench_(bench) {}
    Bench& bench_;
    plugin_host::Instance* instance_ = nullptr;
    bool begun_ = false;
};

/// The host of a whole child process: real runtime, real PluginHost, the plugin under test mapped once.
class Rig {
  public:
    explicit Rig(Target target);

    const Target& target() const { return target_; }
    plugin_host::PluginHost& host() { return *host_; }
    runtime::RealRuntime& runtime() { return runtime_; }
    plugin_host::Loader& loader() { return *loader_; }
    /// Maps the plugin under test and puts the spy before it.
    std::shared_ptr<plugin_host::LoadedPlugin> load();
    /// Who is told of the calls that come in, on their op's shard; none: they are refused as by a host that is full.
    void set_incoming(plugin_host::OpTable::IncomingHandler handler);
    /// What a service keeps its records in: storage/sqlite of the plugin folder, on a file of its own.
    void provide_records();

  private:
    Target target_;
    runtime::RealRuntime runtime_;
    std::unique_ptr<net::Network> network_;
    std::unique_ptr<plugin_host::Loader> loader_;
    std::unique_ptr<plugin_host::PluginHost> host_;
    std::shared_ptr<plugin_host::Instance> records_;
    std::mutex incoming_mutex_;
    plugin_host::OpTable::IncomingHandler incoming_;
};

/// One check's work on the rig: its instances and ops.
class Bench {
  public:
    explicit Bench(Rig& rig);
    Bench(const Bench&) = delete;
    /// Gives up what is left and stops the instances. Not the destructor's: a bench whose check has failed is left where it stands, and its
    /// process ends.
    void finish();
    /// Exceptions that the host has caught so far: also of a check that has failed.
    void notice();

    using Instance = plugin_host::Instance;
    using Placement = plugin_host::Placement;

    const Target& target() const { return changed_target_ ? *changed_target_ : rig_.target(); }
    /// From here on instances are made with this value of an option.
    void set_option(std::string option, std::int64_t value) { changed_target_ = target().with(std::move(option), value); }
    plugin_host::PluginHost& host() { return rig_.host(); }
    plugin_host::OpTable& ops() { return rig_.host().ops(); }
    runtime::RealRuntime& runtime() { return rig_.runtime(); }
    Spy& spy() { return Spy::get(); }
    /// The plugin's own table, before any instance.
    const jf_module_v1& module();

    /// Creates an instance; fails with what the plugin said.
    std::shared_ptr<Instance> create(Placement placement = Placement::inline_);
    /// Creates and starts one.
    std::shared_ptr<Instance> start(Placement placement = Placement::inline_);
    /// Starts what was made.
    void start(const std::shared_ptr<Instance>& instance);
    /// Quiesces and destroys; fails when the plugin needs more than its budget, or leaves ops open.
    void stop(std::shared_ptr<Instance> instance, milliseconds budget = milliseconds(3000));

    /// Runs `body` on a shard and returns when it has returned. Fails when it does not.
    void on_shard(unsigned shard, const std::function<void()>& body);
    /// A call into the plugin on the op's strand, measured.
    jf_status call(const OpRecord& record, const char* what, const std::function<jf_status()>& body);
    /// As call, for functions that start an op: what they refuse is ended by the host.
    jf_status begin(OpRecord& record, Instance& instance, const char* what, const std::function<jf_status()>& body);
    /// The same on a pool thread, for members of class blocking or control.
    jf_status begin_blocking(OpRecord& record, Instance& instance, const char* what, const std::function<jf_status()>& body);

    /// An op that the instance carries out, not yet started.
    OpRecord& open(Instance& instance, unsigned shard = 0);
    /// A leg that a carrier reported through jf.host.calls/1, and what it said of it.
    struct Call {
        OpRecord* record = nullptr;
        std::string leg, from, to;
        std::vector<std::string> keys;
        std::size_t leg_state = 0;
    };
    /// From here on the calls that come in are not refused; next_call() fails when none comes.
    void take_calls();
    Call next_call(milliseconds limit = patience);
    /// The host's own cancel, with its second of grace.
    void cancel(const OpRecord& record);
    /// The plugin's cancel function, directly.
    jf_status plugin_cancel(Instance& instance, jf_op op);

    /// Waits until `ready` holds, looking after every event and completion.
    bool wait(const std::function<bool()>& ready, milliseconds limit = patience);
    /// Waits for the completion; fails when it does not come or when it comes twice.
    void expect_done(const OpRecord& record, std::string_view of, milliseconds limit = patience);
    /// Waits a little, and fails when `happened` holds.
    void expect_quiet(const std::function<bool()>& happened, std::string_view otherwise);
    /// Runs `body` while no event is delivered.
    template <typename Body>
    auto locked(Body&& body) {
        const std::lock_guard lock(mutex_);
        return body();
    }

  private:
    friend class OpRecord;
    void measured(const char* what, const std::function<void()>& body);
    void keep_call(Instance& instance, jf_op op, const jf_incoming& call);

    Rig& rig_;
    std::recursive_mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::unique_ptr<OpRecord>> records_;
    std::deque<Call> calls_;  ///< under the mutex, as is what they came with
    std::deque<std::unique_ptr<OpRecord>> call_records_;
    std::optional<Target> changed_target_;
    std::vector<std::shared_ptr<Instance>> instances_;
    int made_ = 0;
};

/// The text that a plugin put into an error, as far as it ends within its room.
std::string said(const jf_error& error);

using sdk::make;
using sdk::str;
using sdk::view;

}  // namespace jackfield::conformance
