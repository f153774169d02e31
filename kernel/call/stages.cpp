#include "call/stages.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace jackfield::call {
namespace {

std::int64_t whole_ms(base::MonoTime from, base::MonoTime to) {
    return std::chrono::duration_cast<base::Milliseconds>(to - from).count();
}

}  // namespace

std::int64_t reply_ms(const TurnTimes& t) {
    const base::MonoTime none;
    if (t.user_ended == none || t.first_sent == none || t.first_sent < t.user_ended) return -1;
    return whole_ms(t.user_ended, t.first_sent);
}

std::vector<Stage> reply_stages(const TurnTimes& t) {
    if (reply_ms(t) < 0) return {};
    struct Moment {
        const char* stage;
        base::MonoTime end;
    };
    const Moment moments[] = {
        {"vad_ms", t.speech_stop},      // the detector was sure that the caller is quiet
        {"endpoint_ms", t.endpoint},    // ... and the turn-taking that it is the agent's turn
        {"stt_ms", t.final_text},
        {"llm_ms", t.first_token},
        {"clause_ms", t.first_text},    // enough words for the voice
        {"tts_ms", t.first_speech},
        {"playout_ms", t.first_sent},
    };
    std::vector<Stage> out;
    base::MonoTime reached = t.user_ended;
    std::int64_t told = 0;
    for (const Moment& moment : moments) {
        if (moment.end != base::MonoTime{}) reached = std::clamp(moment.end, reached, t.first_sent);
        const std::int64_t until = whole_ms(t.user_ended, reached);
        out.push_back({moment.stage, until - told});
        told = until;
    }
    return out;
}

std::string stages_json(const TurnTimes& times) {
    const std::vector<Stage> stages = reply_stages(times);
    if (stages.empty()) return {};
    base::JsonWriter json;
    json.begin_object();
    for (const Stage& stage : stages) json.member(stage.name, stage.ms);
    json.end_object();
    return json.take();
}

}  // namespace jackfield::call
