#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulators/audio.hpp"
#include "simulators/sockets.hpp"

namespace jackfield::sim {

/// The one audio line of a session description.
struct Sdp {
    Endpoint media;
    std::vector<Codec> codecs;     // in order of preference
    int event_payload = -1;        // telephone-event/8000, -1: not offered
    std::string direction = "sendrecv";
};

std::string build_sdp(const Sdp& sdp, unsigned version);
std::optional<Sdp> parse_sdp(std::string_view text);

}  // namespace jackfield::sim
