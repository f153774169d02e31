// Plugins are chosen by a line of TOML, and files that are none are refused before anything of them runs.

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "host_fixture.hpp"

namespace jackfield::test {
namespace {

namespace fs = std::filesystem;

TEST(PluginSwap, OneLineGivesTheAgentAnotherVoice) {
    HostFolder folder;
    DeskOptions desk;
    desk.voice = "tts/espeak_ng";
    folder.write_tenant("desk", desk_tenant(desk));
    folder.write_host();
    const auto check = folder.jackfield({"check"});
    ASSERT_EQ(check.code, 0) << check.err;
    HostProcess host(folder);

    expect_normal_call(folder, host);

    EXPECT_EQ(host.stop(), 0) << host.log();
}

/// One way to spoil the file of the voice, and what the refusal must name beside the file.
struct Spoiled {
    const char* name;
    void (*spoil)(const fs::path& file);
    std::vector<std::string> named;
};

void PrintTo(const Spoiled& spoiled, std::ostream* out) { *out << spoiled.name; }

class SpoiledPlugin : public testing::TestWithParam<Spoiled> {};

TEST_P(SpoiledPlugin, IsRefusedWithWhatToDo) {
    HostFolder folder;
    folder.copy_plugins();
    folder.write_tenant("desk", desk_tenant());
    folder.write_host();
    const fs::path file = folder.plugins() / "tts" / "flite.so";
    GetParam().spoil(file);

    const auto check = folder.jackfield({"check"});
    const auto serve = folder.jackfield({"serve"});
    const auto listed = folder.jackfield({"plugin", "list"});

    EXPECT_EQ(check.code, 2) << check.out;
    EXPECT_NE(check.err.find("desk.toml:"), std::string::npos) << check.err;
    EXPECT_NE(check.err.find(file.string()), std::string::npos) << check.err;
    for (const std::string& word : GetParam().named) EXPECT_NE(check.err.find(word), std::string::npos) << word << " in: " << check.err;
    EXPECT_NE(serve.code, 0);
    EXPECT_NE(serve.err.find(file.string()), std::string::npos) << serve.err;
    EXPECT_EQ(listed.code, 1);
    EXPECT_NE(listed.out.find("refused"), std::string::npos) << listed.out;
    EXPECT_NE(listed.out.find("llm/scripted"), std::string::npos) << listed.out;
    std::cout << check.err;
}

INSTANTIATE_TEST_SUITE_P(
    Files,
    SpoiledPlugin,
    testing::Values(
        Spoiled{"NoElf", [](const fs::path& file) { std::ofstream(file, std::ios::trunc) << "#!/bin/sh\necho hello\n"; }, {"ELF"}},
        Spoiled{"Empty", [](const fs::path& file) { fs::resize_file(file, 0); }, {}},
        Spoiled{"Truncated", [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }, {}},
        Spoiled{"TruncatedHeader", [](const fs::path& file) { fs::resize_file(file, 40); }, {}},
        Spoiled{"OfAnotherKind",
                [](const fs::path& file) {
                    fs::copy_file(file.parent_path().parent_path() / "llm" / "scripted.so", file, fs::copy_options::overwrite_existing);
                },
                {"llm/scripted", "tts/flite"}},
        Spoiled{"NoPlugin",
                [](const fs::path& file) {
                    fs::copy_file("/lib/x86_64-linux-gnu/libm.so.6", file, fs::copy_options::overwrite_existing);
                },
                {}},
        Spoiled{"Missing", [](const fs::path& file) { fs::remove(file); fs::create_directory(file); }, {}}),
    [](const auto& given) { return std::string(given.param.name); });

/// The file, what was wanted, what it offers, and what to do, for each promise that a recogniser's file breaks.
struct BadPromise {
    const char* name;
    std::vector<std::string> named;
};

void PrintTo(const BadPromise& bad, std::ostream* out) { *out << bad.name; }

class BadPlugin : public testing::TestWithParam<BadPromise> {};

TEST_P(BadPlugin, IsRefusedByCheckServeAndExplain) {
    HostFolder folder;
    folder.copy_plugins();
    const std::string name = GetParam().name;
    const fs::path file = folder.plugins() / "stt" / (name + ".so");
    fs::copy_file(fs::path(JACKFIELD_BINARY_DIR) / "test_plugins" / "bad" / "stt" / (name + ".so"), file);
    DeskOptions desk;
    desk.ears = "stt/" + name;
    folder.write_tenant("desk", desk_tenant(desk));
    folder.write_host();

    const auto check = folder.jackfield({"check"});
    const auto serve = folder.jackfield({"serve"});
    const auto explain = folder.jackfield({"plugin", "explain", file.string()});

    EXPECT_EQ(check.code, 2) << check.out;
    EXPECT_NE(serve.code, 0);
    EXPECT_EQ(explain.code, 1) << explain.out;
    for (const auto* text : {&check.err, &serve.err, &explain.err}) {
        EXPECT_NE(text->find(file.string()), std::string::npos) << *text;
        for (const std::string& word : GetParam().named) EXPECT_NE(text->find(word), std::string::npos) << word << " in: " << *text;
    }
    std::cout << check.err;
}

INSTANTIATE_TEST_SUITE_P(Promises,
                         BadPlugin,
                         testing::Values(BadPromise{"test_major", {"1", "2"}},
                                         BadPromise{"test_minor", {"1.7", "minor at most 0"}},
                                         BadPromise{"test_exports", {"test_null_extra"}}),
                         [](const auto& given) { return std::string(given.param.name); });

void overwrite_in_place(const fs::path& file) {
    const auto size = fs::file_size(file);
    const int fd = ::open(file.c_str(), O_WRONLY | O_TRUNC);
    ASSERT_GE(fd, 0);
    const std::string garbage(size, '\xcc');
    ASSERT_EQ(::write(fd, garbage.data(), garbage.size()), static_cast<ssize_t>(size));
    ::close(fd);
}

TEST(MappedPlugin, MayBeOverwrittenWhileItTalks) {
    HostFolder folder;
    folder.copy_plugins();
    folder.write_tenant("desk", desk_tenant());
    folder.write_host();
    HostProcess host(folder);
    sim::SipPhone phone;
    ASSERT_TRUE(call_until_agent_talks(phone, host.sip_uri("reception"))) << host.log();

    for (const auto& entry : fs::recursive_directory_iterator(folder.plugins()))
        if (entry.is_regular_file()) overwrite_in_place(entry.path());

    phone.say("book", speech("book-appointment"));
    ASSERT_TRUE(phone.wait_said(5s));
    EXPECT_TRUE(phone.wait_agent_quiet(600ms, 15s)) << host.log();
    phone.say("monday", speech("monday"));
    EXPECT_TRUE(phone.wait_agent_quiet(600ms, 15s));
    phone.hang_up();
    EXPECT_TRUE(phone.wait_ended(5s));
    ASSERT_TRUE(host.running());
    EXPECT_EQ(host.stop(), 0) << host.log();
    // The command line reads the store with the plugin's file, which is garbage by now.
    const auto turns = query(folder.database(), "SELECT text FROM \"jf.turns\" WHERE role = 'assistant' ORDER BY number");
    ASSERT_EQ(turns.size(), 4u);
    EXPECT_EQ(turns[3], "Monday. What time would you like?");
    const auto shown = folder.jackfield({"calls", "list"});
    EXPECT_EQ(shown.code, 1);
    EXPECT_NE(shown.err.find("sqlite.so"), std::string::npos) << shown.err;
}

}  // namespace
}  // namespace jackfield::test
