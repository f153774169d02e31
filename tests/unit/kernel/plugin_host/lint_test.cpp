#include "plugin_host/lint.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::plugin_host {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string bytes_of(const std::string& name) {
    std::ifstream file(JACKFIELD_BINARY_DIR "/lint_files/" + name + ".so", std::ios::binary);
    EXPECT_TRUE(file) << name;
    return {std::istreambuf_iterator<char>(file), {}};
}

LintReport lint(const std::string& name, LintOptions options = {}) {
    if (!options.library) options.library = read_system_library;
    const std::string bytes = bytes_of(name);
    return lint_plugin(std::as_bytes(std::span(bytes)), name + ".so", options);
}

std::vector<std::string> codes(const std::vector<LintFinding>& findings) {
    std::vector<std::string> out;
    for (const LintFinding& finding : findings) out.push_back(finding.code);
    return out;
}

TEST(Lint, HasNothingAgainstAGoodFile) {
    const LintReport report = lint("good");

    EXPECT_THAT(codes(report.findings), IsEmpty()) << lint_text(report);
    EXPECT_EQ(report.id, "tools/lint");
    EXPECT_EQ(report.sha256.size(), 64u);
    EXPECT_THAT(lint_text(report), ::testing::HasSubstr("lint: 0 errors, 0 warnings"));
}

/// Each file has the one fault that it is named after.
class OneFault : public ::testing::TestWithParam<const char*> {};

TEST_P(OneFault, IsFoundAndNothingElse) {
    const LintReport report = lint(GetParam());

    EXPECT_THAT(codes(report.findings), ElementsAre(GetParam())) << lint_text(report);
    for (const LintFinding& finding : report.findings) {
        EXPECT_FALSE(finding.what.empty());
        EXPECT_FALSE(finding.why.empty());
        EXPECT_FALSE(finding.remedy.empty());
    }
}

INSTANTIATE_TEST_SUITE_P(Lint,
                         OneFault,
                         ::testing::Values("no_note", "no_descriptor", "descriptor", "no_build_id", "no_entry", "exports", "constructors", "rpath",
                                           "static_tls", "executable_stack", "text_relocations", "relro", "undeclared_need", "indirect_need",
                                           "second_tls_library", "ends_process", "aborts", "starts_processes", "sets_locale", "sets_signals",
                                           "sets_environment", "sets_directory", "sets_process", "loads_code"),
                         [](const auto& one) { return std::string(one.param); });

TEST(Lint, FindsUniqueSymbolsAmongTheExports) {
    const LintReport report = lint("unique_symbols");

    EXPECT_THAT(codes(report.findings), ElementsAre("exports", "unique_symbols")) << lint_text(report);
}

TEST(Lint, CallsLazyBindingByItsName) {
    const LintReport report = lint("lazy");

    ASSERT_THAT(codes(report.findings), ElementsAre("relro"));
    EXPECT_EQ(report.findings[0].what, "its symbols are bound lazily");
    EXPECT_EQ(report.findings[0].severity, Severity::warning);
}

TEST(Lint, ComparesTheNewestGlibcVersionWithTheFloor) {
    LintOptions old;
    old.glibc_floor = "2.1";
    const LintReport report = lint("ends_process", old);

    ASSERT_THAT(codes(report.findings), ElementsAre("glibc_floor", "ends_process"));
    EXPECT_FALSE(report.glibc.empty());
    EXPECT_NE(report.findings[0].what.find(report.glibc), std::string::npos);
}

TEST(Lint, NamesLibrariesThatAreNotThere) {
    LintOptions bare;
    bare.library = [](std::string_view) { return std::nullopt; };
    const LintReport report = lint("ends_process", bare);

    EXPECT_THAT(codes(report.findings), ElementsAre("ends_process", "missing_library"));
}

