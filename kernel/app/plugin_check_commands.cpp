#include "app/plugin_check_commands.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "plugin_host/lint.hpp"

namespace jackfield::app {
namespace {

namespace fs = std::filesystem;

/// $JACKFIELD_VERIFY, else beside this program (a build tree), else in libexec (installed).
fs::path find_verify() {
    if (const char* named = std::getenv("JACKFIELD_VERIFY")) return named;
    std::error_code error;
    const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
    for (const fs::path& place : {here / "jackfield-verify", here / "../libexec/jackfield/jackfield-verify"})
        if (fs::exists(place, error)) return place;
    return {};
}

std::vector<std::string> verify_words(const CommonOptions& common, const VerifyCommand& command) {
    std::vector<std::string> words;
    const auto option = [&](const char* name, const std::string& value) {
        if (value.empty()) return;
        words.emplace_back(name);
        words.push_back(value);
    };
    option("--kind", command.kind);
    option("--config-file", command.config_file);
    option("--fixtures", command.fixtures);
    option("--plugins", command.plugins);
    option("--dial", command.dial);
    option("--patience", std::to_string(command.patience_s));
    for (const std::string& only : command.only) option("--only", only);
    for (const std::string& pair : command.config) option("--config", pair);
    if (command.list) words.emplace_back("--list");
    if (command.no_lint) words.emplace_back("--no-lint");
    if (common.json) words.emplace_back("--json");
    if (!command.file.empty()) words.push_back(command.file);
    return words;
}

}  // namespace

int run_plugin_lint(const CommonOptions& common, const LintCommand& command) {
    std::ifstream file(command.file, std::ios::binary);
    if (!file) return fail(command.file + ": " + std::strerror(errno), exit_usage);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    plugin_host::LintOptions options;
    options.glibc_floor = command.glibc_floor;
    options.library = plugin_host::read_system_library;
    const auto report = plugin_host::lint_plugin(std::as_bytes(std::span(text)), command.file, options);
    std::cout << (common.json ? plugin_host::lint_json(report) + "\n" : plugin_host::lint_text(report));
    const bool bad = report.count(plugin_host::Severity::error) > 0 || (command.strict && !report.findings.empty());
    return bad ? exit_failed : exit_ok;
}

int run_plugin_verify(const CommonOptions& common, const VerifyCommand& command) {
    if (command.file.empty() && !command.list) return fail("file is required, but for --list", exit_usage);
    const fs::path program = find_verify();
    if (program.empty())
        return fail("jackfield-verify is not installed beside this program nor in ../libexec/jackfield; "
                    "it comes with the plugin API package; or name it in $JACKFIELD_VERIFY",
                    exit_usage);
    // Its own process from here on: nothing of this one is needed, and the plugin under test runs in children of that.
    std::vector<std::string> words = verify_words(common, command);
    words.insert(words.begin(), program.string());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::cout.flush();
    ::execv(program.c_str(), argv.data());
    return fail(program.string() + ": " + std::strerror(errno), exit_usage);
}

}  // namespace jackfield::app
