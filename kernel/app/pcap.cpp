#include "app/pcap.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace jackfield::app {
namespace {

constexpr std::size_t most_payload = 65535 - 40 - 8;
constexpr std::uint8_t udp_protocol = 17;
constexpr std::uint32_t raw_ip = 101; // LINKTYPE_RAW: the packet begins with IPv4's or IPv6's own header

void put16(std::string& out, std::uint32_t value) {
    out += static_cast<char>(value >> 8 & 0xff);
    out += static_cast<char>(value & 0xff);
}

void put32(std::string& out, std::uint32_t value) {
    put16(out, value >> 16);
    put16(out, value & 0xffff);
}

/// In this machine's order, as the file's magic number says.
void put_own(std::string& out, std::uint32_t value, std::size_t bytes = 4) {
    if (bytes == 2) {
        const auto half = static_cast<std::uint16_t>(value);
        out.append(reinterpret_cast<const char*>(&half), 2);
        return;
    }
    out.append(reinterpret_cast<const char*>(&value), 4);
}

/// RFC 1071.
std::uint32_t sum_of(std::string_view bytes, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
        sum += i % 2 == 0 ? byte << 8 : byte;
    }
    return sum;
}

std::uint32_t checksum(std::uint32_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

void set16(std::string& out, std::size_t at, std::uint32_t value) {
    out[at] = static_cast<char>(value >> 8 & 0xff);
    out[at + 1] = static_cast<char>(value & 0xff);
}

std::string_view address_of(const PcapEndpoint& endpoint) {
    return {reinterpret_cast<const char*>(endpoint.ip), endpoint.six ? std::size_t{16} : std::size_t{4}};
}

/// The line of `text` that begins with `start`, without it; from `at` on.
std::string_view line_after(std::string_view text, std::string_view start, std::size_t& at) {
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, end - at);
        at = end + 1;
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.starts_with(start)) return line.substr(start.size());
    }
    return {};
}

}  // namespace

bool PcapEndpoint::parse(std::string_view text, PcapEndpoint& out) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return false;
    std::string host(text.substr(0, colon));
    PcapEndpoint parsed;
    const std::string_view port = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), parsed.port);
    if (error != std::errc() || end != port.data() + port.size()) return false;
    parsed.six = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (parsed.six) host = host.substr(1, host.size() - 2);
    if (inet_pton(parsed.six ? AF_INET6 : AF_INET, host.c_str(), parsed.ip) != 1) return false;
    out = parsed;
    return true;
}

PcapWriter::PcapWriter(std::ostream& out) : out_(out) {
    std::string header;
    put_own(header, 0xa1b2c3d4); // microseconds
    put_own(header, 2, 2);
    put_own(header, 4, 2);
    put_own(header, 0);
    put_own(header, 0);
    put_own(header, 65535);
    put_own(header, raw_ip);
    out_.write(header.data(), static_cast<std::streamsize>(header.size()));
}

void PcapWriter::write_udp(std::int64_t utc_us, const PcapEndpoint& from, const PcapEndpoint& to, std::string_view payload) {
    if (from.six != to.six) return;
    payload = payload.substr(0, most_payload);
    const auto udp_length = static_cast<std::uint32_t>(8 + payload.size());

    std::string packet;
    if (from.six) {
        put32(packet, 0x60000000);
        put16(packet, udp_length);
        packet += static_cast<char>(udp_protocol);
        packet += static_cast<char>(64);
    } else {
        put16(packet, 0x4500);
        put16(packet, 20 + udp_length);
        put16(packet, identification_++);
        put16(packet, 0x4000);
        packet += static_cast<char>(64);
        packet += static_cast<char>(udp_protocol);
        put16(packet, 0);
    }
    packet.append(address_of(from)).append(address_of(to));
    if (!from.six) set16(packet, 10, checksum(sum_of(packet)));

    const std::size_t udp_at = packet.size();
    put16(packet, from.port);
    put16(packet, to.port);
    put16(packet, udp_length);
    put16(packet, 0);
    packet += payload;
    // Both addresses, the protocol and the length stand before what is summed (RFC 768, RFC 8200 8.1). All zeros would mean "none".
    std::uint32_t sum = sum_of(address_of(to), sum_of(address_of(from))) + udp_protocol + udp_length;
    const std::uint32_t udp_checksum = checksum(sum_of(std::string_view(packet).substr(udp_at), sum));
    set16(packet, udp_at + 6, udp_checksum == 0 ? 0xffff : udp_checksum);

    std::string header;
    put_own(header, static_cast<std::uint32_t>(utc_us / 1'000'000));
    put_own(header, static_cast<std::uint32_t>(utc_us % 1'000'000));
    put_own(header, static_cast<std::uint32_t>(packet.size()));
    put_own(header, static_cast<std::uint32_t>(packet.size()));
    out_.write(header.data(), static_cast<std::streamsize>(header.size()));
    out_.write(packet.data(), static_cast<std::streamsize>(packet.size()));
}

std::string rtp_packet(std::uint8_t payload_type, std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t source, std::string_view payload) {
    std::string out;
    out += static_cast<char>(0x80);
    out += static_cast<char>(payload_type);
    put16(out, sequence);
    put32(out, timestamp);
    put32(out, source);
    out += payload;
    return out;
}

bool audio_endpoint(std::string_view message, PcapEndpoint& out) {
    std::size_t at = message.find("\r\n\r\n");
    if (at == std::string_view::npos) return false;
    const std::string_view body = message.substr(at + 4);
    std::size_t media_at = 0;
    const std::string_view audio = line_after(body, "m=audio ", media_at);
    const std::string_view port = audio.substr(0, audio.find(' '));
    // The medium's own address if it has one before the next medium, else the session's.
    const std::size_t next = std::min(body.find("\nm=", media_at > 0 ? media_at - 1 : 0), body.size());
    std::size_t own_at = 0;
    std::string_view address;
    if (media_at < next) address = line_after(body.substr(media_at, next - media_at), "c=IN ", own_at);
    std::size_t session_at = 0;
    if (address.empty()) address = line_after(body, "c=IN ", session_at);
    if (port.empty() || port == "0" || address.size() < 5) return false;
    const std::string_view host = address.substr(4, address.find_first_of(" /", 4) - 4);
    return PcapEndpoint::parse(address.starts_with("IP6") ? "[" + std::string(host) + "]:" + std::string(port) : std::string(host) + ":" + std::string(port),
                               out);
}

}  // namespace jackfield::app
