#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>

#include <gtest/gtest.h>

#include "abi/layout.h"

namespace {

std::map<std::string, std::string> headers() {
    std::map<std::string, std::string> out;
    const std::filesystem::path root = JACKFIELD_SOURCE_DIR "/plugin-api/include/jackfield";
    for (const auto& folder : {root, root / "draft"})
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            if (entry.path().extension() != ".h") continue;
            std::ifstream file(entry.path());
            out[entry.path().lexically_relative(root)] = {std::istreambuf_iterator<char>(file), {}};
        }
    return out;
}

TEST(Headers, HaveOneLayoutInBothLanguages) {
    ASSERT_GT(jf_layout_c_count, 60u);
    ASSERT_EQ(jf_layout_c_count, jf_layout_cpp_count);
    for (std::uint64_t i = 0; i < jf_layout_c_count; ++i) {
        const jf_layout& c = jf_layout_c[i];
        const jf_layout& cpp = jf_layout_cpp[i];
        EXPECT_STREQ(c.name, cpp.name);
        EXPECT_EQ(c.size, cpp.size) << c.name;
        EXPECT_EQ(c.alignment, cpp.alignment) << c.name;
        // Printed so that a report of a run tells two builds apart.
        std::printf("%-28s %4llu bytes, aligned to %llu\n", c.name, static_cast<unsigned long long>(c.size),
                    static_cast<unsigned long long>(c.alignment));
    }
}

TEST(Headers, GiveEachEventItsOwnNumber) {
    const std::regex define(R"(#define (JF_EV_[A-Z0-9_]+) 0x([0-9a-f]{4})u)");
    std::map<std::string, std::string> owner;         // number -> name
    std::map<std::string, std::string> interface_of;  // high byte -> header
    for (const auto& [file, text] : headers())
        for (std::sregex_iterator it(text.begin(), text.end(), define), end; it != end; ++it) {
            const std::string name = (*it)[1], number = (*it)[2];
            const auto [known, fresh] = owner.emplace(number, name);
            EXPECT_TRUE(fresh) << name << " has the number of " << known->second;
            const auto [home, first] = interface_of.emplace(number.substr(0, 2), file);
            EXPECT_TRUE(first || home->second == file) << name << " of " << file << " is in the range of " << home->second;
        }
    EXPECT_GT(owner.size(), 60u);
}

TEST(Headers, NameEachInterfaceOnceAndDraftsWithTheirState) {
    const std::regex define(R"(#define JF_[A-Z]+_V([0-9]) "(jf\.[a-z]+)/([0-9])\")");
    std::map<std::string, std::string> home;
    for (const auto& [file, text] : headers())
        for (std::sregex_iterator it(text.begin(), text.end(), define), end; it != end; ++it) {
            EXPECT_EQ((*it)[1], (*it)[3]) << file;
            EXPECT_TRUE(home.emplace((*it)[2], file).second) << (*it)[2] << " in " << file;
            EXPECT_TRUE((*it)[3] != "0" || file.starts_with("draft/")) << file;
        }
    for (const char* draft : {"blobs", "turn", "vad", "realtime"})
        EXPECT_EQ(home["jf." + std::string(draft)], "draft/" + std::string(draft) + ".h");
    for (const char* stable : {"tts", "stt", "llm", "embedding", "telephony", "messaging", "records", "vectors", "tools", "telemetry", "service", "webhook"})
        EXPECT_EQ(home["jf." + std::string(stable)], std::string(stable) + ".h");
}

TEST(Headers, UseFixedWidthTypesOnly) {
    const std::regex forbidden(R"(\b(bool|long|short|size_t|time_t|FILE|va_list|enum|unsigned)\b)");
    const std::regex comment(R"(/\*[^*]*\*+([^/*][^*]*\*+)*/)");
    const std::regex line(R"(#[^\n]*(\\\n[^\n]*)*)");
    for (const auto& [file, text] : headers()) {
        const std::string code = std::regex_replace(std::regex_replace(text, comment, ""), line, "");
        std::smatch found;
        EXPECT_FALSE(std::regex_search(code, found, forbidden)) << file << " uses " << found[0];
    }
}

}  // namespace
