#include "plugin_host/thunks.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <vector>

#include "plugin_host/plugin_host.hpp"

namespace jackfield::plugin_host {
namespace {

/// Stands behind the jf_instance* that a consumer gets. Kept until the process ends: references may be held in any plugin's memory.
struct Thunk {
    Instance* consumer;
    Instance* provider;
    const void* table;
};

Thunk& thunk_of(jf_instance* self) { return *reinterpret_cast<Thunk*>(self); }

Thunk* keep_thunk(Instance& consumer, Instance& provider, const void* table) {
    static std::mutex mutex;
    static auto& kept = *new std::vector<std::unique_ptr<Thunk>>;
    const std::lock_guard lock(mutex);
    for (const auto& thunk : kept)
        if (thunk->consumer == &consumer && thunk->provider == &provider && thunk->table == table) return thunk.get();
    kept.push_back(std::make_unique<Thunk>(Thunk{&consumer, &provider, table}));
    return kept.back().get();
}

jf_status refuse(jf_error* error, jf_status code, const char* text) {
    if (error && JF_HAS(error, jf_error, code)) {
        error->code = code;
        std::snprintf(error->text, sizeof error->text, "%s", text);
    }
    return code;
}

/// Makes `provider` the executor of an op that the consumer opened. OK at most once per op.
jf_status take_op(Thunk& thunk, jf_op op) {
    OpSlot* const slot = thunk.provider->host().ops().find(op);
    if (!slot || slot->user != thunk.consumer) return JF_E_INVALID;
    if (!slot->take_start(op)) return JF_E_STATE;
    thunk.provider->op_opened();
    slot->executor = thunk.provider;
    return JF_OK;
}

void give_back_op(Thunk& thunk, jf_op op) {
    OpSlot* const slot = thunk.provider->host().ops().find(op);
    if (!slot) return;
    slot->executor = nullptr;
    slot->give_start_back();
    thunk.provider->op_closed();
}

/// A stream-class start: on the op's strand at once, from elsewhere as a packed copy.
template <typename Function, typename Struct>
jf_status start_on_strand(Thunk& thunk, Function function, jf_op op, const Struct* argument, jf_error* error) {
    if (!argument || !function) return JF_E_UNSUPPORTED;
    OpTable& ops = thunk.provider->host().ops();
    if (const jf_status status = take_op(thunk, op); status != JF_OK) return status;
    if (ops.shard_of(op).is_current()) {
        const jf_status status = thunk.provider->invoke(ThreadClass::stream, true, function, op, argument, error);
        if (status != JF_OK) give_back_op(thunk, op);
        return status;
    }
    std::vector<std::byte> data;
    pack(layout_of<Struct>(), argument, argument->struct_size, data);
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

/// A blocking-class call: always on the pool, with a packed copy.
template <typename Function, typename Struct>
jf_status start_on_pool(Thunk& thunk, Function function, jf_op op, const Struct& argument, std::uint64_t size) {
    if (!function) return JF_E_UNSUPPORTED;
    if (const jf_status status = take_op(thunk, op); status != JF_OK) return status;
    std::vector<std::byte> data;
    pack(layout_of<Struct>(), &argument, size, data);
    PluginHost& host = thunk.provider->host();
    const bool taken = host.runtime().pool().submit([&thunk, &host, function, op, data = std::move(data)]() mutable {
        OpSlot* const slot = host.ops().find(op);
        if (!slot) return;
        if (slot->cancel_sent) return static_cast<void>(host.ops().complete(*thunk.provider, op, JF_E_CANCELLED, nullptr, nullptr));
        unpack(layout_of<Struct>(), data.data());
        jf_error error{};
        error.struct_size = sizeof error;
        jf_status status;
        if constexpr (std::is_same_v<Struct, jf_array>)
            status = thunk.provider->invoke(ThreadClass::blocking, true, function, op,
                                            *reinterpret_cast<const jf_array*>(data.data()), &error);
        else
            status = thunk.provider->invoke(ThreadClass::blocking, true, function, op,
                                            reinterpret_cast<const Struct*>(data.data()), &error);
        if (status != JF_OK) host.ops().complete(*thunk.provider, op, status, nullptr, &error);
    });
    if (taken) return JF_OK;
    give_back_op(thunk, op);
    return JF_E_AGAIN;
}

const jf_llm_v1& llm_thunks() {
    static const jf_llm_v1 table = {
        sizeof table, 0,
        [](jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            return start_on_strand(thunk, static_cast<const jf_llm_v1*>(thunk.table)->start, op, request, error);
        },
        [](jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            return start_on_strand(thunk, static_cast<const jf_llm_v1*>(thunk.table)->prewarm, op, request, error);
        }};
    return table;
}

/// A tenant's instance sees its tenant's records, whatever it writes into the request.
jf_str confined(const Thunk& thunk, jf_str asked) {
    const std::string& tenant = thunk.consumer->tenant();
    return tenant.empty() ? asked : jf_str{tenant.data(), tenant.size()};
}

/// A copy as long as this host's struct, of a plugin's that may be shorter or longer.
template <typename T>
T as_known(const T& given, std::uint32_t size) {
    T out{};
    std::memcpy(&out, &given, std::min<std::size_t>(size, sizeof out));
    out.struct_size = sizeof out;
    return out;
}

/// The part of the plugin's id behind the slash is the prefix of its collections.
bool owns_collection(const Thunk& thunk, jf_str name) {
    const std::string& id = thunk.consumer->spec().plugin;
    const std::string prefix = id.substr(id.find('/') + 1) + ".";
    return std::string_view(name.ptr, name.len).starts_with(prefix);
}

constexpr const char* not_declared = "a plugin uses the collections that it has declared itself, and no others";

const jf_records_v1& records_thunks() {
    static const jf_records_v1 table = {
        sizeof table, 0,
        [](jf_instance* self, jf_op op, const jf_collection* collection, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (!collection) return JF_E_INVALID;
            if (!owns_collection(thunk, collection->name))
                return refuse(error, JF_E_AUTH, "a plugin declares collections named after itself: <plugin>.<name>");
            return start_on_pool(thunk, static_cast<const jf_records_v1*>(thunk.table)->declare, op, *collection,
                                 collection->struct_size);
        },
        [](jf_instance* self, jf_op op, const jf_query* query, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (!query) return JF_E_INVALID;
            jf_query own = as_known(*query, query->struct_size);
            if (!thunk.consumer->may_use_collection(own.collection)) return refuse(error, JF_E_AUTH, not_declared);
            own.tenant = confined(thunk, own.tenant);
            return start_on_pool(thunk, static_cast<const jf_records_v1*>(thunk.table)->query, op, own, sizeof own);
        },
        [](jf_instance* self, jf_op op, const jf_write* write, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (!write) return JF_E_INVALID;
            jf_write own = as_known(*write, write->struct_size);
            if (!thunk.consumer->may_use_collection(own.collection)) return refuse(error, JF_E_AUTH, not_declared);
            own.tenant = confined(thunk, own.tenant);
            return start_on_pool(thunk, static_cast<const jf_records_v1*>(thunk.table)->write, op, own, sizeof own);
        },
        [](jf_instance* self, jf_op op, jf_array writes, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            std::vector<jf_write> own;
            for (std::uint32_t i = 0; i < writes.n; ++i) {
                const jf_write& write = *JF_AT(jf_write, writes, i);
                own.push_back(as_known(write, std::min(write.struct_size, writes.stride)));
                own.back().tenant = confined(thunk, own.back().tenant);
                if (!thunk.consumer->may_use_collection(own.back().collection)) return refuse(error, JF_E_AUTH, not_declared);
            }
            const jf_array all{own.data(), static_cast<std::uint32_t>(own.size()), sizeof(jf_write)};
            return start_on_pool(thunk, static_cast<const jf_records_v1*>(thunk.table)->batch, op, all, sizeof all);
        },
        nullptr};
    return table;
}

const void* thunks_of(std::string_view interface_id) {
    if (interface_id == JF_LLM_V1) return &llm_thunks();
    if (interface_id == JF_RECORDS_V1) return &records_thunks();
    return nullptr;
}

jf_status make_reference(Instance& consumer, Instance& provider, std::string_view interface_id, jf_provider_ref* out,
                         jf_error* error) {
    const void* thunks = thunks_of(interface_id);
    const void* table = provider.query(interface_id);
    if (!thunks || !table) return refuse(error, JF_E_UNSUPPORTED, "the provider has no such interface for plugins");
    out->instance = reinterpret_cast<jf_instance*>(keep_thunk(consumer, provider, table));
    out->table = thunks;
    return JF_OK;
}

}  // namespace

void add_provider_facilities(PluginHost& host) {
    static const jf_host_providers_v1 providers = {
        sizeof providers, 0,
        [](jf_host_ctx* ctx, jf_str name, jf_str interface_id, jf_provider_ref* out, jf_error* error) -> jf_status {
            if (!out || !JF_HAS(out, jf_provider_ref, table)) return JF_E_INVALID;
            Instance& consumer = Instance::from(ctx);
            Instance* provider = consumer.host().resolve_provider(consumer, std::string_view(name.ptr, name.len));
            if (!provider) return refuse(error, JF_E_NOT_FOUND, "no provider of that name is configured for this tenant");
            return make_reference(consumer, *provider, std::string_view(interface_id.ptr, interface_id.len), out, error);
        }};
    static const jf_host_records_v1 records = {
        sizeof records, 0, [](jf_host_ctx* ctx, jf_provider_ref* out, jf_error* error) -> jf_status {
            if (!out || !JF_HAS(out, jf_provider_ref, table)) return JF_E_INVALID;
            Instance& consumer = Instance::from(ctx);
            Instance* store = consumer.host().records();
            if (!store) return refuse(error, JF_E_STATE, "this host has no record store");
            return make_reference(consumer, *store, JF_RECORDS_V1, out, error);
        }};
    host.add_facility(JF_FACILITY_PROVIDERS, &providers);
    host.add_facility(JF_FACILITY_RECORDS, &records);
}

}  // namespace jackfield::plugin_host
