#pragma once

// The protocol. A datagram is one letter, the call's number in eight bytes, and what belongs to it:
//   C <to> \n <from>   a call, to the port that listens; everything else goes from leg to leg, to where the last datagram came from
//   R                  it rings
//   A                  it is answered
//   M <samples>        G.711 mu-law, 20 ms
//   D <digit>          a key was pressed
//   H <cause>          the end
// Nothing is sent again when it gets lost: this is an example.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <jackfield/host.h>

namespace jackfield::telephony_example {

struct Packet {
    char type = 0;
    std::uint64_t call = 0;
    std::string_view rest; ///< of the bytes that it was read from
};

std::optional<Packet> read_packet(std::string_view bytes);
/// Without allocation when `rest` is short enough: `out` has to hold 9 + rest.size() bytes.
std::size_t write_packet(char* out, char type, std::uint64_t call, std::string_view rest);

/// "127.0.0.1:5090/reception": where to, and whom there.
struct Address {
    jf_endpoint endpoint{};
    std::string who;
};
std::optional<Address> read_address(std::string_view text);
std::optional<jf_endpoint> read_endpoint(std::string_view ip, std::uint16_t port);
std::string text_of(const jf_endpoint& endpoint);

}  // namespace jackfield::telephony_example
