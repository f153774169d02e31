#pragma once

// A real plugin's bytes, and handles on the parts of its ELF image that tests spoil.

#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <elf.h>
#include <gtest/gtest.h>

namespace jackfield::test {

using Bytes = std::vector<std::byte>;

inline const Bytes& plugin_bytes() {
    static const Bytes bytes = [] {
        const std::string path = JACKFIELD_BINARY_DIR "/plugins/tts/flite.so";
        std::ifstream file(path, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        EXPECT_FALSE(text.empty()) << path << " is missing: build the target plugin_tts_flite";
        Bytes out(text.size());
        std::memcpy(out.data(), text.data(), text.size());
        return out;
    }();
    return bytes;
}

inline Elf64_Ehdr& header_of(Bytes& bytes) {
    return *reinterpret_cast<Elf64_Ehdr*>(bytes.data());
}

/// The nth segment of that type.
inline Elf64_Phdr& segment_of(Bytes& bytes, std::uint32_t type, int nth = 0) {
    auto* segments = reinterpret_cast<Elf64_Phdr*>(bytes.data() + header_of(bytes).e_phoff);
    for (int i = 0; i < header_of(bytes).e_phnum; ++i)
        if (segments[i].p_type == type && nth-- == 0) return segments[i];
    ADD_FAILURE() << "the plugin has no such segment";
    return segments[0];
}

inline Elf64_Shdr& section_of(Bytes& bytes, std::string_view name) {
    auto* sections = reinterpret_cast<Elf64_Shdr*>(bytes.data() + header_of(bytes).e_shoff);
    const char* names = reinterpret_cast<const char*>(bytes.data()) +
                        sections[header_of(bytes).e_shstrndx].sh_offset;
    for (int i = 0; i < header_of(bytes).e_shnum; ++i)
        if (names + sections[i].sh_name == name) return sections[i];
    ADD_FAILURE() << "the plugin has no section " << name;
    return sections[0];
}

/// Every occurrence of `from` becomes `to`, of the same length.
inline Bytes replaced(Bytes bytes, std::string_view from, std::string_view to) {
    EXPECT_EQ(from.size(), to.size());
    auto* text = reinterpret_cast<char*>(bytes.data());
    int found = 0;
    for (std::size_t at = 0; at + from.size() <= bytes.size(); ++at)
        if (std::memcmp(text + at, from.data(), from.size()) == 0) {
            std::memcpy(text + at, to.data(), to.size());
            ++found;
        }
    EXPECT_GT(found, 0) << from;
    return bytes;
}

}  // namespace jackfield::test
