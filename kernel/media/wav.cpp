#include "media/wav.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace jackfield::media {
namespace {

constexpr std::size_t riff_head = 12;
constexpr std::size_t chunk_head = 8;
constexpr std::size_t fmt_least = 16;
constexpr std::uint16_t extensible_tag = 0xFFFE;
constexpr std::size_t extensible_sub_format = 24;
constexpr int most_channels = 8;
constexpr int highest_hz = 192000;
constexpr std::uint64_t largest_file = 1ULL << 30;

std::uint16_t read_u16(std::span<const std::uint8_t> at) {
    return static_cast<std::uint16_t>(at[0] | at[1] << 8);
}

std::uint32_t read_u32(std::span<const std::uint8_t> at) {
    return static_cast<std::uint32_t>(read_u16(at)) |
           static_cast<std::uint32_t>(read_u16(at.subspan(2))) << 16;
}

bool has_id(std::span<const std::uint8_t> at, std::string_view id) {
    return std::memcmp(at.data(), id.data(), id.size()) == 0;
}

base::Error not_wav(const std::string& why) {
    return base::Error(base::ErrorCode::invalid, "not a WAV file: " + why);
}

base::Error unsupported(const std::string& what) {
    return base::Error(base::ErrorCode::unsupported, "WAV file with " + what);
}

base::Result<WavInfo> parse_fmt(std::span<const std::uint8_t> fmt) {
    if (fmt.size() < fmt_least) return not_wav("its fmt chunk is too short");
    std::uint16_t tag = read_u16(fmt);
    if (tag == extensible_tag && fmt.size() >= extensible_sub_format + 2) {
        tag = read_u16(fmt.subspan(extensible_sub_format));
    }
    const int bits = read_u16(fmt.subspan(14));
    WavInfo info;
    info.codec = static_cast<WavCodec>(tag);
    info.channels = read_u16(fmt.subspan(2));
    const std::uint32_t rate = read_u32(fmt.subspan(4));
    const bool known = info.codec == WavCodec::pcm16 || info.codec == WavCodec::a_law ||
                       info.codec == WavCodec::mu_law;
    if (!known) return unsupported("format tag " + std::to_string(tag));
    if (bits != info.bytes_per_sample() * 8) {
        return unsupported(std::to_string(bits) + " bits a sample in format " +
                           std::to_string(tag));
    }
    if (info.channels < 1 || info.channels > most_channels) {
        return unsupported(std::to_string(info.channels) + " channels");
    }
    if (rate < 1 || rate > highest_hz) return unsupported(std::to_string(rate) + " Hz");
    info.rate_hz = static_cast<int>(rate);
    return info;
}

void place_data(WavInfo& info, std::uint64_t offset, std::uint64_t promised, std::uint64_t there) {
    const auto frame = static_cast<std::uint64_t>(info.channels * info.bytes_per_sample());
    info.torn = promised > there;
    info.data_offset = offset;
    info.data_size = std::min(promised, there) / frame * frame;
}

void put_u16(std::uint8_t* at, std::uint32_t value) {
    at[0] = static_cast<std::uint8_t>(value);
    at[1] = static_cast<std::uint8_t>(value >> 8);
}

void put_u32(std::uint8_t* at, std::uint64_t value) {
    put_u16(at, static_cast<std::uint32_t>(value & 0xFFFF));
    put_u16(at + 2, static_cast<std::uint32_t>((value >> 16) & 0xFFFF));
}

void put_id(std::uint8_t* at, std::string_view id) {
    std::memcpy(at, id.data(), id.size());
}

base::Error file_error(const std::string& path, const std::string& why) {
    return base::Error(base::ErrorCode::internal, path + ": " + why);
}

}  // namespace

base::Result<WavInfo> parse_wav(std::span<const std::uint8_t> file) {
    if (file.size() < riff_head || !has_id(file, "RIFF") || !has_id(file.subspan(8), "WAVE")) {
        return not_wav("no RIFF WAVE head");
    }
    std::optional<WavInfo> info;
    std::size_t at = riff_head;
    while (file.size() - at >= chunk_head) {
        const std::span<const std::uint8_t> head = file.subspan(at);
        const std::uint64_t promised = read_u32(head.subspan(4));
        const std::span<const std::uint8_t> body = head.subspan(chunk_head);
        if (has_id(head, "data")) {
            if (!info) return not_wav("data comes before its format");
            place_data(*info, at + chunk_head, promised, body.size());
            return *info;
        }
        if (promised > body.size()) return not_wav("a chunk ends behind the file");
        if (has_id(head, "fmt ")) {
            base::Result<WavInfo> parsed = parse_fmt(body.first(promised));
            if (!parsed) return parsed;
            info = *parsed;
        }
        // Chunks are padded to even sizes.
        at += chunk_head + std::min<std::uint64_t>(promised + promised % 2, body.size());
    }
    return not_wav("no data chunk");
}

std::vector<std::int16_t> WavFile::channel(int index) const {
    std::vector<std::int16_t> samples;
    if (index < 0 || index >= info.channels) return samples;
    const auto width = static_cast<std::size_t>(info.bytes_per_sample());
    const std::size_t frame = width * static_cast<std::size_t>(info.channels);
    samples.reserve(data.size() / frame);
    for (std::size_t at = static_cast<std::size_t>(index) * width; at + width <= data.size();
         at += frame) {
        if (info.codec == WavCodec::pcm16) {
            samples.push_back(static_cast<std::int16_t>(read_u16(std::span(data).subspan(at))));
        } else {
            const G711Law law = info.codec == WavCodec::mu_law ? G711Law::mu : G711Law::a;
            samples.push_back(decode_sample(law, data[at]));
        }
    }
    return samples;
}

