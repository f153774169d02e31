#pragma once

#include <jackfield/jackfield.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/unique_function.hpp"
#include "plugin_host/call_guard.hpp"
#include "plugin_host/loader.hpp"
#include "plugin_host/marshal.hpp"
#include "plugin_host/op_table.hpp"
#include "plugin_host/overruns.hpp"
#include "resilience/provider_health.hpp"

namespace jackfield::plugin_host {

class PluginHost;

/// Where an instance's code runs. `inline_`: on the shard of the op, no hop. `thread`: on a thread of its own behind a bounded mailbox,
/// so that a hang loses that thread and nothing else.
enum class Placement { inline_, thread };

struct InstanceSpec {
    std::string name;   ///< "trunk", "demo/voice": how logs and metrics call it
    std::string tenant; ///< empty: host-scoped
    std::string plugin; ///< id, "stt/acme"
    Placement placement = Placement::inline_;
    std::string config_json = "{}";
    std::vector<std::pair<std::string, std::string>> config_pairs;
};

struct InstanceCounters {
    std::atomic<std::uint64_t> overruns{0};          ///< calls over their budget, the plugin's own doing
    std::atomic<std::uint64_t> preempted{0};         ///< over budget because the thread was preempted
    std::atomic<std::uint64_t> exceptions{0};        ///< thrown through the boundary and caught
    std::atomic<std::uint64_t> violations{0};        ///< protocol violations, e.g. no completion after cancel
    std::atomic<std::uint64_t> mailbox_full{0};      ///< calls dropped because the plugin's thread was behind
};

/// A configured plugin. Made by PluginHost; the plugin's part is destroyed when it was quiesced and its last op has closed. The host's part stays
/// for ever, a few kilobytes, since a plugin may call with its context when it should not any more.
class Instance {
  public:
    static constexpr std::size_t mailbox_bytes = 256 * 1024;
    /// That one instance may have open at a time; one that forgets to close them meets QUOTA before the host meets its end.
    static constexpr std::uint64_t most_open_ops = 100'000;

    Instance(const Instance&) = delete;

    const InstanceSpec& spec() const { return spec_; }
    const std::string& name() const { return spec_.name; }
    const std::string& tenant() const { return spec_.tenant; }
    const LoadedPlugin& plugin() const { return *plugin_; }
    PluginHost& host() const { return host_; }
    unsigned home_shard() const { return home_shard_; }
    const InstanceCounters& counters() const { return counters_; }
    InstanceCounters& counters() { return counters_; }
    /// Collections that this instance declared through jf.host.records/1.
    void allow_collection(std::uint32_t handle);
    bool may_use_collection(std::uint32_t handle) const;
    /// Spaces that this instance made sure of in a provider of jf.vectors/1. Handles of two providers may be equal.
    void allow_space(const Instance* provider, std::uint32_t handle);
    bool may_use_space(const Instance* provider, std::uint32_t handle) const;
    /// Shared by all calls, and by all instances that are the same provider: what one learned of a sick one, the next one knows.
    resilience::ProviderHealth& health() const { return *health_; }
    const std::shared_ptr<resilience::ProviderHealth>& shared_health() const { return health_; }
    resilience::CircuitBreaker& breaker() const { return health_->breaker(); }
    /// Taken out of service: it hangs somewhere, or did not end. A probe may bring it back.
    bool lost() const { return state_.load(std::memory_order_relaxed) == State::lost; }
    /// Its thread takes longer over what it is told than it is told things.
    bool is_behind() const { return spec_.placement == Placement::thread && inbox_.overflows(); }
    /// It has come up, and served at least for a while.
    bool started() const { return started_.load(std::memory_order_relaxed); }
    /// False also while a probe is under way.
    bool serving() const { return state_.load(std::memory_order_relaxed) == State::serving; }
    /// The plugin's part is gone. Whoever calls with the context now is answered STATE.
    bool retired() const { return retired_.load(std::memory_order_acquire); }

    static Instance& from(jf_host_ctx* ctx) { return *reinterpret_cast<Instance*>(ctx); }

