// Each guard is worth what it catches: here the forbidden changes are made, one by one, in a copy of the headers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "abi/guard/command.hpp"
#include "abi/guard/lock.hpp"
#include "abi/guard/witness.hpp"

namespace jackfield::abi_guard {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const fs::path source = JACKFIELD_SOURCE_DIR;

/// A copy of the public headers, and a baseline of them as they were before anybody changed the copy.
class HeaderCopy : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        published_ = new ScratchFolder;
        const Ran ran = run({guard(), "--include", (source / "plugin-api/include").string(), "--abi", (published_->path() / "abi").string(), "publish", "test"});
        ASSERT_EQ(ran.status, 0) << ran.out;
    }
    static void TearDownTestSuite() { delete published_; }

    HeaderCopy() {
        fs::copy(source / "plugin-api/include", include(), fs::copy_options::recursive);
        fs::copy(published_->path() / "abi", abi(), fs::copy_options::recursive);
    }

    static std::string guard() { return JACKFIELD_ABI_GUARD; }
    fs::path include() const { return scratch_.path() / "include"; }
    fs::path abi() const { return scratch_.path() / "abi"; }

    Ran guard(std::vector<std::string> arguments) const {
        std::vector<std::string> command{guard(), "--include", include().string(), "--abi", abi().string()};
        command.insert(command.end(), arguments.begin(), arguments.end());
        return run(command);
    }
    /// Replaces the first `what`, a regular expression, in the copy of `header`.
    void change(const std::string& header, const std::string& what, const std::string& with) {
        const fs::path file = include() / "jackfield" / header;
        const std::string before = read_text(file);
        const std::string after = std::regex_replace(before, std::regex(what), with, std::regex_constants::format_first_only);
        ASSERT_NE(before, after) << header << " has no " << what;
        write_text(file, after);
    }
    void accept(const std::string& entry) { write_text(abi() / "accepted-changes", entry + "\n"); }

    /// What the ordinary build makes of the headers.
    Ran compile_asserts() const {
        const fs::path out = scratch_.path() / "slots.c";
        const Ran made = run({"cmake", "-DLOCK=" + (abi() / "slots.lock").string(), "-DACCEPTED=" + (abi() / "accepted-changes").string(), "-DOUT=" + out.string(), "-P",
                              (source / "plugin-api/abi/slots.cmake").string()});
        if (made.status != 0) return made;
        return run({"cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I" + include().string(), out.string()});
    }

    const ScratchFolder scratch_;
    static inline ScratchFolder* published_ = nullptr;
};

TEST_F(HeaderCopy, PassesUnchanged) {
    const Ran ran = guard({"check", "--recorded"});
    EXPECT_EQ(ran.status, 0) << ran.out;
    EXPECT_EQ(compile_asserts().status, 0) << compile_asserts().out;
}

TEST_F(HeaderCopy, MayAppendAMemberAFunctionAStructAndAConstant) {
    change("stt.h", R"(\} jf_hints;)", "    uint64_t later;\n} jf_hints;");
    change("stt.h", R"(\} jf_stt_v1;)", "    jf_status (*later)(jf_instance* self, jf_op op) JF_ON(stream);\n} jf_stt_v1;\n"
                                       "typedef struct jf_later {\n    uint32_t struct_size;\n    uint32_t reserved;\n} jf_later;\n#define JF_STT_LATER 77u\n");

    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 0) << ran.out;
    EXPECT_THAT(ran.out, AllOf(HasSubstr("appended: jf_hints.later"), HasSubstr("appended: jf_stt_v1.later"), HasSubstr("appended: jf_later"), HasSubstr("appended: JF_STT_LATER")));
    EXPECT_EQ(compile_asserts().status, 0) << "what was published is where it was";
}

TEST_F(HeaderCopy, KeepsWhatWasAppendedOnceItIsRecorded) {
    change("stt.h", R"(\} jf_hints;)", "    uint64_t later;\n} jf_hints;");
    EXPECT_THAT(guard({"check", "--recorded"}).out, HasSubstr("abi_accept")) << "what was not recorded could go again unseen";
    ASSERT_EQ(guard({"accept"}).status, 0);
    EXPECT_EQ(guard({"check", "--recorded"}).status, 0);

    change("stt.h", R"(    uint64_t later;\n)", "");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("stt.h: jf_hints.later"), HasSubstr("is gone"), HasSubstr("remedy")));
}

