#include "app/which_call.hpp"

#include "app/control_server.hpp"
#include "base/json.hpp"

namespace jackfield::app {
namespace {

using Calls = base::Result<std::vector<store::CallRow>>;

/// The legs of one call's transfers that may be newer than it.
constexpr std::uint32_t most_newer_legs = 100;

bool is_newer(const store::CallRow& call, const store::CallRow& than) {
    return than.id.empty() || call.started > than.started || (call.started == than.started && call.id > than.id);
}

}  // namespace

base::Result<store::CallRow> stored_call(OfflineStore& store, const config::HostConfig& config, const std::string& wanted) {
    const bool last = wanted == "last";
    store::CallRow out;
    for (const config::TenantConfig& tenant : config.tenants) {
        auto found = store.wait<Calls>([&](auto done) {
            if (last) store.calls().list(store.shard(), tenant.id, most_newer_legs, done);
            else store.calls().get(store.shard(), tenant.id, wanted, done);
        });
        if (!found) return found.error();
        for (store::CallRow& call : *found) {
            if (last && (!call.parent.empty() || !is_newer(call, out))) continue;
            out = std::move(call);
        }
    }
    if (!out.id.empty()) return out;
    if (last) return base::Error(base::ErrorCode::not_found, "no call has been stored yet");
    return base::Error(base::ErrorCode::not_found, "there is no call '" + wanted + "'; `jackfield calls list` shows those there are");
}

base::Result<std::string> live_call(const config::HostConfig& config, const std::string& wanted) {
    if (wanted != "last") return wanted;
    std::string id;
    std::int64_t newest = 0;
    const auto sent = control_request(config.control_socket, R"({"cmd":"calls"})", [&](const std::string& line) {
        const auto document = base::JsonDocument::parse(line);
        if (!document) return false;
        const base::JsonView calls = document->root()["calls"];
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const std::int64_t started = calls.at(i)["started_us"].integer_or(0);
            const std::string candidate = calls.at(i)["id"].text_or("");
            if (!id.empty() && (started < newest || (started == newest && candidate < id))) continue;
            id = candidate;
            newest = started;
        }
        return false;
    });
    if (!sent) return sent.error();
    if (id.empty()) return base::Error(base::ErrorCode::not_found, "there is no live call");
    return id;
}

}  // namespace jackfield::app