    /// The plugin's table of an interface, null when it has none.
    template <typename Table>
    const Table* table(std::string_view interface_id) {
        return static_cast<const Table*>(query(interface_id));
    }
    const void* query(std::string_view interface_id);

    /// Runs `body`, which calls a function of class `scan`, on the calling thread.
    template <typename Body>
    jf_status scan(Body&& body) noexcept {
        return contained(ThreadClass::scan, JF_NO_OP, std::forward<Body>(body));
    }
    /// Calls `function(self, op, args...)`. With inline placement it is a guarded call; else the arguments travel through the mailbox, the answer is
    /// OK when they fitted, and a refusal of the plugin's becomes the op's completion if `starts`. A null function is UNSUPPORTED.
    template <typename Function, typename... Args>
    jf_status invoke(ThreadClass thread_class, bool starts, Function function, jf_op op, Args... args);

    // What OpTable needs.
    Mailbox& mailbox(unsigned shard);
    void op_opened() { open_ops_.fetch_add(1, std::memory_order_seq_cst); }
    /// From here on no call is begun. False when an op stands open: it was opened too late to be counted before, and the end has to wait for it.
    /// Either this sees the op, or invoke(), whose op is open, sees the end coming.
    bool close_for_good() {
        closing_.store(true, std::memory_order_seq_cst);
        return open_ops_.load(std::memory_order_seq_cst) == 0;
    }
    void op_closed();
    void cancel_op(jf_op op);
    void call_event(const jf_sink& sink, jf_op op, const jf_event& event);
    void call_done(const jf_sink& sink, jf_op op, jf_status status, const jf_event* last, const jf_error* error);
    /// Logs `plugin.<what>` with the file, and counts it.
    void mark(const char* what, std::uint32_t level = JF_LOG_WARN, std::vector<std::pair<std::string, std::string>> fields = {});
    void overran(ThreadClass thread_class, std::chrono::nanoseconds elapsed, bool preempted, jf_op op) noexcept;
    void packet_refused(jf_op op);
    /// Logs what there is to tell of calls over their budget. Where it may take its time.
    void tell_overruns();
    std::uint64_t open_ops() const { return open_ops_.load(std::memory_order_acquire); }

    /// A thread that was given up has come back and ended after all.
    bool thread_exited_for_test();

    /// Runs `task` as a control call: one at a time per instance, on a thread that stands for as long as there are such calls, so that one that
    /// hangs keeps nobody else waiting.
    void run_control(base::Task task);

  private:
    friend class PluginHost;
    enum class State : std::uint8_t { serving, lost, probing };

    /// The thread of Placement::thread. A new one is made when the old one is given up.
    struct OwnThread {
        std::condition_variable ready;
        bool signal = false;
        bool stopping = false;
        bool exited = false;
        std::atomic<bool> abandoned{false};
        std::thread thread;
    };
    /// Where control calls run. Likewise.
    struct ControlLane {
        std::vector<base::Task> waiting;
        bool running = false;
    };

    Instance(PluginHost& host, std::shared_ptr<LoadedPlugin> plugin, InstanceSpec spec, unsigned home_shard);
    ~Instance() = default;

    base::Result<> create();
    void destroy_self();
    /// What a destructor would do.
    void retire();
    void start_thread();
    void run_thread(std::shared_ptr<OwnThread> own);
    void drain_inbox(const OwnThread* own);
    /// Takes out what the lost thread has not come to.
    void clear_inbox();
    void stop_thread();
    /// It is given up as it stands. False: it was before.
    bool lose(const char* why, const StandingCall* call = nullptr);
    /// After lose(), once nothing of it is open: a new plugin-side instance, which still has to be started.
    base::Result<> create_again();
    bool to_thread(ThreadClass thread_class, void* trampoline, jf_op op, std::span<const std::byte> data, bool always, bool counted = false);
    const void* ask_for_table(std::string_view interface_id, ThreadClass thread_class);
    const void* checked_table(const void* table, std::string_view interface_id);
    /// Runs `body`, catching what a plugin must not throw.
    template <typename Body>
    jf_status contained(ThreadClass thread_class, jf_op op, Body&& body) noexcept;