TEST_F(HeaderCopy, MayNotReorderMembers) {
    change("stt.h", R"(    jf_array phrases;([^\n]*)\n    jf_array keywords;)", "    jf_array keywords;$1\n    jf_array phrases;");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("stt.h: jf_hints.phrases: it was published at offset 24, 16 bytes, as 'jf_array' and has moved to offset 40"), HasSubstr("append a new member")));
    EXPECT_THAT(compile_asserts().out, AllOf(HasSubstr("stt.h: jf_hints.phrases was published at offset 24 as jf_array"), HasSubstr("append instead")));
    EXPECT_EQ(guard({"accept"}).status, 1) << "recording is no way around it";
}

TEST_F(HeaderCopy, MayNotReorderATable) {
    change("stt.h", R"(jf_status \(\*open\)\(([^;]*);)", "jf_status (*close)(jf_instance* self, jf_op op) JF_ON(stream);");
    change("stt.h", R"(    jf_status \(\*close\)\(jf_instance\* self, jf_op op\) JF_ON\(stream\);\n\} jf_stt_v1;)",
           "    jf_status (*open)(jf_instance* self, jf_op op, const jf_stt_open* options, jf_error* error) JF_ON(stream);\n} jf_stt_v1;");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("jf_stt_v1.open: it was published at offset 8"), HasSubstr("jf_stt_v1.close: it was published at offset")));
}

TEST_F(HeaderCopy, MayNotRetypeAMember) {
    change("stt.h", R"(    uint64_t value;)", "    int64_t value;");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("stt.h: jf_stt_control.value: it was published at offset 8, 8 bytes, as 'uint64_t' and is now 'int64_t'"), HasSubstr("remedy")));
    EXPECT_NE(compile_asserts().status, 0);
}

TEST_F(HeaderCopy, MayNotRetypeAParameterOfAFunction) {
    change("stt.h", R"(const jf_frame\* frame\) JF_ON\(media\))", "const jf_text* frame) JF_ON(media)");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, HasSubstr("jf_stt_v1.push: it was published at offset"));
}

TEST_F(HeaderCopy, MayNotGiveASlotAnotherMeaning) {
    change("stt.h", R"(    uint32_t reserved;\n    uint64_t audio_ms;)", "    uint32_t frames;\n    uint64_t audio_ms;");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("jf_stt_usage.reserved"), HasSubstr("its slot has become 'frames'"), HasSubstr("never given another meaning")));
}

TEST_F(HeaderCopy, MayNotLeaveAHole) {
    change("stt.h", R"(\} jf_stt_usage;)", "    uint32_t later;\n} jf_stt_usage;");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("stt.h: jf_stt_usage: the compiler left a hole at its end, from offset 20 to 24"), HasSubstr("reserved")));
    // The compile probes of tests/abi, which every build makes, refuse it as well.
    const fs::path probe = scratch_.path() / "probe.c";
    write_text(probe, "#include <jackfield/stt.h>\n");
    const Ran probed = run({"cc", "-std=c11", "-Wpadded", "-Werror", "-fsyntax-only", "-I" + include().string(), probe.string()});
    EXPECT_NE(probed.status, 0);
    EXPECT_THAT(probed.out, HasSubstr("stt.h"));
}

TEST_F(HeaderCopy, MayNotInsertBetweenPublishedMembers) {
    change("stt.h", R"(    uint64_t audio_ms;)", "    uint64_t early;\n    uint64_t audio_ms;");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("jf_stt_usage.early: it stands before members that were published"), HasSubstr("jf_stt_usage.audio_ms")));
}

TEST_F(HeaderCopy, MayNotChangeAThreadClass) {
    change("stt.h", R"(frame\) JF_ON\(media\))", "frame) JF_ON(stream)");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("stt.h: jf_stt_v1.push: it was published with JF_ON(media) and has JF_ON(stream) now"), HasSubstr("append another function")));
}

TEST_F(HeaderCopy, NeedsAThreadClassForEachFunction) {
    change("stt.h", R"(\} jf_stt_v1;)", "    jf_status (*later)(jf_instance* self, jf_op op);\n} jf_stt_v1;");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, HasSubstr("jf_stt_v1.later: it has no JF_ON(...)"));
}

TEST_F(HeaderCopy, MayNotRemoveAnEnumerator) {
    change("stt.h", R"(#define JF_STT_MUTE[^\n]*\n)", "");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("stt.h: JF_STT_MUTE: it was published as 3 and is gone"), HasSubstr("remedy")));
    EXPECT_NE(compile_asserts().status, 0);
}

