#include "plugin_host/thunks.hpp"

#include <algorithm>
#include <vector>

#include "plugin_host/plugin_host.hpp"
#include "plugin_host/provider_thunk.hpp"

namespace jackfield::plugin_host {
namespace {

bool owns_collection(const Thunk& thunk, jf_str name) { return owns_name(thunk, name); }

/// What a plugin's records may refer to: its own collections, and the calls that its tenant made. A reference is a way to read (include, via).
bool may_refer(const Thunk& thunk, const jf_collection& collection) {
    for (std::uint32_t i = 0; i < collection.fields.n; ++i) {
        const jf_field& field = *JF_AT(jf_field, collection.fields, i);
        if (!JF_HAS(&field, jf_field, references) || field.references.len == 0 || owns_collection(thunk, field.references)) continue;
        const std::string_view name(field.references.ptr, field.references.len);
        if (name != "jf.calls" && name != "jf.turns") return false;
    }
    return true;
}

constexpr const char* not_declared = "a plugin uses the collections that it has declared itself, and no others";

const jf_records_v1& records_thunks() {
    static const jf_records_v1 table = {
        sizeof table, 0,
        [](jf_instance* self, jf_op op, const jf_collection* collection, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (const jf_status status = understand(collection, error); status != JF_OK) return status;
            if (!owns_collection(thunk, collection->name))
                return refuse(error, JF_E_AUTH, "a plugin declares collections named after itself: <plugin>.<name>");
            if (!may_refer(thunk, *collection))
                return refuse(error, JF_E_AUTH, "a plugin's collections refer to its own ones, to jf.calls and to jf.turns");
            return start_on_pool(thunk, static_cast<const jf_records_v1*>(thunk.table)->declare, op, *collection,
                                 collection->struct_size);
        },
        [](jf_instance* self, jf_op op, const jf_query* query, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (const jf_status status = understand(query, error); status != JF_OK) return status;
            jf_query own = as_known(*query, query->struct_size);
            if (!thunk.consumer->may_use_collection(own.collection)) return refuse(error, JF_E_AUTH, not_declared);
            own.tenant = confined(thunk, own.tenant);
            return start_on_pool(thunk, static_cast<const jf_records_v1*>(thunk.table)->query, op, own, sizeof own);
        },
        [](jf_instance* self, jf_op op, const jf_write* write, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (const jf_status status = understand(write, error); status != JF_OK) return status;
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
                if (const jf_status status = understand(&write, error, std::min(write.struct_size, writes.stride)); status != JF_OK) return status;
                own.push_back(as_known(write, std::min(write.struct_size, writes.stride)));
                own.back().tenant = confined(thunk, own.back().tenant);
                if (!thunk.consumer->may_use_collection(own.back().collection)) return refuse(error, JF_E_AUTH, not_declared);
            }
            const jf_array all{own.data(), static_cast<std::uint32_t>(own.size()), sizeof(jf_write)};
            return start_on_pool(thunk, static_cast<const jf_records_v1*>(thunk.table)->batch, op, all, sizeof all);
        },
        [](jf_instance* self, jf_op op, std::uint32_t collection, jf_str tenant, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            const auto* store = static_cast<const jf_records_v1*>(thunk.table);
            if (!JF_HAS(store, jf_records_v1, watch) || !store->watch) return JF_E_UNSUPPORTED;
            if (!thunk.consumer->may_use_collection(collection)) return refuse(error, JF_E_AUTH, not_declared);
            // The watch itself does no more than note the op: it needs no pool thread.
            if (const jf_status status = take_op(thunk, op); status != JF_OK) return status;
            const jf_status status =
                thunk.provider->invoke(ThreadClass::blocking, true, store->watch, op, collection, confined(thunk, tenant), error);
            if (status != JF_OK) give_back_op(thunk, op);
            return status;
        },
        nullptr};  // migrate: the operator's
    return table;
}

const void* thunks_of(std::string_view interface_id) {
    if (interface_id == JF_RECORDS_V1) return &records_thunks();
    return provider_thunks_of(interface_id);
}

jf_status make_reference(Instance& consumer, Instance& provider, std::string_view interface_id, jf_provider_ref* out,
                         jf_error* error) {
    // The resolver has looked among the tenant's; that nobody else's data can be reached is decided here again.
    if (!provider.tenant().empty() && provider.tenant() != consumer.tenant())
        return refuse(error, JF_E_NOT_FOUND, "no provider of that name is configured for this tenant");
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
