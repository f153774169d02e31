// A media socket's bytes: datagrams of 2-byte length and contents, through parser, latch, timeline
// and keys.

#include "plugins/telephony/sip/address.hpp"
#include "plugins/telephony/sip/dtmf.hpp"
#include "plugins/telephony/sip/rtp.hpp"

#include <cstdint>
#include <cstdlib>
#include <span>

using namespace jackfield::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const jf_endpoint signalled = *parse_endpoint("192.0.2.1:4000");
    jf_endpoint from = signalled;
    SourceLatch latch;
    RtpReceiver receiver;
    DtmfReceiver keys;
    latch.signalled(signalled, 0);
    std::uint64_t now = 0;
    std::span<const std::uint8_t> rest(data, size);
    while (rest.size() >= 2) {
        const std::size_t length =
            std::min<std::size_t>((rest[0] & 0x07u) << 8 | rest[1], rest.size() - 2);
        from.port = static_cast<std::uint16_t>(4000 + (rest[0] >> 6));
        now += std::uint64_t{rest[0]} * 1'000'000;
        const auto packet = parse_rtp(rest.subspan(2, length));
        rest = rest.subspan(2 + length);
        if (!packet) continue;
        if (packet->payload.size() > length) std::abort();
        if (!latch.accept(from, packet->ssrc, packet->sequence, now)) continue;
        if (packet->payload_type == 101)
            (void)keys.event(packet->payload, packet->ssrc, packet->timestamp, packet->marker, now);
        else
            (void)receiver.accept(*packet, now);
        (void)keys.quiet(now);
        const RtpStatistics statistics = receiver.statistics();
        if (statistics.lost > statistics.received * 65536) std::abort();
    }
    return 0;
}
