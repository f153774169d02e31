#include "module_table.hpp"

#include <algorithm>

namespace jackfield::bad_plugins {
namespace {

using Facts = std::vector<std::string_view>;

Placed unread(Facts facts) { return {Outcome::refused_unread, std::move(facts)}; }
Placed refused(Facts facts, bool real = false) { return {Outcome::refused, std::move(facts), real}; }
Placed contained(Facts facts) { return {Outcome::contained, std::move(facts)}; }
/// On threads and a clock that are real.
Placed in_time(Facts facts) { return {Outcome::contained, std::move(facts), true}; }
Placed shard_lost(Facts facts) { return {Outcome::shard_lost, std::move(facts), true}; }
Placed process(Facts facts, bool real = false) { return {Outcome::process, std::move(facts), real}; }

void add(std::vector<Module>& all, Module module) { all.push_back(std::move(module)); }
/// The same in both placements.
void add_both(std::vector<Module>& all, std::string_view name, std::string_view rule, std::string_view does, Drive drive, const Placed& placed,
              std::string_view status, std::string_view sign, std::string_view operate) {
    const std::string_view kind = drive == Drive::lookup || drive == Drive::store ? "storage" : "llm";
    add(all, {name, kind, rule, does, drive, placed, placed, status, sign, operate});
}

constexpr std::string_view install_right = "The refusal names the file, what was wanted, what was offered and the remedy. Install the right file.";
constexpr std::string_view tell_vendor = "Nothing is needed now. Tell the vendor: `jackfield plugin verify` shows it.";
constexpr std::string_view start_refused = "`serve` says which file it was and does not start, or goes on without the provider. Remove it, tell the vendor.";
constexpr std::string_view nothing_lost = "Nothing is needed. A counter that grows says that the plugin has a bug.";
constexpr std::string_view tried_again =
    "Calls go to the next provider of the chain. The host tries the instance again by itself, after one second, then less and less often.";
constexpr std::string_view restart_soon =
    "Calls of that shard stand. Restart the host soon: it stops within its limits, and names the plugin. Then place this provider on a thread of its own.";
constexpr std::string_view lint_tells =
    "`jackfield plugin lint FILE` finds the import without running the file: do not install what it calls an error.";
constexpr std::string_view only_trust = "Load only what you trust as you trust the host (`[host] trust`). The service manager starts the host again.";

void add_refused(std::vector<Module>& all) {
    add_both(all, "wrong_major", "3: gate on the major", "Was built for ABI major 2", Drive::load,
             unread({"bad: refused -3", "!constructor: ran"}), "not loaded", "the refusal", install_right);
    add_both(all, "needs_later_minor", "3: gate on the minor that it needs", "Needs minor 7 of the ABI", Drive::load, unread({"bad: refused -7"}), "not loaded",
             "the refusal", install_right);
    add_both(all, "note_disagrees", "2: note and descriptor", "Its note asks for drafts, its descriptor does not", Drive::load, unread({"bad: refused -3"}),
             "not loaded", "the refusal", install_right);
    add_both(all, "drafts", "10: drafts need an opt-in", "Provides a draft interface without saying that it uses drafts", Drive::load,
             unread({"bad: refused -1"}), "not loaded", "the refusal", install_right);
    add_both(all, "two_exports", "1: one exported function", "Exports a second symbol", Drive::load, unread({"bad: refused -1"}), "not loaded", "the refusal",
             install_right);
    add_both(all, "no_json", "2: a descriptor", "Its descriptor is no JSON", Drive::load, unread({"bad: refused -1"}), "not loaded", "the refusal",
             install_right);
    add_both(all, "other_place", "2: the path is the id", "Lies where another plugin belongs", Drive::load, unread({"bad: refused -1"}), "not loaded",
             "the refusal", install_right);

    add_both(all, "null_module", "1: the entry point", "Its entry point answers null", Drive::load, refused({"bad: refused -1"}), "not loaded", "the refusal",
             start_refused);
    add_both(all, "module_major", "3: gate on the major", "Its note says major 1, its table 2", Drive::load, refused({"bad: refused -1"}), "not loaded",
             "the refusal", start_refused);
    add_both(all, "module_size", "8: struct_size", "Its module table says that it is three bytes long", Drive::load, refused({"bad: refused -1"}), "not loaded",
             "the refusal", start_refused);
    add_both(all, "init_fails", "17: errors end", "`init` fails with a text that does not end", Drive::load, refused({"bad: refused -14"}), "not loaded",
             "the refusal, cut after 231 bytes", start_refused);
    add_both(all, "init_throws", "20: nothing is thrown across", "`init` throws a C++ exception", Drive::load, refused({"bad: refused -14"}), "not loaded",
             "the refusal", start_refused);
    add_both(all, "init_hangs", "14: control has a budget", "`init` never returns", Drive::load, refused({"bad: refused -6"}, true), "not loaded",
             "the refusal, after 30 s", start_refused);
    add_both(all, "create_null", "15: what OK means", "`create` answers OK and a null instance", Drive::load, refused({"bad: refused -1"}), "no instance",
             "the refusal", start_refused);
    add_both(all, "create_throws", "20: nothing is thrown across", "`create` throws a C++ exception", Drive::load, refused({"bad: refused -14"}), "no instance",
             "the refusal", start_refused);
    add_both(all, "create_hangs", "14: control has a budget", "`create` never returns", Drive::load, refused({"bad: refused -6"}, true), "no instance",
             "the refusal, after 30 s; `plugin.control_hang`", start_refused);
    add_both(all, "query_hangs", "14: any thread, at once", "`query` never returns", Drive::load, refused({"bad: refused -6"}, true), "no instance",
             "the refusal, after 30 s; `plugin.control_hang`", start_refused);
    add_both(all, "instance_slots", "10: complete tables", "The instance's table has no `cancel`", Drive::load, refused({"bad: refused -1"}), "no instance",
             "the refusal", start_refused);
}

void add_contained(std::vector<Module>& all) {
    add_both(all, "same_instance", "11: instances are apart", "`create` answers with the same instance each time", Drive::two,
             contained({"bad: created", "second: refused -13", "op: status 0"}), "the second is not made: CONFLICT", "the refusal", start_refused);
    add_both(all, "constructor", "1: no registration by constructor", "Runs code when it is mapped", Drive::load, contained({"bad: created", "constructor: ran"}),
             "-", "`constructors` in lint, a note in explain",
             "Constructors run before the host can guard them: what they do wrong is not contained. Look at who wrote it.");
    add_both(all, "double_completion", "11: exactly one completion", "Completes its op twice", Drive::run,
             contained({"op: status 0", "count: refused", "counter: late_completions"}), "the first one", "`late_completions`", nothing_lost);
    add_both(all, "completes_and_fails", "11: exactly one completion", "Completes its op and then answers the start with an error", Drive::run,
             contained({"op: status 0", "counter: late_completions"}), "the completion", "`late_completions`", nothing_lost);
    add_both(all, "completion_storm", "21: nothing is unbounded", "Completes one op a million times", Drive::run,
             contained({"op: status 0", "count: one_taken", "counter: late_completions"}), "the first one", "`late_completions`", nothing_lost);
    add_both(all, "emit_after_completion", "11: events, then one completion", "Emits on an op that it has completed", Drive::run,
             contained({"op: status 0 events 0", "count: refused", "counter: late_events"}), "OK", "`late_events`", nothing_lost);
    add_both(all, "completion_after_close", "11: late completions are dropped", "Completes an op that the host has closed", Drive::cancel_and_run,
             contained({"op: status -5", "log: plugin.cancel_timeout", "next: status 0", "count: refused", "counter: late_completions"}), "CANCELLED",
             "`cancel_timeouts`, `late_completions`", tell_vendor);
    add_both(all, "cancel_ignored", "13: cancel leads to the completion", "Never completes an op, not even after cancel", Drive::cancel,
             contained({"op: status -5", "log: plugin.cancel_timeout", "counter: cancel_timeouts", "counter: violations"}),
             "CANCELLED, by the host after 1000 ms", "`plugin.cancel_timeout`, `cancel_timeouts`", tell_vendor);
    add_both(all, "foreign_thread", "11: callbacks after the end", "A thread of its own emits while its op is being closed, and after that", Drive::cancel,
             in_time({"op: status -5", "count: refused", "counter: late_events"}), "CANCELLED", "`late_events`, `late_completions`", nothing_lost);
    add_both(all, "outlives_instance", "11: ids, not pointers", "Leaves a thread behind that calls with the context of a destroyed instance", Drive::stop,
             in_time({"start: OK"}), "every call is answered STATE", "-", tell_vendor);
    add_both(all, "throws", "20: nothing is thrown across", "Throws an `int` out of the start of a stream", Drive::run,
             contained({"op: status -14", "counter: exceptions"}), "INTERNAL", "`exceptions`", tell_vendor);
    add_both(all, "callback_throws", "20: nothing is thrown across", "Throws out of a callback that the host makes", Drive::run,
             contained({"op: status 0", "counter: exceptions"}), "unchanged", "`exceptions`", tell_vendor);
    add_both(all, "worker_throws", "20: nothing is thrown across", "Throws out of its work on the host's pool", Drive::run,
             contained({"op: status -14", "counter: exceptions"}), "INTERNAL", "`exceptions`", tell_vendor);
    add_both(all, "stale_op", "11: ids, not pointers", "Uses ids of past, future and impossible ops", Drive::run,
             contained({"op: status 0", "count: refused", "counter: late_completions"}), "INVALID to each", "`late_events`, `late_completions`", nothing_lost);
    add_both(all, "others_op", "11: one's own ops", "Guesses the ids of other instances' ops and completes them", Drive::run,
             contained({"op: status 0", "count: refused", "!count: taken", "counter: late_completions"}), "INVALID to each",
             "`late_events`, `late_completions`", "Look at who wrote it: that is no accident.");
    add_both(all, "giant_string", "21: nothing is unbounded", "Emits a token of 8 MiB, then one of 40", Drive::run,
             contained({"op: status 0 events 1 bytes 8388608", "count: large_taken", "count: refused"}), "INVALID to what exceeds 16 MiB", "-", nothing_lost);
    add_both(all, "lying_length", "16: pointer and length", "Claims lengths of terabytes for four bytes", Drive::run,
             contained({"op: status 0 events 0", "count: refused"}), "INVALID before anything is read", "-",
             "A lie that is smaller than 16 MiB is read, and may end the process: see `segv`.");
    add_both(all, "giant_last_event", "11: exactly one completion", "Completes its op with a last event of a terabyte", Drive::run,
             contained({"op: status -14"}), "INTERNAL, without the event", "-", tell_vendor);
    add_both(all, "null_with_length", "16: pointer and length", "Null pointers with lengths in events, logs, metrics and ids", Drive::run,
             contained({"op: status 0 events 1 bytes 0"}), "taken as empty", "-", nothing_lost);
    add_both(all, "invalid_utf8", "16: UTF-8", "Text that is no UTF-8 in a token, a log line and a metric's name", Drive::run,
             contained({"op: status 0 events 1"}), "OK", "U+FFFD where it is stored or logged; no such metric", nothing_lost);
    add_both(all, "event_size", "8: struct_size", "Events that say they are 0, 3 and 2147483647 bytes long", Drive::run,
             contained({"op: status 0 events 0", "count: refused"}), "INVALID", "-", tell_vendor);
    add_both(all, "data_size", "8: struct_size", "Event data shorter than its struct, and structs that lie about their size", Drive::run,
             contained({"op: status 0"}), "what is missing reads as zero", "-", nothing_lost);
    add_both(all, "null_slots", "10: unknown is UNSUPPORTED", "Its interface's table is empty", Drive::run, contained({"op: status -3"}), "UNSUPPORTED", "-",
             tell_vendor);
    add_both(all, "table_size", "8: struct_size", "Its interface's table says that it is three bytes long", Drive::run,
             contained({"op: status -3", "log: plugin.bad_table interface=jf.llm/1 struct_size=3"}), "UNSUPPORTED", "`plugin.bad_table`", tell_vendor);
    add_both(all, "leaks_ops", "11: ops are closed", "Opens ops for ever", Drive::run, contained({"op: status -10"}), "QUOTA beyond 100,000 open ops",
             "`jackfield_plugin_host_open_ops`", "Restart the provider when the gauge does not fall again.");
    add_both(all, "reentrant", "18: the host never re-enters", "Does from inside a call all that could make the host call it back", Drive::run,
             contained({"op: status 0 events 1", "count: end_later", "!count: entered_again"}), "OK; called back later", "-", nothing_lost);
    add_both(all, "emit_storm", "21: backpressure", "Emits without credit until it is refused, small and large", Drive::run,
             contained({"op: status 0", "count: refused", "counter: queue_full"}), "AGAIN when 256 KiB, or 32 MiB of large events, wait", "`queue_full`",
             nothing_lost);
    add_both(all, "unknown_events", "9: unknown types are ignored", "Emits events of types that no host knows", Drive::run,
             contained({"op: status 0 events 0", "counter: unknown_events"}), "OK", "`unknown_events`", "Nothing: a newer plugin on an older host does this.");
    add_both(all, "not_a_number", "9: values", "Confidences that are NaN and infinite", Drive::run, contained({"op: status 0 events 3"}), "OK",
             "null where it is written as JSON", nothing_lost);
    add_both(all, "wrong_samples", "16: pointer and length", "Audio whose number of samples has nothing to do with its data", Drive::run,
             contained({"op: status 0 events 3 bytes 9"}), "OK; the data's length counts", "-", "The caller may hear a click.");
    add_both(all, "error_text", "17: errors end", "Fails with a text that does not end and an unknown retry class", Drive::run,
             contained({"op: status -10 events 0 bytes 0 text xxxx"}), "its own, the text cut", "-", tell_vendor);
    add_both(all, "start_never_completes", "11: exactly one completion", "`start` answers OK and never completes", Drive::start,
             contained({"start: failed -6", "log: plugin.start_timeout"}), "TIMEOUT after 15 s", "`plugin.start_timeout`, `provider.start_failed`",
             "The host tries to start it again with back-off. Look at what the provider needs.");
    add_both(all, "start_completes_twice", "11: exactly one completion", "`start` completes with OK, then with an error", Drive::start,
             contained({"start: OK", "counter: late_completions"}), "the first one", "`late_completions`", nothing_lost);
    add_both(all, "quiesce_never_completes", "11: exactly one completion", "`quiesce` answers OK and never completes", Drive::stop,
             contained({"start: OK", "log: plugin.quiesce_timeout"}), "the host goes on 2 s after its budget", "`plugin.quiesce_timeout`", tell_vendor);
}

void add_hangs(std::vector<Module>& all) {
    add_both(all, "slow_stream", "19: budgets", "Sleeps for 20 ms in the start of a stream, whose budget is 2", Drive::run,
             in_time({"op: status 0", "counter: overruns"}), "OK", "`overruns`; `preempted` where the machine was busy",
             "Calls of the same shard hear it as a gap. Place a provider whose counter grows on a thread of its own.");
    add_both(all, "hang_start", "14: control has a budget", "Never returns from `start`", Drive::start,
             in_time({"start: failed -8", "log: plugin.control_hang thread_class=control"}), "PEER_LOST after 30 s", "`plugin.control_hang`",
             "The host tries to start it again with back-off, four times at most while the threads stand. Other providers start meanwhile.");
    add_both(all, "hang_quiesce", "14: control has a budget", "Never returns from `quiesce`", Drive::stop, in_time({"start: OK", "log: plugin.control_hang"}),
             "the instance is left where it stands", "`plugin.control_hang`", "The host stops all the same.");
    add_both(all, "hang_destroy", "14: control has a budget", "Never returns from `destroy`", Drive::stop, in_time({"start: OK", "log: plugin.control_hang"}),
             "the instance is left where it stands", "`plugin.control_hang`", "The host stops all the same.");
    add(all, {"hang_stream", "llm", "14: stream calls never block", "Never returns from the start of a stream", Drive::run,
              shard_lost({"op: no answer", "log: plugin.shard_hang thread_class=stream", "bad: lost", "refused: status -8", "standing: bad stream",
                          "threads: some left"}),
              in_time({"op: status -8", "log: plugin.thread_hang thread_class=stream", "bad: lost", "refused: status -8"}),
              "inline: none; thread: PEER_LOST after 5 s, later ones at once", "`plugin.shard_hang` or `plugin.thread_hang`", restart_soon});
    add(all, {"hang_media", "stt", "14: media calls never block", "Never returns from `push`", Drive::push,
              shard_lost({"op: no answer", "log: plugin.shard_hang thread_class=media", "bad: lost"}),
              in_time({"op: status -8", "log: plugin.thread_hang thread_class=media", "bad: lost"}), "as hang_stream",
              "`plugin.shard_hang` or `plugin.thread_hang`", restart_soon});
    add(all, {"hang_cancel", "llm", "13: cancel", "Never returns from `cancel`", Drive::cancel,
              shard_lost({"op: no answer", "log: plugin.shard_hang thread_class=stream", "bad: lost"}),
              in_time({"op: status -", "log: plugin.thread_hang thread_class=stream"}), "as hang_stream; on a thread CANCELLED after 1 s",
              "`plugin.shard_hang` or `plugin.thread_hang`", restart_soon});
    add(all, {"hang_blocking", "storage", "14: blocking calls end", "Never returns from a query", Drive::lookup,
              in_time({"op: status -8", "log: plugin.pool_hang thread_class=blocking", "bad: lost"}),
              in_time({"op: status -8", "log: plugin.thread_hang thread_class=blocking", "bad: lost"}), "PEER_LOST after 120 s",
              "`plugin.pool_hang` or `plugin.thread_hang`",
              "The pool gets another thread. The store that the host itself stands on is told of (`plugin.storage_hang`) and waited for."});
    add_both(all, "hang_storage", "19: never the store of the host", "The host's own store never returns from a query", Drive::store,
             in_time({"op: no answer", "log: plugin.storage_hang thread_class=blocking", "!bad: lost"}), "none until it returns",
             "`plugin.storage_hang`", "The host waits for its store: look at the disk, then restart. The pool gets another thread.");
    add_both(all, "hang_worker", "14: blocking calls end", "Gives the host's pool work that never returns", Drive::run,
             in_time({"op: status -8", "log: plugin.pool_hang thread_class=blocking", "bad: lost"}), "PEER_LOST after 120 s", "`plugin.pool_hang`", tried_again);
    add(all, {"hang_once", "llm", "19: a half-open probe", "Hangs in its first stream only", Drive::recover, {Outcome::shard_lost, {}},
              in_time({"op: status -8", "at once: status -8", "bad: serves again", "log: plugin.recovered", "next: status 0"}),
              "PEER_LOST, then OK again", "`plugin.thread_hang`, `plugin.recovered`", tried_again});
}

void add_beyond(std::vector<Module>& all) {
    add_both(all, "exits", "25: no exit()", "Calls `exit(3)`", Drive::run, process({"process: exit 3", "lint: ends_process"}), "none", "-", lint_tells);
    add_both(all, "aborts", "25: no abort()", "Calls `abort()`", Drive::run, process({"process: signal 6", "lint: aborts"}), "none", "-", lint_tells);
    add_both(all, "segv", "6: memory", "Writes through a null pointer", Drive::run, process({"process: ended"}), "none", "-", only_trust);
    add_both(all, "heap_overrun", "6: memory", "Writes over its neighbours in the heap", Drive::run, process({"process: ended"}), "none", "-", only_trust);
    add_both(all, "stack_overflow", "6: memory", "Recurses without end", Drive::run, process({"process: ended"}), "none", "-", only_trust);
    add_both(all, "throws_in_own_thread", "20: nothing is thrown", "Throws in a thread of its own", Drive::run, process({"process: signal 6"}, true), "none", "-",
             only_trust);
    add_both(all, "closes_descriptors", "25: process manners", "Closes every descriptor of the host", Drive::run, process({"good start: no answer"}, true),
             "none, and no other is answered: shards stand", "-", only_trust);
    add_both(all, "changes_directory", "25: process manners", "Changes directory, environment and locale of the process", Drive::run,
             process({"op: status 0", "directory: changed", "environment: changed", "lint: sets_directory", "lint: sets_environment", "lint: sets_locale"}), "OK",
             "-", lint_tells);
    add_both(all, "signal_handler", "25: process manners", "Takes SIGTERM from the host", Drive::run,
             process({"op: status 0", "signal: changed", "lint: sets_signals"}), "OK", "-", lint_tells);
    add_both(all, "forks", "25: process manners", "Forks, and the child stays", Drive::run, process({"op: status 0", "children: 1", "lint: starts_processes"}),
             "OK", "-", lint_tells);
}

}  // namespace

const std::vector<Module>& modules() {
    static const std::vector<Module> all = [] {
        std::vector<Module> made;
        add_refused(made);
        add_contained(made);
        add_hangs(made);
        add_beyond(made);
        return made;
    }();
    return all;
}

const Module* find_module(std::string_view name) {
    const auto found = std::find_if(modules().begin(), modules().end(), [&](const Module& m) { return m.name == name; });
    return found == modules().end() ? nullptr : &*found;
}

std::string_view name_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::refused_unread: return "refused before it runs";
        case Outcome::refused: return "refused";
        case Outcome::contained: return "contained";
        case Outcome::shard_lost: return "one shard is lost";
        case Outcome::process: return "needs process isolation";
    }
    return "";
}

}  // namespace jackfield::bad_plugins