std::vector<std::uint8_t> WavFile::channel_codes(int index) const {
    std::vector<std::uint8_t> codes;
    if (info.codec == WavCodec::pcm16 || index < 0 || index >= info.channels) return codes;
    const auto frame = static_cast<std::size_t>(info.channels);
    codes.reserve(data.size() / frame);
    for (auto at = static_cast<std::size_t>(index); at < data.size(); at += frame)
        codes.push_back(data[at]);
    return codes;
}

base::Result<WavFile> read_wav(const std::string& path) {
    std::error_code code;
    const std::uint64_t size = std::filesystem::file_size(path, code);
    if (code) return base::Error(base::ErrorCode::not_found, path + ": " + code.message());
    if (size > largest_file) return unsupported("more than 1 GB");
    std::vector<std::uint8_t> bytes(size);
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
    if (!file) return file_error(path, "cannot be read");
    base::Result<WavInfo> info = parse_wav(bytes);
    if (!info) return info.error().with_context(path);
    const auto data = std::span(bytes).subspan(info->data_offset, info->data_size);
    return WavFile{*info, {data.begin(), data.end()}};
}

std::array<std::uint8_t, g711_wav_header_size> g711_wav_header(G711Law law,
                                                               int channels,
                                                               std::uint64_t frames) {
    const std::uint64_t most = std::numeric_limits<std::uint32_t>::max() - g711_wav_header_size;
    const auto width = static_cast<std::uint64_t>(channels);
    const std::uint64_t data = std::min(frames * width, most / width * width);
    const auto rate = static_cast<std::uint64_t>(8000);
    std::array<std::uint8_t, g711_wav_header_size> header{};
    std::uint8_t* at = header.data();
    put_id(at, "RIFF");
    put_u32(at + 4, g711_wav_header_size - 8 + data);
    put_id(at + 8, "WAVEfmt ");
    put_u32(at + 16, 18);
    put_u16(at + 20,
            static_cast<std::uint16_t>(law == G711Law::mu ? WavCodec::mu_law : WavCodec::a_law));
    put_u16(at + 22, static_cast<std::uint32_t>(channels));
    put_u32(at + 24, rate);
    put_u32(at + 28, rate * width);
    put_u16(at + 32, static_cast<std::uint32_t>(channels));
    put_u16(at + 34, 8);
    put_u16(at + 36, 0);
    put_id(at + 38, "fact");
    put_u32(at + 42, 4);
    put_u32(at + 46, data / width);
    put_id(at + 50, "data");
    put_u32(at + 54, data);
    return header;
}

base::Result<std::uint64_t> repair_wav(const std::string& path) {
    std::error_code code;
    const std::uint64_t size = std::filesystem::file_size(path, code);
    if (code) return base::Error(base::ErrorCode::not_found, path + ": " + code.message());
    if (size <= g711_wav_header_size) {
        return base::Error(base::ErrorCode::not_found, path + ": torn before its first sample");
    }
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    std::array<std::uint8_t, g711_wav_header_size> found{};
    file.read(reinterpret_cast<char*>(found.data()), found.size());
    if (!file) return file_error(path, "cannot be read and written");

    const G711Law law =
        found[20] == static_cast<std::uint8_t>(WavCodec::a_law) ? G711Law::a : G711Law::mu;
    const int channels = found[22];
    if (channels < 1 || channels > 2) return unsupported("another writer's header: " + path);
    const std::uint64_t frames =
        (size - g711_wav_header_size) / static_cast<std::uint64_t>(channels);
    const auto right = g711_wav_header(law, channels, frames);
    const auto same = [&](std::size_t from, std::size_t to) {
        return std::equal(found.begin() + static_cast<std::ptrdiff_t>(from),
                          found.begin() + static_cast<std::ptrdiff_t>(to),
                          right.begin() + static_cast<std::ptrdiff_t>(from));
    };
    // All but the three sizes, which are what a crash leaves wrong.
    if (!same(0, 4) || !same(8, 46) || !same(50, 54)) {
        return unsupported("another writer's header: " + path);
    }
    file.seekp(0);
    file.write(reinterpret_cast<const char*>(right.data()), right.size());
    file.flush();
    if (!file) return file_error(path, "cannot be written");
    return frames;
}

RepairSummary repair_recordings(const std::string& folder) {
    RepairSummary summary;
    std::error_code code;
    std::vector<std::filesystem::path> torn;
    for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
        if (entry.path().extension() == ".part") torn.push_back(entry.path());
    }
    for (const std::filesystem::path& part : torn) {
        std::filesystem::path whole = part;
        whole.replace_extension();
        base::Result<std::uint64_t> frames = repair_wav(part.string());
        if (frames && !std::filesystem::exists(whole, code)) {
            std::filesystem::rename(part, whole, code);
            (code ? summary.refused : summary.repaired) += 1;
        } else if (!frames && frames.error().code() == base::ErrorCode::not_found) {
            std::filesystem::remove(part, code);
            (code ? summary.refused : summary.removed) += 1;
        } else {
            ++summary.refused;
        }
    }
    return summary;
}

}  // namespace jackfield::media
