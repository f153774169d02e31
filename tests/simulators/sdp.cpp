#include "simulators/sdp.hpp"

#include <charconv>
#include <sstream>

namespace jackfield::sim {
namespace {

void parse_attribute(const std::string& line, Sdp& sdp) {
    if (line == "sendrecv" || line == "sendonly" || line == "recvonly" || line == "inactive") sdp.direction = line;
    int payload = -1;
    if (line.starts_with("rtpmap:") && line.find("telephone-event/8000") != std::string::npos) {
        std::from_chars(line.data() + 7, line.data() + line.size(), payload);
        if (payload >= 96 && payload <= 127) sdp.event_payload = payload;
    }
}

bool parse_media(const std::string& line, Sdp& sdp) {
    std::istringstream words(line);
    std::string kind;
    std::string profile;
    int port = 0;
    if (!(words >> kind >> port >> profile) || kind != "audio" || port < 0 || port > 65535) return false;
    sdp.media.port = static_cast<std::uint16_t>(port);
    for (int payload = 0; words >> payload;) {
        if (payload == 0 || payload == 8) sdp.codecs.push_back(static_cast<Codec>(payload));
    }
    return true;
}

}  // namespace

std::string build_sdp(const Sdp& sdp, unsigned version) {
    const std::string host = "127.0.0.1";
    std::string out = "v=0\r\no=- 7000 " + std::to_string(version) + " IN IP4 " + host + "\r\ns=-\r\nc=IN IP4 " + host +
                      "\r\nt=0 0\r\nm=audio " + std::to_string(sdp.media.port) + " RTP/AVP";
    for (Codec codec : sdp.codecs) out += ' ' + std::to_string(static_cast<int>(codec));
    if (sdp.event_payload >= 0) out += ' ' + std::to_string(sdp.event_payload);
    out += "\r\n";
    for (Codec codec : sdp.codecs) {
        out += "a=rtpmap:" + std::to_string(static_cast<int>(codec)) + ' ' + std::string(codec_name(codec)) + "/8000\r\n";
    }
    if (sdp.event_payload >= 0) {
        const std::string payload = std::to_string(sdp.event_payload);
        out += "a=rtpmap:" + payload + " telephone-event/8000\r\na=fmtp:" + payload + " 0-15\r\n";
    }
    return out + "a=ptime:20\r\na=" + sdp.direction + "\r\n";
}

std::optional<Sdp> parse_sdp(std::string_view text) {
    Sdp sdp;
    bool audio = false;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.starts_with("c=IN IP4 ")) {
            const auto address = parse_address(line.substr(9));
            if (!address) return std::nullopt;
            sdp.media.address = *address;
        }
        if (line.starts_with("m=")) audio = parse_media(line.substr(2), sdp) || audio;
        if (line.starts_with("a=")) parse_attribute(line.substr(2), sdp);
    }
    if (!audio || sdp.codecs.empty()) return std::nullopt;
    return sdp;
}

}  // namespace jackfield::sim
