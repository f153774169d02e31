#include "sdp.hpp"

#include "address.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace jackfield::sip {
namespace {

constexpr std::size_t most_text = 16 * 1024;
constexpr std::size_t most_media = 16;
constexpr std::size_t most_formats = 64;
constexpr std::size_t most_cryptos = 16;
constexpr int offered_event_type = 101;

template <typename Number>
std::optional<Number> number(std::string_view text) {
    Number value{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Takes the word up to the next blank off the front of `text`.
std::string_view word(std::string_view& text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view out = text.substr(0, end);
    text.remove_prefix(end);
    return out;
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
        return static_cast<char>(std::toupper(c));
    });
    return out;
}

struct Connection {
    jf_endpoint address{};
    bool zero = false;
};

/// "IN IP4 192.0.2.1", perhaps with "/ttl" behind it.
Connection parse_connection(std::string_view text) {
    if (word(text) != "IN") return {};
    const std::string_view family = word(text);
    std::string_view host = word(text);
    host = host.substr(0, host.find('/'));
    const std::optional<jf_endpoint> address = parse_address(host);
    if (!address || (address->family == JF_NET_IPV6) != (family == "IP6")) return {};
    return {*address, is_any(*address)};
}

std::optional<SdpMedia> parse_media_line(std::string_view text) {
    SdpMedia media;
    media.kind = word(text);
    std::string_view port = word(text);
    port = port.substr(0, port.find('/'));
    const std::optional<std::uint16_t> parsed = number<std::uint16_t>(port);
    media.proto = word(text);
    if (media.kind.empty() || !parsed || media.proto.empty()) return std::nullopt;
    media.port = *parsed;
    for (std::string_view format = word(text); !format.empty(); format = word(text)) {
        if (media.formats.size() == most_formats) return std::nullopt;
        media.formats.emplace_back(format);
    }
    return media;
}

/// "101 telephone-event/8000"
void parse_rtpmap(std::string_view text, SdpMedia& media) {
    const std::optional<std::uint8_t> payload_type = number<std::uint8_t>(word(text));
    const std::string_view encoding = word(text);
    const std::size_t slash = encoding.find('/');
    if (!payload_type || *payload_type > 127 || slash == std::string_view::npos) return;
    std::string_view clock = encoding.substr(slash + 1);
    const std::size_t channels = clock.find('/');
    if (channels != std::string_view::npos && clock.substr(channels + 1) != "1") return;
    const std::optional<std::uint32_t> clock_hz = number<std::uint32_t>(clock.substr(0, channels));
    if (!clock_hz || media.maps.size() == most_formats) return;
    media.maps.push_back({*payload_type, upper(encoding.substr(0, slash)), *clock_hz});
}

std::optional<Direction> parse_direction(std::string_view attribute) {
    if (attribute == "sendrecv") return Direction::sendrecv;
    if (attribute == "sendonly") return Direction::sendonly;
    if (attribute == "recvonly") return Direction::recvonly;
    if (attribute == "inactive") return Direction::inactive;
    return std::nullopt;
}

const char* direction_name(Direction direction) {
    switch (direction) {
        case Direction::inactive:
            return "inactive";
        case Direction::recvonly:
            return "recvonly";
        case Direction::sendonly:
            return "sendonly";
        case Direction::sendrecv:
            break;
    }
    return "sendrecv";
}

struct CodecName {
    std::uint16_t codec;
    std::uint8_t payload_type;  // RFC 3551's static number, which needs no rtpmap
    std::string_view name;
};
// G.722's clock says 8000 although it samples at 16000 (RFC 3551 4.5.2).
constexpr CodecName codec_names[] = {
    {JF_CODEC_PCMU, 0, "PCMU"}, {JF_CODEC_PCMA, 8, "PCMA"}, {JF_CODEC_G722, 9, "G722"}};

const CodecName& name_of(std::uint16_t codec) {
    for (const CodecName& one : codec_names)
        if (one.codec == codec) return one;
    return codec_names[0];
}

/// The codec of one format of an m= line, 0 for what we don't speak.
std::uint16_t codec_of(const SdpMedia& media, std::uint8_t payload_type) {
    for (const SdpMedia::Map& map : media.maps) {
        if (map.payload_type != payload_type) continue;
        if (map.clock_hz != 8000) return 0;
        for (const CodecName& one : codec_names)
            if (one.name == map.name) return one.codec;
        return 0;
    }
    for (const CodecName& one : codec_names)
        if (one.payload_type == payload_type) return one.codec;
    return 0;
}

bool is_events(const SdpMedia& media, std::uint8_t payload_type) {
    return std::any_of(media.maps.begin(), media.maps.end(), [&](const SdpMedia::Map& map) {
        return map.payload_type == payload_type && map.name == "TELEPHONE-EVENT" &&
               map.clock_hz == 8000;
    });
}

bool is_rtp(std::string_view proto) {
    return proto == "RTP/AVP" || proto == "RTP/SAVP" || proto == "RTP/AVPF" || proto == "RTP/SAVPF";
}

/// The packet time to send with: what the far end asks for, as far as whole tens of milliseconds
/// and its own maximum go.
std::uint32_t ptime_of(const SdpMedia& media) {
    std::uint32_t out = media.ptime_ms >= 10 ? media.ptime_ms : 20;
    if (media.maxptime_ms >= 10) out = std::min(out, media.maxptime_ms);
    return std::clamp(out / 10 * 10, 10u, 60u);
}

/// `codecs` is our order, best first.
std::optional<Agreement> agree_on_line(const SdpMedia& media,
                                       const std::vector<std::uint16_t>& codecs) {
    if (media.kind != "audio" || !is_rtp(media.proto) || media.port == 0) return std::nullopt;
    if (media.connection.family == 0) return std::nullopt;
    Agreement out;
    std::size_t best = codecs.size();
    for (const std::string& format : media.formats) {
        const std::optional<std::uint8_t> payload_type = number<std::uint8_t>(format);
        if (!payload_type || *payload_type > 127) continue;
        const std::uint16_t codec = codec_of(media, *payload_type);
        const auto rank = static_cast<std::size_t>(std::find(codecs.begin(), codecs.end(), codec) -
                                                   codecs.begin());
        if (rank < best) {
            best = rank;
            out.codec = codec;
            out.payload_type = *payload_type;
        }
        if (out.event_payload_type < 0 && is_events(media, *payload_type))
            out.event_payload_type = *payload_type;
    }
    if (out.codec == 0) return std::nullopt;
    out.remote = media.connection;
    out.remote.port = media.port;
    out.ptime_ms = ptime_of(media);
    out.rtcp_mux = media.rtcp_mux;
    out.rtcp_remote = media.rtcp.family ? media.rtcp : media.connection;
    out.rtcp_remote.port =
        media.rtcp.port ? media.rtcp.port : static_cast<std::uint16_t>(media.port + 1);
    if (out.rtcp_mux) out.rtcp_remote = out.remote;
    const auto bits =
        static_cast<unsigned>(media.held_by_address ? Direction::inactive : media.direction);
    out.far_end_sends = (bits & static_cast<unsigned>(Direction::sendonly)) != 0;
    out.we_send = (bits & static_cast<unsigned>(Direction::recvonly)) != 0;
    return out;
}

/// "53020" or "53020 IN IP4 192.0.2.1" (RFC 3605).
void parse_rtcp_attribute(std::string_view text, SdpMedia& media) {
    const std::optional<std::uint16_t> port = number<std::uint16_t>(word(text));
    if (!port) return;
    media.rtcp = text.empty() ? jf_endpoint{} : parse_connection(text).address;
    media.rtcp.port = *port;
}

void write_head(std::string& out, const LocalMedia& local) {
    const std::string address = address_text(local.address);
    const char* family = local.address.family == JF_NET_IPV6 ? "IP6" : "IP4";
    out += "v=0\r\no=- " + std::to_string(local.session_id) + " " + std::to_string(local.version) +
           " IN " + family + " " + address + "\r\ns=-\r\nc=IN " + family + " " + address +
           "\r\nt=0 0\r\n";
}

void write_map(std::string& out, int payload_type, std::string_view name) {
    out += "a=rtpmap:" + std::to_string(payload_type) + " " + std::string(name) + "/8000\r\n";
}

void write_events(std::string& out, int payload_type) {
    write_map(out, payload_type, "telephone-event");
    out += "a=fmtp:" + std::to_string(payload_type) + " 0-15\r\n";
}

/// Only where it isn't what everybody assumes, the port above RTP's.
void write_rtcp(std::string& out, const LocalMedia& local) {
    if (local.rtcp_port != 0 && local.rtcp_port != local.address.port + 1)
        out += "a=rtcp:" + std::to_string(local.rtcp_port) + "\r\n";
}

}  // namespace

