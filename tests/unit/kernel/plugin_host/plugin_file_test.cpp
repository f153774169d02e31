#include "base/json.hpp"
#include "plugin_file_bytes.hpp"
#include "plugin_host/descriptor.hpp"

#include <cstring>
#include <optional>

#include <gtest/gtest.h>

namespace jackfield::plugin_host {
namespace {

using base::ErrorCode;
using test::Bytes;
using test::plugin_bytes;

Bytes with_note(jf_note note) {
    Bytes bytes = plugin_bytes();
    const Elf64_Shdr section = test::section_of(bytes, ".note.jackfield");
    // 12 bytes of header, the owner with its zero padded to 12.
    std::memcpy(bytes.data() + section.sh_offset + 24, &note, sizeof note);
    return bytes;
}

std::optional<base::Error> refusal(const Bytes& bytes, const HostAbi& host = {}) {
    const auto file = inspect_plugin(bytes, "plugins/bad.so", host);
    if (file) return std::nullopt;
    return file.error();
}

/// Every refusal names the file, what was wanted, what was offered, and a remedy.
void expect_refused(const Bytes& bytes,
                    ErrorCode code,
                    const std::vector<std::string>& parts,
                    const HostAbi& host = {}) {
    const auto error = refusal(bytes, host);
    ASSERT_TRUE(error) << "it was accepted; wanted a refusal with " << parts.front();
    EXPECT_EQ(error->code(), code) << error->text();
    EXPECT_TRUE(error->text().starts_with("plugins/bad.so: ")) << error->text();
    for (const std::string_view label : {"wanted: ", "offered: ", "remedy: "})
        EXPECT_NE(error->text().find(label), std::string::npos) << error->text();
    for (const std::string& part : parts)
        EXPECT_NE(error->text().find(part), std::string::npos) << error->text();
}

Bytes bytes_of(std::string_view text) {
    Bytes out(text.size());
    std::memcpy(out.data(), text.data(), text.size());
    return out;
}

TEST(PluginFile, IsAcceptedAsItWasBuilt) {
    const auto file = inspect_plugin(plugin_bytes(), "plugins/tts/flite.so");

    ASSERT_TRUE(file) << file.error().text();
    EXPECT_EQ(file->descriptor.id, "tts/flite");
    EXPECT_EQ(file->descriptor.kind, "tts");
    EXPECT_EQ(file->descriptor.name, "flite");
    EXPECT_TRUE(file->descriptor.provides_interface("jf.tts/1"));
    EXPECT_FALSE(file->descriptor.provides_interface("jf.stt/1"));
    EXPECT_EQ(file->sha256.size(), 64u);
    EXPECT_EQ(file->size, plugin_bytes().size());
    EXPECT_TRUE(base::JsonDocument::parse(file->descriptor.config_schema));
}

TEST(PluginFile, ExplainsItself) {
    const auto file = inspect_plugin(plugin_bytes(), "flite.so");
    ASSERT_TRUE(file);

    const std::string text = explain(*file);
    const auto json = base::JsonDocument::parse(explain_json(*file));

    for (const std::string_view part : {"tts/flite", "jf.tts/1", "speed", "1.0 needed", "sha256"})
        EXPECT_NE(text.find(part), std::string::npos) << text;
    ASSERT_TRUE(json) << json.error().text();
    EXPECT_EQ(json->root()["descriptor"]["id"].text_or(""), "tts/flite");
    EXPECT_EQ(json->root()["sha256"].text_or(""), file->sha256);
    EXPECT_EQ(json->root()["abi"]["major"].integer_or(0), 1);
}

TEST(PluginFile, IsRefusedWhenItIsNotElfOrTruncated) {
    Bytes half = plugin_bytes();
    half.resize(half.size() / 2);

    expect_refused(bytes_of("#!/bin/sh\n"), ErrorCode::invalid, {"not an ELF file", "23 21 2f 62"});
    expect_refused({}, ErrorCode::invalid, {"an empty file"});
    expect_refused(half, ErrorCode::invalid, {"truncated", "copy or build the file again"});
}

TEST(PluginFile, IsRefusedWhenItIsForAnotherMachine) {
    Bytes other = plugin_bytes(), small = plugin_bytes();
    test::header_of(other).e_machine = EM_S390;
    small[EI_CLASS] = std::byte{ELFCLASS32};

    expect_refused(
        other,
        ErrorCode::unsupported,
        {"foreign architecture", "offered: S/390", "wanted: " + machine_name(host_machine())});
    expect_refused(small, ErrorCode::unsupported, {"foreign architecture", "64-bit"});
}

TEST(PluginFile, IsRefusedForAWrongMajor) {
    expect_refused(
        with_note({2, 0, 0, 0}),
        ErrorCode::unsupported,
        {"wrong ABI major", "wanted: plugin ABI major 1", "offered: major 2", "upgrade the host"});
    expect_refused(plugin_bytes(),
                   ErrorCode::unsupported,
                   {"offered: major 1", "newer release of the plugin"},
                   HostAbi{2, 0});
}

TEST(PluginFile, IsJudgedByTheMinorThatItNeedsNotByTheOneItWasBuiltWith) {
    expect_refused(with_note({1, 7, 7, 0}),
                   ErrorCode::too_new,
                   {"needs minor 7", "upgrade the host to ABI 1.7"});
    EXPECT_FALSE(refusal(with_note({1, 0, 9, 0})));
    EXPECT_FALSE(refusal(plugin_bytes(), HostAbi{1, 12}));
}

TEST(PluginFile, IsRefusedWithDraftsUnlessTheOperatorOptedIn) {
    const Bytes drafts = with_note({1, 0, 0, JF_MODULE_USES_DRAFTS});

    expect_refused(drafts, ErrorCode::unsupported, {"draft interfaces", "opt in"});
    // With the opt-in it gets further: its descriptor says nothing of drafts.
    expect_refused(drafts, ErrorCode::invalid, {"disagree"}, HostAbi{1, 0, true});
}

TEST(PluginFile, IsRefusedWhenItsExportsAreNotTheOne) {
    expect_refused(test::replaced(plugin_bytes(), "jf_module_entry_v1", "xx_module_entry_v1"),
                   ErrorCode::invalid,
                   {"wanted: jf_module_entry_v1 and nothing else", "offered: xx_module_entry_v1"});

    // Its first import turned into a definition.
    Bytes two = plugin_bytes();
    const Elf64_Shdr symbols = test::section_of(two, ".dynsym");
    for (std::uint64_t i = 1; i < symbols.sh_size / sizeof(Elf64_Sym); ++i) {
        auto* symbol = reinterpret_cast<Elf64_Sym*>(two.data() + symbols.sh_offset) + i;
        if (symbol->st_shndx != SHN_UNDEF) continue;
        symbol->st_shndx = 1;
        break;
    }
    expect_refused(two,
                   ErrorCode::invalid,
                   {"it should export one symbol", ", jf_module_entry_v1", "version script"});
}

TEST(PluginFile, IsRefusedWithoutNoteOrDescriptor) {
    expect_refused(
        test::replaced(plugin_bytes(), std::string_view("Jackfield\0", 10), "Blackfield"),
        ErrorCode::invalid,
        {"no Jackfield note"});
    expect_refused(test::replaced(plugin_bytes(), ".jackfield.desc", ".blackfield.des"),
                   ErrorCode::invalid,
                   {"no descriptor"});
    expect_refused(test::replaced(plugin_bytes(), "\"provides\"", "\"provide_\""),
                   ErrorCode::invalid,
                   {"descriptor is wrong", "provides"});
}

TEST(PluginFile, KnowsItsHash) {
    // FIPS 180-2, appendix B.1.
    EXPECT_EQ(sha256_hex(std::as_bytes(std::span(std::string_view("abc")))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

std::string descriptor(std::string_view replace = {}, std::string_view by = {}) {
    std::string text =
        R"({"id":"stt/acme","version":"1.0","vendor":"Acme","licence":"MIT","summary":"s","abi":{"need_minor":0},)"
        R"("provides":["jf.stt/1"],"requires":["jf.host.worker/1"],"capabilities":{},"config_schema":{"type":"object"}})";
    if (const std::size_t at = replace.empty() ? std::string::npos : text.find(replace);
        at != std::string::npos)
        text.replace(at, replace.size(), by);
    return text;
}

TEST(Descriptor, IsReadWhole) {
    const auto parsed = parse_descriptor(descriptor());

    ASSERT_TRUE(parsed) << parsed.error().text();
    EXPECT_EQ(parsed->provides, std::vector<std::string>{"jf.stt/1"});
    EXPECT_EQ(parsed->needs, std::vector<std::string>{"jf.host.worker/1"});
    EXPECT_EQ(parsed->capabilities, "{}");
    EXPECT_TRUE(parse_descriptor(descriptor(R"("capabilities":{})", R"("a_later_hosts_key":[1])")));
}

TEST(Descriptor, NamesTheKeyThatIsWrong) {
    const std::tuple<std::string, std::string, std::string> cases[] = {
        {"\"stt/acme\"", "\"ears/acme\"", "\"id\""},
        {"\"stt/acme\"", "\"stt/Acme!\"", "\"id\""},
        {"\"stt/acme\"", "7", "\"id\""},
        {"\"1.0\"", "\"new\"", "\"version\""},
        {"\"vendor\"", "\"vend_r\"", "\"vendor\""},
        {"\"MIT\"", "\"\"", "\"licence\""},
        {"\"need_minor\":0", "\"need_minor\":-1", "\"abi.need_minor\""},
        {"\"need_minor\":0", "\"need_minor\":\"0\"", "\"abi.need_minor\""},
        {"[\"jf.stt/1\"]", "[]", "\"provides\""},
        {"[\"jf.stt/1\"]", "[\"jf.stt\"]", "\"provides\""},
        {"[\"jf.stt/1\"]", "[\"jf.stt/1\",\"jf.stt/1\"]", "\"provides\""},
        {"[\"jf.stt/1\"]", "[\"jf.turn/0\"]", "\"abi.drafts\""},
        {"[\"jf.host.worker/1\"]", "\"jf.host.worker/1\"", "\"requires\""},
        {"{\"type\":\"object\"}", "[]", "\"config_schema\""},
        {"{\"type\":\"object\"}", "{\"type\":\"string\"}", "\"config_schema.type\""}};
    for (const auto& [from, to, key] : cases) {
        const auto parsed = parse_descriptor(descriptor(from, to));
        ASSERT_FALSE(parsed) << to;
        EXPECT_NE(parsed.error().text().find(key), std::string::npos) << parsed.error().text();
    }
    EXPECT_FALSE(parse_descriptor("{"));
    EXPECT_FALSE(parse_descriptor("[]"));
}

}  // namespace
}  // namespace jackfield::plugin_host
