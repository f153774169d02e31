#include "simulators/rtp.hpp"

namespace jackfield::sim {
namespace {

constexpr std::string_view keys = "0123456789*#ABCD";

void put(std::string& out, std::uint32_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

std::uint32_t get(std::string_view bytes, std::size_t at, int count) {
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
    return value;
}

}  // namespace

std::string build_rtp(const RtpPacket& packet) {
    std::string out;
    out.reserve(12 + packet.payload.size());
    put(out, 0x80, 1);
    put(out, (packet.marker ? 0x80u : 0u) | static_cast<std::uint32_t>(packet.payload_type), 1);
    put(out, packet.sequence, 2);
    put(out, packet.timestamp, 4);
    put(out, packet.ssrc, 4);
    return out.append(packet.payload);
}

std::optional<RtpPacket> parse_rtp(std::string_view bytes) {
    if (bytes.size() < 12 || get(bytes, 0, 1) >> 6 != 2) return std::nullopt;
    const std::uint32_t flags = get(bytes, 0, 1);
    std::size_t header = 12 + 4 * (flags & 0x0F);
    if (flags & 0x10) {
        if (bytes.size() < header + 4) return std::nullopt;
        header += 4 + 4 * get(bytes, header + 2, 2);
    }
    if (bytes.size() < header) return std::nullopt;
    std::size_t end = bytes.size();
    if (flags & 0x20) {
        const std::uint32_t padding = get(bytes, bytes.size() - 1, 1);
        if (padding > end - header) return std::nullopt;
        end -= padding;
    }
    RtpPacket packet;
    packet.payload_type = static_cast<int>(get(bytes, 1, 1) & 0x7F);
    packet.marker = get(bytes, 1, 1) & 0x80;
    packet.sequence = static_cast<std::uint16_t>(get(bytes, 2, 2));
    packet.timestamp = get(bytes, 4, 4);
    packet.ssrc = get(bytes, 8, 4);
    packet.payload = bytes.substr(header, end - header);
    return packet;
}

std::string build_dtmf(const DtmfEvent& event) {
    std::string out;
    constexpr std::uint32_t volume = 10;
    put(out, static_cast<std::uint32_t>(event.event), 1);
    put(out, (event.end ? 0x80u : 0u) | volume, 1);
    put(out, event.duration, 2);
    return out;
}

std::optional<DtmfEvent> parse_dtmf(std::string_view payload) {
    if (payload.size() < 4) return std::nullopt;
    return DtmfEvent{static_cast<int>(get(payload, 0, 1)),
                     (get(payload, 1, 1) & 0x80) != 0,
                     static_cast<std::uint16_t>(get(payload, 2, 2))};
}

int dtmf_code(char key) {
    const auto at = keys.find(key);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

char dtmf_key(int code) {
    return code >= 0 && code < static_cast<int>(keys.size()) ? keys[static_cast<std::size_t>(code)] : '?';
}

}  // namespace jackfield::sim
