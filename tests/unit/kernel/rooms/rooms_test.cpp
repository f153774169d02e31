// Holds kernel/README.md's table of dependencies against the includes of the sources.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;

const fs::path kernel = fs::path(JACKFIELD_SOURCE_DIR) / "kernel";

const std::vector<std::string> lowest_first{"base",
                                            "observe",
                                            "config",
                                            "runtime",
                                            "net",
                                            "resilience",
                                            "media",
                                            "jobs",
                                            "plugin_host",
                                            "plugin_kit",
                                            "store",
                                            "tenant",
                                            "call",
                                            "app"};

using Allowed = std::map<std::string, std::set<std::string>>;

/// Rows `| room | room room |` of the table; the heading and its rule are passed over.
Allowed read_table(std::istream& readme) {
    static const std::regex row(R"(^\| ([a-z_]+) \|([a-z_ ]*)\|$)");
    Allowed allowed;
    std::string line;
    while (std::getline(readme, line)) {
        std::smatch match;
        if (!std::regex_match(line, match, row)) continue;
        std::istringstream names(match[2].str());
        std::set<std::string>& of_room = allowed[match[1].str()];
        for (std::string name; names >> name;) of_room.insert(name);
    }
    return allowed;
}

Allowed read_table() {
    std::ifstream readme(kernel / "README.md");
    return read_table(readme);
}

/// The room of `#include "room/file.hpp"`; nothing for other lines and for headers of libraries.
std::optional<std::string> included_room(const std::string& line) {
    static const std::regex include(R"re(^\s*#\s*include\s+["<]([a-z_]+)/[^">]+\.hpp[">].*$)re");
    std::smatch match;
    if (!std::regex_match(line, match, include)) return std::nullopt;
    const std::string room = match[1].str();
    const bool known =
        std::find(lowest_first.begin(), lowest_first.end(), room) != lowest_first.end();
    return known ? std::optional(room) : std::nullopt;
}

/// "room/file:line includes other", for each include that `allowed` has not.
std::vector<std::string> breaches(const Allowed& allowed) {
    std::vector<std::string> out;
    for (const std::string& room : lowest_first) {
        if (!fs::is_directory(kernel / room)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(kernel / room)) {
            const std::string extension = entry.path().extension().string();
            if (extension != ".hpp" && extension != ".cpp" && extension != ".h") continue;
            std::ifstream file(entry.path());
            std::string line;
            for (int number = 1; std::getline(file, line); ++number) {
                const std::optional<std::string> other = included_room(line);
                if (!other || *other == room) continue;
                if (!allowed.contains(room) || !allowed.at(room).contains(*other))
                    out.push_back(fs::relative(entry.path(), kernel).string() + ":" +
                                  std::to_string(number) + " includes " + *other);
            }
        }
    }
    return out;
}

TEST(KernelRooms, EveryFolderHasARowInTheReadme) {
    const Allowed allowed = read_table();

    std::vector<std::string> folders;
    for (const auto& entry : fs::directory_iterator(kernel))
        if (entry.is_directory()) folders.push_back(entry.path().filename().string());

    ASSERT_FALSE(folders.empty());
    for (const std::string& folder : folders) EXPECT_TRUE(allowed.contains(folder)) << folder;
}

TEST(KernelRooms, TheTablePointsDownwardsOnly) {
    const Allowed allowed = read_table();
    const auto height = [](const std::string& room) {
        return std::find(lowest_first.begin(), lowest_first.end(), room) - lowest_first.begin();
    };

    ASSERT_EQ(allowed.size(), lowest_first.size());
    for (const auto& [room, others] : allowed)
        for (const std::string& other : others)
            EXPECT_LT(height(other), height(room)) << room << " may include " << other;
}

TEST(KernelRooms, IncludesGoWhereTheTableAllows) {
    EXPECT_THAT(breaches(read_table()), testing::IsEmpty());
}

TEST(KernelRooms, ABreachWouldBeFound) {
    Allowed allowed = read_table();
    allowed["config"].clear();

    EXPECT_THAT(breaches(allowed), testing::Contains(testing::HasSubstr("config/value.hpp")));
}

TEST(KernelRooms, ReadsIncludesInEverySpelling) {
    EXPECT_EQ(included_room("#include \"base/json.hpp\""), "base");
    EXPECT_EQ(included_room("  #  include <media/vad.hpp> // why"), "media");
    EXPECT_EQ(included_room("#include <boost/asio.hpp>"), std::nullopt);
    EXPECT_EQ(included_room("// base/json.hpp"), std::nullopt);
}

}  // namespace
