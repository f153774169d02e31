#include <jackfield/sdk/plugin.hpp>

#include "plugin_host/adapters/embedding.hpp"
#include "plugin_host/adapters/messaging.hpp"
#include "plugin_host/adapters/telemetry.hpp"
#include "plugin_host/adapters/tools.hpp"
#include "plugin_host/adapters/vectors.hpp"
#include "plugin_host/provider_thunk.hpp"

namespace jackfield::plugin_host {
namespace {

using Milliseconds = base::Milliseconds;

/// host.h publishes these: how long an op without a deadline of its own may take.
constexpr Milliseconds embedding_deadline{60'000};
constexpr Milliseconds sending_deadline{60'000};
constexpr Milliseconds telemetry_deadline{30'000};
constexpr Milliseconds listing_deadline{10'000};
constexpr Milliseconds tool_deadline{30'000};
constexpr Milliseconds vectors_deadline{30'000};

ThunkLimits limits(Milliseconds deadline, std::unique_ptr<OutputCheck> check) {
    ThunkLimits out;
    out.deadline = deadline;
    out.most_open = most_open_ops;
    out.check = std::move(check);
    return out;
}

/// What the consumer asked for, where that is sooner.
Milliseconds sooner(std::uint32_t asked_ms, Milliseconds otherwise) {
    return asked_ms != 0 && asked_ms < otherwise.count() ? Milliseconds(asked_ms) : otherwise;
}

const jf_llm_v1& llm_thunks() {
    static const jf_llm_v1 table = {
        sizeof table, 0,
        [](jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            return start_on_strand(thunk, thunk.as<jf_llm_v1>()->start, op, request, error, limits({}, nullptr));
        },
        [](jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            return start_on_strand(thunk, thunk.as<jf_llm_v1>()->prewarm, op, request, error, limits({}, nullptr));
        }};
    return table;
}

const jf_embedding_v1& embedding_thunks() {
    static const jf_embedding_v1 table = {
        sizeof table, 0, [](jf_instance* self, jf_op op, const jf_embedding_request* request, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (!JF_HAS(request, jf_embedding_request, texts)) return JF_E_INVALID;
            if (const jf_status status = understand(request, error); status != JF_OK) return status;
            const jf_embedding_request own = as_known(*request);
            if (const char* fault = fault_of(own)) return refuse(error, JF_E_INVALID, fault);
            return start_on_strand(thunk, thunk.as<jf_embedding_v1>()->embed, op, &own, error,
                                   limits(sooner(own.deadline_ms, embedding_deadline), check_embeddings(own)));
        }};
    return table;
}

/// accept() goes to an op that is under way: from elsewhere than its strand as a copy.
jf_status accept_message(jf_instance* self, jf_op op, jf_str id) {
    Thunk& thunk = thunk_of(self);
    OpTable& ops = thunk.provider->host().ops();
    OpSlot* const slot = ops.find(op);
    if (!slot || slot->user != thunk.consumer || slot->executor != thunk.provider || id.len == 0 || id.len > 256) return JF_E_INVALID;
    const auto accept = thunk.as<jf_messaging_v1>()->accept;
    if (ops.shard_of(op).is_current()) return thunk.provider->invoke(ThreadClass::stream, false, accept, op, id);
    ops.shard_of(op).post([&thunk, &ops, accept, op, text = std::string(sdk::view(id))] {
        if (ops.find(op)) thunk.provider->invoke(ThreadClass::stream, false, accept, op, sdk::str(text));
    });
    return JF_OK;
}

/// poll() has no argument of its own.
jf_status poll_messages(jf_instance* self, jf_op op, jf_error* error) {
    Thunk& thunk = thunk_of(self);
    OpTable& ops = thunk.provider->host().ops();
    const auto* table = thunk.as<jf_messaging_v1>();
    if (!table->poll || !table->accept) return refuse(error, JF_E_UNSUPPORTED, "this provider is called by webhook");
    if (const jf_status status = take_op(thunk, op, limits({}, check_polling())); status != JF_OK) return status;
    if (ops.shard_of(op).is_current()) {
        const jf_status status = thunk.provider->invoke(ThreadClass::stream, true, table->poll, op, error);
        if (status != JF_OK) give_back_op(thunk, op);
        return status;
    }
    ops.shard_of(op).post([&thunk, &ops, table, op] {
        OpSlot* const slot = ops.find(op);
        if (!slot) return;
        if (slot->cancel_sent) return static_cast<void>(ops.complete(*thunk.provider, op, JF_E_CANCELLED, nullptr, nullptr));
        jf_error late = sdk::make<jf_error>();
        const jf_status status = thunk.provider->invoke(ThreadClass::stream, true, table->poll, op, &late);
        if (status != JF_OK) ops.complete(*thunk.provider, op, status, nullptr, &late);
    });
    return JF_OK;
}

const jf_messaging_v1& messaging_thunks() {
    static const jf_messaging_v1 table = {
        sizeof table, 0,
        [](jf_instance* self, jf_op op, const jf_outbound_message* message, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (!JF_HAS(message, jf_outbound_message, text)) return JF_E_INVALID;
            if (const jf_status status = understand(message, error); status != JF_OK) return status;
            const jf_outbound_message own = as_known(*message);
            if (const char* fault = fault_of(own)) return refuse(error, JF_E_INVALID, fault);
            return start_on_strand(thunk, thunk.as<jf_messaging_v1>()->send, op, &own, error, limits(sending_deadline, check_sending()));
        },
        poll_messages, accept_message};
    return table;
}

const jf_telemetry_v1& telemetry_thunks() {
    static const jf_telemetry_v1 table = {
        sizeof table, 0, [](jf_instance* self, jf_op op, const jf_telemetry_batch* batch, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (!JF_HAS(batch, jf_telemetry_batch, environment)) return JF_E_INVALID;
            if (const jf_status status = understand(batch, error); status != JF_OK) return status;
            const jf_telemetry_batch own = as_known(*batch);
            if (const char* fault = fault_of(own)) return refuse(error, JF_E_INVALID, fault);
            return start_on_strand(thunk, thunk.as<jf_telemetry_v1>()->send, op, &own, error,
                                   limits(telemetry_deadline, check_telemetry(own)));
        }};
    return table;
}

/// list() has no argument of its own, and is a control call.
jf_status list_tools_for(jf_instance* self, jf_op op, jf_error*) {
    Thunk& thunk = thunk_of(self);
    const auto* table = thunk.as<jf_tools_v1>();
    if (!table->list) return JF_E_UNSUPPORTED;
    if (const jf_status status = take_op(thunk, op, limits(listing_deadline, check_tool_list())); status != JF_OK) return status;
    begin_deadline(thunk, op);
    thunk.provider->run_control([&thunk, table, op] {
        OpTable& ops = thunk.provider->host().ops();
        OpSlot* const slot = ops.find(op);
        if (!slot) return;
        if (slot->cancel_sent) return static_cast<void>(ops.complete(*thunk.provider, op, JF_E_CANCELLED, nullptr, nullptr));
        jf_error error = sdk::make<jf_error>();
        const jf_status status = thunk.provider->invoke(ThreadClass::control, true, table->list, op, &error);
        if (status != JF_OK) ops.complete(*thunk.provider, op, status, nullptr, &error);
    });
    return JF_OK;
}

const jf_tools_v1& tools_thunks() {
    static const jf_tools_v1 table = {
        sizeof table, 0, list_tools_for,
        [](jf_instance* self, jf_op op, const jf_tool_request* request, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (!JF_HAS(request, jf_tool_request, arguments)) return JF_E_INVALID;
            if (const jf_status status = understand(request, error); status != JF_OK) return status;
            const jf_tool_request own = as_known(*request);
            if (own.name.len == 0) return refuse(error, JF_E_INVALID, "which function?");
            return start_on_strand(thunk, thunk.as<jf_tools_v1>()->call, op, &own, error,
                                   limits(sooner(own.deadline_ms, tool_deadline), check_tool_call()));
        }};
    return table;
}

constexpr const char* not_ensured = "a plugin uses the spaces that it has made sure of itself, and no others";

const jf_vectors_v1& vectors_thunks() {
    static const jf_vectors_v1 table = {
        sizeof table, 0,
        [](jf_instance* self, jf_op op, const jf_vector_space* space, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (!JF_HAS(space, jf_vector_space, name)) return JF_E_INVALID;
            if (const jf_status status = understand(space, error); status != JF_OK) return status;
            const jf_vector_space own = as_known(*space);
            if (!owns_name(thunk, own.name))
                return refuse(error, JF_E_AUTH, "a plugin's spaces are named after itself: <plugin>.<name>");
            return start_on_pool(thunk, thunk.as<jf_vectors_v1>()->ensure, op, own, sizeof own, limits(vectors_deadline, check_space()),
                                 ThreadClass::control);
        },
        [](jf_instance* self, jf_op op, const jf_vector_upsert* upsert, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (!JF_HAS(upsert, jf_vector_upsert, vectors)) return JF_E_INVALID;
            if (const jf_status status = understand(upsert, error); status != JF_OK) return status;
            jf_vector_upsert own = as_known(*upsert);
            if (!thunk.consumer->may_use_space(thunk.provider, own.space)) return refuse(error, JF_E_AUTH, not_ensured);
            if (const char* fault = fault_of(own)) return refuse(error, JF_E_INVALID, fault);
            own.tenant = confined(thunk, own.tenant);
            return start_on_pool(thunk, thunk.as<jf_vectors_v1>()->upsert, op, own, sizeof own,
                                 limits(vectors_deadline, check_changed_vectors()));
        },
        [](jf_instance* self, jf_op op, const jf_vector_query* query, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (!JF_HAS(query, jf_vector_query, values)) return JF_E_INVALID;
            if (const jf_status status = understand(query, error); status != JF_OK) return status;
            jf_vector_query own = as_known(*query);
            if (!thunk.consumer->may_use_space(thunk.provider, own.space)) return refuse(error, JF_E_AUTH, not_ensured);
            if (const char* fault = fault_of(own)) return refuse(error, JF_E_INVALID, fault);
            own.tenant = confined(thunk, own.tenant);
            return start_on_pool(thunk, thunk.as<jf_vectors_v1>()->search, op, own, sizeof own,
                                 limits(vectors_deadline, check_matches(own)));
        },
        [](jf_instance* self, jf_op op, const jf_vector_remove* remove, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            if (!JF_HAS(remove, jf_vector_remove, ids)) return JF_E_INVALID;
            if (const jf_status status = understand(remove, error); status != JF_OK) return status;
            jf_vector_remove own = as_known(*remove);
            if (!thunk.consumer->may_use_space(thunk.provider, own.space)) return refuse(error, JF_E_AUTH, not_ensured);
            own.tenant = confined(thunk, own.tenant);
            return start_on_pool(thunk, thunk.as<jf_vectors_v1>()->remove, op, own, sizeof own,
                                 limits(vectors_deadline, check_changed_vectors()));
        },
        [](jf_instance* self, jf_op op, std::uint32_t space, jf_str tenant, jf_error* error) -> jf_status {
            Thunk& thunk = thunk_of(self);
            const auto stats = thunk.as<jf_vectors_v1>()->stats;
            if (!stats) return JF_E_UNSUPPORTED;
            if (!thunk.consumer->may_use_space(thunk.provider, space)) return refuse(error, JF_E_AUTH, not_ensured);
            if (const jf_status status = take_op(thunk, op, limits(vectors_deadline, check_vector_stats())); status != JF_OK) return status;
            PluginHost& host = thunk.provider->host();
            const bool taken = host.runtime().storage_pool().submit(
                [&thunk, &host, stats, op, space, own = std::string(sdk::view(confined(thunk, tenant)))] {
                    OpSlot* const slot = host.ops().find(op);
                    if (!slot) return;
                    if (slot->cancel_sent)
                        return static_cast<void>(host.ops().complete(*thunk.provider, op, JF_E_CANCELLED, nullptr, nullptr));
                    jf_error problem = sdk::make<jf_error>();
                    const jf_status status =
                        thunk.provider->invoke(ThreadClass::blocking, true, stats, op, space, sdk::str(own), &problem);
                    if (status != JF_OK) host.ops().complete(*thunk.provider, op, status, nullptr, &problem);
                });
            if (!taken) {
                give_back_op(thunk, op);
                return JF_E_AGAIN;
            }
            begin_deadline(thunk, op);
            return JF_OK;
        }};
    return table;
}

}  // namespace

const void* provider_thunks_of(std::string_view interface_id) {
    if (interface_id == JF_LLM_V1) return &llm_thunks();
    if (interface_id == JF_EMBEDDING_V1) return &embedding_thunks();
    if (interface_id == JF_MESSAGING_V1) return &messaging_thunks();
    if (interface_id == JF_TELEMETRY_V1) return &telemetry_thunks();
    if (interface_id == JF_TOOLS_V1) return &tools_thunks();
    if (interface_id == JF_VECTORS_V1) return &vectors_thunks();
    return nullptr;
}

}  // namespace jackfield::plugin_host
