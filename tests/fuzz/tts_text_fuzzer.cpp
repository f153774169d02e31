// Text for a voice: cut into pieces that are never empty, and together are the text; then made
// readable for Flite.

#include "plugins/tts/flite/ascii_text.hpp"

#include <jackfield/sdk/tts_text.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    jackfield::sdk::tts::TextQueue queue;
    queue.append(text.substr(0, size / 2));
    std::uint64_t at = 0;
    const auto drain = [&] {
        while (const auto piece = queue.next()) {
            if (piece->text.empty() || piece->from != at || piece->to > queue.given()) std::abort();
            if (piece->text != text.substr(piece->from, piece->text.size())) std::abort();
            const auto ascii = jackfield::tts_flite::to_ascii(piece->text);
            if (ascii.origin.size() != ascii.text.size() + 1) std::abort();
            for (const char c : ascii.text)
                if (c < 0x20 || c > 0x7e) std::abort();
            at = piece->to;
            queue.drop(*piece);
        }
    };
    drain();
    queue.append(text.substr(size / 2));
    queue.flush();
    drain();
    if (at != size || !queue.empty()) std::abort();
    return 0;
}
