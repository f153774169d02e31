#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string_view>

#include <jackfield/records.h>
#include <jackfield/sdk/plugin.hpp>

#include "config.hpp"
#include "operations.hpp"
#include "store.hpp"
#include "vectors_store.hpp"

namespace jackfield::sqlite {

/// One instance of the plugin: the C interface over a Store. SQL runs on the calling pool thread, and an op completes before its function
/// returns. What is wrong with the request is the function's status; what the database says is the op's completion.
class Instance {
  public:
    static std::unique_ptr<Instance> create(sdk::Host host, const sdk::Config& config);
    Instance(sdk::Host host, Options options, VectorOptions vectors = {})
        : host_(host), options_(std::move(options)), vector_options_(vectors) {}

    void start(jf_op op);
    void quiesce(jf_op op, std::uint32_t budget_ms);
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);

    void declare(jf_op op, const jf_collection* collection);
    void run_query(jf_op op, const jf_query* query);
    void run_writes(jf_op op, const jf_array& writes);
    void watch(jf_op op, std::uint32_t collection, jf_str tenant);
    void migrate(jf_op op, const jf_migrate* request);

    // What vectors_instance.cpp needs.
    const sdk::Host& host() const { return host_; }
    Operations& operations() { return operations_; }
    /// STATE unless it has started and is not quiescing.
    std::shared_ptr<VectorStore> vectors();

  private:
    struct Answer {
        std::uint64_t affected = 0;
        std::uint64_t revision = 0;
        std::string cursor;
    };
    /// STATE unless it has started and is not quiescing.
    std::shared_ptr<Store> store();
    template <typename Body>
    void serve(jf_op op, Body body);
    /// `patience` is what is left of it for all rows of the op.
    void emit_rows(jf_op op, RowBuffer& rows, const std::atomic<bool>& cancelled, std::chrono::nanoseconds& patience);

    sdk::Host host_;
    Options options_;
    std::mutex mutex_;
    std::shared_ptr<Store> store_;  // shared with the operations that run
    VectorOptions vector_options_;
    std::shared_ptr<VectorStore> vectors_;  // as store_
    bool accepting_ = false;
    Operations operations_;
    Watchers watchers_;
};

}  // namespace jackfield::sqlite
