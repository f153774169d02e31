// A recording on disk is a file that somebody else may have written.

#include "media/wav.hpp"

#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield::media;
    const std::span<const std::uint8_t> bytes(data, size);
    const jackfield::base::Result<WavInfo> info = parse_wav(bytes);
    if (!info) return 0;
    if (info->data_offset > size || info->data_size > size - info->data_offset) std::abort();
    const auto part = bytes.subspan(info->data_offset, info->data_size);
    const WavFile file{*info, {part.begin(), part.end()}};
    for (int channel = -1; channel <= info->channels; ++channel) {
        const bool there = channel >= 0 && channel < info->channels;
        if (file.channel(channel).size() != (there ? info->frames() : 0)) std::abort();
        const bool codes = there && info->codec != WavCodec::pcm16;
        if (file.channel_codes(channel).size() != (codes ? info->frames() : 0)) std::abort();
    }
    return 0;
}
