// Whoever breaks a promise hears of it, by the right check's name; and a plugin that keeps them passes.

#include "support/child_process.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::test {
namespace {

struct Fault {
    const char* kind;
    const char* fault;
    const char* finds;  ///< the check that must fail
    const char* runs = "";  ///< the check in whose course it is noticed; empty: the same
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.kind << " " << fault.fault; }

struct Verified {
    int code = -1;
    std::string out;
    bool failed(const std::string& check) const { return out.find("  FAILED  " + check + " ") != std::string::npos; }
};

/// A folder with ab.wav, which says "ab" as tts/example speaks: each letter a pair of tones of 60 ms.
std::string recordings() {
    const std::string folder = ::testing::TempDir() + "jackfield-recordings";
    std::filesystem::create_directories(folder);
    std::vector<std::int16_t> samples(800);
    const auto speak = [&](double low_hz, double high_hz) {
        for (int i = 0; i < 480; ++i) {
            const double t = 2 * std::numbers::pi * i / 8000;
            samples.push_back(static_cast<std::int16_t>(6000 * (std::sin(low_hz * t) + std::sin(high_hz * t))));
        }
        samples.resize(samples.size() + 320);
    };
    speak(560, 1120);
    speak(560, 1240);
    const std::uint32_t bytes = static_cast<std::uint32_t>(samples.size() * 2), riff = 36 + bytes, sixteen = 16, rate = 8000, byte_rate = 16000;
    const std::uint16_t pcm = 1, channels = 1, align = 2, bits = 16;
    std::ofstream file(folder + "/ab.wav", std::ios::binary);
    const auto put = [&](const void* data, std::size_t n) { file.write(static_cast<const char*>(data), static_cast<std::streamsize>(n)); };
    put("RIFF", 4), put(&riff, 4), put("WAVEfmt ", 8), put(&sixteen, 4), put(&pcm, 2), put(&channels, 2), put(&rate, 4), put(&byte_rate, 4);
    put(&align, 2), put(&bits, 2), put("data", 4), put(&bytes, 4), put(samples.data(), bytes);
    return folder;
}

Verified verify(const std::string& file, const std::vector<std::string>& options, const std::vector<std::string>& environment = {}) {
    std::vector<std::string> command{JACKFIELD_BINARY_DIR "/bin/jackfield-verify", file, "--no-lint"};
    command.insert(command.end(), options.begin(), options.end());
    ChildProcess process(command, environment);
    const auto ended = process.wait(std::chrono::minutes(4));
    return {ended ? ended->code : -1, process.out() + process.err()};
}

std::string faulty(const char* kind) { return std::string(JACKFIELD_BINARY_DIR "/faulty_plugins/") + kind + "/faulty.so"; }

class Faults : public ::testing::TestWithParam<Fault> {};

TEST_P(Faults, AreFoundByTheCheckOfTheirName) {
    const Fault fault = GetParam();
    const std::string runs = *fault.runs ? fault.runs : fault.finds;

    const Verified verified = verify(faulty(fault.kind), {"--patience", "1.5", "--only", runs, "--config", std::string("fault=") + fault.fault, "--config", "secret=hunter22",
                                                          "--fixtures", recordings()}, {std::string("FAULTY=") + fault.fault});

    EXPECT_EQ(verified.code, 1);
    EXPECT_TRUE(verified.failed(fault.finds)) << verified.out;
}

constexpr Fault faults[] = {
    {"stt", "refuses_its_format", "stt.opens_each_format"},
    {"stt", "takes_any_format", "stt.refuses_other_formats"},
    {"stt", "finalize_twice", "stt.finalize_is_answered"},
    {"stt", "forgets_the_value", "stt.finalize_is_answered"},
    {"stt", "text_from_the_future", "stt.finalize_is_answered"},
    {"stt", "hears_words_in_silence", "stt.silence_has_no_words"},
    {"stt", "hears_words_in_silence", "stt.finalize_without_audio"},
    {"stt", "forgets_usage", "stt.counts_usage"},
    {"stt", "positions_from_count", "stt.keeps_going_through_jumps"},
    {"stt", "takes_late_audio", "stt.audio_after_close"},
    {"stt", "takes_any_verb", "stt.unknown_verbs"},
    {"stt", "answers_discard", "stt.unknown_verbs"},
    {"stt", "crashes_on_hints", "stt.odd_hints"},
    {"stt", "cancel_ignored", "stt.cancel_mid_stream"},
    {"stt", "cancel_ignored", "module.completes_after_cancel", "stt.cancel_mid_stream"},
    {"stt", "drops_what_is_refused", "stt.slow_host"},
    {"stt", "mixes_streams", "stt.two_at_once"},
    {"stt", "reads_beyond", "stt.struct_sizes"},
    {"stt", "opens_while_quiescing", "stt.stops_with_streams"},
    {"stt", "sleeps_in_push", "module.keeps_budgets", "stt.counts_usage"},
    {"tts", "refuses_its_format", "tts.speaks_each_format"},
    {"tts", "is_silent", "tts.speaks_each_format"},
    {"tts", "leaves_gaps", "tts.counts_text"},
    {"tts", "forgets_usage", "tts.counts_text"},
    {"tts", "says_all_at_once", "tts.says_how_far"},
    {"tts", "completes_on_flush", "tts.flushes"},
    {"tts", "ignores_credit", "tts.keeps_to_its_credit"},
    {"tts", "ignores_credit", "tts.uses_small_credit"},
    {"tts", "forgets_nothing", "tts.clears"},
    {"tts", "clears_twice", "tts.clears"},
    {"tts", "cancel_ignored", "tts.cancels"},
    {"tts", "forgets_usage", "tts.closes"},
    {"tts", "knows_no_end", "tts.knows_its_streams"},
    {"tts", "speaks_of_nothing", "tts.knows_its_streams"},
    {"tts", "takes_any_format", "tts.refuses_formats"},
    {"tts", "takes_endless_text", "tts.bounds_text"},
    {"tts", "takes_text_after_end", "tts.refuses_text_after_end"},
    {"tts", "crashes_on_odd_text", "tts.survives_odd_text"},
    {"tts", "drops_what_is_refused", "tts.slow_host"},
    {"tts", "leaves_gaps", "tts.several_at_once"},
    {"tts", "reads_beyond", "tts.struct_sizes"},
    {"tts", "opens_while_quiescing", "tts.stops_with_streams"},
    {"llm", "says_nothing", "llm.replies"},
    {"llm", "forgets_usage", "llm.replies"},
    {"llm", "lies_about_tools", "llm.replies_again"},
    {"llm", "cuts_characters", "llm.replies"},
    {"llm", "cuts_characters", "module.emits_utf8", "llm.replies"},
    {"llm", "completes_twice", "module.completes_once", "llm.replies"},
    {"llm", "fails_odd_turns", "llm.odd_turns"},
    {"llm", "crashes_without_messages", "llm.empty_conversation"},
    {"llm", "calls_unknown_tools", "llm.tool_calls"},
    {"llm", "lies_about_tools", "llm.tool_results"},
    {"llm", "cancel_ignored", "llm.cancels"},
    {"llm", "drops_what_is_refused", "llm.slow_host"},
    {"llm", "forgets_usage", "llm.several_at_once"},
    {"llm", "reads_beyond", "llm.struct_sizes"},
    {"llm", "opens_while_quiescing", "llm.refuses_while_quiescing"},
    {"tools", "lists_bad_names", "tools.lists"},
    {"tools", "lists_no_schema", "tools.lists"},
    {"tools", "takes_any_name", "tools.unknown_function"},
    {"tools", "answers_no_json", "tools.runs_examples"},
    {"tools", "crashes_on_odd_arguments", "tools.odd_arguments"},
    {"tools", "does_it_again", "tools.is_idempotent"},
    {"tools", "reads_beyond", "tools.struct_sizes"},
    {"tools", "opens_while_quiescing", "tools.refuses_while_quiescing"},
    {"service", "has_no_tick", "service.functions_are_there"},
    {"service", "refuses_its_event", "service.takes_its_events"},
    {"service", "refuses_the_second", "service.takes_an_event_again"},
    {"service", "fails_unknown_events", "service.unknown_events"},
    {"service", "crashes_on_odd_events", "service.odd_events"},
    {"service", "tick_fails", "service.ticks"},
    {"service", "never_completes", "service.cancels"},
    {"service", "reads_beyond", "service.struct_sizes"},
    {"telephony", "has_no_hangup", "telephony.declares"},
    {"telephony", "answers_anything", "telephony.knows_its_legs"},
    {"telephony", "dials_anything", "telephony.refuses_bad_addresses"},
    {"telephony", "forgets_the_end", "telephony.ends_unanswered"},
    {"telephony", "knows_no_cause", "telephony.hangs_up_while_dialling"},
    {"telephony", "takes_early_audio", "telephony.refuses_early_audio"},
    {"telephony", "takes_any_verb", "telephony.unknown_verbs"},
    {"telephony", "reads_beyond", "telephony.struct_sizes"},
    {"telephony", "never_ends", "telephony.several_at_once"},
    {"telephony", "crashes_on_reap", "telephony.reaps_anything"},
    {"telephony", "conflicts_with_all", "telephony.knows_its_keys"},
    {"telephony", "answers_in_l16", "telephony.speaks_g711"},
    {"telephony", "forgets_what_is_refused", "telephony.keeps_refused_events"},
    {"telephony", "sends_any_key", "telephony.sends_keys"},
    {"telephony", "takes_any_verb", "telephony.marks_and_clears"},
    {"telephony", "answers_twice", "telephony.takes_calls"},
    {"telephony", "tells_no_cause", "telephony.refuses_calls"},
    {"telephony", "tells_no_cause", "telephony.is_given_up"},
    {"llm", "forgets_a_text", "embedding.answers_every_text"},
    {"llm", "emits_another_dimension", "embedding.answers_every_text"},
    {"llm", "emits_what_is_not_a_number", "embedding.answers_every_text"},
    {"llm", "mixes_up_texts", "embedding.is_about_meaning"},
    {"llm", "does_not_normalise", "embedding.is_normalised"},
    {"llm", "crashes_on_long_texts", "embedding.odd_texts"},
    {"llm", "takes_empty_texts", "embedding.refuses"},
    {"llm", "takes_any_dimension", "embedding.refuses"},
    {"llm", "takes_too_many_texts", "embedding.refuses"},
    {"llm", "takes_few_texts", "embedding.takes_max_texts"},
    {"llm", "cancel_ignored", "embedding.cancels"},
    {"llm", "drops_what_is_refused", "embedding.slow_host"},
    {"llm", "answers_for_another", "embedding.several_at_once"},
    {"llm", "embeds_what_was_lent", "embedding.borrows_only"},
    {"llm", "reads_beyond", "embedding.struct_sizes"},
    {"llm", "opens_while_quiescing", "embedding.refuses_while_quiescing"},
    {"messaging", "has_no_accept", "messaging.declares"},
    {"messaging", "forgets_sent", "messaging.sends"},
    {"messaging", "sends_twice", "messaging.sends"},
    {"messaging", "has_one_id", "messaging.names_each"},
    {"messaging", "sends_one_key_again", "messaging.sends_one_key_once"},
    {"messaging", "takes_any_channel", "messaging.refuses"},
    {"messaging", "writes_to_nobody", "messaging.refuses"},
    {"messaging", "takes_templates", "messaging.refuses"},
    {"messaging", "crashes_on_odd_text", "messaging.odd_texts"},
    {"messaging", "cancel_ignored", "messaging.cancels"},
    {"messaging", "polls_once", "messaging.polls_until_cancelled"},
    {"messaging", "polls_twice", "messaging.polls_until_cancelled"},
    {"messaging", "cancel_ignored", "messaging.polls_until_cancelled"},
    {"messaging", "accepts_anything", "messaging.accepts_what_has_come"},
    {"messaging", "mixes_messages", "messaging.several_at_once"},
    {"messaging", "keeps_what_is_lent", "messaging.borrows_only"},
    {"messaging", "reads_beyond", "messaging.struct_sizes"},
    {"messaging", "opens_while_quiescing", "messaging.refuses_while_quiescing"},
    {"messaging", "routes_by_chance", "webhook.routes"},
    {"messaging", "routes_to_inventions", "webhook.routes"},
    {"messaging", "crashes_on_odd_bodies", "webhook.routes"},
    {"messaging", "routes_without_end", "webhook.route_keeps_to_its_capacity"},
    {"messaging", "believes_anyone", "webhook.refuses_strangers"},
    {"messaging", "answers_nonsense", "webhook.refuses_strangers"},
    {"messaging", "tells_before_it_verifies", "webhook.refuses_strangers"},
    {"messaging", "believes_nobody", "webhook.takes_its_own"},
    {"messaging", "names_no_delivery", "webhook.takes_its_own"},
    {"messaging", "cancel_ignored", "webhook.cancels"},
    {"telemetry", "forgets_the_end", "telemetry.takes_a_batch"},
    {"telemetry", "miscounts", "telemetry.takes_a_batch"},
    {"telemetry", "rejects_everything", "telemetry.takes_a_batch"},
    {"telemetry", "refuses_the_second", "telemetry.takes_it_again"},
    {"telemetry", "takes_small_batches", "telemetry.takes_max_batch"},
    {"telemetry", "fails_empty_batches", "telemetry.refuses_nothing"},
    {"telemetry", "crashes_on_odd_spans", "telemetry.odd_items"},
    {"telemetry", "cancel_ignored", "telemetry.cancels"},
    {"telemetry", "mixes_batches", "telemetry.several_at_once"},
    {"telemetry", "keeps_what_is_lent", "telemetry.borrows_only"},
    {"telemetry", "packs_spans", "telemetry.struct_sizes"},
    {"telemetry", "reads_beyond", "telemetry.struct_sizes"},
    {"telemetry", "opens_while_quiescing", "telemetry.refuses_while_quiescing"},
    {"storage", "has_new_handles", "records.declares"},
    {"storage", "takes_any_name", "records.declares"},
    {"storage", "keeps_floats", "records.keeps_values"},
    {"storage", "overwrites", "records.insert_conflicts"},
    {"storage", "forgets_edits_of_what_stands", "records.upserts"},
    {"storage", "says_new_to_all", "records.insert_or_gets"},
    {"storage", "takes_le_for_lt", "records.terms"},
    {"storage", "counts_rows", "records.pages_exactly"},
    {"storage", "sets_for_inc", "records.edits"},
    {"storage", "ignores_revisions", "records.compares_and_sets"},
    {"storage", "ignores_limits", "records.changes_many"},
    {"storage", "keeps_what_is_erased", "records.erases"},
    {"storage", "ignores_requirements", "records.batches"},
    {"storage", "writes_halves", "records.batches"},
    {"storage", "forgets_tenants", "records.tenants"},
    {"storage", "ignores_flags", "records.refuses_nonsense"},
    {"storage", "never_looks_beyond", "records.struct_sizes"},
    {"storage", "packs_terms", "records.struct_sizes"},
    {"storage", "drops_what_is_refused", "records.large_answers"},
    {"storage", "claims_in_any_order", "records.claims"},
    {"storage", "claims_unfairly", "records.claims"},
    {"storage", "claims_by_looking", "records.claims_once"},
    {"storage", "loses_updates", "records.parallel_writers"},
    {"storage", "counts_nulls", "records.aggregates"},
    {"storage", "ignores_references", "records.follows_references"},
    {"storage", "finds_parts_of_words", "records.searches_text"},
    {"storage", "never_wakes", "records.watches"},
    {"storage", "wakes_once", "records.watches"},
    {"storage", "cancel_ignored", "records.watches"},
    {"storage", "pretends_to_migrate", "records.says_what_it_has_not"},
    {"storage", "keeps_nothing", "records.outlives_its_instance"},
    {"storage", "keeps_nothing", "records.survives_kills"},
    {"storage", "writes_halves", "records.survives_kills"},
    {"storage", "opens_while_quiescing", "records.refuses_while_quiescing"},
    {"storage", "makes_another_space", "vectors.ensures"},
    {"storage", "makes_another_space", "vectors.conflicts"},
    {"storage", "scores_by_distance", "vectors.finds_nearest"},
    {"storage", "takes_any_limit", "vectors.limits"},
    {"storage", "never_replaces", "vectors.replaces"},
    {"storage", "removes_more", "vectors.removes"},
    {"storage", "ignores_filters", "vectors.filters"},
    {"storage", "forgets_tenants", "vectors.tenants"},
    {"storage", "writes_what_is_good", "vectors.refuses"},
    {"storage", "keeps_nothing", "vectors.survives_a_restart"},
    {"storage", "counts_all", "vectors.counts"},
    {"storage", "filters_afterwards", "vectors.many"},
    {"storage", "cancel_ignored", "vectors.cancels"},
    {"stt", "hears_other_words", "stt.recognises"},
    {"llm", "fails_its_deadline", "llm.keeps_its_deadline"},
    {"llm", "keeps_what_is_lent", "llm.borrows_only"},
    {"llm", "speaks_in_prewarm", "llm.prewarms"},
    {"llm", "emits_inventions", "module.emits_known_events", "llm.replies"},
    {"tools", "never_completes", "tools.cancels"},
    {"tools", "never_completes", "tools.several_at_once"},
    {"tts", "starts_a_child", "tts.killed_in_mid_op"},
    {"service", "starts_a_child", "process.children", "module.starts"},
    {"service", "prints", "process.prints_nothing", "module.starts"},
    {"service", "sets_umask", "process.umask", "module.starts"},
    {"service", "sets_locale", "process.locale", "module.starts"},
    {"service", "sets_rounding", "process.rounding", "module.starts"},
    {"service", "logs_prose", "module.logs_names", "module.starts"},
    {"service", "logs_secrets", "module.keeps_secrets", "module.starts"},
    {"service", "leaks_a_descriptor", "module.leaves_nothing_open"},
    {"service", "leaks_a_thread", "module.leaves_nothing_open"},
    {"service", "opens_a_socket", "module.creates_without_connecting"},
    {"service", "is_a_singleton", "module.two_instances"},
    {"service", "is_a_singleton", "module.lives_twice"},
    {"service", "fears_later_hosts", "module.loads_in_a_later_host"},
    {"service", "refuses_without_a_word", "module.survives_odd_configuration"},
    {"service", "writes_whole_errors", "module.writes_no_further_than_the_error"},
    {"service", "knows_every_interface", "module.unknown_interfaces"},
    {"service", "forgets_its_interface", "module.provides_what_it_says"},
    {"service", "cancels_anything", "module.knows_stale_ops"},
    {"service", "cancels_anything", "module.cancel_races_with_start"},
    {"service", "is_sick", "module.is_healthy"},
    {"service", "leaves_ops_open", "module.stops_in_time", "service.ticks"},
    {"service", "leaves_ops_open", "module.quiesces_in_time"},
    {"service", "wrong_minor", "module.entry"},
    {"service", "init_once", "module.init_twice"},
    {"service", "deinit_crashes", "module.ends"},
};

INSTANTIATE_TEST_SUITE_P(Conformance, Faults, ::testing::ValuesIn(faults), [](const auto& one) {
    std::string name = std::string(one.param.kind) + "_" + one.param.fault + "_" + one.param.finds;
    for (char& c : name)
        if (c == '.') c = '_';
    return name;
});

/// The bad modules of tests/bad_plugins, which break what every plugin promises.
struct BadModule {
    const char* module;
    const char* finds;
    const char* runs = "llm.replies";
};

void PrintTo(const BadModule& bad, std::ostream* out) { *out << bad.module; }

class BadModules : public ::testing::TestWithParam<BadModule> {};

TEST_P(BadModules, AreFoundByTheCheckOfTheirFault) {
    const BadModule bad = GetParam();

    const Verified verified = verify(std::string(JACKFIELD_BINARY_DIR "/bad_plugins/llm/") + bad.module + ".so", {"--patience", "1.5", "--only", bad.runs});

    EXPECT_EQ(verified.code, 1);
    EXPECT_TRUE(verified.failed(bad.finds)) << verified.out;
}

constexpr BadModule bad_modules[] = {
    {"double_completion", "module.completes_once"},
    {"emit_after_completion", "module.silent_after_completion"},
    {"others_op", "module.completes_its_own"},
    {"completes_and_fails", "module.refuses_or_completes"},
    {"throws", "module.throws_nothing"},
    {"event_size", "module.states_struct_sizes"},
    {"invalid_utf8", "module.emits_utf8"},
    {"error_text", "module.ends_texts"},
    {"signal_handler", "process.signals"},
    {"changes_directory", "process.folder"},
    {"changes_directory", "process.environment"},
    {"forks", "process.children"},
    {"exits", "llm.replies"},
    {"segv", "llm.replies"},
    {"aborts", "llm.replies"},
    {"hang_stream", "llm.replies"},
    {"cancel_ignored", "llm.cancels", "llm.cancels"},
    {"start_completes_twice", "module.completes_once", "module.starts"},
    {"start_never_completes", "module.starts", "module.starts"},
    {"create_null", "module.starts", "module.starts"},
    {"create_throws", "module.starts", "module.starts"},
    {"create_hangs", "module.starts", "module.starts"},
    {"init_fails", "module.starts", "module.starts"},
    {"init_throws", "module.starts", "module.starts"},
    {"null_module", "module.starts", "module.starts"},
    {"quiesce_never_completes", "module.quiesces_in_time", "module.quiesces_in_time"},
    {"hang_quiesce", "module.quiesces_in_time", "module.quiesces_in_time"},
};

INSTANTIATE_TEST_SUITE_P(Conformance, BadModules, ::testing::ValuesIn(bad_modules), [](const auto& one) {
    std::string name = std::string(one.param.module) + "_" + one.param.finds;
    for (char& c : name)
        if (c == '.') c = '_';
    return name;
});

struct Answered {
    int code = -1;
    std::string out, err;
};

Answered jackfield(std::vector<std::string> words) {
    words.insert(words.begin(), JACKFIELD_BINARY_DIR "/bin/jackfield");
    ChildProcess process(words);
    const auto ended = process.wait(std::chrono::minutes(2));
    return {ended ? ended->code : -1, process.out(), process.err()};
}

TEST(PluginLint, AnswersByItsExitStatus) {
    const std::string good = faulty("llm"), bad = JACKFIELD_BINARY_DIR "/bad_plugins/llm/exits.so";

    EXPECT_EQ(jackfield({"plugin", "lint", bad}).code, 1);
    EXPECT_NE(jackfield({"plugin", "lint", bad}).out.find("error   ends_process: it imports exit"), std::string::npos);
    EXPECT_NE(jackfield({"plugin", "lint", "--json", bad}).out.find(R"("code":"ends_process")"), std::string::npos);
    EXPECT_EQ(jackfield({"plugin", "lint", good + ".not_there"}).code, 2);
    EXPECT_NE(jackfield({"plugin", "lint", "--glibc-floor", "2.1", good}).out.find("glibc_floor"), std::string::npos);
}

TEST(PluginVerify, IsTheSameAsTheKitsOwnProgram) {
    const std::string good = faulty("llm");

    const Answered passed = jackfield({"plugin", "verify", "--no-lint", "--only", "llm.replies", "--only", "module.entry", good});
    EXPECT_EQ(passed.code, 0) << passed.out << passed.err;
    EXPECT_NE(passed.out.find("verify: plugin=llm/faulty version=0.1.0 result=passed"), std::string::npos);
    EXPECT_NE(passed.out.find("  passed  module.entry "), std::string::npos);
    EXPECT_EQ(passed.out.find("llm.cancels"), std::string::npos);

    EXPECT_EQ(jackfield({"plugin", "verify", "--no-lint", "--only", "llm.replies", "--config", "fault=says_nothing", good}).code, 1);
    EXPECT_EQ(jackfield({"plugin", "verify", "--config", "no_such_option=1", good}).code, 2);
    EXPECT_EQ(jackfield({"plugin", "verify", good + ".not_there"}).code, 2);
    EXPECT_NE(jackfield({"plugin", "verify", "--list", "--kind", "llm", good}).out.find("llm.cancels  cancel completes"), std::string::npos);
    EXPECT_NE(jackfield({"plugin", "verify", "--json", "--no-lint", "--only", "module.entry", good}).out.find(R"("result":"passed")"), std::string::npos);
}

TEST(PluginVerify, SaysWhatItCannotTry) {
    const Answered answered = jackfield({"plugin", "verify", "/bin/ls"});

    EXPECT_EQ(answered.code, 1);
    EXPECT_NE(answered.err.find("error   no_note"), std::string::npos);
}

TEST(PluginVerify, HasAWholeCallWithAPeerThatAnswers) {
    ChildProcess phone({JACKFIELD_BINARY_DIR "/bin/sip_phone", "answer", "--calls", "1", "--echo", "--port", "0"});
    const auto address = phone.wait_line({"sip:"}, std::chrono::seconds(20));
    ASSERT_TRUE(address);

    const Answered answered = jackfield({"plugin", "verify", "--no-lint", "--only", "telephony.carries_a_call", "--dial", *address,
                                         JACKFIELD_BINARY_DIR "/plugins/telephony/sip.so"});

    EXPECT_EQ(answered.code, 0);
    EXPECT_NE(answered.out.find("  passed  telephony.carries_a_call "), std::string::npos) << answered.out;
}

class NoFault : public ::testing::TestWithParam<const char*> {};

TEST_P(NoFault, PassesAsTheExampleDoes) {
    const Verified verified = verify(faulty(GetParam()), {"--fixtures", recordings()});

    EXPECT_EQ(verified.code, 0) << verified.out;
}

INSTANTIATE_TEST_SUITE_P(Conformance, NoFault, ::testing::Values("stt", "tts", "llm", "tools", "service", "telephony", "messaging", "telemetry", "storage"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace jackfield::test