TEST(Lint, RefusesWhatItCannotRead) {
    const std::string text = "#!/bin/sh\n";
    const LintReport report = lint_plugin(std::as_bytes(std::span(text)), "x.so", {});

    EXPECT_THAT(codes(report.findings), ElementsAre("unreadable"));
}

TEST(Lint, ReportsAsJson) {
    const std::string json = lint_json(lint("ends_process"));

    EXPECT_THAT(json, ::testing::HasSubstr(R"("errors":1,"warnings":0)"));
    EXPECT_THAT(json, ::testing::HasSubstr(R"("code":"ends_process","severity":"error","what":"it imports exit")"));
}

std::vector<std::string> lint_json_descriptor(const std::string& members) {
    const auto descriptor = parse_descriptor(
        R"({"id":"tools/lint","version":"1.0","vendor":"Jackfield","licence":"Apache-2.0","summary":"s","provides":["jf.tools/1"])" + members + "}");
    if (!descriptor) return {descriptor.error().text()};
    std::vector<LintFinding> findings;
    lint_descriptor(*descriptor, findings);
    return codes(findings);
}

TEST(LintDescriptor, FindsSlipsOfTyping) {
    EXPECT_THAT(lint_json_descriptor(R"(,"licnce":"x")"), ElementsAre("unknown_key"));
    EXPECT_THAT(lint_json_descriptor(R"(,"abi":{"need_miner":3})"), ElementsAre("unknown_key"));
    EXPECT_THAT(lint_json_descriptor(R"(,"verify":{"confg":{}})"), ElementsAre("unknown_key"));
    EXPECT_THAT(lint_json_descriptor(R"(,"verify":{"config":{"a":1},"tools":[{"name":"x"}]})"), IsEmpty());
}

TEST(LintDescriptor, FindsFacilitiesThatNoHostHas) {
    EXPECT_THAT(lint_json_descriptor(R"(,"requires":["jf.host.worker/1"])"), IsEmpty());
    EXPECT_THAT(lint_json_descriptor(R"(,"requires":["jf.host.wroker/1"])"), ElementsAre("unknown_facility"));
}

TEST(LintDescriptor, FindsFaultsOfTheSchema) {
    EXPECT_THAT(lint_json_descriptor(R"(,"config_schema":{"type":"object","properties":{"a":{"type":"strnig","description":"d"}}})"), Contains("schema"));
    EXPECT_THAT(lint_json_descriptor(R"(,"config_schema":{"type":"object","properties":{"a":{"type":"string"}}})"), ElementsAre("undocumented_option"));
    EXPECT_THAT(lint_json_descriptor(R"(,"config_schema":{"type":"object","properties":{"api_key":{"type":"string","description":"d"}}})"),
                ElementsAre("unmarked_secret"));
    EXPECT_THAT(lint_json_descriptor(R"(,"config_schema":{"type":"object","properties":{"api_key":{"type":"string","description":"d","secret":true}}})"),
                IsEmpty());
}

TEST(LintDescriptor, FindsInterfacesInTheWrongPlace) {
    const auto of = [](const std::string& id, const std::string& provides, const std::string& capabilities) {
        const auto descriptor = parse_descriptor(R"({"id":")" + id + R"(","version":"1.0","vendor":"J","licence":"A","summary":"s","provides":[")" +
                                                 provides + R"("],"capabilities":)" + capabilities + "}");
        std::vector<LintFinding> findings;
        lint_descriptor(*descriptor, findings);
        return codes(findings);
    };

    EXPECT_THAT(of("tools/x", "jf.stt/1", R"({"stt":{}})"), ElementsAre("wrong_kind"));
    EXPECT_THAT(of("stt/x", "jf.sst/1", "{}"), ElementsAre("unknown_interface"));
    EXPECT_THAT(of("stt/x", "jf.stt/1", "{}"), ElementsAre("no_capabilities"));
    EXPECT_THAT(of("stt/x", "jf.webhook/1", "{}"), IsEmpty());
}

}  // namespace
}  // namespace jackfield::plugin_host
