#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::test {

struct PcapPacket {
    std::int64_t utc_us = 0;
    std::string from; ///< "192.0.2.1:5060", "[2001:db8::1]:5060"
    std::string to;
    std::string payload;
};

/// The UDP datagrams of a classic capture file of bare IP packets, with every length and checksum verified. Throws std::runtime_error with what is
/// wrong and where.
std::vector<PcapPacket> read_pcap(std::string_view file);

}  // namespace jackfield::test
