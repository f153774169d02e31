// docs/plugins/*.md, run. A fenced block says behind its language what it is:
//
//   ```cpp file=plugin.cpp    written to that file
//   ```cpp in=plugin.cpp      stands so in that file: what `jackfield plugin new` wrote, or a header of the package (in=<jackfield/tts.h>)
//   ```sh run                 executed in the page's folder, with the installed package in reach; has to succeed
//   ```text output            each line occurs in what the last run printed
//
// Blocks of one page follow each other in one folder. Other blocks are for the reader only.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "shell.hpp"

namespace jackfield::test {
namespace {

namespace fs = std::filesystem;

struct Block {
    int line = 0;
    std::string does;   ///< "file", "in", "run", "output", empty
    std::string target; ///< behind `=`
    std::string text;
};

std::vector<Block> blocks_of(const fs::path& page) {
    std::vector<Block> out;
    std::istringstream in(Shell::read_file(page));
    std::string line;
    bool inside = false;
    for (int number = 1; std::getline(in, line); ++number) {
        if (line.starts_with("```")) {
            inside = !inside;
            if (!inside) continue;
            Block& block = out.emplace_back();
            block.line = number;
            std::istringstream words(line);
            std::string language, info;
            words >> language >> info;
            const std::size_t equals = info.find('=');
            block.does = info.substr(0, equals);
            if (equals != std::string::npos) block.target = info.substr(equals + 1);
        } else if (inside) {
            out.back().text += line + "\n";
        }
    }
    return out;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

std::string source_of(const Shell& shell, const std::string& target) {
    if (target.starts_with("<")) return Shell::read_file(fs::path(JACKFIELD_PREFIX) / "include" / target.substr(1, target.size() - 2));
    return shell.read(target);
}

void follow(const fs::path& page) {
    Shell shell("docs_" + page.stem().string());
    std::string printed;
    for (const Block& block : blocks_of(page)) {
        SCOPED_TRACE(page.string() + ":" + std::to_string(block.line));
        if (block.does == "file") {
            shell.write(block.target, block.text);
        } else if (block.does == "in") {
            EXPECT_NE(source_of(shell, block.target).find(block.text), std::string::npos)
                << "this does not stand in " << block.target << ":\n" << block.text;
        } else if (block.does == "run") {
            const auto ran = shell.run(block.text);
            ASSERT_EQ(ran.code, 0) << block.text << "\n" << ran.output;
            printed = ran.output;
        } else if (block.does == "output") {
            for (const std::string& line : lines_of(block.text))
                EXPECT_NE(printed.find(line), std::string::npos) << "'" << line << "' is not in what was printed:\n" << printed;
        } else {
            EXPECT_EQ(block.does, "") << "no block does that";
        }
    }
}

class Listings : public ::testing::TestWithParam<fs::path> {};

TEST_P(Listings, Hold) { follow(GetParam()); }

std::vector<fs::path> pages() {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(fs::path(JACKFIELD_SOURCE_DIR) / "docs/plugins"))
        if (entry.path().extension() == ".md") out.push_back(entry.path());
    std::sort(out.begin(), out.end());
    return out;
}

INSTANTIATE_TEST_SUITE_P(Docs, Listings, ::testing::ValuesIn(pages()), [](const auto& page) {
    std::string name = page.param.stem().string();
    std::replace_if(name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
    return name;
});

/// Every header of the package is explained on the page of interfaces, and every link of a page leads somewhere.
TEST(Docs, NameEveryHeader) {
    const std::string page = Shell::read_file(fs::path(JACKFIELD_SOURCE_DIR) / "docs/plugins/interfaces.md");
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(JACKFIELD_PREFIX) / "include/jackfield")) {
        if (!entry.is_regular_file()) continue;
        const std::string name = fs::relative(entry.path(), fs::path(JACKFIELD_PREFIX) / "include").string();
        EXPECT_NE(page.find(name), std::string::npos) << "docs/plugins/interfaces.md does not name " << name;
    }
}

TEST(Docs, LinkToWhatThereIs) {
    for (const fs::path& page : pages()) {
        const std::string text = Shell::read_file(page);
        for (std::size_t at = text.find("]("); at != std::string::npos; at = text.find("](", at + 2)) {
            const std::string link = text.substr(at + 2, text.find_first_of(")#", at) - at - 2);
            // A space: a lambda of C++, not a link.
            if (link.empty() || link.starts_with("http") || link.find(' ') != std::string::npos) continue;
            EXPECT_TRUE(fs::exists(page.parent_path() / link)) << page << " links to " << link;
        }
    }
}

}  // namespace
}  // namespace jackfield::test
