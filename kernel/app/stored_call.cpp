#include "app/stored_call.hpp"

#include "app/offline_store.hpp"

namespace jackfield::app {

base::Result<StoredCall> StoredCall::find(const config::HostConfig& config, const std::string& id) {
    using Calls = base::Result<std::vector<store::CallRow>>;
    using Turns = base::Result<std::vector<store::TurnRow>>;
    auto opened = OfflineStore::open(config);
    if (!opened) return opened.error();
    OfflineStore& store = **opened;
    StoredCall out;
    for (const config::TenantConfig& tenant : config.tenants) {
        auto found = id == "last" ? store.wait<Calls>([&](auto done) { store.calls().list(store.shard(), tenant.id, 1, done); })
                                  : store.wait<Calls>([&](auto done) { store.calls().get(store.shard(), tenant.id, id, done); });
        if (!found) return found.error();
        if (!found->empty() && found->front().started >= out.row.started) out.row = found->front();
        if (!out.row.id.empty() && id != "last") break;
    }
    if (out.row.id.empty())
        return base::Error(base::ErrorCode::not_found, "there is no call '" + id + "'; `jackfield calls list` shows those there are");
    auto turns = store.wait<Turns>([&](auto done) { store.calls().turns(store.shard(), out.row.tenant, out.row.id, done); });
    if (!turns) return turns.error();
    out.turns = std::move(*turns);
    auto trace = store.wait<base::Result<std::string>>([&](auto done) { store.calls().trace(store.shard(), out.row.tenant, out.row.id, done); });
    if (!trace) return trace.error();
    out.trace_json = std::move(*trace);
    return out;
}

}  // namespace jackfield::app
