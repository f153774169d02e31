// A plugin file as a stranger might hand it in: everything that is read before it is trusted.

#include "plugin_host/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield::plugin_host;
    const auto bytes = std::as_bytes(std::span(data, size));
    (void)read_elf(bytes);
    const auto file = inspect_plugin(bytes, "fuzz.so", HostAbi{1, 1000, true});
    if (file) {
        (void)explain(*file);
        (void)explain_json(*file);
    }
    return 0;
}