std::optional<SdpSession> parse_sdp(std::string_view text) {
    if (text.size() > most_text) return std::nullopt;
    SdpSession session;
    Connection session_connection;
    Direction session_direction = Direction::sendrecv;
    bool versioned = false;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.empty()) continue;
        if (line.size() < 2 || line[1] != '=') return std::nullopt;
        const std::string_view value = line.substr(2);
        SdpMedia* media = session.media.empty() ? nullptr : &session.media.back();
        switch (line[0]) {
            case 'v':
                versioned = value == "0";
                break;
            case 'm': {
                std::optional<SdpMedia> parsed = parse_media_line(value);
                if (!parsed || session.media.size() == most_media) return std::nullopt;
                parsed->connection = session_connection.address;
                parsed->held_by_address = session_connection.zero;
                parsed->direction = session_direction;
                session.media.push_back(std::move(*parsed));
                break;
            }
            case 'c': {
                const Connection connection = parse_connection(value);
                if (media) {
                    media->connection = connection.address;
                    media->held_by_address = connection.zero;
                } else {
                    session_connection = connection;
                }
                break;
            }
            case 'a': {
                if (const std::optional<Direction> direction = parse_direction(value))
                    (media ? media->direction : session_direction) = *direction;
                else if (media && value.starts_with("rtpmap:"))
                    parse_rtpmap(value.substr(7), *media);
                else if (media && value.starts_with("ptime:"))
                    media->ptime_ms = number<std::uint32_t>(value.substr(6)).value_or(0);
                else if (media && value.starts_with("maxptime:"))
                    media->maxptime_ms = number<std::uint32_t>(value.substr(9)).value_or(0);
                else if (media && value == "rtcp-mux")
                    media->rtcp_mux = true;
                else if (media && value.starts_with("rtcp:"))
                    parse_rtcp_attribute(value.substr(5), *media);
                else if (media && value.starts_with("crypto:") &&
                         media->cryptos.size() < most_cryptos) {
                    if (auto crypto = parse_crypto(value.substr(7)))
                        media->cryptos.push_back(std::move(*crypto));
                }
                break;
            }
            default:
                break;
        }
    }
    if (!versioned) return std::nullopt;
    return session;
}

