#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace jackfield::app {

/// An address as it stands in traces: "192.0.2.1:5060", "[2001:db8::1]:5060".
struct PcapEndpoint {
    bool six = false;
    std::uint8_t ip[16] = {};
    std::uint16_t port = 0;

    /// False when it is none.
    static bool parse(std::string_view text, PcapEndpoint& out);
};

/// Writes a classic capture file of UDP datagrams in IP packets without link headers. Our own, since libpcap brings a capturing library along for
/// what is two headers of fixed layout.
class PcapWriter {
  public:
    explicit PcapWriter(std::ostream& out);

    /// Both ends of the same family; a payload that no IP packet holds is cut.
    void write_udp(std::int64_t utc_us, const PcapEndpoint& from, const PcapEndpoint& to, std::string_view payload);

  private:
    std::ostream& out_;
    std::uint16_t identification_ = 0;
};

/// RTP's header before `payload` (RFC 3550 5.1).
std::string rtp_packet(std::uint8_t payload_type, std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t source, std::string_view payload);

/// Where a session description wants audio: its connection address and the port of its first audio line (RFC 4566 5.7, 5.14). False when it says
/// neither, or refuses audio.
bool audio_endpoint(std::string_view message, PcapEndpoint& out);

}  // namespace jackfield::app
