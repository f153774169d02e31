#include "config/turn_options.hpp"

namespace jackfield::config {
namespace {

using ms = TurnOptions::ms;

/// One row per duration: its key in TOML, where it goes, its bounds, and what it does.
struct DurationRow {
    const char* key;
    ms TurnOptions::*field;
    std::int64_t least;
    std::int64_t most;
    const char* doc;
};

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t hour = 60 * minute;

constexpr DurationRow durations[] = {
    {"speech_start_ms",
     &TurnOptions::speech_start,
     20,
     1000,
     "Voiced audio before the caller counts as speaking."},
    {"speech_stop_ms",
     &TurnOptions::speech_stop,
     40,
     2000,
     "Unvoiced audio before the caller counts as quiet."},
    {"endpoint_ms",
     &TurnOptions::endpoint,
     100,
     10'000,
     "Quiet after which the caller's turn is over."},
    {"endpoint_cap_ms",
     &TurnOptions::endpoint_cap,
     100,
     30'000,
     "The longest quiet that anything (an unfinished sentence, an adaptive endpoint) may wait "
     "for."},
    {"endpoint_least_ms",
     &TurnOptions::endpoint_least,
     100,
     10'000,
     "The shortest quiet that an adaptive endpoint comes down to."},
    {"endpoint_most_ms",
     &TurnOptions::endpoint_most,
     100,
     30'000,
     "The longest quiet that an adaptive endpoint goes up to."},
    {"dictation_endpoint_ms",
     &TurnOptions::dictation_endpoint,
     100,
     10'000,
     "As endpoint_ms, while the caller dictates digits or an address."},
    {"dictation_endpoint_cap_ms",
     &TurnOptions::dictation_endpoint_cap,
     100,
     30'000,
     "As endpoint_cap_ms, while the caller dictates."},
    {"stuck_turn_ms",
     &TurnOptions::stuck_turn,
     500,
     minute,
     "A turn that nothing has closed for so long after the last word is answered anyway."},
    {"final_wait_ms",
     &TurnOptions::final_wait,
     -1,
     10'000,
     "How long the end of a turn waits for the recogniser's final words. -1: the recogniser's own "
     "99th percentile less "
     "speech_stop_ms."},
    {"pre_roll_ms",
     &TurnOptions::pre_roll,
     0,
     3000,
     "Audio from before the start of speech that the recogniser gets too."},
    {"speculate_within_ms",
     &TurnOptions::speculate_within,
     0,
     minute,
     "The longest speech that is answered before its end is sure."},
    {"barge_in_ms",
     &TurnOptions::barge_in,
     40,
     3000,
     "Voiced audio over the agent's speech that pauses the agent."},
    {"barge_in_confirm_ms",
     &TurnOptions::barge_in_confirm,
     40,
     5000,
     "Voiced audio that confirms the interruption; quiet before that resumes the agent."},
    {"barge_in_echo_ms",
     &TurnOptions::barge_in_echo,
     0,
     5000,
     "As barge_in_ms, on a line that gives the agent's own voice back; never more than "
     "barge_in_confirm_ms. The echo itself is no voice of the caller's. 0: echoes are not looked "
     "for."},
    {"resume_after_ms",
     &TurnOptions::resume_after,
     0,
     5000,
     "Quiet after a false interruption before the agent goes on from where it paused."},
    {"greeting_protected_ms",
     &TurnOptions::greeting_protected,
     0,
     minute,
     "Start of the greeting that cannot be interrupted."},
    {"backchannel_guard_ms",
     &TurnOptions::backchannel_guard,
     0,
     5000,
     "First and last part of the agent's turn where short sounds do not interrupt."},
    {"first_flush_ms",
     &TurnOptions::first_flush,
     0,
     5000,
     "After the model's first token, the longest wait before what there is goes to the voice."},
    {"play_cushion_ms",
     &TurnOptions::play_cushion,
     0,
     500,
     "Speech collected before playing starts, so that a late chunk makes no gap."},
    {"play_ahead_ms",
     &TurnOptions::play_ahead,
     20,
     2000,
     "The most speech that may be queued beyond the host: what an interruption cannot take back."},
    {"nudge_after_ms",
     &TurnOptions::nudge_after,
     1000,
     10 * minute,
     "Silence from the caller before the agent asks whether they are there."},
    {"hang_up_after_silence_ms",
     &TurnOptions::hang_up_after_silence,
     1000,
     30 * minute,
     "Silence from the caller before the agent says goodbye and hangs up."},
    {"max_call_ms", &TurnOptions::max_call, 1000, hour, "The longest call; an hour is the most."},
    {"no_media_timeout_ms",
     &TurnOptions::no_media_timeout,
     1000,
     10 * minute,
     "A call on which no audio has ever arrived is ended after so long."},
    {"media_timeout_ms",
     &TurnOptions::media_timeout,
     1000,
     10 * minute,
     "A call whose audio has stopped arriving, and that is not on hold, is ended after so long."},
    {"dead_air_ms",
     &TurnOptions::dead_air,
     200,
     30'000,
     "From the end of the caller's turn until something must be heard."},
    {"dead_air_words_ms",
     &TurnOptions::dead_air_words,
     500,
     minute,
     "From the end of the caller's turn until words must be heard: what keeps them away (a model, a "
     "voice) is given up then."},
    {"filler_repeat_ms",
     &TurnOptions::filler_repeat,
     500,
     minute,
     "Silence after a filler before the next one."},
    {"tool_filler_ms",
     &TurnOptions::tool_filler,
     0,
     minute,
     "Silence after which a caller whose answer waits for a tool is told so, or hears what the tool "
     "itself says of its progress; later ones follow after filler_repeat_ms."},
    {"tool_timeout_ms",
     &TurnOptions::tool_timeout,
     100,
     5 * minute,
     "How long a tool may take. Afterwards the model is told that the outcome is unknown."},
    {"stt_timeout_ms",
     &TurnOptions::stt_timeout,
     100,
     minute,
     "Without a sign of life for so long, the recogniser is replaced by the next in its chain."},
    {"llm_timeout_ms",
     &TurnOptions::llm_timeout,
     100,
     minute,
     "Without a first token for so long, the language model is replaced by the next in its chain."},
    {"tts_timeout_ms",
     &TurnOptions::tts_timeout,
     100,
     minute,
     "Without first audio for so long, the voice is replaced by the next in its chain."},
    {"hedge_floor_ms",
     &TurnOptions::hedge_floor,
     0,
     minute,
     "A model or a voice that has given nothing when it usually would (its own 95th percentile), "
     "and never before this, gets a standby beside it: the next in its chain; the first to answer "
     "is taken. 0: no standby."},
    {"answer_after_ms",
     &TurnOptions::answer_after,
     0,
     minute,
     "How long the telephone rings before the agent answers."},
};

struct CountRow {
    const char* key;
    int TurnOptions::*field;
    const char* unit;
    std::int64_t least;
    std::int64_t most;
    const char* doc;
};

constexpr CountRow counts[] = {
    {"barge_in_words",
     &TurnOptions::barge_in_words,
     "words",
     1,
     20,
     "Words over the agent's speech that confirm the interruption, whichever comes first."},
    {"first_flush_chars",
     &TurnOptions::first_flush_chars,
     "characters",
     1,
     1000,
     "Shortest first clause that goes to the voice on its own."},
    {"speculate_tries",
     &TurnOptions::speculate_tries,
     "times",
     1,
     20,
     "How often an answer is begun in one turn of the caller's before its end is sure."},
    {"fillers_most",
     &TurnOptions::fillers_most,
     "times",
     0,
     20,
     "How many fillers are said for one answer before the agent gives up."},
    {"nudges",
     &TurnOptions::nudges,
     "times",
     0,
     10,
     "How often a silent caller is asked before the agent waits for the hang-up."},
    {"vad_mode",
     &TurnOptions::vad_mode,
     "",
     0,
     3,
     "How strictly the WebRTC voice detector rejects what is not speech."},
};

struct FlagRow {
    const char* key;
    bool TurnOptions::*field;
    const char* doc;
};

constexpr FlagRow flags[] = {
    {"adaptive_endpoint",
     &TurnOptions::adaptive_endpoint,
     "Learns from the caller's own pauses how long to wait; starts from endpoint_ms."},
    {"speculate",
     &TurnOptions::speculate,
     "Lets the model begin its answer while the end of the caller's turn is still open. It is "
     "thrown away when the caller goes on or was understood differently."},
    {"waiting_tone",
     &TurnOptions::waiting_tone,
     "A soft tone after dead_air_ms when nothing else can be heard, so that the line is not taken "
     "for dead."},
};

const std::vector<std::string> while_deciding_words{"pause", "quieter"};
const std::vector<std::string> vad_words{"denoised", "plain", "energy"};

}  // namespace

OptionTable turn_option_table() {
    const TurnOptions defaults;
    OptionTable table;
    for (const DurationRow& row : durations)
        table.options.push_back(Option::whole(row.key, (defaults.*row.field).count(), row.doc)
                                    .in("milliseconds")
                                    .between(row.least, row.most));
    for (const CountRow& row : counts)
        table.options.push_back(Option::whole(row.key, defaults.*row.field, row.doc)
                                    .in(row.unit)
                                    .between(row.least, row.most));
    for (const FlagRow& row : flags)
        table.options.push_back(Option::flag(row.key, defaults.*row.field, row.doc));
    table.options.push_back(
        Option::string("barge_in_while_deciding",
                       while_deciding_words[static_cast<std::size_t>(defaults.while_deciding)],
                       "Between barge_in_ms and the decision the agent pauses, or goes on 18 dB "
                       "quieter.")
            .among(while_deciding_words));
    table.options.push_back(Option::string("vad",
                                           vad_words[static_cast<std::size_t>(defaults.vad)],
                                           "What hears speech: the WebRTC detector after noise "
                                           "suppression (denoised), without it (plain), or a "
                                           "threshold on the level (energy).")
                                .among(vad_words));
    return table;
}

TurnOptions read_turn_options(const Value& checked, Problems& problems) {
    TurnOptions options;
    for (const DurationRow& row : durations) options.*row.field = ms(checked[row.key].integer());
    for (const CountRow& row : counts)
        options.*row.field = static_cast<int>(checked[row.key].integer());
    for (const FlagRow& row : flags) options.*row.field = checked[row.key].boolean();
    if (checked["barge_in_while_deciding"].text() == "quieter")
        options.while_deciding = WhileDeciding::quieter;
    for (std::size_t i = 0; i < vad_words.size(); ++i)
        if (checked["vad"].text() == vad_words[i]) options.vad = static_cast<VadKind>(i);

    const auto not_above = [&](const char* low, const char* high) {
        const Value& a = checked[low];
        const Value& b = checked[high];
        if (a.integer() <= b.integer()) return;
        problems.push_back(problem_at(a.at,
                                      a.path,
                                      std::to_string(a.integer()) + " is above " + high + " (" +
                                          std::to_string(b.integer()) + ")",
                                      std::string("lower ") + low + " or raise " + high));
    };
    not_above("endpoint_ms", "endpoint_cap_ms");
    not_above("endpoint_least_ms", "endpoint_most_ms");
    not_above("endpoint_most_ms", "endpoint_cap_ms");
    not_above("dead_air_ms", "dead_air_words_ms");
    not_above("dictation_endpoint_ms", "dictation_endpoint_cap_ms");
    not_above("barge_in_ms", "barge_in_confirm_ms");
    not_above("play_cushion_ms", "play_ahead_ms");
    not_above("nudge_after_ms", "hang_up_after_silence_ms");
    return options;
}

}  // namespace jackfield::config
