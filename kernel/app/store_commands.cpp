// `jackfield store`: the record store's collections and their migrations, without a running host.

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "app/commands.hpp"
#include "app/control_server.hpp"
#include "app/offline_store.hpp"
#include "base/json.hpp"

namespace jackfield::app {
namespace {

using Steps = std::vector<sdk::MigrationStep>;
using Migrated = base::Result<store::WriteDone>;

Migrated ask_store(OfflineStore& offline, std::uint32_t action, const StoreCommand& command, bool lossy = false) {
    store::Migration migration{action, command.collection, lossy};
    return offline.wait<Migrated>([&](auto done) { offline.records().migrate(offline.shard(), migration, done); });
}

const char* kind_name(std::uint32_t kind) {
    static constexpr const char* names[] = {"stands",      "add_field", "rename_field", "retype_field", "drop_field",
                                            "field_flags", "indexes",   "backup",       "migrated"};
    return kind < std::size(names) ? names[kind] : "step";
}

std::string marks(const sdk::MigrationStep& step) {
    if (step.flags & JF_STEP_BLOCKED) return "  [blocked]";
    std::string out;
    if (step.flags & JF_STEP_LOSSY) out += "  [loses values]";
    if (step.kind != JF_STEP_BACKUP && !(step.flags & JF_STEP_REVERSIBLE)) out += "  [for good]";
    return out;
}

std::string json_of(const Steps& steps, const char* done_as) {
    base::JsonWriter json;
    json.begin_object().member("ok", true).key(done_as).begin_array();
    for (const sdk::MigrationStep& step : steps) {
        json.begin_object().member("collection", step.collection).member("kind", kind_name(step.kind)).member("text", step.text);
        json.member("from_version", std::int64_t{step.from_version}).member("to_version", std::int64_t{step.to_version});
        json.member("rows", static_cast<std::int64_t>(step.rows)).member("lost", static_cast<std::int64_t>(step.lost));
        json.member("estimate_ms", std::int64_t{step.estimate_ms}).member("lossy", (step.flags & JF_STEP_LOSSY) != 0);
        json.member("blocked", (step.flags & JF_STEP_BLOCKED) != 0).member("reversible", (step.flags & JF_STEP_REVERSIBLE) != 0).end_object();
    }
    return json.end_array().end_object().str();
}

void print_plan(const Steps& steps) {
    std::string collection;
    std::uint64_t estimate_ms = 0;
    for (const sdk::MigrationStep& step : steps) {
        if (step.collection != collection) {
            collection = step.collection;
            std::cout << collection << "  version " << step.from_version << " -> " << step.to_version << "\n";
        }
        std::cout << "  " << step.text << marks(step) << "\n";
        estimate_ms += step.estimate_ms;
    }
    if (!steps.empty()) std::cout << "about " << (estimate_ms < 1000 ? std::to_string(estimate_ms) + " ms" : std::to_string(estimate_ms / 1000) + " s") << "\n";
}

void print_status(const Steps& steps) {
    for (const sdk::MigrationStep& step : steps) {
        if (step.kind == JF_STEP_STANDS)
            std::cout << step.collection << "  version " << step.to_version << "  " << step.rows << " records  " << step.text << "\n";
        else std::cout << "migrated  " << step.collection << "  " << step.from_version << " -> " << step.to_version << "  " << step.rows << " records  " << step.text << "\n";
    }
}

bool has(const Steps& steps, std::uint32_t flag) {
    return std::any_of(steps.begin(), steps.end(), [&](const sdk::MigrationStep& step) { return (step.flags & flag) != 0; });
}

/// Asks on a terminal; elsewhere the answer is no.
bool confirmed() {
    if (!::isatty(STDIN_FILENO)) return false;
    std::cout << "Do it? [y/N] " << std::flush;
    std::string line;
    return std::getline(std::cin, line) && (line == "y" || line == "yes");
}

int show(const CommonOptions& common, OfflineStore& offline, std::uint32_t action, const StoreCommand& command) {
    const Migrated answer = ask_store(offline, action, command);
    if (!answer) return fail(answer.error().text());
    if (common.json) std::cout << json_of(answer->steps, action == JF_MIGRATE_STATUS ? "collections" : "steps") << "\n";
    else if (action == JF_MIGRATE_STATUS) print_status(answer->steps);
    else if (answer->steps.empty()) std::cout << "nothing waits\n";
    else print_plan(answer->steps);
    return exit_ok;
}

int change(const CommonOptions& common, OfflineStore& offline, const StoreCommand& command) {
    const bool back = command.what == StoreCommand::What::rollback;
    const Migrated plan = ask_store(offline, back ? JF_MIGRATE_PLAN_ROLLBACK : JF_MIGRATE_PLAN, command);
    if (!plan) return fail(plan.error().text());
    if (plan->steps.empty()) {
        std::cout << (common.json ? json_of({}, "done") : std::string("nothing waits")) << "\n";
        return exit_ok;
    }
    if (!common.json) print_plan(plan->steps);
    if (has(plan->steps, JF_STEP_BLOCKED)) return fail("a step is blocked; nothing was done");
    if (has(plan->steps, JF_STEP_LOSSY) && !command.lossy) return fail("values would be lost: allow that with --lossy; nothing was done");
    if (!command.yes && (common.json || !confirmed())) return fail("not confirmed: answer y, or pass --yes; nothing was done");
    const Migrated done = ask_store(offline, back ? JF_MIGRATE_ROLLBACK : JF_MIGRATE_APPLY, command, command.lossy);
    if (!done) return fail(done.error().text());
    if (common.json) {
        std::cout << json_of(done->steps, "done") << "\n";
        return exit_ok;
    }
    for (const sdk::MigrationStep& step : done->steps)
        if (step.kind == JF_STEP_BACKUP) std::cout << step.text << "\n";
    std::cout << "done: " << done->affected << " records\n";
    return exit_ok;
}

}  // namespace

int run_store(const CommonOptions& common, const StoreCommand& command) {
    using What = StoreCommand::What;
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    const bool changes = command.what == What::migrate || command.what == What::rollback;
    // A running host knows the collections as they were.
    if (changes && control_request(config->control_socket, R"({"cmd":"status"})", [](const std::string&) { return false; }))
        return fail("a host is running on this store: stop it first");
    auto offline = OfflineStore::open(*config, OfflineStore::Fit::tried);
    if (!offline) return fail(offline.error().text());
    switch (command.what) {
        case What::status: return show(common, **offline, JF_MIGRATE_STATUS, command);
        case What::plan: return show(common, **offline, command.back ? JF_MIGRATE_PLAN_ROLLBACK : JF_MIGRATE_PLAN, command);
        default: return change(common, **offline, command);
    }
}

}  // namespace jackfield::app
