#include "store/tool_call_store.hpp"

#include <cstdio>

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
    const auto at = [&](std::uint16_t field) -> const sdk::Value& { return row.field(field); };
    ToolCallRow out;
    out.call = at(field_call).text();
    out.turn = at(field_turn).integer();
    out.index = at(field_index).integer();
    out.key = at(field_key).text();
    out.name = at(field_name).text();
    out.arguments = at(field_arguments).text();
    out.state = at(field_state).text();
    out.result = at(field_result).text();
    out.began = {at(field_began).time().us};
    out.ended = {at(field_ended).time().us};
    out.attempts = at(field_attempts).integer();
    out.began_ms = at(field_began_ms).integer();
    return out;
}

RecordsClient::OnWritten just(ToolCallStore::Done done) {
    return [done = std::move(done)](base::Result<WriteDone> result) {
        if (!done) return;
        if (result) done(base::Result<>());
        else done(result.error());
    };
}

sdk::Value time_or_null(base::UtcTime t) { return t.us ? sdk::Value(sdk::Time{t.us}) : sdk::Value(); }

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
    records_.query(shard, std::move(query), [done = std::move(done)](base::Result<QueryDone> result) {
        if (!result) return done(result.error());
        std::vector<ToolCallRow> rows;
        for (const Row& row : result->rows) rows.push_back(read_row(row));
        done(std::move(rows));
    });
}

}  // namespace jackfield::store
