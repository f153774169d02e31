#include "app/commands.hpp"

#include <ctime>
#include <iostream>
#include <utility>

#include "app/control_server.hpp"
#include "app/host.hpp"
#include "app/package_commands.hpp"
#include "app/which_call.hpp"
#include "base/json.hpp"
#include "config/option_docs.hpp"
#include "tenant/plugin_options.hpp"

namespace jackfield::app {
namespace {

void print_problems(const CommonOptions& common, const config::Problems& problems) {
    if (common.json) {
        std::cout << R"({"ok":false,"problems":)" << config::to_json(problems) << "}\n";
        return;
    }
    for (const config::Problem& problem : problems) std::cerr << config::to_text(problem) << "\n";
    std::cerr << problems.size() << (problems.size() == 1 ? " problem" : " problems") << "\n";
}

/// Sends one request; prints the answer when it is JSON that was asked for, else hands it to `show`.
int ask(const CommonOptions& common, const std::string& request, const std::function<void(base::JsonView)>& show) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    int code = exit_failed;
    const auto sent = control_request(config->control_socket, request, [&](const std::string& line) {
        const auto document = base::JsonDocument::parse(line);
        const bool ok = document && document->root()["ok"].boolean_or(false);
        code = ok ? exit_ok : exit_failed;
        if (common.json) std::cout << line << "\n";
        else if (!ok) fail(document ? document->root()["error"].text_or(line) : line);
        else show(document->root());
        return false;
    });
    if (!sent) return fail(sent.error().text());
    return code;
}

std::string request_of(std::initializer_list<std::pair<std::string_view, std::string>> members) {
    base::JsonWriter json;
    json.begin_object();
    for (const auto& [name, value] : members) json.member(name, value);
    json.end_object();
    return json.take();
}

void print_turn(base::JsonView event) {
    const bool user = event["role"].text_or("") == "user";
    std::string text = event["text"].text_or("");
    const std::int64_t flags = event["flags"].integer_or(0);
    if (flags & JF_MESSAGE_NO_MATCH) text = text.empty() ? "(not understood)" : "(not understood: " + text + ")";
    if (flags & JF_MESSAGE_SILENCE) text = "(silence)";
    if (flags & JF_MESSAGE_DTMF) text = "[keys] " + text;
    std::cout << (user ? "  caller: " : "  agent:  ") << text;
    if (event["interrupted"].boolean_or(false)) std::cout << " ...(interrupted)";
    if (const std::int64_t reply = event["reply_ms"].integer_or(-1); reply >= 0) {
        std::cout << "   [" << reply << " ms:";
        for (const auto& [name, value] : event["stages"].members())
            std::cout << " " << name.substr(0, name.find("_ms")) << " " << value.integer_or(0);
        std::cout << "]";
    }
    std::cout << std::endl;
}

std::string in_brackets(const std::string& reason) { return reason.empty() ? "" : " (" + reason + ")"; }

/// False when the call that is watched has ended.
bool print_event(const std::string& line, const CommonOptions& common, const std::string& only, std::string* cause) {
    const auto document = base::JsonDocument::parse(line);
    if (!document) return true;
    const base::JsonView event = document->root();
    const std::string name = event["event"].text_or("");
    if (name.empty() || (!only.empty() && event["call"].text_or("") != only)) return true;
    const std::string id = event["call"].text_or("");
    if (common.json) std::cout << line << std::endl;
    else if (name == "call.started")
        std::cout << "call " << id << " " << event["direction"].text_or("") << " " << event["tenant"].text_or("") << "/"
                  << event["agent"].text_or("") << " from " << event["from"].text_or("") << std::endl;
    else if (name == "call.answered") std::cout << "  answered" << std::endl;
    else if (name == "call.turn") print_turn(event);
    else if (name == "call.ended")
        std::cout << "call " << id << " ended: " << event["cause"].text_or("") << " by " << event["ended_by"].text_or("") << in_brackets(event["reason"].text_or(""))
                  << std::endl;
    if (name == "call.ended" && !only.empty()) {
        if (cause) *cause = event["cause"].text_or("");
        return false;
    }
    return true;
}

}  // namespace

int fail(const std::string& text, int code) {
    std::cerr << "jackfield: " << text << "\n";
    return code;
}

std::string utc_text(std::int64_t us) {
    if (us == 0) return "-";
    const std::time_t seconds = us / 1000000;
    std::tm tm{};
    gmtime_r(&seconds, &tm);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &tm);
    return text;
}

std::optional<config::HostConfig> load_or_explain(const CommonOptions& common) {
    auto loaded = config::load_host(common.config, config::Environment::system());
    if (loaded.ok()) return std::move(loaded.value);
    print_problems(common, loaded.problems);
    return std::nullopt;
}

int run_check(const CommonOptions& common, bool print_schema) {
    if (print_schema) {
        std::cout << config::schema_json(config::host_option_table(), "Jackfield host") << "\n";
        return exit_ok;
    }
    auto loaded = config::load_host(common.config, config::Environment::system());
    config::Problems problems = std::move(loaded.problems);
    const auto loader = make_loader(loaded.value);
    const tenant::CheckedHost checked = tenant::check_providers(loaded.value, loader);
    problems.insert(problems.end(), checked.problems.begin(), checked.problems.end());
    config::sort_problems(problems);
    if (!problems.empty()) {
        print_problems(common, problems);
        return exit_usage;
    }
    std::size_t agents = 0;
    for (const auto& tenant : loaded.value.tenants) agents += tenant.agents.size();
    if (common.json) std::cout << R"({"ok":true,"problems":[]})" << "\n";
    else
        std::cout << common.config.string() << ": right. " << loaded.value.tenants.size() << " tenants, " << agents << " agents, "
                  << checked.host.size() + checked.tenants.size() << " providers and services\n";
    return exit_ok;
}

