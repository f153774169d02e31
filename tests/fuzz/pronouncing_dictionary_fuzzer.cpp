#include <cstdint>
#include <cstdlib>
#include <string>

#include "plugins/stt/pocketsphinx/dictionary.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const jackfield::pocketsphinx::Dictionary dictionary(text);
    for (const char* word : {"the", "a", "tomato", "", "the(2)"}) {
        for (const std::string& phones : dictionary.variants(word))
            if (phones.empty()) std::abort();
    }
    return 0;
}
