// A package as a stranger might hand it in: the archive around it, its manifest and its signatures. The first byte says whether the rest is an
// archive, a manifest or a signature file, so that the inner readers are reached without a checksum in the way.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/assert.hpp"
#include "plugin_kit/package.hpp"

using namespace jackfield;

namespace {

void read_archive(std::span<const std::byte> bytes) {
    plugin_kit::ArchiveLimits limits;
    limits.entry_bytes = 1u << 20;
    limits.total_bytes = 4u << 20;
    const auto entries = plugin_kit::read_archive(bytes, limits);
    if (!entries) return;
    for (const plugin_kit::Entry& entry : *entries) {
        JF_ASSERT(plugin_kit::is_plain_path(entry.path), "the reader refuses every other path");
        JF_ASSERT(entry.bytes.size() <= limits.entry_bytes, "the reader keeps to its limits");
    }
    if (const auto package = plugin_kit::read_package(bytes, limits))
        JF_ASSERT(plugin_kit::write_package(*package).has_value(), "what was read can be written");
}

void read_manifest(std::string_view text) {
    const auto manifest = plugin_kit::parse_manifest(text);
    if (!manifest) return;
    for (const auto* files : {&manifest->plugins, &manifest->documents})
        for (const plugin_kit::PackedFile& file : *files) JF_ASSERT(plugin_kit::is_plain_path(file.path), "a manifest names plain paths");
    JF_ASSERT(manifest->id.find("..") == std::string::npos && manifest->id.front() != '/', "the id becomes a path");
    const auto again = plugin_kit::parse_manifest(plugin_kit::manifest_json(*manifest));
    JF_ASSERT(again.has_value(), "what is written is read");
}

void read_signatures(std::string_view text) {
    const auto signatures = plugin_host::parse_signatures(text);
    if (!signatures) return;
    for (const plugin_host::Signature& signature : *signatures)
        JF_ASSERT(*plugin_host::PublicKey::parse(signature.key.text()) == signature.key, "a key has one text");
    (void)plugin_host::find_signer(text, plugin_host::Signed::package, "message", {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] == 'a') read_archive(std::as_bytes(std::span(text)));
    else if (data[0] == 'm') read_manifest(text);
    else if (data[0] == 's') read_signatures(text);
    const int order = plugin_kit::compare_versions(text.substr(0, text.size() / 2), text.substr(text.size() / 2));
    const int turned = plugin_kit::compare_versions(text.substr(text.size() / 2), text.substr(0, text.size() / 2));
    JF_ASSERT((order < 0) == (turned > 0), "an order has two ends");
    return 0;
}
