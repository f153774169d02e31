// What an SRTP socket gets: datagrams of 2-byte length and contents. One bit of the length says
// that it is RTCP, another that the packet is first protected with the right key, so that the way
// behind the authentication is reached as well.

#include "plugins/telephony/sip/srtp.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

using namespace jackfield::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::array<std::uint8_t, MasterKey::size> key{};
    key[0] = 1;
    SrtpKeys keys{static_cast<SrtpSuite>(data[0] & 1), 1, MasterKey(key), MasterKey(key)};
    Srtp ours;
    Srtp theirs;
    if (!ours.set(keys, 0) || !theirs.set(keys, 0)) std::abort();
    std::uint64_t now = 0;
    std::span<const std::uint8_t> rest(data + 1, size - 1);
    while (rest.size() >= 2) {
        std::size_t length =
            std::min<std::size_t>((rest[0] & 0x07u) << 8 | rest[1], rest.size() - 2);
        const unsigned flags = rest[0] >> 3;
        alignas(4) std::uint8_t packet[2048 + Srtp::most_trailer];
        std::memcpy(packet, &rest[2], length);
        rest = rest.subspan(2 + length);
        now += 20'000'000;
        const bool rtcp = (flags & 1) != 0;
        if ((flags & 4) != 0) {
            key[1] = static_cast<std::uint8_t>(flags);
            keys.theirs = MasterKey(key);
            if (!ours.set(keys, now)) std::abort();
        }
        bool sealed = false;
        if ((flags & 2) != 0)
            sealed = rtcp ? theirs.seal_rtcp(packet, length) : theirs.seal_rtp(packet, length);
        if (length > sizeof packet) std::abort();
        const std::size_t before = length;
        const Srtp::Verdict verdict =
            rtcp ? ours.open_rtcp(packet, length, now) : ours.open_rtp(packet, length, now);
        // Nobody but the holder of the key gets through, and what got through is shorter.
        if (verdict == Srtp::Verdict::fresh && (!sealed || length >= before)) std::abort();
    }
    return 0;
}
