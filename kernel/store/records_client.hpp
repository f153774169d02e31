#pragma once

#include <jackfield/sdk/records.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "plugin_host/adapters/ports.hpp"
#include "plugin_host/plugin_host.hpp"
#include "runtime/runtime.hpp"

namespace jackfield::store {

struct WriteDone {
    std::uint64_t affected = 0;
    std::uint64_t revision = 0;
    std::vector<sdk::Row> rows; ///< INSERT_OR_GET, CLAIM
    std::vector<sdk::MigrationStep> steps; ///< migrate
};

/// What to migrate: see jf_migrate in records.h.
struct Migration {
    std::uint32_t action = JF_MIGRATE_PLAN;
    std::string collection; ///< empty: all
    bool lossy = false;
};

struct QueryDone {
    std::vector<sdk::Row> rows;
    std::string cursor; ///< empty: that was all
};

/// The record store as the kernel's rooms use it: each request goes to the pool, its answer comes back to the shard that asked. Requests of
/// one caller may overtake each other; who needs an order waits for the answer.
class RecordsClient {
  public:
    RecordsClient(plugin_host::PluginHost& host, plugin_host::Instance& store);

    using OnWritten = std::function<void(base::Result<WriteDone>)>;
    using OnRows = std::function<void(base::Result<QueryDone>)>;
    using OnDeclared = std::function<void(base::Result<std::uint32_t>)>;

    /// `done` runs on `shard`, exactly once, never from inside this call; after ten seconds with TIMEOUT, and then nobody knows whether it was
    /// written. What declares and migrates takes as long as it takes.
    void declare(runtime::Shard& shard, sdk::Collection collection, OnDeclared done);
    void write(runtime::Shard& shard, sdk::Write write, OnWritten done);
    void batch(runtime::Shard& shard, sdk::Batch batch, OnWritten done);
    void query(runtime::Shard& shard, sdk::Query query, OnRows done);
    /// Nothing else uses the store meanwhile.
    void migrate(runtime::Shard& shard, Migration migration, OnWritten done);

  private:
    template <typename Request, typename Run>
    void submit(runtime::Shard& shard, Request request, Run run,
                std::function<void(base::Result<WriteDone>, std::uint64_t pos, std::string cursor)> done, base::Milliseconds deadline);

    plugin_host::PluginHost& host_;
    plugin_host::RecordsPort port_;
};

}  // namespace jackfield::store
