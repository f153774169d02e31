#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include "simulators/scenario.hpp"
#include "simulators/torture.hpp"

namespace {

using namespace jackfield::sim;

struct Arguments {
    std::string uri;
    std::string script;
    std::string record;
    std::string json;
    std::string user = "phone";
    std::string codecs = "pcmu,pcma";
    std::uint16_t port = 0;
    int timeout_s = 60;
    bool tcp = false;
    bool trace = false;
    int status = 200;
    int answer_after_ms = 200;
    bool never = false;
    bool early_media = false;
    bool echo = false;
    int calls = 1;
    int count = 5000;
    std::uint64_t seed = 1;
};

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(path + ": cannot be opened");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

PhoneOptions phone_options(const Arguments& arguments) {
    PhoneOptions options;
    options.user = arguments.user;
    options.sip_port = arguments.port;
    options.trace = arguments.trace;
    options.codecs.clear();
    if (arguments.codecs.starts_with("pcma")) options.codecs.push_back(Codec::pcma);
    if (arguments.codecs.find("pcmu") != std::string::npos) options.codecs.push_back(Codec::pcmu);
    if (arguments.codecs.ends_with("pcma") && options.codecs.front() != Codec::pcma) options.codecs.push_back(Codec::pcma);
    options.answer.status = arguments.status;
    options.answer.after = milliseconds(arguments.answer_after_ms);
    options.answer.never = arguments.never;
    options.answer.early_media = arguments.early_media;
    options.answer.echo = arguments.echo;
    return options;
}

/// Writes what was asked for and says the verdict; 0: passed.
int conclude(const SipPhone& phone, const ScenarioResult& result, const Arguments& arguments) {
    const CallReport report = phone.report();
    if (!arguments.record.empty()) write_wav(arguments.record, phone.recording());
    if (!arguments.json.empty()) std::ofstream(arguments.json) << report.json() << '\n';
    for (const std::string& failure : result.failures) std::cerr << "sip_phone: " << failure << '\n';
    std::cout << report.json() << '\n';
    return result.passed() ? 0 : 1;
}

ScenarioResult run_script(SipPhone& phone, const Arguments& arguments, const std::string& otherwise) {
    const milliseconds timeout(1000 * arguments.timeout_s);
    const std::string text = arguments.script.empty() ? otherwise : read_text(arguments.script);
    return run_scenario(phone, parse_scenario(text), folder_of(arguments.script), timeout);
}

int call(const Arguments& arguments) {
    SipPhone phone(phone_options(arguments));
    const std::string uri = arguments.uri + (arguments.tcp ? ";transport=tcp" : "");
    if (!phone.call(uri)) {
        std::cerr << "sip_phone: " << uri << " cannot be reached\n";
        return 2;
    }
    ScenarioResult result = run_script(phone, arguments, "wait_answered\nwait_ended\n");
    phone.hang_up();
    return conclude(phone, result, arguments);
}

int answer(const Arguments& arguments) {
    SipPhone phone(phone_options(arguments));
    std::cout << phone.uri() << std::endl;  // flushed: a script reads the address from a pipe
    int status = 0;
    for (int i = 0; i < arguments.calls; ++i) {
        ScenarioResult result = run_script(phone, arguments, "wait_ringing 3600s\nwait_ended 3600s\n");
        phone.hang_up();
        status = std::max(status, conclude(phone, result, arguments));
    }
    return status;
}

int ping(const Arguments& arguments) {
    SipPhone phone(phone_options(arguments));
    const int status = phone.ping(arguments.uri + (arguments.tcp ? ";transport=tcp" : ""));
    std::cout << status << '\n';
    return status == 200 ? 0 : 1;
}

int break_it(const Arguments& arguments) {
    const auto uri = parse_sip_uri(arguments.uri);
    const auto address = uri ? parse_address(uri->host) : std::nullopt;
    if (!address) throw std::runtime_error(arguments.uri + ": not a SIP address on this machine");
    TortureOptions options;
    options.target = {*address, uri->port};
    options.user = uri->user;
    options.tcp = arguments.tcp || uri->tcp;
    options.count = arguments.count;
    options.seed = arguments.seed;
    const TortureReport report = torture(options);
    std::cout << "sent " << report.sent << ", replies " << report.replies << ", 5xx " << report.server_errors
              << ", calls by mistake " << report.calls_by_mistake << ", connections refused " << report.refused << '\n';
    return report.sent > 0 ? 0 : 1;
}

void add_common(CLI::App& app, Arguments& arguments) {
    app.add_option("--user", arguments.user, "Our user name");
    app.add_option("--port", arguments.port, "Our SIP port, UDP and TCP; 0: any");
    app.add_option("--codecs", arguments.codecs, "Codecs in order of preference")->check(CLI::IsMember({"pcmu", "pcma", "pcmu,pcma", "pcma,pcmu"}));
    app.add_option("--script", arguments.script, "Scenario file; its WAV paths count from its folder");
    app.add_option("--record", arguments.record, "Two-channel WAV: left what was sent, right what was heard");
    app.add_option("--json", arguments.json, "Report file");
    app.add_option("--timeout", arguments.timeout_s, "Seconds that a step without its own limit may take");
    app.add_flag("--trace", arguments.trace, "SIP messages to standard error");
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app("A SIP telephone for tests: makes or takes one call, follows a scenario, measures and records it.\n"
                 "Exit status: 0 the scenario passed, 1 it did not, 2 the call could not be tried.");
    app.footer(std::string(scenario_help()));
    app.require_subcommand(1);

    CLI::App* calling = app.add_subcommand("call", "Call a SIP address on this machine");
    calling->add_option("uri", arguments.uri, "sip:user@127.0.0.1:port")->required();
    calling->add_flag("--tcp", arguments.tcp, "Over TCP");
    add_common(*calling, arguments);

    CLI::App* answering = app.add_subcommand("answer", "Print our address and wait for a call");
    answering->add_option("--status", arguments.status, "Final response: 200, 486, 603 ...")->check(CLI::Range(200, 699));
    answering->add_option("--answer-after", arguments.answer_after_ms, "Milliseconds of ringing");
    answering->add_option("--calls", arguments.calls, "How many calls to take, one after the other");
    answering->add_flag("--never", arguments.never, "Ring for ever");
    answering->add_flag("--early-media", arguments.early_media, "183 with a session instead of 180");
    answering->add_flag("--echo", arguments.echo, "Send back what comes in");
    add_common(*answering, arguments);

    CLI::App* pinging = app.add_subcommand("ping", "Send OPTIONS, print the status of the answer");
    pinging->add_option("uri", arguments.uri)->required();
    pinging->add_flag("--tcp", arguments.tcp, "Over TCP");

    CLI::App* breaking = app.add_subcommand("torture", "Send malformed SIP messages");
    breaking->add_option("uri", arguments.uri)->required();
    breaking->add_option("--count", arguments.count, "How many");
    breaking->add_option("--seed", arguments.seed, "Chooses the details");
    breaking->add_flag("--tcp", arguments.tcp, "Over TCP, in pieces");

    CLI11_PARSE(app, argc, argv);
    try {
        if (calling->parsed()) return call(arguments);
        if (answering->parsed()) return answer(arguments);
        if (pinging->parsed()) return ping(arguments);
        return break_it(arguments);
    } catch (const std::exception& error) {
        std::cerr << "sip_phone: " << error.what() << '\n';
        return 2;
    }
}
