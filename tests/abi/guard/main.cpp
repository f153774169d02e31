#include <CLI/CLI.hpp>
#include <iostream>

#include "abi/guard/accepted.hpp"
#include "abi/guard/compare.hpp"
#include "abi/guard/grow.hpp"
#include "abi/guard/lock.hpp"
#include "abi/guard/witness.hpp"

namespace {

using namespace jackfield::abi_guard;
namespace fs = std::filesystem;

struct Options {
    fs::path include;
    fs::path abi;
    fs::path to;
    Tools tools;
    bool recorded = false;
    std::string baseline;
};

fs::path accepted_file(const Options& options) { return options.abi / "accepted-changes"; }
fs::path witness_file(const Options& options) { return options.abi / "witness.abi"; }

fs::path build_witness(const Options& options, const Surface& surface, const ScratchFolder& scratch) {
    fs::path library = scratch.path() / "witness.so";
    build_library(witness_source(surface), options.include, options.tools, library);
    return library;
}

std::vector<Finding> all_findings(const Options& options, const Surface& published, const Surface& now) {
    std::vector<Finding> out = compare(published, now);
    const ScratchFolder scratch;
    const std::vector<Finding> seen = compare_library(witness_file(options), build_witness(options, now, scratch), published, options.tools);
    out.insert(out.end(), seen.begin(), seen.end());
    return out;
}

int report(const std::vector<Finding>& findings) {
    for (const Finding& finding : findings) std::cout << finding.message << "\n    key: " << finding.key << "\n";
    if (findings.empty()) return 0;
    std::cout << findings.size() << (findings.size() == 1 ? " change" : " changes") << " that a plugin built before may not survive. While the ABI is 1.0-rc, one that has to be\n"
              << "is accepted by a line `<key> | <reason>` in plugin-api/abi/accepted-changes (CONTRIBUTING.md, \"The plugin ABI\").\n";
    return 1;
}

int check(const Options& options) {
    const Surface now = read_headers(options.include, options.tools);
    const Surface published = read_lock(options.abi);
    const auto left = not_accepted(all_findings(options, published, now), read_accepted(accepted_file(options)), accepted_file(options).string());
    if (const int failed = report(left)) return failed;
    const auto more = appended(published, now);
    for (const std::string& name : more) std::cout << "appended: " << name << "\n";
    std::cout << now.structs.size() << " structs and " << now.constants.size() << " constants stand where they were published; " << more.size() << " appended\n";
    if (more.empty() || !options.recorded) return 0;
    std::cout << "what was appended is allowed and not recorded yet: cmake --build <build folder> --target abi_accept\n";
    return 1;
}

void record_witness(const Options& options, const Surface& surface) {
    const ScratchFolder scratch;
    write_text(witness_file(options), describe_library(build_witness(options, surface, scratch), options.tools));
}

int accept(const Options& options) {
    const Surface now = read_headers(options.include, options.tools);
    const Surface published = read_lock(options.abi);
    const auto accepted = read_accepted(accepted_file(options));
    if (const int failed = report(not_accepted(all_findings(options, published, now), accepted, accepted_file(options).string()))) return failed;
    const auto more = appended(published, now);
    write_lock(options.abi, with_appended(published, now));
    // While changes stand accepted, the description has to show what they differ from.
    if (accepted.empty()) record_witness(options, now);
    std::cout << "recorded: " << more.size() << " appended\n";
    return 0;
}

/// A new beginning: the headers as they are become what is published, and what was accepted on the way becomes history.
int publish(const Options& options) {
    const Surface now = read_headers(options.include, options.tools);
    if (const int failed = report(compare(now, now))) return failed;
    const auto accepted = fs::exists(accepted_file(options)) ? read_accepted(accepted_file(options)) : std::vector<Accepted>();
    std::string history = fs::exists(options.abi / "history") ? read_text(options.abi / "history") : "# Changes that were accepted on the way to each published baseline.\n";
    history += "\n== " + options.baseline + "\n";
    for (const Accepted& entry : accepted) history += entry.key + " | " + entry.reason + "\n";
    fs::create_directories(options.abi);
    record_witness(options, now);
    write_lock(options.abi, now);
    write_text(options.abi / "history", history);
    write_text(accepted_file(options),
               "# Differences to the published baseline that were made on purpose: `<key> | <reason>`, the key as the guard prints it. An entry without a\n"
               "# reason, or one that covers nothing, fails. `abi_guard publish` moves them to `history`.\n");
    std::cout << "published as " << options.baseline << ": " << now.structs.size() << " structs, " << now.constants.size() << " constants\n";
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Compares the public C headers with what was published of them", "abi_guard");
    app.require_subcommand(1);
    app.footer("Exit status: 0 nothing forbidden, 1 something was found, 2 the guard could not run.");
    Options options;
    options.include = JACKFIELD_SOURCE_DIR "/plugin-api/include";
    options.abi = JACKFIELD_SOURCE_DIR "/plugin-api/abi";
    app.add_option("--include", options.include, "The folder that holds jackfield/*.h");
    app.add_option("--abi", options.abi, "The folder of slots.lock, thread_classes.lock, witness.abi and accepted-changes");
    app.add_option("--clang", options.tools.clang, "The compiler that reads headers");
    app.add_option("--cc", options.tools.cc, "The compiler that builds the witness library");
    app.add_option("--abidw", options.tools.abidw, "libabigail's describer");
    app.add_option("--abidiff", options.tools.abidiff, "libabigail's comparer");
    app.fallthrough();

    int (*run_command)(const Options&) = nullptr;
    auto* check_command = app.add_subcommand("check", "Fail when something published was changed");
    check_command->add_flag("--recorded", options.recorded, "Fail also when something was appended and is not in the lock");
    check_command->callback([&] { run_command = check; });
    app.add_subcommand("accept", "Record what was appended; refused while a change is not accepted")->callback([&] { run_command = accept; });
    auto* publish_command = app.add_subcommand("publish", "Record the headers as they are as a new baseline");
    publish_command->add_option("name", options.baseline, "What the baseline is called: 1.0-rc1")->required();
    publish_command->callback([&] { run_command = publish; });
    auto* grow = app.add_subcommand("grow", "Write a copy of the headers in which every struct and table that grows has grown");
    grow->add_option("to", options.to, "The folder to write")->required();
    grow->callback([&] {
        run_command = [](const Options& o) {
            write_grown_headers(o.include, o.to, o.tools);
            return 0;
        };
    });
    CLI11_PARSE(app, argc, argv);
    try {
        return run_command(options);
    } catch (const std::exception& problem) {
        std::cout << "abi_guard: " << problem.what() << "\n";
        return 2;
    }
}
