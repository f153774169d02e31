// The installed package as a third party has it: nothing of our source tree is seen.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "shell.hpp"

namespace jackfield::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<fs::path> installed_files() {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(JACKFIELD_PREFIX))
        if (entry.is_regular_file()) out.push_back(entry.path());
    return out;
}

TEST(InstalledPackage, NamesNoFolderOfOurs) {
    for (const fs::path& file : installed_files()) {
        if (file.parent_path().filename() == "bin" || file.parent_path().parent_path().filename() == "libexec") continue;
        const std::string text = Shell::read_file(file);
        EXPECT_EQ(text.find(JACKFIELD_SOURCE_DIR), std::string::npos) << file;
    }
}

TEST(InstalledPackage, MayBeMoved) {
    Shell shell("moved");

    const auto ran = shell.run(
        "mkdir elsewhere\ncp -r \"$CMAKE_PREFIX_PATH\"/lib* elsewhere\n"
        "export PKG_CONFIG_PATH=$(dirname $(find \"$PWD\" -name jackfield-plugin.pc))\n"
        "pkg-config --variable=version_script jackfield-plugin");

    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr(shell.folder().string()));
}

TEST(InstalledPackage, BuildsThePlainCExample) {
    Shell shell("example_c");
    fs::copy(fs::path(JACKFIELD_SOURCE_DIR) / "plugins/tts/example_c", shell.folder(), fs::copy_options::recursive);

    const auto ran = shell.run(
        "make check\nplugin=build/plugins/tts/example_c.so\n"
        "jackfield plugin explain $plugin\njackfield plugin lint $plugin\njackfield plugin verify $plugin\n");

    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_THAT(ran.output, Not(HasSubstr("FAILED")));
}

TEST(InstalledPackage, BuildsTheRustExample) {
    Shell shell("example_rust");
    fs::copy(fs::path(JACKFIELD_SOURCE_DIR) / "plugins/tools/example_rust", shell.folder(), fs::copy_options::recursive);

    const auto ran = shell.run(
        "make check\nplugin=build/plugins/tools/example_rust.so\n"
        "jackfield plugin explain $plugin\njackfield plugin lint $plugin\njackfield plugin verify $plugin\n");

    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("attempt to divide by zero")) << "the panic that the shim caught";
    EXPECT_THAT(ran.output, Not(HasSubstr("FAILED")));
}

TEST(InstalledPackage, LaysRustStructsOutAsTheCHeadersDo) {
    Shell shell("rust_layout");
    // The program writes a C file that asserts what Rust made of each field; the C compiler is the judge. A trailing `_` keeps a name off a
    // keyword of Rust's.
    shell.write("layout.rs", R"(
fn main() {
    println!("#include <jackfield/jackfield.h>");
    for (name, size, fields) in jackfield::layouts() {
        println!("_Static_assert(sizeof({}) == {}, \"{}\");", name, size, name);
        for (field, offset) in fields {
            println!("_Static_assert(offsetof({}, {}) == {}, \"{}.{}\");", name, field.trim_end_matches('_'), offset, name, field);
        }
    }
    println!("_Static_assert(JF_ABI_MAJOR == {} && JF_ABI_MINOR == {}, \"version\");", jackfield::ABI_MAJOR, jackfield::ABI_MINOR);
}
)");

    const auto ran = shell.run(
        "rust=$(pkg-config --variable=rust jackfield-plugin)\n"
        "$RUSTC --edition 2021 --crate-type rlib --crate-name jackfield -o libjackfield.rlib $rust\n"
        "$RUSTC --edition 2021 --extern jackfield=libjackfield.rlib -o layout layout.rs\n./layout >layout.c\n"
        "gcc -std=c11 $(pkg-config --cflags jackfield-plugin) -fsyntax-only layout.c\ngrep -c offsetof layout.c");

    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_GT(std::atoi(ran.output.c_str()), 150) << ran.output;
}

/// `plugin new`, built, tested, and tried, unmodified.
void try_new(const std::string& id, const std::string& language, const std::string& build) {
    std::string name = "new_" + id + "_" + language;
    std::replace_if(name.begin(), name.end(), [](char c) { return c == '/' || c == '+'; }, '_');
    Shell shell(name);
    const auto ran = shell.run("jackfield plugin new " + id + " --language " + language + " --to . --vendor 'Acme Ltd'\n" + build +
                               "\nplugin=build/plugins/" + id + ".so\njackfield plugin lint $plugin\njackfield plugin verify $plugin\n");
    EXPECT_EQ(ran.code, 0) << id << " in " << language << "\n" << ran.output;
}

TEST(NewPlugin, InCPassesUnmodified) {
    try_new("tools/acme", "c", "make");
    try_new("stt/acme", "c", "make check");
    try_new("telephony/acme", "c", "make check");
}

TEST(NewPlugin, InRustPassesUnmodified) { try_new("tts/acme", "rust", "make check"); }

/// Each kind in C++, in one project, so that CMake looks at the compiler once. Their own tests run on the examples of this tree, and
/// docs/plugins/first-plugin.md builds one by one.
TEST(NewPlugin, OfEachKindBuildsAndPassesUnmodified) {
    Shell shell("new_each_kind");
    const auto ran = shell.run(R"sh(
kinds='telephony stt tts llm messaging storage tools telemetry service'
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(each_kind LANGUAGES C CXX)
END
for kind in $kinds; do
    jackfield plugin new $kind/acme --to $kind >/dev/null
    sed -i '/^project/d' $kind/CMakeLists.txt
    # One of them keeps its test: that which examples without a test of their own are given.
    [ $kind = llm ] || sed -i '/^enable_testing/,$d' $kind/CMakeLists.txt
    echo "add_subdirectory($kind)" >>CMakeLists.txt
done
cmake -S . -B build
cmake --build build
build/llm/plugin_test build/plugins/llm/acme.so
for kind in $kinds; do
    echo "== $kind"
    jackfield plugin lint build/plugins/$kind/acme.so
    jackfield plugin verify build/plugins/$kind/acme.so
done
)sh");
    EXPECT_EQ(ran.code, 0) << ran.output;
}

}  // namespace
}  // namespace jackfield::test
