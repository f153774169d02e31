// RTCP from a peer: compounds of 2-byte length and contents, through parser and session, and our
// reports on what came of them.

#include "plugins/telephony/sip/emodel.hpp"
#include "plugins/telephony/sip/rtcp.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

using namespace jackfield::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::uint32_t ours = 0x01020304;
    std::uint64_t now = 0;
    RtcpSession session(1'700'000'000'000'000'000, now, 7);
    RtpReceiver receiver;
    std::span<const std::uint8_t> rest(data, size);
    while (rest.size() >= 2) {
        const std::size_t length =
            std::min<std::size_t>((rest[0] & 0x07u) << 8 | rest[1], rest.size() - 2);
        const unsigned step = rest[0] >> 3;
        now += std::uint64_t{step} * 100'000'000;
        const auto bytes = rest.subspan(2, length);
        rest = rest.subspan(2 + length);
        if (const auto rtp = parse_rtp(bytes); rtp && !is_rtcp(bytes))
            (void)receiver.accept(*rtp, now);
        if (const auto packet = parse_rtcp(bytes, ours)) session.received(*packet, now);
        session.sent(160, static_cast<std::uint32_t>(now), now);
        std::array<std::uint8_t, RtcpSession::most_packet> out;
        const std::size_t written = session.report(out, ours, receiver, (step & 1) != 0, now);
        // What we say must be what we would take.
        if (written > out.size() || !parse_rtcp(std::span(out).first(written), 0)) std::abort();
        const float score =
            mean_opinion_score(session.round_trip_us() / 2000.0, session.loss_there().value_or(0));
        if (!(score >= 1 && score <= 4.5)) std::abort();
    }
    return 0;
}
