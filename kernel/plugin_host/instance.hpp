#pragma once

#include <jackfield/jackfield.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/result.hpp"
#include "plugin_host/call_guard.hpp"
#include "plugin_host/loader.hpp"
#include "plugin_host/marshal.hpp"
#include "plugin_host/op_table.hpp"
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

/// A configured plugin. Made by PluginHost; destroyed when it was quiesced and its last op has closed.
class Instance {
  public:
    static constexpr std::size_t mailbox_bytes = 256 * 1024;

    ~Instance();
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
    /// Shared by all calls, and by all instances that are the same provider: what one learned of a sick one, the next one knows.
    resilience::ProviderHealth& health() const { return *health_; }
    const std::shared_ptr<resilience::ProviderHealth>& shared_health() const { return health_; }
    resilience::CircuitBreaker& breaker() const { return health_->breaker(); }
    bool lost() const { return lost_.load(std::memory_order_relaxed); }

    static Instance& from(jf_host_ctx* ctx) { return *reinterpret_cast<Instance*>(ctx); }

    /// The plugin's table of an interface, null when it has none.
    template <typename Table>
    const Table* table(std::string_view interface_id) {
        return static_cast<const Table*>(query(interface_id));
    }
    const void* query(std::string_view interface_id);

    /// Calls `function(self, op, args...)`. With inline placement it is a guarded call; else the arguments travel through the mailbox, the answer is
    /// OK when they fitted, and a refusal of the plugin's becomes the op's completion if `starts`. A null function is UNSUPPORTED.
    template <typename Function, typename... Args>
    jf_status invoke(ThreadClass thread_class, bool starts, Function function, jf_op op, Args... args);

    // What OpTable needs.
    Mailbox& mailbox(unsigned shard);
    void op_opened() { open_ops_.fetch_add(1, std::memory_order_relaxed); }
    void op_closed();
    void cancel_op(jf_op op);
    void call_event(const jf_sink& sink, jf_op op, const jf_event& event);
    void call_done(const jf_sink& sink, jf_op op, jf_status status, const jf_event* last, const jf_error* error);
    void mark(const char* what);
    void overran(ThreadClass thread_class, std::chrono::nanoseconds elapsed, bool preempted) noexcept;
    std::uint64_t open_ops() const { return open_ops_.load(std::memory_order_acquire); }

    /// A thread that was given up has come back and ended after all.
    bool thread_exited_for_test();

  private:
    friend class PluginHost;
    Instance(PluginHost& host, std::shared_ptr<LoadedPlugin> plugin, InstanceSpec spec, unsigned home_shard);

    base::Result<> create();
    void destroy_self();
    void run_thread();
    void drain_inbox();
    void stop_thread();
    /// True when its thread has just been found to hang: the instance is lost from now on.
    bool check_hang();
    /// Its thread is given up; whoever does this keeps the instance for ever, since the thread may come back.
    void lose(const char* why);
    void let_thread_go();
    bool to_thread(ThreadClass thread_class, void* trampoline, jf_op op, std::span<const std::byte> data, bool always);
    /// Runs `body`, catching what a plugin must not throw.
    template <typename Body>
    jf_status contained(ThreadClass thread_class, Body&& body) noexcept;

    using Trampoline = void (*)(Instance&, jf_op, std::byte* data);
    template <typename Function, typename... Args>
    static void run_call(Instance& self, jf_op op, std::byte* data);

    PluginHost& host_;
    std::shared_ptr<LoadedPlugin> plugin_;
    InstanceSpec spec_;
    unsigned home_shard_;
    std::chrono::milliseconds hang_limit_;
    jf_host_v1 host_table_{};
    jf_instance* self_ = nullptr;
    const jf_instance_v1* functions_ = nullptr;
    InstanceCounters counters_;
    std::shared_ptr<resilience::ProviderHealth> health_;
    mutable std::mutex collections_mutex_;
    std::vector<std::uint32_t> collections_;
    std::atomic<std::uint64_t> open_ops_{0};
    std::atomic<bool> lost_{false};
    std::mutex idle_mutex_;
    std::function<void()> on_idle_;

    std::mutex mailboxes_mutex_;
    std::vector<std::unique_ptr<Mailbox>> mailbox_storage_;
    std::vector<std::atomic<Mailbox*>> mailboxes_;

    // Placement::thread
    Mailbox inbox_{mailbox_bytes};
    std::mutex inbox_mutex_;
    std::condition_variable inbox_ready_;
    bool inbox_signal_ = false;
    bool stopping_ = false;
    bool exited_ = false;
    std::atomic<std::int64_t> call_began_ns_{0};
    std::atomic<std::uint16_t> call_class_{0};
    std::thread thread_;
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
jf_status Instance::contained(ThreadClass thread_class, Body&& body) noexcept {
    const CallGuard guard(*this, thread_class);
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
    const jf_status status = self.contained(static_cast<ThreadClass>(flags & 0xff), [&] {
        return std::apply([&](Args... a) { return function(self.self_, op, a...); }, args);
    });
    const bool starts = flags & 0x100;
    if (starts && status != JF_OK) {
        error.code = status;
        self.host_table_.complete(self.host_table_.ctx, op, status, nullptr, &error);
    }
}

template <typename Function, typename... Args>
jf_status Instance::invoke(ThreadClass thread_class, bool starts, Function function, jf_op op, Args... args) {
    if (!function) return JF_E_UNSUPPORTED;
    if (lost()) return JF_E_PEER_LOST;
    if (spec_.placement == Placement::inline_)
        return contained(thread_class, [&] { return function(self_, op, args...); });
    thread_local std::vector<std::byte> data;
    data.clear();
    detail::put_word(data, function);
    detail::put_word(data, static_cast<std::uint64_t>(thread_class) | (starts ? 0x100u : 0u));
    (detail::put_argument(data, args), ...);
    if (to_thread(thread_class, reinterpret_cast<void*>(static_cast<Trampoline>(&Instance::run_call<Function, Args...>)), op, data,
                  false))
        return JF_OK;
    counters_.mailbox_full.fetch_add(1, std::memory_order_relaxed);
    return JF_E_AGAIN;
}

}  // namespace jackfield::plugin_host
