#include "simulators/call_report.hpp"

#include <cmath>

#include "base/json.hpp"

namespace jackfield::sim {
namespace {

double tenths(double ms) { return std::round(ms * 10) / 10; }

void optional_member(base::JsonWriter& json, std::string_view name, const std::optional<double>& value) {
    json.key(name);
    if (value) {
        json.value(tenths(*value));
    } else {
        json.null();
    }
}

void write_media(base::JsonWriter& json, const MediaCounts& media) {
    json.key("media").begin_object();
    json.member("sent", media.sent).member("received", media.received).member("lost", media.lost);
    json.member("duplicated", media.duplicated).member("late", media.late).member("foreign", media.foreign);
    json.member("gaps", media.gaps).member("longest_gap_ms", static_cast<std::int64_t>(media.longest_gap.count()));
    json.member("attack_sent", media.attack_sent).member("attack_received", media.attack_received);
    json.end_object();
}

void write_turns(base::JsonWriter& json, const std::vector<Turn>& turns) {
    json.key("turns").begin_array();
    for (const Turn& turn : turns) {
        json.begin_object().member("name", turn.name);
        json.member("start_ms", tenths(turn.start_ms)).member("end_ms", tenths(turn.end_ms));
        optional_member(json, "latency_ms", turn.latency_ms);
        optional_member(json, "kept_speaking_ms", turn.kept_speaking_ms);
        json.end_object();
    }
    json.end_array();
}

}  // namespace

std::string_view to_string(CallState state) {
    switch (state) {
        case CallState::idle: return "idle";
        case CallState::calling: return "calling";
        case CallState::ringing: return "ringing";
        case CallState::answered: return "answered";
        case CallState::ended: return "ended";
    }
    return "?";
}

std::string_view to_string(EndedBy by) {
    switch (by) {
        case EndedBy::nobody: return "nobody";
        case EndedBy::us: return "us";
        case EndedBy::peer: return "peer";
        case EndedBy::rejected: return "rejected";
        case EndedBy::cancelled: return "cancelled";
        case EndedBy::timeout: return "timeout";
        case EndedBy::vanished: return "vanished";
    }
    return "?";
}

std::string CallReport::json() const {
    base::JsonWriter json;
    json.begin_object();
    json.member("state", to_string(state)).member("ended_by", to_string(ended_by));
    json.member("final_status", final_status);
    json.key("statuses").begin_array();
    for (int status : statuses) json.value(status);
    json.end_array();
    optional_member(json, "ringing_after_ms", ringing_after_ms);
    optional_member(json, "answered_after_ms", answered_after_ms);
    optional_member(json, "first_packet_ms", first_packet_ms);
    optional_member(json, "first_speech_ms", first_speech_ms);
    json.member("talked_ms", tenths(talked_ms)).member("codec", codec).member("keys_heard", keys_heard);
    write_media(json, media);
    write_turns(json, turns);
    json.key("agent").begin_array();
    for (const AgentSpeech& speech : agent) {
        json.begin_object().member("start_ms", tenths(speech.start_ms)).member("end_ms", tenths(speech.end_ms));
        json.end_object();
    }
    json.end_array().end_object();
    return json.take();
}

void measure_turns(const MediaLeg& leg, Clock::time_point origin, milliseconds pause, CallReport& report) {
    const std::vector<Stretch> heard = leg.heard(pause);
    for (const Stretch& stretch : heard) {
        report.agent.push_back({ms_between(origin, stretch.first), ms_between(origin, stretch.last)});
    }
    const std::vector<Utterance>& said = leg.said();
    for (std::size_t i = 0; i < said.size(); ++i) {
        const Utterance& utterance = said[i];
        const auto next = i + 1 < said.size() && said[i + 1].voiced ? said[i + 1].voiced->first : Clock::time_point::max();
        Turn turn;
        turn.name = utterance.name;
        if (utterance.voiced) {
            const auto [first, last] = *utterance.voiced;
            turn.start_ms = ms_between(origin, first);
            turn.end_ms = ms_between(origin, last);
            for (const Stretch& stretch : heard) {
                if (stretch.first < first && stretch.last > first) {
                    turn.kept_speaking_ms = ms_between(first, stretch.last);
                }
                // What begins after our next words answers those.
                const bool answer = stretch.first > last && stretch.first < next;
                if (!turn.latency_ms && answer) turn.latency_ms = ms_between(last, stretch.first);
            }
        }
        report.turns.push_back(std::move(turn));
    }
}

}  // namespace jackfield::sim
