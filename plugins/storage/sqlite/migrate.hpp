#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <jackfield/records.h>

#include "config.hpp"
#include "connection.hpp"

// From the collections as they stand to declarations that were refused because their version is later, and one step back. A migration makes the table
// anew inside one transaction, and keeps aside what it takes away, so that the way back restores it.

namespace jackfield::sqlite {

struct Step {
    std::uint32_t kind = JF_STEP_STANDS;
    std::uint32_t flags = 0;  // JF_STEP_*
    std::string collection, text;
    std::uint32_t from = 0, to = 0;  // versions
    std::uint64_t rows = 0, lost = 0;
    std::uint32_t estimate_ms = 0;
};
using StepSink = std::function<void(const Step&)>;

struct MigrateRequest {
    std::uint32_t action = JF_MIGRATE_PLAN;
    std::string collection;  // empty: all
    bool lossy = false;
};
MigrateRequest read_migrate(const jf_migrate* given);

/// Reports each step before it is done, and answers how many rows were touched. Throws StoreFailure; what was changed before stays, a collection at a
/// time.
std::uint64_t migrate(Connection& writer, const Options& options, const MigrateRequest& request, const StepSink& sink);

}  // namespace jackfield::sqlite
