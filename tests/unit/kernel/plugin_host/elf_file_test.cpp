#include "plugin_host/elf_file.hpp"

#include "plugin_file_bytes.hpp"

#include <algorithm>
#include <random>

#include <elf.h>
#include <gtest/gtest.h>

namespace jackfield::plugin_host {
namespace {

using test::Bytes;
using test::plugin_bytes;

TEST(ElfFile, ReadsWhatARealPluginSays) {
    const base::Result<ElfFacts> facts = read_elf(plugin_bytes());

    ASSERT_TRUE(facts) << facts.error().text();
    EXPECT_EQ(facts->machine, host_machine());
    ASSERT_TRUE(facts->note);
    EXPECT_EQ(facts->note->abi_major, 1u);
    EXPECT_EQ(facts->note->abi_need_minor, 0u);
    EXPECT_EQ(facts->exports, std::vector<std::string>{"jf_module_entry_v1"});
    ASSERT_TRUE(facts->descriptor);
    EXPECT_NE(facts->descriptor->find("\"tts/flite\""), std::string::npos);
    EXPECT_NE(std::find(facts->needed.begin(), facts->needed.end(), "libflite.so.1"),
              facts->needed.end());
    EXPECT_NE(std::find(facts->imports.begin(), facts->imports.end(), "flite_init"),
              facts->imports.end());
    EXPECT_FALSE(facts->executable_stack);
    EXPECT_FALSE(facts->static_tls);
}

TEST(ElfFile, RefusesWhatIsNotElf) {
    for (const std::string_view text : {"",
                                        "\x7f",
                                        "\x7f"
                                        "EL",
                                        "#!/bin/sh\nexit 0\n",
                                        "!<arch>\n"}) {
        const auto facts = read_elf(std::as_bytes(std::span(text)));
        ASSERT_FALSE(facts);
        EXPECT_EQ(facts.error().text(), "it is not an ELF file");
    }
}

TEST(ElfFile, RefusesEveryTruncation) {
    const Bytes& whole = plugin_bytes();
    for (std::size_t n = 0; n < whole.size(); n += n < 4096 ? 1 : 997)
        EXPECT_FALSE(read_elf(std::span(whole).first(n))) << n << " bytes of " << whole.size();
}

TEST(ElfFile, RefusesOtherClassesAndByteOrders) {
    Bytes small = plugin_bytes(), big = plugin_bytes(), program = plugin_bytes();
    small[EI_CLASS] = std::byte{ELFCLASS32};
    big[EI_DATA] = std::byte{ELFDATA2MSB};
    test::header_of(program).e_type = ET_EXEC;

    EXPECT_EQ(read_elf(small).error().code(), base::ErrorCode::unsupported);
    EXPECT_EQ(read_elf(big).error().code(), base::ErrorCode::unsupported);
    EXPECT_NE(read_elf(program).error().text().find("no shared object"), std::string::npos);
}

TEST(ElfFile, RefusesOverlappingAndWrappingTables) {
    const auto refused = [](auto&& change) {
        Bytes bytes = plugin_bytes();
        change(bytes);
        const auto facts = read_elf(bytes);
        EXPECT_FALSE(facts);
        return facts ? std::string() : facts.error().text();
    };

    EXPECT_EQ(refused([](Bytes& b) { test::header_of(b).e_phoff = 8; }),
              "its program headers overlap the ELF header");
    EXPECT_EQ(refused([](Bytes& b) { test::header_of(b).e_shoff = 8; }),
              "its section headers overlap the ELF header");
    EXPECT_NE(refused([](Bytes& b) { test::header_of(b).e_phoff = ~0ull - 10; }).find("truncated"),
              std::string::npos);
    EXPECT_NE(refused([](Bytes& b) { test::header_of(b).e_shoff = ~0ull - 10; }).find("truncated"),
              std::string::npos);
    EXPECT_EQ(refused([](Bytes& b) { test::segment_of(b, PT_LOAD, 1).p_vaddr = 0; }),
              "its loaded segments overlap");
    EXPECT_EQ(refused([](Bytes& b) { test::section_of(b, ".jackfield.desc").sh_offset = 0; }),
              "its descriptor overlaps the file's headers");
    EXPECT_NE(refused([](Bytes& b) {
                  test::section_of(b, ".jackfield.desc").sh_size = ~0ull;
              }).find("truncated"),
              std::string::npos);
}

TEST(ElfFile, ReadsStackAndTlsFlags) {
    Bytes stack = plugin_bytes(), no_stack = plugin_bytes();
    test::segment_of(stack, PT_GNU_STACK).p_flags |= PF_X;
    test::segment_of(no_stack, PT_GNU_STACK).p_type = PT_NULL;

    EXPECT_TRUE(read_elf(stack)->executable_stack);
    EXPECT_TRUE(read_elf(no_stack)->executable_stack);
}

/// The bytes that steer a reader: headers, the dynamic segment, hash and symbol tables at the
/// file's start, sections at its end.
std::size_t interesting_place(std::mt19937_64& random, std::size_t size) {
    switch (random() % 4) {
        case 0:
            return random() % 1024;
        case 1:
            return random() % std::min<std::size_t>(size, 16'384);
        case 2:
            return size - 1 - random() % std::min<std::size_t>(size, 4096);
        default:
            return random() % size;
    }
}

TEST(ElfFile, SurvivesTenThousandFlippedBits) {
    const Bytes& whole = plugin_bytes();
    const Elf64_Phdr dynamic = test::segment_of(const_cast<Bytes&>(whole), PT_DYNAMIC);
    std::mt19937_64 random(20'240);
    Bytes mutant = whole;
    int read = 0;

    for (int round = 0; round < 10'000; ++round) {
        std::vector<std::pair<std::size_t, std::byte>> undo;
        for (std::uint64_t flips = 1 + random() % 4; flips > 0; --flips) {
            const std::size_t at = random() % 5 == 0
                                       ? dynamic.p_offset + random() % dynamic.p_filesz
                                       : interesting_place(random, whole.size());
            undo.emplace_back(at, mutant[at]);
            mutant[at] ^= static_cast<std::byte>(1u << (random() % 8));
        }
        const auto facts = read_elf(mutant);
        read += facts.has_value();
        for (auto it = undo.rbegin(); it != undo.rend(); ++it) mutant[it->first] = it->second;
    }

    EXPECT_EQ(mutant, whole);
    EXPECT_GT(read, 0);
    EXPECT_LT(read, 10'000);
}

}  // namespace
}  // namespace jackfield::plugin_host
