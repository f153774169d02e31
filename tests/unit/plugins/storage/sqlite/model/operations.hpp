#pragma once

// Random operations on one tenant's records, as data: the child process runs them on the plugin, the parent on a model of maps, and both must come to
// the same answer. What is drawn depends on the random numbers alone, never on an answer, so that two processes draw the same.

#include <jackfield/sdk/records.hpp>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "unit/plugins/storage/sqlite/database.hpp"

namespace jackfield::test::model {

using sdk::Value;

// Fields of the collection that everything happens in.
constexpr std::uint16_t name = 8, score = 9, slot = 10, rating = 11, owner = 12, counts = 13, mate = 14;
/// In version 2 a field is renamed, one is added and the indexes are others; the numbers stay.
sdk::Collection collection(std::uint32_t version = 1);

struct Edit {
    std::uint16_t field, verb;
    Value value;
};
struct Term {
    std::uint16_t field, verb;
    Value value;
    std::vector<Value> more;
    bool via = false;  // of the record that `mate` names
};
struct Order {
    std::uint16_t field;
    bool down;
};
struct Change {
    std::uint32_t verb = JF_WRITE_INSERT, flags = 0, limit = 0, unique_index = 0, fair_most = 0;
    std::string id;
    std::uint64_t expect_rev = 0;
    std::vector<Edit> values, edits;
    std::vector<Term> where, busy;
    std::vector<Order> order;
    bool fair = false;
};
struct Question {
    std::vector<Term> where;
    std::vector<Order> order;
    std::string words;       // over every searchable field
    bool ranked = false;     // the best first; they are compared without their order, which is nobody's promise
    bool with_mate = false;  // and two fields of the record that `mate` names
    std::uint32_t page = 0;  // rows of a page
    std::vector<std::int64_t> edges;
    bool aggregate = false;
};
struct Operation {
    std::vector<Change> changes;  // several: a batch
    std::optional<Question> question;
    /// On records that all threads share: each adds three at once, or claims some. What a claim gets depends on the others; that nobody gets what another
    /// one has is checked apart.
    enum class Shared : std::uint8_t { none, add, take } shared = Shared::none;
    std::uint32_t most = 0;  // that are claimed
};
constexpr const char* shared_tenant = "shared";

using Random = std::mt19937_64;
Random random_of(std::uint64_t seed, std::uint64_t round, std::uint64_t thread);
Operation draw(Random& random);
/// For people.
std::string text_of(const Operation& operation);

/// What came of an operation, as text: status, numbers and rows without their times.
std::string run(Database& db, std::uint32_t handle, const std::string& tenant, const Operation& operation);
/// Status and ids. `token` names what is added and who claims.
std::string run_shared(Database& db, std::uint32_t handle, const Operation& operation, const std::string& token);
/// The tenant's records, as Model::state() writes them.
std::string state_of(Database& db, std::uint32_t handle, const std::string& tenant);

std::string row_text(const std::vector<Value>& values);

}  // namespace jackfield::test::model
