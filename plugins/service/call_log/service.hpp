#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include <jackfield/llm.h>
#include <jackfield/records.h>
#include <jackfield/sdk/plugin.hpp>
#include <jackfield/sdk/records.hpp>
#include <jackfield/service.h>

#include "config.hpp"
#include "job.hpp"

namespace jackfield::call_log {

// Fields of `call_log.summaries`: their numbers are for ever, new ones are appended.
inline constexpr std::uint16_t field_call = JF_FIELD_FIRST;
inline constexpr std::uint16_t field_agent = JF_FIELD_FIRST + 1;
inline constexpr std::uint16_t field_caller = JF_FIELD_FIRST + 2;
inline constexpr std::uint16_t field_cause = JF_FIELD_FIRST + 3;
inline constexpr std::uint16_t field_seconds = JF_FIELD_FIRST + 4;
inline constexpr std::uint16_t field_turns = JF_FIELD_FIRST + 5;
inline constexpr std::uint16_t field_summary = JF_FIELD_FIRST + 6;
inline constexpr std::uint16_t field_state = JF_FIELD_FIRST + 7; ///< pending, done, failed
inline constexpr std::uint16_t field_attempts = JF_FIELD_FIRST + 8;
inline constexpr std::uint16_t field_transcript = JF_FIELD_FIRST + 9;

sdk::Collection summaries_collection();

/// The instance. What its jobs share is guarded by one mutex; a job's own state belongs to its op's strand.
class Service {
  public:
    static std::unique_ptr<Service> create(sdk::Host host, const sdk::Config& config) {
        return std::make_unique<Service>(host, Config::from(config));
    }
    Service(sdk::Host host, Config config) : host_(host), config_(std::move(config)) {}

    void start(jf_op op);
    void quiesce(jf_op op, std::uint32_t budget_ms);
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);

    void on_event(jf_op op, const jf_service_event& event);
    void on_tick(jf_op op);

    // For jobs.
    const sdk::Host& host() const { return host_; }
    const Config& config() const { return config_; }
    std::uint32_t collection() const { return collection_; }
    const jf_provider_ref& records() const { return records_; }
    const jf_provider_ref& llm() const { return llm_; }
    bool has_llm() const { return llm_.table != nullptr; }
    /// Makes `id` the record that `job` works on; false while another job does.
    bool reserve(Job& job, const std::string& id);
    void release(Job& job);
    /// From here on quiesce() gives this generation up; false when it already has.
    bool begin_generation(Job& job, jf_op generation);
    void end_generation(Job& job);
    bool stopping() const;
    void count(std::string_view name) const;
    /// Completes the job's op, which is the last thing that anybody does with this instance on its behalf.
    void complete(Job& job, jf_status status, const jf_error* error);

  private:
    class Declaration;
    class QuiesceTimer;
    std::shared_ptr<Job> admit(jf_op op);
    void end_quiesce(jf_op only);

    const sdk::Host host_;
    const Config config_;
    jf_provider_ref records_{};
    jf_provider_ref llm_{};
    std::atomic<std::uint32_t> collection_{0};

    mutable std::mutex mutex_;
    bool accepting_ = false;
    bool stopping_ = false;
    jf_op quiesce_op_ = JF_NO_OP;
    jf_op quiesce_timer_ = JF_NO_OP;
    std::map<jf_op, std::shared_ptr<Job>> jobs_;
    std::map<jf_op, jf_op> declarations_; ///< of start ops, to their declare ops
};

}  // namespace jackfield::call_log
