#pragma once

// A kind's example plugin with one promise broken on request: the option `fault` names which. Without it the example is as it is, and passes. The
// example's source is included as it stands; what a fault changes is put before its tables and before the host's.

#include <jackfield/sdk/plugin.hpp>

#include <cfenv>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <thread>
#include <mutex>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#undef JACKFIELD_MODULE
#define JACKFIELD_MODULE(Instance) using JackfieldRight = Instance;

namespace faulty {

inline std::string fault;
inline bool is(std::string_view name) { return fault == name; }
/// Before there is an instance with options, the environment says it.
inline void fault_from_environment() {
    if (const char* named = std::getenv("FAULTY")) fault = named;
}

/// The host's functions: the same for all instances, the ctx apart.
inline jf_host_v1 real{};
inline jf_host_ctx* ctx_of_last = nullptr;

/// The event's data again with another position.
inline jf_status emit_at(jf_host_ctx* ctx, jf_op op, jf_event event, std::uint64_t pos) {
    event.pos = pos;
    return real.emit(ctx, op, &event, 1);
}

struct HostFaults {
    jf_status (*emit)(jf_host_ctx*, jf_op, const jf_event*, std::uint32_t) = nullptr;
    jf_status (*complete)(jf_host_ctx*, jf_op, jf_status, const jf_event*, const jf_error*) = nullptr;
};

/// Each kind defines these.
inline HostFaults host_faults;
inline void (*before_start)() = nullptr;
using QueryFault = const void* (*)(const void* right, std::string_view id);
inline QueryFault query_fault = nullptr;
inline const std::uint32_t table_of_anything[32] = {sizeof table_of_anything};
inline jf_status (*cancel_right)(jf_instance*, jf_op) = nullptr;
inline jf_status (*start_right)(jf_instance*, jf_op, jf_error*) = nullptr;
inline jf_status (*quiesce_right)(jf_instance*, jf_op, std::uint32_t) = nullptr;

/// What belongs to the process, changed by who is a guest in it.
inline void bad_manners() {
    if (is("prints")) {
        std::puts("Hello from the plugin");
        std::fflush(stdout);
    }
    if (is("sets_umask")) ::umask(0);
    if (is("sets_locale")) std::setlocale(LC_ALL, "C.UTF-8");
    if (is("leaks_a_descriptor")) (void)::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (is("leaks_a_thread")) std::thread([] { ::pause(); }).detach();
    if (is("opens_a_socket")) (void)::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

inline void bad_log(const jf_host_v1* host, const jackfield::sdk::Config& config) {
    const std::string secret = config.text("secret", "");
    const jf_pair pair{jackfield::sdk::str("with"), jackfield::sdk::str(secret)};
    if (is("logs_secrets")) host->log(host->ctx, JF_LOG_INFO, JF_NO_OP, jackfield::sdk::str("faulty.login"), jackfield::sdk::array(&pair, 1));
    if (is("logs_prose")) host->log(host->ctx, JF_LOG_INFO, JF_NO_OP, jackfield::sdk::str("Hello, this is me!"), {});
}

/// A process that ends by itself long after everybody has forgotten it.
inline void start_child() {
    char program[] = "/bin/sleep", seconds[] = "60";
    char* argv[] = {program, seconds, nullptr};
    pid_t pid = 0;
    posix_spawn(&pid, program, nullptr, nullptr, argv, nullptr);
}

/// An op that nobody ever ends.
inline void open_for_ever() {
    static const jf_sink sink = {sizeof sink, 0, nullptr, [](void*, jf_op, const jf_event*, uint32_t, uint32_t) {},
                                 [](void*, jf_op, jf_status, const jf_event*, const jf_error*) {}};
    const auto* timer = static_cast<const jf_host_timer_v1*>(real.query(ctx_of_last, jackfield::sdk::str(JF_FACILITY_TIMER)));
    jf_op op = JF_NO_OP;
    if (real.op_open(ctx_of_last, JF_NO_OP, &sink, &op) == JF_OK) timer->start(ctx_of_last, op, 1'000'000'000'000);
}

template <typename Right>
const jf_instance_v1* instance_table() {
    static const jf_instance_v1 table = [] {
        jf_instance_v1 t = *jackfield::sdk::instance_table<Right>();
        cancel_right = t.cancel;
        start_right = t.start;
        t.start = [](jf_instance* self, jf_op op, jf_error* error) -> jf_status {
            if (before_start) before_start();
            if (is("leaves_ops_open")) open_for_ever();
            if (is("starts_a_child")) start_child();
            if (is("sets_rounding")) std::fesetround(FE_UPWARD);
            return start_right(self, op, error);
        };
        if (is("is_sick"))
            t.health = [](jf_instance*, jf_op op, jf_error*) -> jf_status { return real.complete(ctx_of_last, op, JF_E_PEER_LOST, nullptr, nullptr); };
        quiesce_right = t.quiesce;
        t.cancel = [](jf_instance* self, jf_op op) -> jf_status {
            if (is("cancel_ignored") || is("cancels_anything")) return JF_OK;
            return cancel_right(self, op);
        };
        t.quiesce = [](jf_instance* self, jf_op op, std::uint32_t budget_ms) -> jf_status {
            if (is("opens_while_quiescing")) return real.complete(ctx_of_last, op, JF_OK, nullptr, nullptr);
            return quiesce_right(self, op, budget_ms);
        };
        t.query = [](jf_instance* self, jf_str id) -> const void* {
            if (is("knows_every_interface")) return &table_of_anything;
            if (is("forgets_its_interface")) return nullptr;
            const void* right = reinterpret_cast<Right*>(self)->query(jackfield::sdk::view(id));
            return right && query_fault ? query_fault(right, jackfield::sdk::view(id)) : right;
        };
        return t;
    }();
    return &table;
}

inline const jf_host_v1* shim(const jf_host_v1* host) {
    static std::mutex mutex;
    static std::deque<jf_host_v1> tables;
    const std::lock_guard lock(mutex);
    real = *host;
    ctx_of_last = host->ctx;
    jf_host_v1& table = tables.emplace_back(*host);
    if (host_faults.emit) table.emit = host_faults.emit;
    if (host_faults.complete) table.complete = host_faults.complete;
    return &table;
}

template <typename Right>
const jf_module_v1* module_table() {
    static const jf_module_v1 table = [] {
        jf_module_v1 t = *jackfield::sdk::module_table<Right>();
        fault_from_environment();
        if (is("wrong_minor")) t.abi_need_minor = t.abi_built_minor + 3;
        t.init = [](const jf_host_v1*, jf_error*) -> jf_status {
            static int times = 0;
            return ++times > 1 && is("init_once") ? JF_E_INTERNAL : JF_OK;
        };
        t.deinit = [] {
            if (is("deinit_crashes")) __builtin_trap();
        };
        t.create = [](const jf_host_v1* host, jf_str, jf_str json, jf_array pairs, jf_instance** out, const jf_instance_v1** functions,
                      jf_error* error) {
            return jackfield::sdk::guarded(error, [&]() -> jf_status {
                const jackfield::sdk::Config config(json, pairs);
                if (const std::string named = config.text("fault", ""); !named.empty()) fault = named;
                const bool odd = jackfield::sdk::view(json) == "}{";
                if (is("refuses_without_a_word") && odd) return JF_E_INVALID;
                if (is("writes_whole_errors") && odd && error) {
                    std::memset(static_cast<void*>(error), 0x11, sizeof *error);
                    return JF_E_INVALID;
                }
                if (is("fears_later_hosts") && host->struct_size > sizeof *host) return JF_E_TOO_NEW;
                static int alive = 0;
                if (is("is_a_singleton") && alive++ > 0) return JF_E_CONFLICT;
                bad_manners();
                bad_log(host, config);
                *out = reinterpret_cast<jf_instance*>(Right::create(jackfield::sdk::Host(shim(host)), config).release());
                *functions = instance_table<Right>();
                return JF_OK;
            });
        };
        return t;
    }();
    return &table;
}

}  // namespace faulty

#define FAULTY_MODULE                                                        \
    extern "C" JF_EXPORT const jf_module_v1* jf_module_entry_v1(void) {      \
        return faulty::module_table<JackfieldRight>();                       \
    }
