#include "store/call_store.hpp"

namespace jackfield::store {
namespace {

using sdk::Collection;
using sdk::Query;
using sdk::Row;
using sdk::Write;

/// Numbers of declared fields, in the order of calls_collection(): never reorder, append only.
enum CallField : std::uint16_t {
    call_agent = JF_FIELD_FIRST, call_direction, call_provider, call_leg, call_from, call_to, call_state, call_leg_state,
    call_started, call_answered, call_ended, call_cause, call_ended_by, call_reason, call_sip_status, call_recording,
    call_turns, call_parent, call_answered_by, call_quality,
};

Collection calls_collection() {
    Collection c("jf.calls", JF_SCOPE_TENANT);
    c.field("agent", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("direction", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("provider", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("leg", JF_VALUE_TEXT)
        .field("caller", JF_VALUE_TEXT)
        .field("called", JF_VALUE_TEXT)
        .field("state", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("leg_state", JF_VALUE_BYTES)
        .field("started", JF_VALUE_TIME, JF_FIELD_NOT_NULL)
        .field("answered", JF_VALUE_TIME)
        .field("ended", JF_VALUE_TIME)
        .field("cause", JF_VALUE_TEXT)
        .field("ended_by", JF_VALUE_TEXT)
        .field("reason", JF_VALUE_TEXT)
        .field("sip_status", JF_VALUE_INT)
        .field("recording", JF_VALUE_TEXT)
        .field("turns", JF_VALUE_INT)
        .field("parent", JF_VALUE_TEXT)
        .field("answered_by", JF_VALUE_TEXT)
        .field("quality", JF_VALUE_JSON);
    c.index({"state"}).index({"started"}).index({"parent"}).version(1);
    return c;
}

enum TurnField : std::uint16_t {
    turn_call = JF_FIELD_FIRST, turn_number, turn_role, turn_text, turn_unheard, turn_interrupted, turn_rule,
    turn_confidence, turn_began_ms, turn_ended_ms, turn_reply_ms, turn_stages, turn_why, turn_agent,
};

Collection turns_collection() {
    Collection c("jf.turns", JF_SCOPE_TENANT);
    c.field("call", JF_VALUE_TEXT, JF_FIELD_NOT_NULL, "jf.calls")
        .field("number", JF_VALUE_INT, JF_FIELD_NOT_NULL)
        .field("role", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("text", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("unheard", JF_VALUE_TEXT)
        .field("interrupted", JF_VALUE_BOOL, JF_FIELD_NOT_NULL)
        .field("rule", JF_VALUE_TEXT)
        .field("confidence", JF_VALUE_REAL)
        .field("began_ms", JF_VALUE_INT)
        .field("ended_ms", JF_VALUE_INT)
        .field("reply_ms", JF_VALUE_INT)
        .field("stages", JF_VALUE_JSON)
        .field("why", JF_VALUE_JSON)
        .field("agent", JF_VALUE_TEXT);
    c.index({"call", "number"}).version(1);
    return c;
}

enum TraceField : std::uint16_t { trace_entries = JF_FIELD_FIRST };

/// Apart from the calls: what is long and rarely read.
Collection traces_collection() {
    Collection c("jf.traces", JF_SCOPE_TENANT);
    c.field("entries", JF_VALUE_JSON, JF_FIELD_NOT_NULL).version(1);
    return c;
}

sdk::Value time_or_null(base::UtcTime t) { return t.us ? sdk::Value(sdk::Time{t.us}) : sdk::Value(); }

CallRow read_call(const Row& row) {
    const auto text = [&](std::uint16_t field) { return row.field(field).text(); };
    const auto number = [&](std::uint16_t field) { return row.field(field).integer(); };
    CallRow call;
    call.id = text(JF_FIELD_ID);
    call.tenant = text(JF_FIELD_TENANT);
    call.agent = text(call_agent);
    call.direction = text(call_direction);
    call.provider = text(call_provider);
    call.leg = text(call_leg);
    call.from = text(call_from);
    call.to = text(call_to);
    call.state = text(call_state);
    call.leg_state = text(call_leg_state);
    call.started = {number(call_started)};
    call.answered = {number(call_answered)};
    call.ended = {number(call_ended)};
    call.cause = text(call_cause);
    call.ended_by = text(call_ended_by);
    call.reason = text(call_reason);
    call.sip_status = number(call_sip_status);
    call.recording = text(call_recording);
    call.turns = number(call_turns);
    call.parent = text(call_parent);
    call.answered_by = text(call_answered_by);
    call.quality_json = text(call_quality);
    return call;
}

TurnRow read_turn(const Row& row) {
    const auto at = [&](std::uint16_t field) -> const sdk::Value& { return row.field(field); };
    TurnRow turn;
    turn.call = at(turn_call).text();
    turn.number = at(turn_number).integer();
    turn.role = at(turn_role).text();
    turn.text = at(turn_text).text();
    turn.unheard = at(turn_unheard).text();
    turn.interrupted = at(turn_interrupted).boolean();
    turn.rule = at(turn_rule).text();
    turn.confidence = at(turn_confidence).real();
    turn.began_ms = at(turn_began_ms).integer();
    turn.ended_ms = at(turn_ended_ms).integer();
    turn.reply_ms = at(turn_reply_ms).is_null() ? -1 : at(turn_reply_ms).integer();
    turn.stages_json = at(turn_stages).text();
    turn.why_json = at(turn_why).text();
    turn.agent = at(turn_agent).text();
    return turn;
}

RecordsClient::OnWritten just(CallStore::Done done) {
    return [done = std::move(done)](base::Result<WriteDone> result) {
        if (!done) return;
        if (result) done(base::Result<>());
        else done(result.error());
    };
}

}  // namespace

void CallStore::prepare(runtime::Shard& shard, Done done) {
    records_.declare(shard, calls_collection(), [this, &shard, done](base::Result<std::uint32_t> calls) {
        if (!calls) return done(calls.error().with_context("declare jf.calls"));
        calls_ = *calls;
        records_.declare(shard, turns_collection(), [this, &shard, done](base::Result<std::uint32_t> turns) {
            if (!turns) return done(turns.error().with_context("declare jf.turns"));
            turns_ = *turns;
            records_.declare(shard, traces_collection(), [this, &shard, done](base::Result<std::uint32_t> traces) {
                if (!traces) return done(traces.error().with_context("declare jf.traces"));
                traces_ = *traces;
                tool_calls_.prepare(shard, done);
            });
        });
    });
}

void CallStore::insert(runtime::Shard& shard, const CallRow& call, Done done) {
    auto write = Write::insert(calls_, call.tenant, call.id);
    write.set(call_agent, call.agent)
        .set(call_direction, call.direction)
        .set(call_provider, call.provider)
        .set(call_leg, call.leg)
        .set(call_from, call.from)
        .set(call_to, call.to)
        .set(call_state, "open")
        .set(call_leg_state, sdk::Bytes{call.leg_state})
        .set(call_started, sdk::Time{call.started.us})
        .set(call_parent, call.parent);
    records_.write(shard, std::move(write), just(std::move(done)));
}

void CallStore::set_leg_state(runtime::Shard& shard, const CallRow& call, Done done) {
    auto write = Write::update(calls_, call.tenant, call.id);
    write.set(call_leg_state, sdk::Bytes{call.leg_state}).set(call_leg, call.leg);
    records_.write(shard, std::move(write), just(std::move(done)));
}

void CallStore::set_answered(runtime::Shard& shard, const CallRow& call, Done done) {
    auto write = Write::update(calls_, call.tenant, call.id);
    write.set(call_answered, time_or_null(call.answered)).set(call_recording, call.recording);
    records_.write(shard, std::move(write), just(std::move(done)));
}

void CallStore::add_turn(runtime::Shard& shard, const std::string& tenant, const TurnRow& turn, Done done) {
    // The id orders turns of a call and makes a second write of the same turn the same record.
    char number[16];
    std::snprintf(number, sizeof number, "-%05lld", static_cast<long long>(turn.number));
    auto write = Write::upsert(turns_, tenant, turn.call + number);
    write.set(turn_call, turn.call)
        .set(turn_number, turn.number)
        .set(turn_role, turn.role)
        .set(turn_text, turn.text)
        .set(turn_unheard, turn.unheard)
        .set(turn_interrupted, turn.interrupted)
        .set(turn_rule, turn.rule)
        .set(turn_confidence, turn.confidence)
        .set(turn_began_ms, turn.began_ms)
        .set(turn_ended_ms, turn.ended_ms)
        .set(turn_reply_ms, turn.reply_ms < 0 ? sdk::Value() : sdk::Value(turn.reply_ms))
        .set(turn_stages, turn.stages_json.empty() ? sdk::Value() : sdk::Value(sdk::Json{turn.stages_json}))
        .set(turn_why, turn.why_json.empty() ? sdk::Value() : sdk::Value(sdk::Json{turn.why_json}))
        .set(turn_agent, turn.agent);
    records_.write(shard, std::move(write), just(std::move(done)));
}

void CallStore::add_trace(runtime::Shard& shard, const std::string& tenant, const std::string& call, const std::string& json, Done done) {
    auto write = Write::upsert(traces_, tenant, call);
    write.set(trace_entries, sdk::Value(sdk::Json{json}));
    records_.write(shard, std::move(write), just(std::move(done)));
}

void CallStore::trace(runtime::Shard& shard, const std::string& tenant, const std::string& call, OnText done) {
    Query query(traces_, tenant);
    query.id(call);
    records_.query(shard, std::move(query), [done = std::move(done)](base::Result<QueryDone> result) {
        if (!result) return done(result.error());
        done(result->rows.empty() ? std::string() : std::string(result->rows.front().field(trace_entries).text()));
    });
}

void CallStore::close(runtime::Shard& shard, const CallRow& call, Done done) {
    auto write = Write::update(calls_, call.tenant, call.id);
    write.eq(call_state, "open")
        .set(call_state, "ended")
        .set(call_ended, sdk::Time{call.ended.us})
        .set(call_cause, call.cause)
        .set(call_ended_by, call.ended_by)
        .set(call_reason, call.reason)
        .set(call_sip_status, call.sip_status)
        .set(call_recording, call.recording)
        .set(call_answered_by, call.answered_by)
        .set(call_quality, call.quality_json.empty() ? sdk::Value() : sdk::Value(sdk::Json{call.quality_json}))
        .set(call_turns, call.turns);
    records_.write(shard, std::move(write), just(std::move(done)));
}

void CallStore::query_calls(runtime::Shard& shard, Query query, OnCalls done) {
    records_.query(shard, std::move(query), [done = std::move(done)](base::Result<QueryDone> result) {
        if (!result) return done(result.error());
        std::vector<CallRow> calls;
        for (const Row& row : result->rows) calls.push_back(read_call(row));
        done(std::move(calls));
    });
}

void CallStore::list(runtime::Shard& shard, const std::string& tenant, std::uint32_t limit, OnCalls done) {
    Query query(calls_, tenant);
    query.order_by(call_started, true).limit(limit);
    query_calls(shard, std::move(query), std::move(done));
}

void CallStore::list_open(runtime::Shard& shard, const std::string& tenant, OnCalls done) {
    Query query(calls_, tenant);
    query.eq(call_state, "open").limit(10000);
    query_calls(shard, std::move(query), std::move(done));
}

void CallStore::get(runtime::Shard& shard, const std::string& tenant, const std::string& id, OnCalls done) {
    Query query(calls_, tenant);
    query.id(id);
    query_calls(shard, std::move(query), std::move(done));
}

void CallStore::legs(runtime::Shard& shard, const std::string& tenant, const std::string& call, OnCalls done) {
    Query query(calls_, tenant);
    query.eq(call_parent, call).order_by(call_started).limit(100);
    query_calls(shard, std::move(query), std::move(done));
}

void CallStore::turns(runtime::Shard& shard, const std::string& tenant, const std::string& call, OnTurns done) {
    Query query(turns_, tenant);
    query.eq(turn_call, call).order_by(turn_number).limit(10000);
    records_.query(shard, std::move(query), [done = std::move(done)](base::Result<QueryDone> result) {
        if (!result) return done(result.error());
        std::vector<TurnRow> turns;
        for (const Row& row : result->rows) turns.push_back(read_turn(row));
        done(std::move(turns));
    });
}

}  // namespace jackfield::store
