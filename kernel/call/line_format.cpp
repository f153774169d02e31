#include "call/line_format.hpp"

#include <string>

#include "base/json.hpp"
#include "media/types.hpp"

namespace jackfield::call {

std::uint16_t codec_for(const plugin_host::Instance& plugin, std::string_view interface_word, media::G711Law law) {
    const bool mu = law == media::G711Law::mu;
    const std::uint16_t own = mu ? JF_CODEC_PCMU : JF_CODEC_PCMA;
    const auto caps = base::JsonDocument::parse(plugin.plugin().file.descriptor.capabilities);
    if (!caps) return own;
    const base::JsonView formats = caps->root()[interface_word]["formats"];
    bool linear = false;
    for (std::size_t i = 0; i < formats.size(); ++i) {
        if (formats.at(i)["rate_hz"].integer_or(media::narrowband_hz) != media::narrowband_hz) continue;
        const std::string codec = formats.at(i)["codec"].text_or("");
        if (codec == (mu ? "PCMU" : "PCMA")) return own;
        linear = linear || codec == "L16";
    }
    return linear ? JF_CODEC_L16 : own;
}

}  // namespace jackfield::call
