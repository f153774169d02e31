#include "app/stored_call.hpp"

#include "app/which_call.hpp"

namespace jackfield::app {

base::Result<StoredCall> StoredCall::find(const config::HostConfig& config, const std::string& id) {
    using Turns = base::Result<std::vector<store::TurnRow>>;
    auto opened = OfflineStore::open(config);
    if (!opened) return opened.error();
    OfflineStore& store = **opened;
    StoredCall out;
    auto row = stored_call(store, config, id);
    if (!row) return row.error();
    out.row = std::move(*row);
    auto turns = store.wait<Turns>([&](auto done) { store.calls().turns(store.shard(), out.row.tenant, out.row.id, done); });
    if (!turns) return turns.error();
    out.turns = std::move(*turns);
    auto trace = store.wait<base::Result<std::string>>([&](auto done) { store.calls().trace(store.shard(), out.row.tenant, out.row.id, done); });
    if (!trace) return trace.error();
    out.trace_json = std::move(*trace);
    return out;
}

}  // namespace jackfield::app
