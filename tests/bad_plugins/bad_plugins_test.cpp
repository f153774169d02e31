#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "module_table.hpp"
#include "plugin_host/lint.hpp"
#include "support/child_process.hpp"

namespace jackfield::bad_plugins {
namespace {

using namespace std::chrono_literals;

std::string read(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

using Lines = std::vector<std::string>;

/// Runs one case to its end: what it printed and how it ended.
Lines run_case(const Module& module, std::string_view placement) {
    test::ChildProcess child({JACKFIELD_BAD_CASE, std::string(module.name), std::string(placement)});
    const auto status = child.wait(60s);
    if (!status) {
        child.signal(SIGKILL);
        child.wait(10s);
    }
    child.wait_line({"there is no such line"}, 5s); // all of its output has been read when this returns
    Lines lines;
    std::istringstream out(child.out());
    for (std::string line; std::getline(out, line);) lines.push_back(line);
    if (!status) lines.push_back("process: did not end");
    else if (status->signal) lines.push_back("process: signal " + std::to_string(status->signal));
    else lines.push_back("process: exit " + std::to_string(status->code));
    if (status && (status->signal || status->code)) lines.push_back("process: ended");
    return lines;
}

/// Most cases wait: for a limit to pass, for a second after cancel. They wait side by side.
class Cases {
  public:
    Cases() {
        std::vector<std::pair<const Module*, std::string>> todo;
        for (const Module& module : modules())
            for (const auto& [placement, placed] : {std::pair{"inline", &module.inline_}, std::pair{"thread", &module.thread}})
                if (!placed->facts.empty()) todo.emplace_back(&module, placement);
        // The slow ones first.
        std::stable_sort(todo.begin(), todo.end(), [](const auto& a, const auto& b) {
            return a.first->inline_.real + a.first->thread.real > b.first->inline_.real + b.first->thread.real;
        });
        std::atomic<std::size_t> next{0};
        std::mutex mutex;
        std::vector<std::thread> runners;
        for (int i = 0; i < 8; ++i)
            runners.emplace_back([&] {
                for (std::size_t at; (at = next++) < todo.size();) {
                    Lines lines = run_case(*todo[at].first, todo[at].second);
                    const std::lock_guard lock(mutex);
                    lines_[{std::string(todo[at].first->name), todo[at].second}] = std::move(lines);
                }
            });
        for (std::thread& runner : runners) runner.join();
    }
    const Lines& of(const Module& module, const std::string& placement) const { return lines_.at({std::string(module.name), placement}); }

  private:
    std::map<std::pair<std::string, std::string>, Lines> lines_;
};

const Cases& cases() {
    static const Cases all;
    return all;
}

/// What an outcome means for the host, whatever the module.
std::vector<std::string_view> facts_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::refused_unread:
        case Outcome::refused:
            return {"bad: refused", "good: status 0", "good again: status 0", "good: stopped", "threads: all ended", "host: reached its end", "process: exit 0"};
        case Outcome::contained:
            return {"bad: created", "good: status 0", "good again: status 0", "bad: stopped", "good: stopped", "host: reached its end", "process: exit 0"};
        case Outcome::shard_lost:
            return {"good: status 0", "good again: status 0", "bad: stopped", "good: stopped", "threads: some left", "host: reached its end", "process: exit 0"};
        case Outcome::process: return {};
    }
    return {};
}

bool holds(const Lines& lines, std::string_view fact) {
    const bool wanted = !fact.starts_with('!');
    if (!wanted) fact.remove_prefix(1);
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.starts_with(fact); }) == wanted;
}

Lines findings(const Module& module) {
    const std::string bytes =
        read(std::filesystem::path(JACKFIELD_BAD_PLUGINS) / module.kind / (std::string(module.name) + ".so"));
    plugin_host::LintOptions options;
    const auto report = plugin_host::lint_plugin(std::as_bytes(std::span(bytes)), std::string(module.name), options);
    Lines out;
    for (const auto& finding : report.findings) out.push_back("lint: " + finding.code);
    return out;
}

bool all_hold(const Lines& lines, const Placed& placed) {
    for (const auto& facts : {facts_of(placed.outcome), placed.facts})
        for (const std::string_view fact : facts)
            if (!fact.starts_with("lint: ") && !holds(lines, fact)) return false;
    return true;
}

class BadPlugin : public testing::TestWithParam<const Module*> {
  protected:
    static void check(const Module& module, const Placed& placed, const std::string& placement) {
        if (placed.facts.empty()) return;
        Lines lines = cases().of(module, placement);
        // Hosts with limits of a second find a good module slow, on a machine that does much else: what depends on time gets a second
        // chance, alone.
        if (placed.real && !all_hold(lines, placed)) lines = run_case(module, placement);
        const Lines lint = findings(module);
        lines.insert(lines.end(), lint.begin(), lint.end());
        std::string told;
        for (const std::string& line : lines) told += "    " + line + "\n";
        for (const auto& facts : {facts_of(placed.outcome), placed.facts})
            for (const std::string_view fact : facts)
                EXPECT_TRUE(holds(lines, fact)) << module.name << " " << placement << ": wanted '" << fact << "' among\n" << told;
    }
};

TEST_P(BadPlugin, DoesInlineWhatThePageSays) { check(*GetParam(), GetParam()->inline_, "inline"); }
TEST_P(BadPlugin, DoesOnItsOwnThreadWhatThePageSays) { check(*GetParam(), GetParam()->thread, "thread"); }

std::vector<const Module*> all_modules() {
    std::vector<const Module*> out;
    for (const Module& module : modules()) out.push_back(&module);
    return out;
}

INSTANTIATE_TEST_SUITE_P(Each, BadPlugin, testing::ValuesIn(all_modules()), [](const auto& each) { return std::string(each.param->name); });

TEST(FailureModes, StandInThePageAsTheTableHasThem) {
    const std::string page = read(std::string(JACKFIELD_SOURCE_DIR) + "/docs/operations/failure-modes.md");

    EXPECT_EQ(page, failure_modes_page()) << "write it anew: build/bin/bad_plugins_page > docs/operations/failure-modes.md";
}

}  // namespace
}  // namespace jackfield::bad_plugins
