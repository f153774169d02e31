// Text from a SIP peer: session descriptions, INFO bodies, Reason headers, names; and a leg's
// stored state.

#include "plugins/telephony/sip/address.hpp"
#include "plugins/telephony/sip/causes.hpp"
#include "plugins/telephony/sip/dtmf.hpp"
#include "plugins/telephony/sip/leg_state.hpp"
#include "plugins/telephony/sip/sdp.hpp"
#include "plugins/telephony/sip/text.hpp"

#include <cstdint>
#include <cstdlib>

using namespace jackfield::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)parse_info_dtmf(text);
    (void)parse_reason(text);
    (void)printable(text);
    (void)host_of_uri(text);
    if (const auto state = LegState::parse(text))
        if (const std::string again = state->encode(); !again.empty() && !LegState::parse(again))
            std::abort();
    const auto session = parse_sdp(text);
    if (!session) return 0;
    if (const auto agreement = agree_on_offer(*session)) {
        LocalMedia local;
        local.address = *parse_endpoint("192.0.2.1:4000");
        // What we answer must be a description with as many lines as the offer's.
        const auto answer = parse_sdp(write_answer(local, *session, *agreement));
        if (!answer || answer->media.size() != session->media.size()) std::abort();
    }
    (void)agree_on_answer(*session, {Direction::sendonly});
    return 0;
}
