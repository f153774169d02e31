#include "module_table.hpp"

namespace jackfield::bad_plugins {
namespace {

constexpr std::string_view head = R"(# Failure modes of plugins

What a bad plugin does to the host that loads it, and what is left to do for whoever runs the host. Every row is a small module under `tests/bad_plugins/modules` that breaks one rule of the
plugin ABI; the test `bad_plugins` loads each one beside a good one, in both placements, and asserts the row. This page is made from the test's table: change
`tests/bad_plugins/module_table.cpp`, then run

```
ninja -C build bad_plugins_page && build/bin/bad_plugins_page > docs/operations/failure-modes.md
```

Placement is chosen per provider with `placement = "inline"` or `"thread"`: *inline* runs the plugin on the calls' own threads (shards), which costs nothing and trusts it; *thread* gives it a
thread of its own behind bounded queues. Neither contains what a plugin does to the memory or the process: that is the last table.

| Outcome | Meaning |
|---|---|
| refused before it runs | The file is judged from its bytes; nothing of it was executed. |
| refused | It runs while it is loaded or created, and then is not used. |
| contained | The host and every other provider go on; the ops of the bad one end with the status shown. |
| one shard is lost | The calls on one thread of the host stand. The others go on, new calls do not reach the plugin, the log names it, and `serve` stops in bounded time. |
| needs process isolation | The process ends, or is not what it was. Only a process of its own would contain it, which this release does not have. |

What is counted is `jackfield_plugin_host_<counter>` in the metrics: `late_events`, `late_completions`, `unknown_events`, `queue_full` and `cancel_timeouts` for the host; `exceptions`, `violations`, `overruns`,
`preempted`, `mailbox_full` and `lost` for each provider. Events in the log carry the provider's name, and `file`.

A provider that hangs is *lost*: its ops end with PEER_LOST, new ones are refused with PEER_LOST at once, so that a chain goes to the next provider. The host makes a new instance of it after one second
(then two, four, up to sixty) and puts it back into service when that has started; the old one stays where it stands. Four threads that never come back are the end of it. The store that the host
itself stands on is never lost: it is reported (`plugin.storage_hang`) and waited for.

How long a call may last before its instance is lost stands in `[host.plugin_limits]` (`stream_ms`, `control_ms`, `blocking_ms`, `start_ms`, `probe_ms`); the times below are what it says by default.
)";

/// No module for each of these: llm/test_liar tells every lie of the list, in both placements, and the two tests named assert what becomes of it.
constexpr std::string_view wrong_answers = R"(
## Answers against the contract

What a provider answers is checked before a service or a call uses it, in both placements. An answer that breaks its interface's contract ends the op with INTERNAL, or is dropped where the op goes on; it is counted in
`jackfield_plugin_host_bad_answers`, and the log names the provider (`plugin.bad_answer`). Nothing is needed: a chain goes to the next provider, others hear of the error. A counter that grows says that the plugin has
a bug; `jackfield plugin verify` shows which. The tests `Adapters.*` and `Webhook.*` (`tests/unit/kernel/plugin_host/adapters_test.cpp`, `webhook_test.cpp`) assert these rows.

| Interface | Answer | What becomes of it |
|---|---|---|
| `jf.embedding/1` | A text without a vector, or with two; another dimension than was asked for; a value that is not finite; fewer values than it says; texts that were not asked for; none at all | INTERNAL, and the consumer sees none of the vectors |
| `jf.messaging/1` | SENT without an id, no SENT before a completion with OK, two of them | INTERNAL; the message may be out all the same |
| `jf.messaging/1` | An inbound message or a receipt without an id | that event is dropped, the poll goes on |
| `jf.telemetry/1` | Counts that do not add up to the batch, or none | INTERNAL: the batch is dropped |
| `jf.tools/1` | A result that is too large, no text, or none | INTERNAL |
| `jf.vectors/1` | Another last event than the function has; scores that are not finite or out of order | INTERNAL |
| `jf.webhook/1` | Routing keys that are no part of the request, too long or too many | INTERNAL, which is 500 to the sender; no key is read that lies elsewhere |
| `jf.webhook/1` | A reply with a line break in a header, a header of the host's own, a status that is none, no reply; HTTP_ONCE behind an event that does something | 500 to the sender |
| `jf.webhook/1` | A message without an id | that event is dropped, the reply goes out |
)";

void table(std::string& out, std::string_view title, bool (*belongs)(const Module&)) {
    out += "\n## " + std::string(title) + "\n\n| Module | What it does | Rule | Inline | On its own thread | Its op | Counter or log | What to do |\n|---|---|---|---|---|---|---|---|\n";
    for (const Module& m : modules()) {
        if (!belongs(m)) continue;
        for (const std::string_view cell :
             {m.name, m.does, m.rule, name_of(m.inline_.outcome), name_of(m.thread.outcome), m.status, m.sign, m.operate})
            out += "| " + std::string(cell) + " ";
        out += "|\n";
    }
}

}  // namespace

std::string failure_modes_page() {
    std::string out(head);
    table(out, "Refused", [](const Module& m) { return m.thread.outcome == Outcome::refused_unread || m.thread.outcome == Outcome::refused; });
    table(out, "Contained in both placements",
          [](const Module& m) { return m.inline_.outcome == Outcome::contained && m.thread.outcome == Outcome::contained; });
    out += wrong_answers;
    table(out, "Contained on a thread of its own only",
          [](const Module& m) { return m.inline_.outcome == Outcome::shard_lost && m.thread.outcome == Outcome::contained; });
    table(out, "Not contained", [](const Module& m) { return m.thread.outcome == Outcome::process; });
    return out;
}

}  // namespace jackfield::bad_plugins
