// The cursor of storage/sqlite: bytes that a caller hands back and that may be anything. What is accepted must be exactly what would be
// written, or pages would begin at a place that no page ended at.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "plugins/storage/sqlite/cursor.hpp"

namespace {

using namespace jackfield::sqlite;

std::shared_ptr<const Collection> make_collection() {
    Collection made;
    made.number = 7;
    made.scope = JF_SCOPE_TENANT;
    made.name = "fuzz.c";
    for (std::uint16_t type = JF_VALUE_INT; type <= JF_VALUE_BOOL; ++type) {
        Field& field = made.fields.emplace_back();
        field.name = "f" + std::to_string(type);
        field.column = quoted(field.name);
        field.type = type;
        field.flags = type % 2 ? JF_FIELD_NOT_NULL : 0;
    }
    return std::make_shared<const Collection>(std::move(made));
}

QueryRequest make_query(unsigned pick, bool grouped) {
    static const auto collection = make_collection();
    QueryRequest query;
    query.collection = collection;
    query.tenant = "t";
    for (unsigned i = 0; i < 6; ++i) {
        if (!(pick >> i & 1u)) continue;
        jf_order by = jackfield::sdk::make<jf_order>();
        by.field = static_cast<std::uint16_t>(JF_FIELD_FIRST + i);
        query.order.push_back(by);
    }
    if (grouped) query.aggregates.push_back(jackfield::sdk::make<jf_aggregate>());
    return query;
}

void check(const QueryRequest& query, const std::string& bytes) {
    try {
        const Cursor cursor = read_cursor(query, bytes);
        if (write_cursor(query, cursor) != bytes) std::abort();
    } catch (const StoreFailure& failure) {
        if (failure.code() != JF_E_INVALID) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const QueryRequest query = make_query(data[0] & 63u, (data[0] & 64u) != 0);
    const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    check(query, rest);
    // Behind a right version and shape, which no mutation would find.
    const std::uint64_t shape = shape_of(query);
    check(query, '\1' + std::string(reinterpret_cast<const char*>(&shape), sizeof shape) + rest);
    return 0;
}
