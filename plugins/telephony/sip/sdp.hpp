#pragma once

// Session descriptions (RFC 8866) and the offer/answer exchange (RFC 3264), as far as one audio
// stream of G.711 with telephone events goes. Pure: text in, values out.

#include <jackfield/host.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::sip {

enum class Direction : std::uint8_t { inactive = 0, recvonly = 1, sendonly = 2, sendrecv = 3 };

/// One m= line of the far end's.
struct SdpMedia {
    std::string kind;   // "audio"
    std::string proto;  // "RTP/AVP"
    std::uint16_t port = 0;
    std::vector<std::string> formats;
    struct Map {
        std::uint8_t payload_type;
        std::string name;  // upper case
        std::uint32_t clock_hz;
    };
    std::vector<Map> maps;
    jf_endpoint connection{};      // family 0: none that we can reach
    bool held_by_address = false;  // c=0.0.0.0, the old way to hold
    Direction direction = Direction::sendrecv;
    std::uint32_t ptime_ms = 0;
};

struct SdpSession {
    std::vector<SdpMedia> media;
};

/// Nothing when it isn't a session description, or one beyond all measure.
std::optional<SdpSession> parse_sdp(std::string_view text);

/// What both sides agreed on.
struct Agreement {
    std::uint16_t codec = 0;  // JF_CODEC_*
    std::uint8_t payload_type = 0;
    int event_payload_type = -1;  // telephone-event, -1 none
    std::uint32_t ptime_ms = 20;
    jf_endpoint remote{};
    bool far_end_sends = true;
    bool we_send = true;
    std::size_t line = 0;  // which m= line it is

    bool held() const { return !we_send; }
};

/// Our answer's content to an offer: PCMU before PCMA, the far end's payload numbers. Nothing: no
/// common codec (SIP 488).
std::optional<Agreement> agree_on_offer(const SdpSession& offer);
/// What the answer to an offer of ours settled; `ours` is the direction that we offered.
std::optional<Agreement> agree_on_answer(const SdpSession& answer, Direction ours);

/// Our side of the description.
struct LocalMedia {
    jf_endpoint address{};  // where we receive
    std::uint64_t session_id = 1;
    std::uint32_t version = 1;  // grows with each description that differs
};

std::string write_offer(const LocalMedia& local,
                        Direction direction,
                        std::uint16_t preferred_codec = 0);
std::string write_answer(const LocalMedia& local,
                         const SdpSession& offer,
                         const Agreement& agreement);

}  // namespace jackfield::sip
