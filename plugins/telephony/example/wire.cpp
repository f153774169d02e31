#include "wire.hpp"

#include <charconv>
#include <cstring>

namespace jackfield::telephony_example {

constexpr std::size_t head = 9;

std::optional<Packet> read_packet(std::string_view bytes) {
    constexpr std::string_view types = "CRAMDH";
    if (bytes.size() < head || types.find(bytes[0]) == std::string_view::npos) return std::nullopt;
    Packet packet;
    packet.type = bytes[0];
    std::memcpy(&packet.call, bytes.data() + 1, sizeof packet.call);
    packet.rest = bytes.substr(head);
    return packet;
}

std::size_t write_packet(char* out, char type, std::uint64_t call, std::string_view rest) {
    out[0] = type;
    std::memcpy(out + 1, &call, sizeof call);
    if (!rest.empty()) std::memcpy(out + head, rest.data(), rest.size());
    return head + rest.size();
}

std::optional<jf_endpoint> read_endpoint(std::string_view ip, std::uint16_t port) {
    jf_endpoint out{};
    out.family = JF_NET_IPV4;
    out.port = port;
    for (int i = 0; i < 4; ++i) {
        unsigned part = 0;
        const auto [end, error] = std::from_chars(ip.data(), ip.data() + ip.size(), part);
        if (error != std::errc() || part > 255) return std::nullopt;
        out.ip[i] = static_cast<std::uint8_t>(part);
        ip.remove_prefix(static_cast<std::size_t>(end - ip.data()));
        if (i == 3) break;
        if (ip.empty() || ip.front() != '.') return std::nullopt;
        ip.remove_prefix(1);
    }
    return ip.empty() ? std::optional(out) : std::nullopt;
}

std::optional<Address> read_address(std::string_view text) {
    const std::size_t colon = text.find(':'), slash = text.find('/');
    if (colon == std::string_view::npos || slash == std::string_view::npos || slash < colon || slash + 1 == text.size()) return std::nullopt;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + slash, port);
    if (error != std::errc() || end != text.data() + slash || port == 0) return std::nullopt;
    const auto endpoint = read_endpoint(text.substr(0, colon), port);
    if (!endpoint) return std::nullopt;
    return Address{*endpoint, std::string(text.substr(slash + 1))};
}

std::string text_of(const jf_endpoint& e) {
    std::string out;
    for (int i = 0; i < 4; ++i) out += (i ? "." : "") + std::to_string(e.ip[i]);
    return out + ":" + std::to_string(e.port);
}

}  // namespace jackfield::telephony_example
