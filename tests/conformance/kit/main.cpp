// jackfield-verify: the contract, tried on a plugin file. `jackfield plugin verify` becomes this program. The plugin's code runs in
// children of it only.

#include "conformance/kit/bench.hpp"
#include "conformance/kit/check.hpp"
#include "conformance/kit/report.hpp"
#include "conformance/kit/runner.hpp"
#include "conformance/kit/target.hpp"
#include "plugin_host/loader.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>

#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using namespace jackfield::conformance;
using jackfield::plugin_host::LintReport;

struct Options {
    TargetOptions target;
    std::string file, kind;
    std::vector<std::string> only;
    bool json = false, list = false, no_lint = false;
    double patience_s = 10;
    // What a parent gives its children.
    int report_fd = -1;
    std::vector<std::string> checks;
    std::string mid_op;
};

/// A folder that goes with this object.
class Scratch {
  public:
    Scratch() {
        std::string name = (fs::temp_directory_path() / "jackfield-verify-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("a temporary folder can't be made");
        path_ = name;
    }
    ~Scratch() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

bool chosen(const Options& options, std::string_view name) {
    if (options.only.empty()) return true;
    for (const std::string& prefix : options.only)
        if (name.starts_with(prefix)) return true;
    return false;
}

/// What a plugin's id begins with says as much; storage has two interfaces.
bool is_of_kind(const Suite& suite, std::string_view kind) {
    return kind.empty() || kind == suite.name || (kind == "storage" && (suite.name == "records" || suite.name == "vectors"));
}

/// Those that fit the plugin file; without one, all that there are.
std::vector<const Suite*> suites_of(const Options& options, const Target* target) {
    std::vector<const Suite*> out;
    for (const Suite& suite : all_suites()) {
        const bool wanted = is_of_kind(suite, options.kind);
        if (suite.interface_id.empty() || (wanted && (!target || target->facts.descriptor.provides_interface(suite.interface_id)))) out.push_back(&suite);
    }
    return out;
}

LintReport lint(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    jackfield::plugin_host::LintOptions options;
    options.library = jackfield::plugin_host::read_system_library;
    return lint_plugin(std::as_bytes(std::span(text)), file.string(), options);
}

/// What makes a child load the same target. Paths are absolute, since a child works in the scratch folder.
std::vector<std::string> child_arguments(const Options& options, const Target& target) {
    std::vector<std::string> out{target.file.string(), "--patience", std::to_string(options.patience_s), "--fixtures", target.fixtures.string(), "--plugins", target.plugins.string()};
    if (!options.target.config_file.empty()) {
        out.emplace_back("--config-file");
        out.push_back(fs::absolute(options.target.config_file).string());
    }
    if (!target.dial.empty()) {
        out.emplace_back("--dial");
        out.push_back(target.dial);
    }
    for (const std::string& pair : options.target.config) {
        out.emplace_back("--config");
        out.push_back(pair);
    }
    return out;
}

void print_list(const Options& options, const Target* target) {
    for (const Suite* const suite : suites_of(options, target)) {
        for (const Check& check : suite->checks)
            if (chosen(options, check.name)) std::cout << check.name << "  " << check.promise << "\n";
        if (suite->mid_op) std::cout << suite->name << ".killed_in_mid_op  A host that is killed leaves nothing of it behind\n";
    }
    for (const Observed& one : all_observed())
        if (chosen(options, one.name)) std::cout << one.name << "  " << one.promise << "\n";
}

int usage(const std::string& text) {
    std::cerr << "jackfield-verify: " << text << "\n";
    return 2;
}

/// Empty: there are checks of that kind.
std::string kind_problem(const Options& options) {
    std::string known;
    for (const Suite& suite : all_suites()) {
        if (suite.interface_id.empty()) continue;
        if (is_of_kind(suite, options.kind)) return {};
        known += (known.empty() ? "" : ", ") + std::string(suite.name);
    }
    return "there are no checks of a kind '" + options.kind + "'; there are " + known;
}

int verify(const Options& options) {
    const auto began = std::chrono::steady_clock::now();
    if (const std::string problem = kind_problem(options); !problem.empty()) return usage(problem);
    if (options.file.empty()) {
        if (!options.list) return usage("file is required, but for --list");
        print_list(options, nullptr);
        return 0;
    }
    if (std::error_code error; !fs::is_regular_file(options.target.file, error)) {
        std::cerr << "jackfield-verify: " << options.target.file.string() << ": there is no such file\n";
        return 2;
    }
    const LintReport linted = lint(options.target.file);
    auto target = load_target(options.target);
    if (!target) {
        // Lint has better words for a file that no host would load; with one that loads it is the options' fault.
        jackfield::plugin_host::TrustPolicy drafts;
        drafts.allow_drafts = true;
        const bool unloadable = !jackfield::plugin_host::Loader({}, drafts).inspect(options.target.file);
        if (unloadable) std::cerr << lint_text(linted);
        std::cerr << "jackfield-verify: " << target.error().text() << "\n";
        return unloadable ? 1 : 2;
    }
    if (options.list) return print_list(options, &*target), 0;

    std::vector<Row> all;
    const bool terminal = ::isatty(1) == 1;
    const auto show = [&](const Row& row) {
        if (!options.json) std::cout << (terminal ? "\r\x1b[K" : "") << row_text(row) << std::flush;
    };
    const auto running = [&](const std::string& name) {
        if (terminal && !options.json) std::cout << "\r\x1b[K  ...     " << name << std::flush;
    };
    if (!options.json)
        std::cout << target->id() << " " << target->facts.descriptor.version << " by " << target->facts.descriptor.vendor << ", " << target->file.string()
                  << "\n";
    if (!options.no_lint)
        for (Row& row : lint_rows(linted)) {
            if (!chosen(options, row.name)) continue;
            show(row);
            all.push_back(std::move(row));
        }
    const Scratch scratch;
    Runner runner(child_arguments(options, *target), scratch.path().string(), show, running);
    std::vector<const Check*> checks;
    for (const Suite* const suite : suites_of(options, &*target))
        for (const Check& check : suite->checks)
            if (chosen(options, check.name)) checks.push_back(&check);
    runner.run(checks);
    for (const Suite* const suite : suites_of(options, &*target))
        if (!runner.gave_up() && suite->mid_op && chosen(options, std::string(suite->name) + ".killed_in_mid_op")) runner.kill_in_mid_op(*suite);
    runner.report_observed();
    all.insert(all.end(), runner.rows().begin(), runner.rows().end());

    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (options.json) std::cout << report_json(*target, all, seconds) << "\n";
    else if (runner.gave_up()) std::cout << "  The other checks were left out.\n";
    if (!options.json) std::cout << summary_text(*target, all, seconds);
    return count(all, Row::Outcome::failed) ? 1 : 0;
}

int be_child(const Options& options) {
    auto target = load_target(options.target);
    if (!target) return 4;
    if (!options.mid_op.empty()) return run_mid_op(std::move(*target), options.mid_op, options.report_fd);
    return run_checks(std::move(*target), options.checks, options.report_fd);
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Tries a Jackfield plugin file against the contract, in child processes", "jackfield-verify");
    app.add_option("file", options.file, "The plugin file; --list needs none");
    app.add_option("--kind", options.kind, "Only this interface's suite beside the general one: stt, tts, llm, ...");
    app.add_flag("--list", options.list, "Print the checks that would run, and run none");
    app.add_option("--only", options.only, "Only these checks: a name, or a name's beginning (`stt.`)")->allow_extra_args(false);
    app.add_option("--config", options.target.config, "One of the plugin's options, key=value; dotted keys for nested ones")->allow_extra_args(false);
    app.add_option("--config-file", options.target.config_file, "The plugin's options as a TOML file")->type_name("FILE");
    app.add_option("--fixtures", options.target.fixtures, "Where the audio of \"verify\" in plugin.json stands")->type_name("DIR");
    app.add_option("--plugins", options.target.plugins, "Where to find the store or model that a service uses")->type_name("DIR");
    app.add_option("--dial", options.target.dial, "An address that answers, for a telephony plugin's whole call")->type_name("ADDRESS");
    app.add_option("--patience", options.patience_s, "Seconds to wait for what must come, for a provider that is slower than most")
        ->check(CLI::Range(0.1, 300.0))
        ->capture_default_str();
    app.add_flag("--no-lint", options.no_lint, "Leave the file's own faults out (a build with sanitizers has some)");
    app.add_flag("--json", options.json, "Print one JSON object");
    app.add_option("--report-fd", options.report_fd)->group("");
    app.add_option("--checks", options.checks)->delimiter(',')->group("");
    app.add_option("--mid-op", options.mid_op)->group("");
    app.footer("Exit status: 0 every promise is kept, 1 some are broken, 2 it could not be tried (usage, options).");
    try {
        app.parse(argc, argv);
        options.target.file = options.file;
        patience = milliseconds(static_cast<std::int64_t>(options.patience_s * 1000));
        return options.report_fd >= 0 ? be_child(options) : verify(options);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        std::cerr << "jackfield-verify: " << error.what() << "\n";
        return 2;
    }
}
