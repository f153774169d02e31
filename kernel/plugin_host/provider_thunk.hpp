#pragma once

#include <jackfield/jackfield.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "plugin_host/plugin_host.hpp"

/// What the host's tables for consumers of providers are made of (jf.host.providers/1, jf.host.records/1): a consumer's op gets the provider as its
/// executor, on the op's strand or on the pool, with a deadline, within a quota, and held to what the interface promises.
namespace jackfield::plugin_host {

/// Stands behind the jf_instance* that a consumer gets. Kept until the process ends: references may be held in any plugin's memory.
struct Thunk {
    Instance* consumer;
    Instance* provider;
    const void* table;
    std::atomic<std::uint32_t> open{0};

    template <typename Table>
    const Table* as() const {
        return static_cast<const Table*>(table);
    }
};

inline Thunk& thunk_of(jf_instance* self) { return *reinterpret_cast<Thunk*>(self); }
Thunk* keep_thunk(Instance& consumer, Instance& provider, const void* table);

/// Fills `error` and answers `code`.
jf_status refuse(jf_error* error, jf_status code, const char* text);

/// Whether this host understands the whole of a consumer's request (marshal.hpp); says so in `error` when it doesn't. First thing in a thunk: a copy
/// as long as this host's struct no longer shows what was cut.
template <typename T>
jf_status understand(const T* request, jf_error* error, std::uint32_t size) {
    const jf_status status = check_request(layout_of<T>(), request, size);
    if (status == JF_E_TOO_NEW) return refuse(error, status, "the request sets a member that this host does not know");
    if (status != JF_OK) return refuse(error, status, "struct_size of the request, or of something in it, can't be true");
    return JF_OK;
}
template <typename T>
jf_status understand(const T* request, jf_error* error) {
    return request ? understand(request, error, request->struct_size) : JF_E_INVALID;
}

/// What holds for one op that goes to a provider.
struct ThunkLimits {
    base::Milliseconds deadline{0};     ///< 0 none: what the user waits for has an end of its own
    std::uint32_t most_open = 0;        ///< ops under way through one reference, 0 no bound
    std::unique_ptr<OutputCheck> check; ///< may be null
};
inline constexpr std::uint32_t most_open_ops = 64;

/// Makes the provider the executor of an op that the consumer opened. OK at most once per op. QUOTA: too many are under way.
jf_status take_op(Thunk& thunk, jf_op op, ThunkLimits limits = {});
void give_back_op(Thunk& thunk, jf_op op);
/// The op is the provider's now: its deadline begins. Any thread.
void begin_deadline(Thunk& thunk, jf_op op);

/// A tenant's instance sees its tenant's data, whatever it writes into the request.
jf_str confined(const Thunk& thunk, jf_str asked);

/// A copy as long as this host's struct, of a plugin's that may be shorter or longer.
template <typename T>
T as_known(const T& given, std::uint32_t size) {
    T out{};
    std::memcpy(&out, &given, std::min<std::size_t>(size, sizeof out));
    out.struct_size = sizeof out;
    return out;
}
template <typename T>
T as_known(const T& given) {
    return as_known(given, given.struct_size);
}

/// The part of the plugin's id behind the slash is the prefix of its collections and spaces.
bool owns_name(const Thunk& thunk, jf_str name);

/// False: it is larger than any message may be.
template <typename Struct>
bool packed(const Struct& argument, std::uint64_t size, std::vector<std::byte>& out) {
    try {
        pack(layout_of<Struct>(), &argument, size, out);
        return true;
    } catch (const std::length_error&) {
        return false;
    }
}

/// A stream-class start: on the op's strand at once, from elsewhere as a packed copy.
template <typename Function, typename Struct>
jf_status start_on_strand(Thunk& thunk, Function function, jf_op op, const Struct* argument, jf_error* error, ThunkLimits limits = {}) {
    if (!argument || !function) return JF_E_UNSUPPORTED;
    if (const jf_status status = understand(argument, error); status != JF_OK) return status;
    OpTable& ops = thunk.provider->host().ops();
    if (!ops.knows_shard(op)) return JF_E_INVALID;
    std::vector<std::byte> data;
    const bool here = ops.shard_of(op).is_current();
    if (!here && !packed(*argument, argument->struct_size, data)) return JF_E_INVALID;
    if (const jf_status status = take_op(thunk, op, std::move(limits)); status != JF_OK) return status;
    if (here) {
        const jf_status status = thunk.provider->invoke(ThreadClass::stream, true, function, op, argument, error);
        if (status != JF_OK) give_back_op(thunk, op);
        else begin_deadline(thunk, op);
        return status;
    }
    begin_deadline(thunk, op);
    ops.shard_of(op).post([&thunk, &ops, function, op, data = std::move(data)]() mutable {
        OpSlot* const slot = ops.find(op);
        if (!slot) return;
        // Given up on its way here: the provider never hears of it.
        if (slot->cancel_sent) return static_cast<void>(ops.complete(*thunk.provider, op, JF_E_CANCELLED, nullptr, nullptr));
        unpack(layout_of<Struct>(), data.data());
        jf_error late{};
        late.struct_size = sizeof late;
        const jf_status status = thunk.provider->invoke(ThreadClass::stream, true, function, op,
                                                        reinterpret_cast<const Struct*>(data.data()), &late);
        if (status != JF_OK) ops.complete(*thunk.provider, op, status, nullptr, &late);
    });
    return JF_OK;
}

/// A blocking-class call on the pool, or a control-class one where the provider's control calls run, with a packed copy.
template <typename Function, typename Struct>
jf_status start_on_pool(Thunk& thunk, Function function, jf_op op, const Struct& argument, std::uint64_t size, ThunkLimits limits = {},
                        ThreadClass thread_class = ThreadClass::blocking) {
    if (!function) return JF_E_UNSUPPORTED;
    std::vector<std::byte> data;
    if (!packed(argument, size, data)) return JF_E_INVALID;
    if (const jf_status status = take_op(thunk, op, std::move(limits)); status != JF_OK) return status;
    PluginHost& host = thunk.provider->host();
    base::Task task = [&thunk, &host, function, op, thread_class, data = std::move(data)]() mutable {
        OpSlot* const slot = host.ops().find(op);
        if (!slot) return;
        if (slot->cancel_sent) return static_cast<void>(host.ops().complete(*thunk.provider, op, JF_E_CANCELLED, nullptr, nullptr));
        unpack(layout_of<Struct>(), data.data());
        jf_error error{};
        error.struct_size = sizeof error;
        jf_status status;
        if constexpr (std::is_same_v<Struct, jf_array>)
            status = thunk.provider->invoke(thread_class, true, function, op,
                                            *reinterpret_cast<const jf_array*>(data.data()), &error);
        else
            status = thunk.provider->invoke(thread_class, true, function, op,
                                            reinterpret_cast<const Struct*>(data.data()), &error);
        if (status != JF_OK) host.ops().complete(*thunk.provider, op, status, nullptr, &error);
    };
    bool taken = true;
    if (thread_class == ThreadClass::control) thunk.provider->run_control(std::move(task));
    else taken = host.runtime().storage_pool().submit(std::move(task)); // blocking functions are those of stores
    if (!taken) {
        give_back_op(thunk, op);
        return JF_E_AGAIN;
    }
    begin_deadline(thunk, op);
    return JF_OK;
}

/// The host's table of an interface for consumers, null when it offers none; the ones in provider_thunks.cpp.
const void* provider_thunks_of(std::string_view interface_id);

}  // namespace jackfield::plugin_host