    using Trampoline = void (*)(Instance&, jf_op, std::byte* data);
    template <typename Function, typename... Args>
    static void run_call(Instance& self, jf_op op, std::byte* data);

    PluginHost& host_;
    std::shared_ptr<LoadedPlugin> plugin_;
    InstanceSpec spec_;
    unsigned home_shard_;
    std::chrono::milliseconds hang_limit_;
    jf_host_v1 host_table_{};
    std::atomic<jf_instance*> self_{nullptr};
    std::atomic<const jf_instance_v1*> functions_{nullptr};
    InstanceCounters counters_;
    Overruns overruns_;
    std::shared_ptr<resilience::ProviderHealth> health_;
    mutable std::mutex collections_mutex_;
    std::vector<std::uint32_t> collections_;
    std::vector<std::pair<const Instance*, std::uint32_t>> spaces_;
    std::atomic<std::uint64_t> open_ops_{0};
    std::atomic<bool> closing_{false};
    std::atomic<State> state_{State::serving};
    std::atomic<bool> retired_{false};
    std::atomic<bool> started_{false}; ///< it has served: the host looks after it when it is lost
    std::atomic<unsigned> probes_{0};  ///< since it last served
    base::MonoTime next_probe_{};      ///< of the watcher alone
    std::atomic<bool> abandoned_{false}; ///< nothing of what it had under way before it was lost goes on
    std::mutex idle_mutex_;
    std::function<void()> on_idle_;
    enum class Stop : std::uint8_t { none, begun, over } stop_ = Stop::none; ///< under idle_mutex_
    std::vector<std::function<void()>> stop_waiters_;

    std::mutex mailboxes_mutex_;
    std::vector<std::unique_ptr<Mailbox>> mailbox_storage_;
    std::vector<std::atomic<Mailbox*>> mailboxes_;

    std::mutex tables_mutex_;
    std::map<std::string, const void*, std::less<>> tables_; ///< what query answered: it lives as long as the mapping
    std::vector<std::pair<const void*, std::unique_ptr<std::uint64_t[]>>> short_tables_; ///< copies, as long as this host's

    std::mutex lane_mutex_;
    std::shared_ptr<ControlLane> lane_ = std::make_shared<ControlLane>();

    // Placement::thread
    Mailbox inbox_{mailbox_bytes};
    std::mutex inbox_mutex_;
    std::shared_ptr<OwnThread> own_;
    std::shared_ptr<OwnThread> lost_own_;
};

// ---- templates ---------------------------------------------------------------------------------------------------------

namespace detail {

template <typename T>
inline constexpr bool is_struct_pointer =
    std::is_pointer_v<T> && std::is_const_v<std::remove_pointer_t<T>> && std::is_class_v<std::remove_pointer_t<T>>;

inline void align(std::vector<std::byte>& out) { out.resize((out.size() + 7) & ~std::size_t{7}); }

template <typename T>
void put_word(std::vector<std::byte>& out, T value) {
    align(out);
    std::uint64_t word = 0;
    std::memcpy(&word, &value, sizeof value);
    const std::size_t at = out.size();
    out.resize(at + 8);
    std::memcpy(out.data() + at, &word, 8);
}

/// Arguments travel as words; structs as a word (their packed size, 0 for null) followed by the packed copy.
template <typename T>
void put_argument(std::vector<std::byte>& out, const T& value) {
    if constexpr (std::is_same_v<T, jf_error*> || std::is_same_v<T, std::uint64_t*>) {
        // Out parameters have no meaning when the answer comes later.
    } else if constexpr (is_struct_pointer<T>) {
        using Struct = std::remove_const_t<std::remove_pointer_t<T>>;
        put_word(out, std::uint64_t{0});
        const std::size_t word_at = out.size() - 8;
        if (!value) return;
        const std::size_t before = out.size();
        pack(layout_of<Struct>(), value, sizeof(Struct), out);
        align(out);
        const std::uint64_t size = out.size() - before;
        std::memcpy(out.data() + word_at, &size, 8);
    } else if constexpr (std::is_class_v<T>) {
        put_argument<const T*>(out, &value);
    } else {
        put_word(out, value);
    }
}

struct ArgumentReader {
    std::byte* at;
    jf_error* error;

