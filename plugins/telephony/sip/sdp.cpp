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

/// The codec of one format of an m= line, 0 for what we don't speak.
std::uint16_t codec_of(const SdpMedia& media, std::uint8_t payload_type) {
    for (const SdpMedia::Map& map : media.maps) {
        if (map.payload_type != payload_type) continue;
        if (map.clock_hz != 8000) return 0;
        return map.name == "PCMU" ? JF_CODEC_PCMU : map.name == "PCMA" ? JF_CODEC_PCMA : 0;
    }
    // RFC 3551's static numbers need no rtpmap.
    return payload_type == 0 ? JF_CODEC_PCMU : payload_type == 8 ? JF_CODEC_PCMA : 0;
}

bool is_events(const SdpMedia& media, std::uint8_t payload_type) {
    return std::any_of(media.maps.begin(), media.maps.end(), [&](const SdpMedia::Map& map) {
        return map.payload_type == payload_type && map.name == "TELEPHONE-EVENT" &&
               map.clock_hz == 8000;
    });
}

std::optional<Agreement> agree_on_line(const SdpMedia& media) {
    if (media.kind != "audio" || media.proto != "RTP/AVP" || media.port == 0) return std::nullopt;
    if (media.connection.family == 0) return std::nullopt;
    Agreement out;
    for (const std::string& format : media.formats) {
        const std::optional<std::uint8_t> payload_type = number<std::uint8_t>(format);
        if (!payload_type || *payload_type > 127) continue;
        const std::uint16_t codec = codec_of(media, *payload_type);
        if (codec && (out.codec == 0 || (codec == JF_CODEC_PCMU && out.codec != JF_CODEC_PCMU))) {
            out.codec = codec;
            out.payload_type = *payload_type;
        }
        if (out.event_payload_type < 0 && is_events(media, *payload_type))
            out.event_payload_type = *payload_type;
    }
    if (out.codec == 0) return std::nullopt;
    out.remote = media.connection;
    out.remote.port = media.port;
    if (media.ptime_ms >= 10 && media.ptime_ms <= 60) out.ptime_ms = media.ptime_ms;
    const auto bits =
        static_cast<unsigned>(media.held_by_address ? Direction::inactive : media.direction);
    out.far_end_sends = (bits & static_cast<unsigned>(Direction::sendonly)) != 0;
    out.we_send = (bits & static_cast<unsigned>(Direction::recvonly)) != 0;
    return out;
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
                break;
            }
            default:
                break;
        }
    }
    if (!versioned) return std::nullopt;
    return session;
}

std::optional<Agreement> agree_on_offer(const SdpSession& offer) {
    for (std::size_t i = 0; i < offer.media.size(); ++i) {
        std::optional<Agreement> agreement = agree_on_line(offer.media[i]);
        if (!agreement) continue;
        agreement->line = i;
        return agreement;
    }
    return std::nullopt;
}

std::optional<Agreement> agree_on_answer(const SdpSession& answer, Direction ours) {
    // The answer's lines stand in the offer's order, and ours has one.
    if (answer.media.empty()) return std::nullopt;
    std::optional<Agreement> agreement = agree_on_line(answer.media.front());
    if (!agreement) return std::nullopt;
    const auto bits = static_cast<unsigned>(ours);
    agreement->we_send =
        agreement->we_send && (bits & static_cast<unsigned>(Direction::sendonly)) != 0;
    agreement->far_end_sends =
        agreement->far_end_sends && (bits & static_cast<unsigned>(Direction::recvonly)) != 0;
    return agreement;
}

std::string write_offer(const LocalMedia& local,
                        Direction direction,
                        std::uint16_t preferred_codec) {
    const bool law_a_first = preferred_codec == JF_CODEC_PCMA;
    std::string out;
    write_head(out, local);
    out += "m=audio " + std::to_string(local.address.port) + " RTP/AVP " +
           (law_a_first ? "8 0 " : "0 8 ") + std::to_string(offered_event_type) + "\r\n";
    write_map(out, 0, "PCMU");
    write_map(out, 8, "PCMA");
    write_events(out, offered_event_type);
    out += "a=ptime:20\r\na=" + std::string(direction_name(direction)) + "\r\n";
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
        out += "m=audio " + std::to_string(local.address.port) + " RTP/AVP " +
               std::to_string(agreement.payload_type);
        if (agreement.event_payload_type >= 0)
            out += " " + std::to_string(agreement.event_payload_type);
        out += "\r\n";
        write_map(out, agreement.payload_type, agreement.codec == JF_CODEC_PCMU ? "PCMU" : "PCMA");
        if (agreement.event_payload_type >= 0) write_events(out, agreement.event_payload_type);
        const unsigned bits = (agreement.we_send ? 2u : 0u) | (agreement.far_end_sends ? 1u : 0u);
        out +=
            "a=ptime:20\r\na=" + std::string(direction_name(static_cast<Direction>(bits))) + "\r\n";
    }
    return out;
}

}  // namespace jackfield::sip
