#include "store/call_store.hpp"

#include "store/rows.hpp"

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

CallRow read_call(const Row& row) {
    const FieldReader at(row);
    CallRow call;
    call.id = at.text(JF_FIELD_ID);
    call.tenant = at.text(JF_FIELD_TENANT);
    call.agent = at.text(call_agent);
    call.direction = at.text(call_direction);
    call.provider = at.text(call_provider);
    call.leg = at.text(call_leg);
    call.from = at.text(call_from);
    call.to = at.text(call_to);
    call.state = at.text(call_state);
    call.leg_state = at.text(call_leg_state);
    call.started = at.time(call_started);
    call.answered = at.time(call_answered);
    call.ended = at.time(call_ended);
    call.cause = at.text(call_cause);
    call.ended_by = at.text(call_ended_by);
    call.reason = at.text(call_reason);
    call.sip_status = at.integer(call_sip_status);
    call.recording = at.text(call_recording);
    call.turns = at.integer(call_turns);
    call.parent = at.text(call_parent);
    call.answered_by = at.text(call_answered_by);
    call.quality_json = at.text(call_quality);
    return call;
}

TurnRow read_turn(const Row& row) {
    const FieldReader at(row);
    TurnRow turn;
    turn.call = at.text(turn_call);
    turn.number = at.integer(turn_number);
    turn.role = at.text(turn_role);
    turn.text = at.text(turn_text);
    turn.unheard = at.text(turn_unheard);
    turn.interrupted = at.boolean(turn_interrupted);
    turn.rule = at.text(turn_rule);
    turn.confidence = at.real(turn_confidence);
    turn.began_ms = at.integer(turn_began_ms);
    turn.ended_ms = at.integer(turn_ended_ms);
    turn.reply_ms = at.integer(turn_reply_ms, -1);
    turn.stages_json = at.text(turn_stages);
    turn.why_json = at.text(turn_why);
    turn.agent = at.text(turn_agent);
    return turn;
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
        .set(turn_stages, json_or_null(turn.stages_json))
        .set(turn_why, json_or_null(turn.why_json))
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
        .set(call_quality, json_or_null(call.quality_json))
        .set(call_turns, call.turns);
    records_.write(shard, std::move(write), just(std::move(done)));
}

void CallStore::query_calls(runtime::Shard& shard, Query query, OnCalls done) {
    records_.query(shard, std::move(query), each(read_call, std::move(done)));
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
    records_.query(shard, std::move(query), each(read_turn, std::move(done)));
}

}  // namespace jackfield::store
