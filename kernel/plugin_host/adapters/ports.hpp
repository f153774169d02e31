#pragma once

#include "plugin_host/instance.hpp"

/// The kernel's way to each kind's table: an instance and its functions as ordinary member functions. Which thread class a function has
/// stands here once. Streams are ops that OpTable::open made with the instance as their executor.
namespace jackfield::plugin_host {

template <typename Table>
class Port {
  public:
    Port() = default;
    /// Not usable (`!port`) when the instance has no such interface.
    Port(Instance& instance, std::string_view interface_id)
        : instance_(&instance), table_(instance.table<Table>(interface_id)) {}

    /// With a table that was asked for before: per packet, asking again would cost more than the call.
    Port(Instance& instance, const Table* table) : instance_(&instance), table_(table) {}

    explicit operator bool() const { return table_ != nullptr; }
    const Table* table() const { return table_; }
    Instance& instance() const { return *instance_; }

  protected:
    Instance* instance_ = nullptr;
    const Table* table_ = nullptr;
};

class TelephonyPort : public Port<jf_telephony_v1> {
  public:
    TelephonyPort() = default;
    explicit TelephonyPort(Instance& instance) : Port(instance, JF_TELEPHONY_V1) {}

    jf_status dial(jf_op op, const jf_dial& dial, const jf_answer& media, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->dial, op, &dial, &media, error);
    }
    jf_status answer(jf_op op, const jf_answer& options) const {
        return instance_->invoke(ThreadClass::stream, false, table_->answer, op, &options);
    }
    jf_status control(jf_op op, const jf_telephony_control& control) const {
        return instance_->invoke(ThreadClass::stream, false, table_->control, op, &control);
    }
    jf_status media_out(jf_op op, const jf_frame& frame) const {
        return instance_->invoke(ThreadClass::media, false, table_->media_out, op, &frame);
    }
    jf_status hangup(jf_op op, std::uint32_t cause) const {
        return instance_->invoke(ThreadClass::stream, false, table_->hangup, op, cause);
    }
    jf_status reap(jf_op op, jf_bytes leg_state, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->reap, op, leg_state, error);
    }
    bool can_reap() const { return JF_HAS(table_, jf_telephony_v1, reap) && table_->reap; }
};

class SttPort : public Port<jf_stt_v1> {
  public:
    SttPort() = default;
    explicit SttPort(Instance& instance) : Port(instance, JF_STT_V1) {}
    SttPort(Instance& instance, const jf_stt_v1* table) : Port(instance, table) {}

    jf_status open(jf_op op, const jf_stt_open& options, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->open, op, &options, error);
    }
    jf_status control(jf_op op, const jf_stt_control& control) const {
        return instance_->invoke(ThreadClass::stream, false, table_->control, op, &control);
    }
    jf_status push(jf_op op, const jf_frame& frame) const {
        return instance_->invoke(ThreadClass::media, false, table_->push, op, &frame);
    }
    jf_status close(jf_op op) const { return instance_->invoke(ThreadClass::stream, false, table_->close, op); }
};

class TtsPort : public Port<jf_tts_v1> {
  public:
    TtsPort() = default;
    explicit TtsPort(Instance& instance) : Port(instance, JF_TTS_V1) {}

    jf_status open(jf_op op, const jf_tts_open& options, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->open, op, &options, error);
    }
    jf_status text(jf_op op, const jf_tts_text& text) const {
        return instance_->invoke(ThreadClass::stream, false, table_->text, op, &text);
    }
    jf_status clear(jf_op op) const { return instance_->invoke(ThreadClass::stream, false, table_->clear, op); }
    jf_status credit(jf_op op, std::uint64_t samples) const {
        return instance_->invoke(ThreadClass::stream, false, table_->credit, op, samples);
    }
    jf_status close(jf_op op) const { return instance_->invoke(ThreadClass::stream, false, table_->close, op); }
};

class LlmPort : public Port<jf_llm_v1> {
  public:
    LlmPort() = default;
    explicit LlmPort(Instance& instance) : Port(instance, JF_LLM_V1) {}

    jf_status start(jf_op op, const jf_llm_request& request, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->start, op, &request, error);
    }
    jf_status prewarm(jf_op op, const jf_llm_request& request, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->prewarm, op, &request, error);
    }
};

/// Blocking: called on pool threads.
class RecordsPort : public Port<jf_records_v1> {
  public:
    RecordsPort() = default;
    explicit RecordsPort(Instance& instance) : Port(instance, JF_RECORDS_V1) {}

    jf_status declare(jf_op op, const jf_collection& collection, jf_error* error) const {
        return instance_->invoke(ThreadClass::control, true, table_->declare, op, &collection, error);
    }
    jf_status query(jf_op op, const jf_query& query, jf_error* error) const {
        return instance_->invoke(ThreadClass::blocking, true, table_->query, op, &query, error);
    }
    jf_status write(jf_op op, const jf_write& write, jf_error* error) const {
        return instance_->invoke(ThreadClass::blocking, true, table_->write, op, &write, error);
    }
    jf_status batch(jf_op op, jf_array writes, jf_error* error) const {
        return instance_->invoke(ThreadClass::blocking, true, table_->batch, op, writes, error);
    }
    jf_status watch(jf_op op, std::uint32_t collection, jf_str tenant, jf_error* error) const {
        if (!JF_HAS(table_, jf_records_v1, watch)) return JF_E_UNSUPPORTED;
        return instance_->invoke(ThreadClass::blocking, true, table_->watch, op, collection, tenant, error);
    }
    jf_status migrate(jf_op op, const jf_migrate& request, jf_error* error) const {
        if (!JF_HAS(table_, jf_records_v1, migrate)) return JF_E_UNSUPPORTED;
        return instance_->invoke(ThreadClass::blocking, true, table_->migrate, op, &request, error);
    }
};

class ToolsPort : public Port<jf_tools_v1> {
  public:
    ToolsPort() = default;
    explicit ToolsPort(Instance& instance) : Port(instance, JF_TOOLS_V1) {}

    jf_status list(jf_op op, jf_error* error) const {
        return instance_->invoke(ThreadClass::control, true, table_->list, op, error);
    }
    jf_status call(jf_op op, const jf_tool_request& request, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->call, op, &request, error);
    }
};

class ServicePort : public Port<jf_service_v1> {
  public:
    ServicePort() = default;
    explicit ServicePort(Instance& instance) : Port(instance, JF_SERVICE_V1) {}

    jf_status on_event(jf_op op, const jf_service_event& event, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->on_event, op, &event, error);
    }
    jf_status on_job(jf_op op, const jf_service_event& job, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->on_job, op, &job, error);
    }
    jf_status on_request(jf_op op, const jf_service_event& request, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->on_request, op, &request, error);
    }
    jf_status on_tick(jf_op op, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->on_tick, op, error);
    }
};

}  // namespace jackfield::plugin_host
