#include "call/chain_metrics.hpp"

namespace jackfield::call {

ChainMetrics ChainMetrics::in(observe::Metrics& metrics) {
    ChainMetrics out;
    const auto per_kind = [&](PerKind<observe::Counter>& counters, const char* name, const char* help) {
        constexpr std::array kinds = {"stt", "llm", "tts"};
        for (std::size_t i = 0; i < kinds.size(); ++i) counters[i] = metrics.counter(name, help, {{"kind", kinds[i]}});
    };
    per_kind(out.failovers, "jackfield_call_failovers_total", "Times that the next provider of a chain took over");
    per_kind(out.hedges_started, "jackfield_call_hedges_started_total", "Standbys that were started beside a slow provider");
    per_kind(out.hedges_won, "jackfield_call_hedges_won_total", "Standbys that answered before the provider that they stood by for");
    per_kind(out.hedges_lost, "jackfield_call_hedges_lost_total", "Standbys that were not needed after all");
    out.resumed = metrics.counter("jackfield_call_sentences_resumed_total", "Sentences that broke off and were spoken on by another voice");
    out.fed_again = metrics.counter("jackfield_call_turns_fed_again_total", "Turns of callers that were given to another recogniser again");
    out.cut_short = metrics.counter("jackfield_call_speech_cut_short_total", "Times that a voice reported the end with words left to speak");
    out.greeting_hits = metrics.counter("jackfield_call_greetings_cached_total", "Greetings that were played from the cache");
    out.greeting_misses = metrics.counter("jackfield_call_greetings_synthesised_total", "Greetings that a voice had to speak");
    return out;
}

}  // namespace jackfield::call