int run_plugin_list(const CommonOptions& common) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    const auto loader = make_loader(*config);
    base::JsonWriter json;
    json.begin_array();
    int code = exit_ok;
    const auto files = loader.list();
    if (files.empty()) {
        std::cerr << "no plugin file in";
        for (const auto& folder : config->plugins) std::cerr << ' ' << folder.string();
        std::cerr << " (host.plugins of " << common.config.string() << ")\n";
    }
    for (const auto& [path, file] : files) {
        if (!file) code = exit_failed;
        if (common.json) {
            json.begin_object().member("path", path.string()).member("ok", file.has_value());
            if (file) json.member("id", file->descriptor.id).member("version", file->descriptor.version).member("sha256", file->sha256);
            else json.member("error", file.error().text());
            json.end_object();
        } else if (file) {
            std::cout << file->descriptor.id << "  " << file->descriptor.version << "  " << file->descriptor.summary << "\n";
        } else {
            std::cout << path.string() << "  refused: " << file.error().text() << "\n";
        }
    }
    json.end_array();
    if (common.json) std::cout << json.str() << "\n";
    return code;
}

int run_plugin_explain(const CommonOptions& common, const std::string& what) {
    // A file needs no configuration; an id is looked for in the search path.
    std::filesystem::path path = what;
    if (!std::filesystem::exists(path)) {
        const auto config = load_or_explain(common);
        if (!config) return exit_usage;
        const auto found = make_loader(*config).find(what);
        if (!found) return fail(found.error().text());
        path = *found;
    }
    if (path.extension() == ".jfp") return run_package_explain(common, path);
    const auto file = plugin_host::Loader({}, {}).inspect(path);
    if (!file) return fail(file.error().text());
    std::cout << (common.json ? plugin_host::explain_json(*file) + "\n" : plugin_host::explain(*file));
    return exit_ok;
}

int run_status(const CommonOptions& common) {
    return ask(common, R"({"cmd":"status"})", [](base::JsonView answer) {
        std::cout << "running, pid " << answer["pid"].integer_or(0) << ", " << answer["calls"].integer_or(0) << " calls"
                  << (answer["draining"].boolean_or(false) ? ", draining" : "") << "\n";
        const base::JsonView providers = answer["providers"];
        for (std::size_t i = 0; i < providers.size(); ++i) {
            const base::JsonView provider = providers.at(i);
            std::cout << "  " << provider["name"].text_or("") << ": " << provider["plugin"].text_or("") << ", " << provider["state"].text_or("")
                      << (provider["placement"].text_or("") == "thread" ? ", on a thread of its own" : "");
            if (!provider["breaker"].absent()) std::cout << ", breaker " << provider["breaker"].text_or("");
            if (provider["samples"].integer_or(0) > 0)
                std::cout << ", answers in " << provider["p50_ms"].integer_or(0) << " ms (p95 " << provider["p95_ms"].integer_or(0) << ", p99 "
                          << provider["p99_ms"].integer_or(0) << ")";
            std::cout << "\n";
        }
    });
}

int run_calls_hang_up(const CommonOptions& common, const std::string& id) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    const auto call = live_call(*config, id);
    if (!call) return fail(call.error().text());
    return ask(common, request_of({{"cmd", "hangup"}, {"call", *call}}), [&](base::JsonView) { std::cout << "hung up " << *call << "\n"; });
}

int run_calls_follow(const CommonOptions& common) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    bool following = false;
    const auto sent = control_request(config->control_socket, R"({"cmd":"follow"})", [&](const std::string& line) {
        // A script wants to know from when on nothing is missed.
        if (!std::exchange(following, true) && common.json) std::cout << line << std::endl;
        return print_event(line, common, "", nullptr);
    });
    return sent ? exit_ok : fail(sent.error().text());
}

int run_call(const CommonOptions& common, const DialCommand& command) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    const std::size_t slash = command.agent.find('/');
    if (slash == std::string::npos) return fail("'" + command.agent + "': tenant/agent is wanted", exit_usage);
    base::JsonWriter json;
    json.begin_object().member("cmd", "call").member("tenant", command.agent.substr(0, slash));
    json.member("agent", command.agent.substr(slash + 1)).member("to", command.to).member("from", command.from);
    json.member("provider", command.provider).member("ring_timeout_ms", command.ring_timeout_s * 1000).end_object();

    // Following starts before the call does, so that nothing of it is missed.
    std::string id;
    std::string cause;
    int code = exit_failed;
    const auto place = [&] {
        return control_request(config->control_socket, json.str(), [&](const std::string& line) {
            const auto document = base::JsonDocument::parse(line);
            if (document && document->root()["ok"].boolean_or(false)) {
                id = document->root()["call"].text_or("");
                code = exit_ok;
                if (common.json) std::cout << line << std::endl;
                else std::cout << "call " << id << std::endl;
            } else {
                fail(document ? document->root()["error"].text_or(line) : line);
            }
            return false;
        });
    };
    if (!command.wait) {
        const auto sent = place();
        return sent ? code : fail(sent.error().text());
    }
    const auto followed = control_request(config->control_socket, R"({"cmd":"follow"})", [&](const std::string& line) {
        if (id.empty()) {
            if (!place() || id.empty()) return false;
            return true;
        }
        return print_event(line, common, id, &cause);
    });
    if (!followed) return fail(followed.error().text());
    return code == exit_ok && (cause == "normal" || cause.empty()) ? exit_ok : exit_failed;
}

}  // namespace jackfield::app
