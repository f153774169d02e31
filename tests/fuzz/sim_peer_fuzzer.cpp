#include <cstddef>
#include <cstdint>

#include "simulators/rtp.hpp"
#include "simulators/sdp.hpp"
#include "simulators/sip_message.hpp"

// The simulators read what the host sends; a simulator that falls over hides what the host did wrong.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield::sim;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (const auto message = parse_sip(bytes)) {
        parse_sip_uri(address_uri(message->get("Contact")));
        header_parameter(message->get("To"), "tag");
        parse_sip(message->wire());
    }
    SipFramer framer;
    framer.feed(bytes.substr(0, size / 2));
    framer.feed(bytes.substr(size / 2));
    parse_sdp(bytes);
    if (const auto packet = parse_rtp(bytes)) parse_dtmf(packet->payload);
    return 0;
}
