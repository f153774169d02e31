#include "support/pcap_reader.hpp"

#include <arpa/inet.h>

#include <cstring>
#include <stdexcept>

namespace jackfield::test {
namespace {

class Cursor {
  public:
    explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

    bool empty() const { return bytes_.empty(); }
    std::size_t left() const { return bytes_.size(); }
    std::string_view take(std::size_t n, const char* what) {
        if (n > bytes_.size()) throw std::runtime_error(std::string("the file ends within ") + what);
        const std::string_view out = bytes_.substr(0, n);
        bytes_.remove_prefix(n);
        return out;
    }
    std::uint32_t own32(const char* what) {
        std::uint32_t value = 0;
        std::memcpy(&value, take(4, what).data(), 4);
        return value;
    }
    std::uint32_t net16(const char* what) {
        const std::string_view two = take(2, what);
        return static_cast<std::uint32_t>(static_cast<unsigned char>(two[0])) << 8 | static_cast<unsigned char>(two[1]);
    }

  private:
    std::string_view bytes_;
};

void require(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error(what);
}

std::uint32_t ones_sum(std::string_view bytes, std::uint32_t sum) {
    Cursor cursor(bytes);
    while (cursor.left() >= 2) sum += cursor.net16("a sum");
    if (!cursor.empty()) sum += static_cast<std::uint32_t>(static_cast<unsigned char>(cursor.take(1, "a sum")[0])) << 8;
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

std::string address_text(std::string_view bytes, std::uint32_t port) {
    char text[INET6_ADDRSTRLEN] = {};
    inet_ntop(bytes.size() == 16 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof text);
    return (bytes.size() == 16 ? "[" + std::string(text) + "]" : std::string(text)) + ":" + std::to_string(port);
}

PcapPacket read_packet(std::string_view packet) {
    Cursor ip(packet);
    const unsigned version = static_cast<unsigned char>(packet.empty() ? '\0' : packet[0]) >> 4;
    std::string_view from;
    std::string_view to;
    if (version == 4) {
        require(ones_sum(packet.substr(0, 20), 0) == 0xffff, "the IPv4 header's checksum is wrong");
        require(static_cast<unsigned char>(packet[0]) == 0x45, "an IPv4 header of another length than 20");
        ip.take(2, "IPv4");
        require(ip.net16("IPv4") == packet.size(), "IPv4's length is not the packet's");
        ip.take(5, "IPv4");
        require(ip.take(1, "IPv4")[0] == 17, "not UDP");
        ip.take(2, "IPv4");
        from = ip.take(4, "IPv4");
        to = ip.take(4, "IPv4");
    } else {
        require(version == 6, "neither IPv4 nor IPv6");
        ip.take(4, "IPv6");
        require(ip.net16("IPv6") == packet.size() - 40, "IPv6's length is not the packet's");
        require(ip.take(1, "IPv6")[0] == 17, "not UDP");
        ip.take(1, "IPv6");
        from = ip.take(16, "IPv6");
        to = ip.take(16, "IPv6");
    }
    const std::string_view udp = packet.substr(packet.size() - ip.left());
    const std::uint32_t length = static_cast<std::uint32_t>(udp.size());
    require(ones_sum(udp, ones_sum(to, ones_sum(from, 17 + length))) == 0xffff, "the UDP checksum is wrong");
    const std::uint32_t from_port = ip.net16("UDP");
    const std::uint32_t to_port = ip.net16("UDP");
    require(ip.net16("UDP") == length, "UDP's length is not the packet's");
    ip.net16("UDP");
    PcapPacket out;
    out.from = address_text(from, from_port);
    out.to = address_text(to, to_port);
    out.payload = std::string(ip.take(ip.left(), "UDP"));
    return out;
}

}  // namespace

std::vector<PcapPacket> read_pcap(std::string_view file) {
    Cursor cursor(file);
    require(cursor.own32("the header") == 0xa1b2c3d4, "not a capture file of this machine's byte order and microseconds");
    cursor.take(12, "the header");
    const std::uint32_t longest = cursor.own32("the header");
    require(cursor.own32("the header") == 101, "not bare IP packets");
    std::vector<PcapPacket> out;
    while (!cursor.empty()) {
        const std::string where = "packet " + std::to_string(out.size()) + ": ";
        try {
            const std::int64_t seconds = cursor.own32("a packet's header");
            const std::uint32_t micros = cursor.own32("a packet's header");
            const std::uint32_t captured = cursor.own32("a packet's header");
            require(cursor.own32("a packet's header") == captured && captured <= longest && micros < 1'000'000, "its header contradicts itself");
            out.push_back(read_packet(cursor.take(captured, "a packet")));
            out.back().utc_us = seconds * 1'000'000 + micros;
        } catch (const std::runtime_error& error) {
            throw std::runtime_error(where + error.what());
        }
    }
    return out;
}

}  // namespace jackfield::test
