#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "store/records_client.hpp"

namespace jackfield::store {

/// A tool that a call's model called, as it is stored: before it runs as an intent, afterwards with what came of it.
struct ToolCallRow {
    std::string call;
    std::int64_t turn = 0;  ///< number of the reply in which it was called; with `index` it names the call of the tool
    std::int64_t index = 0;
    std::string key;        ///< what the tool got as idempotency key
    std::string name;       ///< as the model called it
    std::string arguments;  ///< JSON
    std::string state;      ///< intent, done, failed, unknown
    std::string result;     ///< JSON, as the model got it
    base::UtcTime began;
    base::UtcTime ended;
    std::int64_t attempts = 0;
    std::int64_t began_ms = 0; ///< since the answer
};

/// The tool calls of all calls in the record store, collection jf.tool_calls.
class ToolCallStore {
  public:
    explicit ToolCallStore(RecordsClient& records) : records_(records) {}

    using Done = std::function<void(base::Result<>)>;
    /// Once, before anything else.
    void prepare(runtime::Shard& shard, Done done);

    /// Before the tool runs; also what was refused without running.
    void insert(runtime::Shard& shard, const std::string& tenant, const ToolCallRow& row, Done done);
    /// State, result, attempts and end.
    void finish(runtime::Shard& shard, const std::string& tenant, const ToolCallRow& row, Done done);
    /// Whatever is an intent was under way when the process before this one died: nobody knows what came of it.
    void mark_unknown(runtime::Shard& shard, const std::string& tenant, std::function<void(base::Result<std::uint64_t>)> done);

    using OnRows = std::function<void(base::Result<std::vector<ToolCallRow>>)>;
    /// In the order in which they were called.
    void list(runtime::Shard& shard, const std::string& tenant, const std::string& call, OnRows done);

  private:
    RecordsClient& records_;
    std::uint32_t tool_calls_ = 0;
};

}  // namespace jackfield::store