TEST_F(HeaderCopy, MayNotRenumberAnEvent) {
    change("stt.h", "0x0304u", "0x030au");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, HasSubstr("JF_EV_FINAL: it was published as 772 and is 778 now"));
    EXPECT_THAT(compile_asserts().out, HasSubstr("JF_EV_FINAL was published as 772"));
}

TEST_F(HeaderCopy, MayNotGrowWhatOthersHoldByValue) {
    change("base.h", R"(\} jf_pair;)", "    jf_str later;\n} jf_pair;");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, HasSubstr("base.h: jf_pair.later: the struct has no struct_size"));
}

TEST_F(HeaderCopy, ShowsATableThatWasReorderedTogetherWithItsLock) {
    change("service.h", R"(\(\*on_event\))", "(*swapped)");
    change("service.h", R"(\(\*on_job\))", "(*on_event)");
    change("service.h", R"(\(\*swapped\))", "(*on_job)");
    // Somebody made the lock anew: nothing that reads it can tell.
    write_lock(abi(), read_headers(include(), {}));
    EXPECT_EQ(compile_asserts().status, 0);

    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("service.h: jf_service_v1"), HasSubstr("witness")));
}

TEST_F(HeaderCopy, ShowsNothingOfTablesWithoutTheWitness) {
    const std::string entry_only = "#include <jackfield/module.h>\nconst jf_module_v1* jf_module_entry_v1(void) { return 0; }\n";
    build_library(entry_only, include(), {}, scratch_.path() / "before.so");
    write_text(scratch_.path() / "before.abi", describe_library(scratch_.path() / "before.so", {}));
    change("service.h", R"(\(\*on_event\))", "(*swapped)");
    change("service.h", R"(\(\*on_job\))", "(*on_event)");
    change("service.h", R"(\(\*swapped\))", "(*on_job)");
    build_library(entry_only, include(), {}, scratch_.path() / "after.so");
    EXPECT_TRUE(compare_library(scratch_.path() / "before.abi", scratch_.path() / "after.so", read_lock(abi()), {}).empty())
        << "no table is reached from the symbol that plugins export: that is what the witness is for";
}

TEST_F(HeaderCopy, PassesWithAChangeThatWasAcceptedWithAReason) {
    change("stt.h", R"(frame\) JF_ON\(media\))", "frame) JF_ON(stream)");
    accept("jf_stt_v1.push thread: media -> stream | no provider of 1.0-rc could keep to media");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 0) << ran.out;
    EXPECT_EQ(compile_asserts().status, 0) << compile_asserts().out;
}

TEST_F(HeaderCopy, AcceptsARetypeThatTheWitnessSeesOnlyWithBothKeys) {
    change("stt.h", R"(    uint64_t value;)", "    int64_t value;");
    accept("jf_stt_control.value retyped: uint64_t -> int64_t | values below zero are needed");
    const Ran half = guard({"check"});
    EXPECT_EQ(half.status, 1);
    std::smatch key;
    ASSERT_TRUE(std::regex_search(half.out, key, std::regex("key: (witness [^\n]+)"))) << half.out;
    accept("jf_stt_control.value retyped: uint64_t -> int64_t | values below zero are needed\n" + key[1].str() + " | values below zero are needed");
    EXPECT_EQ(guard({"check"}).status, 0) << guard({"check"}).out;
    EXPECT_EQ(compile_asserts().status, 0) << compile_asserts().out;
}

TEST_F(HeaderCopy, RefusesAnEntryWithoutAReason) {
    change("stt.h", R"(frame\) JF_ON\(media\))", "frame) JF_ON(stream)");
    accept("jf_stt_v1.push thread: media -> stream");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, HasSubstr("accepted-changes:1: 'jf_stt_v1.push thread: media -> stream': the entry has no reason"));
}

TEST_F(HeaderCopy, RefusesAnEntryThatCoversNothing) {
    accept("jf_stt_v1.push thread: media -> stream | no provider could keep to media");
    const Ran ran = guard({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, HasSubstr("the entry covers no difference"));
}

TEST_F(HeaderCopy, IsNotPassedByAGuardThatCannotRun) {
    EXPECT_THAT(guard({"--clang", "/nowhere/clang-14", "check"}).out, HasSubstr("apt-get install clang-14"));
    EXPECT_THAT(guard({"--abidiff", "/nowhere/abidiff", "check"}).out, HasSubstr("apt-get install abigail-tools"));
    EXPECT_EQ(guard({"--abidiff", "/nowhere/abidiff", "check"}).status, 2);
    fs::remove(abi() / "witness.abi");
    EXPECT_EQ(guard({"check"}).status, 2);
}

}  // namespace
}  // namespace jackfield::abi_guard