    std::uint64_t word() {
        std::uint64_t value;
        std::memcpy(&value, at, 8);
        at += 8;
        return value;
    }
    template <typename T>
    T get() {
        if constexpr (std::is_same_v<T, jf_error*>) {
            return error;
        } else if constexpr (std::is_same_v<T, std::uint64_t*>) {
            static thread_local std::uint64_t nowhere;
            return &nowhere;
        } else if constexpr (is_struct_pointer<T>) {
            using Struct = std::remove_const_t<std::remove_pointer_t<T>>;
            const std::uint64_t size = word();
            if (size == 0) return nullptr;
            std::byte* const here = at;
            at += size;
            unpack(layout_of<Struct>(), here);
            return reinterpret_cast<const Struct*>(here);
        } else if constexpr (std::is_class_v<T>) {
            return *get<const T*>();
        } else {
            const std::uint64_t raw = word();
            T value;
            std::memcpy(&value, &raw, sizeof value);
            return value;
        }
    }
};

}  // namespace detail

template <typename Body>
jf_status Instance::contained(ThreadClass thread_class, jf_op op, Body&& body) noexcept {
    const CallGuard guard(*this, thread_class, op);
    try {
        return body();
    } catch (...) {
        counters_.exceptions.fetch_add(1, std::memory_order_relaxed);
        return JF_E_INTERNAL;
    }
}

template <typename Function, typename... Args>
void Instance::run_call(Instance& self, jf_op op, std::byte* data) {
    Function function;
    std::memcpy(&function, data, sizeof function);
    std::uint64_t flags;
    std::memcpy(&flags, data + 8, 8);
    jf_error error{};
    error.struct_size = sizeof error;
    [[maybe_unused]] detail::ArgumentReader reader{data + 16, &error};
    // Braces fix the order of evaluation: left to right.
    std::tuple<Args...> args{reader.get<Args>()...};
    const jf_status status = self.contained(static_cast<ThreadClass>(flags & 0xff), op, [&] {
        return std::apply([&](Args... a) { return function(self.self_, op, a...); }, args);
    });
    const bool starts = flags & 0x100;
    if (starts && status != JF_OK) {
        error.code = status;
        self.host_table_.complete(self.host_table_.ctx, op, status, nullptr, &error);
    } else if (status != JF_OK && static_cast<ThreadClass>(flags & 0xff) == ThreadClass::media) {
        self.packet_refused(op);
    }
}

template <typename Function, typename... Args>
jf_status Instance::invoke(ThreadClass thread_class, bool starts, Function function, jf_op op, Args... args) {
    if (!function) return JF_E_UNSUPPORTED;
    if (!serving()) return JF_E_PEER_LOST;
    if (closing_.load(std::memory_order_seq_cst)) return JF_E_STATE;
    if (spec_.placement == Placement::inline_)
        return contained(thread_class, op, [&] { return function(self_, op, args...); });
    thread_local std::vector<std::byte> data;
    data.clear();
    detail::put_word(data, function);
    detail::put_word(data, static_cast<std::uint64_t>(thread_class) | (starts ? 0x100u : 0u));
    try {
        (detail::put_argument(data, args), ...);
    } catch (const std::length_error&) {
        return JF_E_INVALID;
    }
    if (to_thread(thread_class, reinterpret_cast<void*>(static_cast<Trampoline>(&Instance::run_call<Function, Args...>)), op, data,
                  false))
        return JF_OK;
    counters_.mailbox_full.fetch_add(1, std::memory_order_relaxed);
    return JF_E_AGAIN;
}

}  // namespace jackfield::plugin_host
