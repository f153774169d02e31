#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::sim {

/// RFC 3550 5.1, without what this peer never sends (CSRC, extension, padding) but reading over it.
struct RtpPacket {
    int payload_type = 0;
    bool marker = false;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t ssrc = 0;
    std::string_view payload;
};

std::string build_rtp(const RtpPacket& packet);
std::optional<RtpPacket> parse_rtp(std::string_view bytes);

/// RFC 4733 2.3: one state of one key.
struct DtmfEvent {
    int event = 0;
    bool end = false;
    std::uint16_t duration = 0;
};
std::string build_dtmf(const DtmfEvent& event);
std::optional<DtmfEvent> parse_dtmf(std::string_view payload);
/// 0-9 * # A-D; -1 and '?' for anything else.
int dtmf_code(char key);
char dtmf_key(int code);

}  // namespace jackfield::sim
