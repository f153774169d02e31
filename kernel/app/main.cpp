#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "app/commands.hpp"
#include "app/package_commands.hpp"
#include "app/plugin_check_commands.hpp"
#include "app/plugin_new.hpp"
#include "jackfield_version.hpp"

namespace {

std::string default_config() {
    if (const char* named = std::getenv("JACKFIELD_CONFIG")) return named;
    if (std::filesystem::exists("configs/jackfield.toml")) return "configs/jackfield.toml";
    return "/etc/jackfield/jackfield.toml";
}

}  // namespace

int main(int argc, char** argv) {
    using namespace jackfield::app;
    CLI::App app("Jackfield: a host for voice AI on the telephone", "jackfield");
    app.require_subcommand(1);
    app.fallthrough();
    app.footer("The configuration is --config, else $JACKFIELD_CONFIG, else configs/jackfield.toml, else\n"
               "/etc/jackfield/jackfield.toml. Exit status: 0 done, 1 failed, 2 wrong configuration or usage.");

    CommonOptions common;
    common.config = default_config();
    app.add_option("-c,--config", common.config, "The host's configuration file")->type_name("FILE");
    app.add_flag("--json", common.json, "Print JSON, for scripts");

    int code = exit_ok;
    ServeOptions serve;
    auto* serve_command = app.add_subcommand("serve", "Run the host until SIGTERM; live calls may finish within the drain time");
    serve_command->add_option("--drain-seconds", serve.drain_seconds, "Instead of [host] drain_seconds")->check(CLI::NonNegativeNumber);
    serve_command->callback([&] { code = run_serve(common, serve); });

    bool schema = false;
    auto* check = app.add_subcommand("check", "Check the configuration, plugins' own options included, without starting anything");
    check->add_flag("--schema", schema, "Print the JSON Schema of the host's file instead");
    check->callback([&] { code = run_check(common, schema); });

    auto* plugin = app.add_subcommand("plugin", "Look at plugin files without loading them");
    plugin->require_subcommand(1);
    plugin->add_subcommand("list", "Every plugin file of the search path")->callback([&] { code = run_plugin_list(common); });
    std::string what;
    auto* explain = plugin->add_subcommand("explain", "What a plugin file or a package says of itself, or why it is refused");
    explain->add_option("plugin", what, "A file (.so, .jfp), or an id (stt/pocketsphinx)")->required();
    explain->callback([&] { code = run_plugin_explain(common, what); });
    NewPlugin fresh;
    auto* new_command = plugin->add_subcommand("new", "Write a small complete plugin to begin with, which builds against the installed package");
    new_command->add_option("id", fresh.id, "Its kind and name: tts/acme")->required();
    new_command->add_option("--language", fresh.language, languages_text())->capture_default_str();
    new_command->add_option("--to", fresh.to, "The folder to write, else one named after the plugin")->type_name("DIR");
    new_command->add_option("--vendor", fresh.vendor, "Who makes it, for plugin.json")->capture_default_str();
    new_command->add_option("--licence", fresh.licence, "Its licence, for plugin.json")->capture_default_str();
    new_command->callback([&] { code = run_plugin_new(common, fresh); });

    LintCommand lint;
    auto* lint_command = plugin->add_subcommand("lint", "What is wrong with a plugin file, without executing it");
    lint_command->add_option("file", lint.file, "The plugin file")->required();
    lint_command->add_option("--glibc-floor", lint.glibc_floor, "The oldest glibc that it shall load with")->capture_default_str();
    lint_command->add_flag("--strict", lint.strict, "Warnings fail as well");
    lint_command->callback([&] { code = run_plugin_lint(common, lint); });

    VerifyCommand verify;
    auto* verify_command = plugin->add_subcommand("verify", "Try a plugin file against the contract, in a child process");
    verify_command->add_option("file", verify.file, "The plugin file; --list needs none");
    verify_command->add_option("--kind", verify.kind, "Only this interface's suite beside the general one: stt, tts, llm, ...");
    verify_command->add_flag("--list", verify.list, "Print the checks that would run, and run none");
    verify_command->add_option("--only", verify.only, "Only these checks: a name, or a name's beginning (`stt.`)")->allow_extra_args(false);
    verify_command->add_option("--config", verify.config, "One of the plugin's options, key=value; dotted keys for nested ones")->allow_extra_args(false);
    verify_command->add_option("--config-file", verify.config_file, "The plugin's options as a TOML file")->type_name("FILE");
    verify_command->add_option("--fixtures", verify.fixtures, "Where the audio of \"verify\" in plugin.json stands")->type_name("DIR");
    verify_command->add_option("--plugins", verify.plugins, "Where to find the store or model that a service uses")->type_name("DIR");
    verify_command->add_option("--dial", verify.dial, "An address that answers, for a telephony plugin's whole call")->type_name("ADDRESS");
    verify_command->add_option("--patience", verify.patience_s, "Seconds to wait for what must come, for a provider that is slower than most")->check(CLI::Range(0.1, 300.0))->capture_default_str();
    verify_command->add_flag("--no-lint", verify.no_lint, "Leave the file's own faults out (a build with sanitizers has some)");
    verify_command->callback([&] { code = run_plugin_verify(common, verify); });

    add_package_commands(*plugin, common, code);

    DialCommand dial;
    auto* call = app.add_subcommand("call", "Have the running host place a call, or look into one");
    call->add_option("agent", dial.agent, "Who shall talk: tenant/agent");
    call->add_option("to", dial.to, "A number, or sip:user@host:port");
    call->add_option("--from", dial.from, "Caller's number or user, instead of the provider's own");
    call->add_option("--provider", dial.provider, "The tenant's telephony provider, instead of the agent's first");
    call->add_option("--ring-timeout", dial.ring_timeout_s, "Seconds to ring")->check(CLI::Range(1, 600));
    call->add_flag("--wait", dial.wait, "Print the conversation and wait for the end");
    // One of `call trace` and its like has been run already; else it is a call to place.
    call->callback([&] {
        if (!call->get_subcommands().empty()) return;
        if (dial.agent.empty() || dial.to.empty()) throw CLI::RequiredError("agent and to");
        code = run_call(common, dial);
    });
    TraceCommand trace;
    auto* trace_command = call->add_subcommand("trace", "A call's ladder: SIP messages (secrets masked), and what was asked of which provider");
    trace_command->add_option("call", trace.call, "The call's id, or last; live or stored")->required();
    trace_command->add_flag("--messages", trace.messages, "Print each SIP message in full");
    trace_command->callback([&] { code = run_call_trace(common, trace); });

    ListenCommand listen;
    auto* listen_command = call->add_subcommand(
        "listen", "Hear both sides of a live call; for operators: the host logs who listened, and while its recording is paused there is silence");
    listen_command->add_option("call", listen.call, "The live call's id, or last: the newest live one")->required();
    listen_command->add_option("-o,--output", listen.output, "A file instead of standard output")->type_name("FILE");
    listen_command->add_flag("--stereo", listen.stereo, "The caller left and the agent right, instead of mixed");
    listen_command->add_flag("--raw", listen.raw, "Signed 16-bit little-endian samples at 8 kHz without a WAV header");
    listen_command->add_option("--seconds", listen.seconds, "Stop after so long; 0: when the call is over")->check(CLI::Range(0, 86400));
    listen_command->callback([&] { code = run_call_listen(common, listen); });
    PcapCommand pcap;
    auto* pcap_command = call->add_subcommand("pcap", "Write a call's signalling, and of a live call its media from now on, for tshark and Wireshark");
    pcap_command->add_option("call", pcap.call, "The call's id, or last")->required();
    pcap_command->add_option("-o,--output", pcap.output, "The file to write")->required()->type_name("FILE");
    pcap_command->add_option("--seconds", pcap.seconds, "Of a live call's media; 0: signalling only")->check(CLI::Range(0, 3600));
    pcap_command->callback([&] { code = run_call_pcap(common, pcap); });

    auto* calls = app.add_subcommand("calls", "Stored and live calls");
    calls->require_subcommand(1);
    ListCommand list;
    auto* list_command = calls->add_subcommand("list", "Newest first");
    list_command->add_option("--tenant", list.tenant, "Only this tenant's");
    list_command->add_option("--limit", list.limit, "How many of each tenant")->check(CLI::Range(1, 10000));
    list_command->add_flag("--live", list.live, "What the running host talks at the moment");
    list_command->callback([&] { code = run_calls_list(common, list); });
    std::string id;
    auto* show = calls->add_subcommand("show", "One call with its turns and latencies");
    show->add_option("call", id, "The call's id, or last")->required();
    bool waterfall = false;
    show->add_flag("--waterfall", waterfall, "Draw what each reply's wait consisted of");
    show->callback([&] { code = run_calls_show(common, id, waterfall); });
    calls->add_subcommand("follow", "Print conversations as they happen, until interrupted")->callback([&] {
        code = run_calls_follow(common);
    });
    std::string victim;
    auto* hang_up = calls->add_subcommand("hangup", "End a live call");
    hang_up->add_option("call", victim, "The call's id, or last: the newest live one")->required();
    hang_up->callback([&] { code = run_calls_hang_up(common, victim); });

    WhyCommand why;
    auto* why_command = app.add_subcommand("why", "What voice detection, words, scores and rules decided in a call, turn by turn");
    why_command->add_option("call", why.call, "The call's id, or last; a live call's turn in hand is shown as well")->required();
    why_command->add_option("turn", why.turn, "Only this turn, as `calls show` numbers them from 0")->check(CLI::NonNegativeNumber);
    why_command->callback([&] { code = run_why(common, why); });

    StoreCommand records;
    auto* store = app.add_subcommand("store", "The record store: what it holds, and migrations that wait for the operator");
    store->require_subcommand(1);
    const auto add_store = [&](const char* name, const char* text, StoreCommand::What act) {
        auto* command = store->add_subcommand(name, text);
        command->add_option("collection", records.collection, "Only this collection: jf.calls");
        command->callback([&, act] {
            records.what = act;
            code = run_store(common, records);
        });
        return command;
    };
    add_store("status", "Collections with their versions and records, and the migrations done", StoreCommand::What::status);
    auto* store_plan = add_store("plan", "What `store migrate` would do, step by step", StoreCommand::What::plan);
    store_plan->add_flag("--back", records.back, "What `store rollback` would do instead");
    for (auto* command : {add_store("migrate", "Bring collections to the versions that this host wants; stop the host first", StoreCommand::What::migrate),
                          add_store("rollback", "Take the last migration back, one for each collection; stop the host first", StoreCommand::What::rollback)}) {
        command->add_flag("--yes", records.yes, "Do it without asking");
        command->add_flag("--lossy", records.lossy, "Also steps that lose values; the database is copied first");
    }

    app.add_subcommand("status", "Whether a host runs and what it does")->callback([&] { code = run_status(common); });
    app.add_subcommand("version", "Print the version")->callback([&] {
        if (common.json) std::cout << "{\"version\":\"" JACKFIELD_VERSION "\",\"abi\":\"1.0\"}\n";
        else std::cout << "jackfield " JACKFIELD_VERSION ", plugin ABI 1.0\n";
    });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int status = app.exit(error);
        return status == 0 ? exit_ok : exit_usage;
    } catch (const std::exception& error) {
        return fail(error.what());
    }
    return code;
}
