#include "call/ended_event.hpp"

#include <jackfield/telephony.h>

#include "base/json.hpp"

namespace jackfield::call {

std::string quality_json(const jf_quality& quality) {
    if (quality.struct_size == 0) return {};
    base::JsonWriter json;
    json.begin_object();
    json.member("packets_in", quality.packets_in).member("packets_lost", quality.packets_lost);
    json.member("packets_out", quality.packets_out).member("jitter_ms", quality.jitter_us / 1000.0);
    if (quality.round_trip_us) json.member("round_trip_ms", quality.round_trip_us / 1000.0);
    if (quality.mos >= 0) json.member("mos", static_cast<double>(quality.mos));
    json.end_object();
    return json.take();
}

std::string ended_event(const store::CallRow& row, const std::string& agent, const std::vector<TranscriptLine>& transcript, std::int64_t at_us) {
    base::JsonWriter json;
    json.begin_object();
    json.member("event", "call.ended").member("call", row.id).member("tenant", row.tenant).member("agent", agent);
    json.member("direction", row.direction).member("from", row.from).member("to", row.to).member("at_us", at_us);
    json.member("cause", row.cause).member("ended_by", row.ended_by).member("reason", row.reason);
    json.member("turns", row.turns).member("started_us", row.started.us);
    json.member("answered_us", row.answered.us).member("ended_us", row.ended.us);
    json.member("recording", row.recording);
    if (!row.quality_json.empty()) json.key("quality").raw(row.quality_json);
    json.key("transcript").begin_array();
    for (const TranscriptLine& line : transcript) {
        if (line.text.empty()) continue;
        json.begin_object().member("role", line.caller ? "user" : "assistant").member("text", line.text).end_object();
    }
    json.end_array().end_object();
    return json.take();
}

}  // namespace jackfield::call
