// A plugin file as a stranger might hand it in: everything that is read before it is trusted.

#include "plugin_host/descriptor.hpp"
#include "plugin_host/elf_agreement.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield::plugin_host;
    const auto bytes = std::as_bytes(std::span(data, size));
    // The second reader is given what the first one accepts.
    if (read_elf(bytes)) (void)check_loading(bytes);
    const auto file = inspect_plugin(bytes, "fuzz.so", HostAbi{1, 1000, true});
    if (file) {
        (void)explain(*file);
        (void)explain_json(*file);
    }
    return 0;
}
