#pragma once

// Session descriptions (RFC 8866) and the offer/answer exchange (RFC 3264), as far as one audio
// stream of G.711 or G.722 with telephone events goes, in the clear or as SRTP. Pure: text in,
// values out.

#include "sdes.hpp"

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
    std::uint32_t maxptime_ms = 0;
    bool rtcp_mux = false;  // RFC 5761
    jf_endpoint rtcp{};     // RFC 3605; port 0: not said, family 0: the address of the media
    std::vector<CryptoLine> cryptos;  // those that we can do, in the far end's order

    bool secure() const;
};

struct SdpSession {
    std::vector<SdpMedia> media;
};

/// Nothing when it isn't a session description, or one beyond all measure.
std::optional<SdpSession> parse_sdp(std::string_view text);

enum class SrtpMode : std::uint8_t { off, optional, required };

/// What of an offer we take, and what we offer.
struct MediaPolicy {
    std::vector<std::uint16_t> codecs{JF_CODEC_PCMU, JF_CODEC_PCMA, JF_CODEC_G722};  // best first
    SrtpMode srtp = SrtpMode::off;
    bool keys_are_safe = false;  // the signalling is encrypted, or who runs this doesn't mind
};

/// What both sides agreed on.
struct Agreement {
    std::uint16_t codec = 0;  // JF_CODEC_*
    std::uint8_t payload_type = 0;
    int event_payload_type = -1;  // telephone-event, -1 none
    std::uint32_t ptime_ms = 20;  // of what we send
    jf_endpoint remote{};
    bool rtcp_mux = false;
    jf_endpoint rtcp_remote{};
    std::optional<SrtpKeys> srtp;
    bool far_end_sends = true;
    bool we_send = true;
    std::size_t line = 0;  // which m= line it is

    bool held() const { return !we_send; }
};

/// Our answer's content to an offer: the far end's payload numbers, our best codec. Nothing: no
/// common codec, or none with the protection that the policy wants (SIP 488). Of SRTP's keys,
/// `ours` is still to be filled in.
std::optional<Agreement> agree_on_offer(const SdpSession& offer, const MediaPolicy& policy = {});

/// The keys that we send under, one for each suite: one session's, for as long as it lasts.
using OwnKeys = std::array<MasterKey, srtp_suites>;

/// What we offer, or offered.
struct Offered {
    Direction direction = Direction::sendrecv;
    std::vector<std::uint16_t> codecs{JF_CODEC_PCMU, JF_CODEC_PCMA, JF_CODEC_G722};
    std::optional<OwnKeys> keys = std::nullopt;  // SRTP
};

/// What the answer to an offer of ours settled.
std::optional<Agreement> agree_on_answer(const SdpSession& answer, const Offered& offered);

/// Our side of the description.
struct LocalMedia {
    jf_endpoint address{};        // where we receive
    std::uint16_t rtcp_port = 0;  // 0: RTCP only where RTP goes
    std::uint64_t session_id = 1;
    std::uint32_t version = 1;  // grows with each description that differs
};

std::string write_offer(const LocalMedia& local, const Offered& offered);
std::string write_answer(const LocalMedia& local,
                         const SdpSession& offer,
                         const Agreement& agreement);

}  // namespace jackfield::sip
