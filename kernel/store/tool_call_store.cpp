#include "store/tool_call_store.hpp"

#include <cstdio>

#include "store/rows.hpp"

namespace jackfield::store {
namespace {

using sdk::Collection;
using sdk::Query;
using sdk::Row;
using sdk::Write;

/// Numbers of declared fields, in the order of collection(): never reorder, append only.
enum Field : std::uint16_t {
    field_call = JF_FIELD_FIRST, field_turn, field_index, field_key, field_name, field_arguments, field_state, field_result, field_began,
    field_ended, field_attempts, field_began_ms,
};

Collection collection() {
    Collection c("jf.tool_calls", JF_SCOPE_TENANT);
    c.field("call", JF_VALUE_TEXT, JF_FIELD_NOT_NULL, "jf.calls")
        .field("turn", JF_VALUE_INT, JF_FIELD_NOT_NULL)
        .field("number", JF_VALUE_INT, JF_FIELD_NOT_NULL)
        .field("key", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("arguments", JF_VALUE_TEXT)
        .field("state", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("result", JF_VALUE_TEXT)
        .field("began", JF_VALUE_TIME, JF_FIELD_NOT_NULL)
        .field("ended", JF_VALUE_TIME)
        .field("attempts", JF_VALUE_INT)
        .field("began_ms", JF_VALUE_INT);
    c.index({"call", "turn", "number"}).index({"state"}).version(1);
    return c;
}

/// The id orders the tool calls of a call.
std::string id_of(const ToolCallRow& row) {
    char number[48];
    std::snprintf(number, sizeof number, "-t%05lld-%03lld", static_cast<long long>(row.turn), static_cast<long long>(row.index));
    return row.call + number;
}

ToolCallRow read_row(const Row& row) {
    const FieldReader at(row);
    ToolCallRow out;
    out.call = at.text(field_call);
    out.turn = at.integer(field_turn);
    out.index = at.integer(field_index);
    out.key = at.text(field_key);
    out.name = at.text(field_name);
    out.arguments = at.text(field_arguments);
    out.state = at.text(field_state);
    out.result = at.text(field_result);
    out.began = at.time(field_began);
    out.ended = at.time(field_ended);
    out.attempts = at.integer(field_attempts);
    out.began_ms = at.integer(field_began_ms);
    return out;
}

}  // namespace

void ToolCallStore::prepare(runtime::Shard& shard, Done done) {
    records_.declare(shard, collection(), [this, done = std::move(done)](base::Result<std::uint32_t> declared) {
        if (!declared) return done(declared.error().with_context("declare jf.tool_calls"));
        tool_calls_ = *declared;
        done(base::Result<>());
    });
}

void ToolCallStore::insert(runtime::Shard& shard, const std::string& tenant, const ToolCallRow& row, Done done) {
    auto write = Write::insert(tool_calls_, tenant, id_of(row));
    write.set(field_call, row.call)
        .set(field_turn, row.turn)
        .set(field_index, row.index)
        .set(field_key, row.key)
        .set(field_name, row.name)
        .set(field_arguments, row.arguments)
        .set(field_state, row.state)
        .set(field_result, row.result)
        .set(field_began, sdk::Time{row.began.us})
        .set(field_ended, time_or_null(row.ended))
        .set(field_attempts, row.attempts)
        .set(field_began_ms, row.began_ms);
    records_.write(shard, std::move(write), just(std::move(done)));
}

void ToolCallStore::finish(runtime::Shard& shard, const std::string& tenant, const ToolCallRow& row, Done done) {
    auto write = Write::update(tool_calls_, tenant, id_of(row));
    write.set(field_state, row.state)
        .set(field_result, row.result)
        .set(field_ended, time_or_null(row.ended))
        .set(field_attempts, row.attempts);
    records_.write(shard, std::move(write), just(std::move(done)));
}

void ToolCallStore::mark_unknown(runtime::Shard& shard, const std::string& tenant, std::function<void(base::Result<std::uint64_t>)> done) {
    auto write = Write::update(tool_calls_, tenant);
    write.eq(field_state, "intent").set(field_state, "unknown").set(field_result, R"({"error":"the host stopped while the tool ran"})");
    records_.write(shard, std::move(write), [done = std::move(done)](base::Result<WriteDone> result) {
        if (result) done(result->affected);
        else done(result.error());
    });
}

void ToolCallStore::list(runtime::Shard& shard, const std::string& tenant, const std::string& call, OnRows done) {
    Query query(tool_calls_, tenant);
    query.eq(field_call, call).order_by(field_turn).order_by(field_index).limit(10000);
    records_.query(shard, std::move(query), each(read_row, std::move(done)));
}

}  // namespace jackfield::store
