#include "plugin_host/elf_agreement.hpp"

#include "plugin_file_bytes.hpp"

#include "plugin_host/descriptor.hpp"

#include <random>

namespace jackfield::plugin_host {
namespace {

using test::Bytes;
using test::header_of;
using test::plugin_bytes;
using test::section_of;
using test::segment_of;

Elf64_Dyn& dynamic_of(Bytes& bytes, std::int64_t tag) {
    auto* entries = reinterpret_cast<Elf64_Dyn*>(bytes.data() + segment_of(bytes, PT_DYNAMIC).p_offset);
    std::size_t i = 0;
    while (entries[i].d_tag != tag && entries[i].d_tag != DT_NULL) ++i;
    EXPECT_EQ(entries[i].d_tag, tag) << "the plugin has no such entry";
    return entries[i];
}

/// Why the loading of these bytes is refused; empty when it is not.
std::string refusal(const Bytes& bytes) {
    const auto checked = check_loading(bytes);
    return checked ? "" : checked.error().text();
}

TEST(ElfAgreement, AcceptsAPluginAsTheLinkerMadeIt) {
    EXPECT_EQ(refusal(plugin_bytes()), "");
}

TEST(ElfAgreement, RefusesAJumpToAnywhere) {
    Bytes bytes = plugin_bytes();
    dynamic_of(bytes, DT_INIT).d_un.d_ptr ^= 0x40;

    EXPECT_NE(refusal(bytes).find("start-up code"), std::string::npos) << refusal(bytes);
}

TEST(ElfAgreement, RefusesConstructorsThatAreElsewhere) {
    Bytes moved = plugin_bytes(), more = plugin_bytes();
    dynamic_of(moved, DT_INIT_ARRAY).d_un.d_ptr += 8;
    dynamic_of(more, DT_INIT_ARRAYSZ).d_un.d_val += 8;

    EXPECT_NE(refusal(moved).find("constructors"), std::string::npos) << refusal(moved);
    EXPECT_NE(refusal(more).find("constructors"), std::string::npos) << refusal(more);
}

TEST(ElfAgreement, RefusesRelocationsThatAreNotAllDone) {
    Bytes none = plugin_bytes(), fewer = plugin_bytes(), careless = plugin_bytes();
    dynamic_of(none, DT_RELA).d_tag = DT_DEBUG;
    dynamic_of(fewer, DT_RELASZ).d_un.d_val -= sizeof(Elf64_Rela);
    dynamic_of(careless, DT_RELACOUNT).d_un.d_val += 1;

    EXPECT_NE(refusal(none), "");
    EXPECT_NE(refusal(fewer).find("relocations"), std::string::npos) << refusal(fewer);
#if defined(__x86_64__)
    EXPECT_NE(refusal(careless).find("relative relocations"), std::string::npos) << refusal(careless);
#endif
}

TEST(ElfAgreement, RefusesASegmentThatIsLoadedFromElsewhere) {
    Bytes moved = plugin_bytes(), shorter = plugin_bytes(), locked = plugin_bytes();
    segment_of(moved, PT_LOAD, 1).p_offset ^= 0x1000;
    segment_of(shorter, PT_LOAD, 1).p_filesz /= 2;
    segment_of(locked, PT_LOAD, 1).p_flags &= ~static_cast<std::uint32_t>(PF_X);

    EXPECT_NE(refusal(moved), "");
    EXPECT_NE(refusal(shorter), "");
    EXPECT_NE(refusal(locked).find("could not be executed"), std::string::npos) << refusal(locked);
}

TEST(ElfAgreement, RefusesWhatWouldMakeDataReadOnly) {
    Bytes bytes = plugin_bytes();
    segment_of(bytes, PT_GNU_RELRO).p_memsz += 0x2000;

    EXPECT_NE(refusal(bytes).find("read-only"), std::string::npos) << refusal(bytes);
}

TEST(ElfAgreement, RefusesAnExecutableStackAndWritableCode) {
    Bytes stack = plugin_bytes(), code = plugin_bytes();
    segment_of(stack, PT_GNU_STACK).p_flags |= PF_X;
    segment_of(code, PT_LOAD, 1).p_flags |= PF_W;

    EXPECT_NE(refusal(stack).find("executable stack"), std::string::npos) << refusal(stack);
    EXPECT_NE(refusal(code).find("writable and executable"), std::string::npos) << refusal(code);
}

TEST(ElfAgreement, RefusesTagsThatRedirectTheLoader) {
    Bytes bytes = plugin_bytes();
    dynamic_of(bytes, DT_FLAGS_1).d_tag = 0x7fffffff; // DT_FILTER

    EXPECT_NE(refusal(bytes).find("0x7fffffff"), std::string::npos) << refusal(bytes);
}

TEST(ElfAgreement, ReadsNothingOutsideOfDamagedFiles) {
    std::mt19937 random(1);
    for (int i = 0; i < 2000; ++i) {
        Bytes bytes = plugin_bytes();
        for (int n = 0; n < 3; ++n) {
            const std::size_t tables[] = {0, header_of(bytes).e_phoff, header_of(bytes).e_shoff, segment_of(bytes, PT_DYNAMIC).p_offset};
            const std::size_t at = tables[random() % 4] + random() % 512;
            if (at < bytes.size()) bytes[at] = static_cast<std::byte>(random());
            if (!read_elf(bytes)) bytes = plugin_bytes(); // as it is only given what read_elf() accepts
        }
        static_cast<void>(refusal(bytes));
    }
}

TEST(ElfAgreement, SpeaksInTheRefusalOfAPlugin) {
    Bytes bytes = plugin_bytes();
    dynamic_of(bytes, DT_INIT).d_un.d_ptr ^= 0x40;

    const auto file = inspect_plugin(bytes, "flite.so", HostAbi{});

    ASSERT_FALSE(file);
    for (const char* part : {"flite.so", "start-up code", "wanted:", "offered:", "remedy:"})
        EXPECT_NE(file.error().text().find(part), std::string::npos) << file.error().text();
}

}  // namespace
}  // namespace jackfield::plugin_host