bool SdpMedia::secure() const {
    return proto.starts_with("RTP/SAVP");
}

std::optional<Agreement> agree_on_offer(const SdpSession& offer, const MediaPolicy& policy) {
    // Of two lines for the same audio, the protected one; keys in a plain line (RTP/AVP) are for
    // nobody.
    for (const bool secure : {true, false}) {
        if (secure && (policy.srtp == SrtpMode::off || !policy.keys_are_safe)) continue;
        if (!secure && policy.srtp == SrtpMode::required) continue;
        for (std::size_t i = 0; i < offer.media.size(); ++i) {
            const SdpMedia& media = offer.media[i];
            if (media.secure() != secure || (secure && media.cryptos.empty())) continue;
            std::optional<Agreement> agreement = agree_on_line(media, policy.codecs);
            if (!agreement) continue;
            agreement->line = i;
            if (secure) {
                const CryptoLine& taken = media.cryptos.front();
                agreement->srtp = SrtpKeys{taken.suite, taken.tag, {}, taken.key};
            }
            return agreement;
        }
    }
    return std::nullopt;
}

std::optional<Agreement> agree_on_answer(const SdpSession& answer, const Offered& offered) {
    // The answer's lines stand in the offer's order, and ours has one.
    if (answer.media.empty()) return std::nullopt;
    const SdpMedia& media = answer.media.front();
    std::optional<Agreement> agreement = agree_on_line(media, offered.codecs);
    if (!agreement || media.secure() != offered.keys.has_value()) return std::nullopt;
    if (offered.keys) {
        // One line, with the tag and the suite of one of ours (RFC 4568 5.1.3): tag 1 is our first
        // suite.
        if (media.cryptos.size() != 1) return std::nullopt;
        const CryptoLine& taken = media.cryptos.front();
        const auto suite = static_cast<std::size_t>(taken.suite);
        if (taken.tag != suite + 1) return std::nullopt;
        agreement->srtp = SrtpKeys{taken.suite, taken.tag, (*offered.keys)[suite], taken.key};
    }
    const auto bits = static_cast<unsigned>(offered.direction);
    agreement->we_send =
        agreement->we_send && (bits & static_cast<unsigned>(Direction::sendonly)) != 0;
    agreement->far_end_sends =
        agreement->far_end_sends && (bits & static_cast<unsigned>(Direction::recvonly)) != 0;
    return agreement;
}

