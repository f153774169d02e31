#include "config/host_config.hpp"

namespace jackfield::config {
namespace {

/// Options of every configured plugin; the rest of its table is the plugin's own.
OptionTable instance_table(const char* placement) {
    OptionTable table;
    table.open = true;
    table.options = {
        Option::string("plugin", "", "The plugin's id, kind/name, for instance stt/pocketsphinx.")
            .must_be_given(),
        Option::string("placement",
                       placement,
                       "Where it runs: on the call's shard (inline), or on a thread of its own "
                       "behind bounded queues, where a "
                       "hang costs that thread only (thread). auto: Jackfield's own inline, other "
                       "vendors' on a thread.")
            .among({"auto", "inline", "thread"}),
    };
    return table;
}

Option limit_ms(const char* name, std::chrono::milliseconds otherwise, const char* what) {
    return Option::whole(name, otherwise.count(), what).in("ms").between(10, 3'600'000);
}

OptionTable plugin_limits_section() {
    const PluginLimitsConfig defaults;
    return {{
        limit_ms("stream_ms",
                 defaults.stream,
                 "A call that carries a conversation (audio, text, cancel). One that does not "
                 "return holds up the calls of its thread."),
        limit_ms("control_ms",
                 defaults.control,
                 "Loading, creating, starting and stopping: a model may be read from a disk."),
        limit_ms("blocking_ms",
                 defaults.blocking,
                 "Queries and jobs on the host's pool. The store of the host itself is named in "
                 "the log and waited for."),
        limit_ms("start_ms",
                 defaults.start,
                 "From the call of start to its completion, which may come later."),
        limit_ms("probe_ms",
                 defaults.probe,
                 "Until an instance that was given up is tried again; doubled after each failure, "
                 "up to a minute."),
    }};
}

OptionTable host_section() {
    return {{
        Option::strings("roles", {"api", "calls", "jobs"}, "What this process does.")
            .among({"api", "calls", "jobs"}),
        Option::string("public_url",
                       "",
                       "Where carriers and browsers reach this host (https://voice.example). "
                       "Empty: nobody needs to."),
        Option::strings(
            "plugins",
            {"/usr/lib/jackfield/plugins"},
            "Folders that are searched for plugins. A relative one starts at this file's folder."),
        Option::string("trust",
                       "any",
                       "Which plugin files load: any in these folders, those whose SHA-256 sum is "
                       "in `trusted` (listed), or "
                       "those that are signed by a key of `trusted_keys` (signed).")
            .among({"any", "listed", "signed"}),
        Option::strings(
            "trusted", {}, "SHA-256 sums of the plugin files that load when trust = \"listed\"."),
        Option::strings("trusted_keys",
                        {},
                        "Public keys, as `jackfield plugin keygen` prints them (ed25519:...): plugin "
                        "files that one of them signed load when trust = \"signed\", and packages that "
                        "one of them signed are installed."),
        Option::flag("drafts",
                     false,
                     "Plugins that need a draft interface load too. Drafts change from one release "
                     "to the next, and such a plugin may then stop loading."),
        Option::string(
            "storage",
            "sqlite:var/jackfield.db",
            "Where calls are kept: sqlite:<file>, or the name of a provider of this file."),
        Option::string("state_dir",
                       "var",
                       "Folder for what the host keeps, relative to the working directory."),
        Option::string(
            "recordings_dir", "", "Folder for call recordings. Empty: `recordings` in state_dir."),
        Option::string("control_socket",
                       "",
                       "Socket of the command line. Empty: `control.sock` in state_dir."),
        Option::string(
            "tenants",
            "tenants",
            "Folder with one file per tenant. A relative one starts at this file's folder."),
        Option::whole("shards", 0, "Threads that carry calls. 0: one per core.").between(0, 256),
        Option::whole(
            "drain_seconds", 3600, "How long live calls may go on after a request to stop.")
            .in("seconds")
            .between(0, 86'400),
        Option::string("log_level", "info", "The least important events that are logged.")
            .among({"debug", "info", "warn", "error"}),
        Option::string(
            "metrics_listen",
            "",
            "Address and port that Prometheus scrapes (127.0.0.1:9464). Empty: no exposition."),
        Option::table("plugin_limits",
                      plugin_limits_section(),
                      "How long a call into a plugin may last before the host gives that instance "
                      "up and tries it again later."),
    }};
}

OptionTable limits_section() {
    const LimitsConfig defaults;
    return {{
        Option::whole(
            "concurrent_calls", defaults.concurrent_calls, "Calls of this tenant at one time.")
            .between(0, 100'000),
        Option::whole("requests_per_minute",
                      defaults.requests_per_minute,
                      "Requests to providers and to the API in a minute.")
            .between(0, 10'000'000),
    }};
}

OptionTable telemetry_section() {
    return {{
        Option::strings("providers",
                        {},
                        "Where a call's spans and generations go when it is over: providers whose "
                        "plugin is telemetry/.... Empty: nowhere."),
        Option::flag("contents",
                     false,
                     "What callers and agents said goes with the generations. Without it only "
                     "times, counts and names of providers leave."),
        Option::string("environment",
                       "production",
                       "What the provider is told that this host is: production, staging."),
    }};
}

OptionTable tenant_section() {
    return {{
        Option::string("name", "", "The tenant's name for people.").must_be_given(),
        Option::string("time_zone",
                       "UTC",
                       "Time zone of opening hours and reports, for instance America/New_York."),
        Option::table("limits", limits_section(), "What this tenant may use at most."),
        Option::table("telemetry", telemetry_section(), "Where traces of this tenant's calls go."),
    }};
}

OptionTable agent_section() {
    return {{
        Option::strings("answers",
                        {},
                        "What the agent answers, as provider/key: host:trunk/+12125550100, "
                        "host:trunk/sip:desk@ (that user at "
                        "any domain), or host:trunk/* (whatever no other agent answers)."),
        Option::chain("stt", "The recogniser, or a list: the next takes over when one fails."),
        Option::chain("llm", "The language model, or a list."),
        Option::chain("tts", "The voice, or a list."),
        Option::string("language",
                       "en-US",
                       "The language that is spoken, as in BCP 47. It chooses stop words, "
                       "backchannels, the rules of sentences and the sentences that the agent says "
                       "by itself."),
        Option::strings("stop_words",
                        {},
                        "Words and phrases that interrupt the agent at once when they are said "
                        "over it. Empty: what its language has."),
        Option::strings("backchannels",
                        {},
                        "Words and phrases that mean \"go on\" and never interrupt the agent. "
                        "Empty: what its language has."),
        Option::string("prompt", "", "What the language model is told about its task."),
        Option::string("greeting", "", "The first words. Empty: the caller speaks first."),
        Option::strings("tools",
                        {"hang_up"},
                        "What the agent's model may call: " + one_of_text(built_in_tools()) +
                            " of the host's own; a provider whose plugin is tools/... with all its "
                            "functions (\"crm\"), or one of them (\"crm.lookup\")."),
        Option::short_tables("transfer",
                             transfer_option_table(),
                             "Where the agent may transfer a call: a name, and the number or SIP "
                             "address it stands for, or a table."),
        Option::strings("hand_off",
                        {},
                        "Agents of this tenant that may take over within the call, with their own "
                        "prompt, voice, language, model and tools."),
        Option::string("resume_phrase",
                       "",
                       "What the agent says when the caller comes back from hold. Empty: it waits "
                       "for the caller."),
        Option::table("consent",
                      consent_option_table(),
                      "An announcement before everything else, and the caller's consent."),
        Option::strings("fillers",
                        {},
                        "What the agent says while its answer takes long, one after the other. "
                        "Empty: what its language has."),
        Option::string("not_understood",
                       "",
                       "What the agent says when no model of its chain has an answer to the "
                       "caller's words. Empty: what its language has."),
        Option::string("apology",
                       "",
                       "What the agent says when it can't go on. Empty: what its language has."),
        Option::string("on_failure",
                       "",
                       "Whom the caller is handed to after the apology: a name of transfer. Empty: "
                       "the call ends."),
        Option::table(
            "recording",
            {{Option::flag(
                "enabled", RecordingConfig().enabled, "Records both sides, one channel each."),
              Option::flag("after_consent",
                           RecordingConfig().after_consent,
                           "Records nothing before consent.text was heard and, where it is "
                           "required, agreed to."),
              Option::flag("pause_on_digits",
                           RecordingConfig().pause_on_digits,
                           "Records silence while the caller is asked for digits, and masks what "
                           "is pressed and said then in the transcript.")}},
            "Recording of this agent's calls."),
        Option::flag("keep_trace",
                     AgentConfig().keep_trace,
                     "Stores what went over the wire and between host and providers when a call is "
                     "over, for `jackfield call trace` and `call pcap`. Off: it is there while the "
                     "call lasts."),
        Option::table("keypad", keypad_option_table(), "The caller's telephone keys."),
        Option::table("amd",
                      amd_option_table(),
                      "Answering machines on calls that the host places."),
        Option::table("turn", turn_option_table(), "How the agent takes turns."),
    }};
}

}  // namespace

OptionTable host_option_table() {
    return {{
        Option::table("host", host_section(), "This process."),
        Option::tables("providers",
                       instance_table("auto"),
                       "What exists once for all tenants (a SIP port, a carrier's account, a "
                       "database): they name it "
                       "\"host:<name>\"."),
    }};
}

OptionTable tenant_option_table() {
    return {{
        Option::table("tenant", tenant_section(), "Whom this file is about."),
        Option::tables("providers", instance_table("auto"), "The tenant's own providers."),
        Option::tables("agents", agent_section(), "The bots that answer."),
        Option::tables("services",
                       instance_table("thread"),
                       "Product features, each a plugin of kind service."),
    }};
}

}  // namespace jackfield::config