std::string write_offer(const LocalMedia& local, const Offered& offered) {
    std::string out;
    write_head(out, local);
    out += "m=audio " + std::to_string(local.address.port) +
           (offered.keys ? " RTP/SAVP " : " RTP/AVP ");
    for (const std::uint16_t codec : offered.codecs)
        out += std::to_string(name_of(codec).payload_type) + " ";
    out += std::to_string(offered_event_type) + "\r\n";
    for (const std::uint16_t codec : offered.codecs)
        write_map(out, name_of(codec).payload_type, name_of(codec).name);
    write_events(out, offered_event_type);
    if (offered.keys)
        for (std::size_t i = 0; i < srtp_suites; ++i)
            out += write_crypto(
                {static_cast<std::uint32_t>(i + 1), static_cast<SrtpSuite>(i), (*offered.keys)[i]});
    write_rtcp(out, local);
    out +=
        "a=rtcp-mux\r\na=ptime:20\r\na=" + std::string(direction_name(offered.direction)) + "\r\n";
    return out;
}

std::string write_answer(const LocalMedia& local,
                         const SdpSession& offer,
                         const Agreement& agreement) {
    std::string out;
    write_head(out, local);
    for (std::size_t i = 0; i < offer.media.size(); ++i) {
        const SdpMedia& media = offer.media[i];
        if (i != agreement.line) {
            // A refused line repeats one of its formats: the grammar asks for at least one.
            out += "m=" + media.kind + " 0 " + media.proto + " " +
                   (media.formats.empty() ? "0" : media.formats.front()) + "\r\n";
            continue;
        }
        out += "m=audio " + std::to_string(local.address.port) + " " + media.proto + " " +
               std::to_string(agreement.payload_type);
        if (agreement.event_payload_type >= 0)
            out += " " + std::to_string(agreement.event_payload_type);
        out += "\r\n";
        write_map(out, agreement.payload_type, name_of(agreement.codec).name);
        if (agreement.event_payload_type >= 0) write_events(out, agreement.event_payload_type);
        if (const auto& keys = agreement.srtp)
            out += write_crypto({keys->tag, keys->suite, keys->ours});
        if (agreement.rtcp_mux)
            out += "a=rtcp-mux\r\n";
        else
            write_rtcp(out, local);
        const unsigned bits = (agreement.we_send ? 2u : 0u) | (agreement.far_end_sends ? 1u : 0u);
        out +=
            "a=ptime:20\r\na=" + std::string(direction_name(static_cast<Direction>(bits))) + "\r\n";
    }
    return out;
}

}  // namespace jackfield::sip
