#pragma once

#include <optional>
#include <string>
#include <vector>

#include "simulators/media_leg.hpp"

namespace jackfield::sim {

enum class CallState { idle, calling, ringing, answered, ended };
enum class EndedBy { nobody, us, peer, rejected, cancelled, timeout, vanished };

std::string_view to_string(CallState state);
std::string_view to_string(EndedBy by);

/// One utterance of ours and what the agent made of it. Times in milliseconds since media began.
struct Turn {
    std::string name;
    double start_ms = 0;
    double end_ms = 0;
    /// From our last voiced sample to the agent's first one after it, both on the wire.
    std::optional<double> latency_ms;
    /// We talked over the agent: how long it kept speaking after we began.
    std::optional<double> kept_speaking_ms;
};

struct AgentSpeech {
    double start_ms = 0;
    double end_ms = 0;
};

struct CallReport {
    CallState state = CallState::idle;
    EndedBy ended_by = EndedBy::nobody;
    int final_status = 0;
    std::vector<int> statuses;  // every response to the INVITE, in order
    std::optional<double> ringing_after_ms;
    std::optional<double> answered_after_ms;
    /// From the answer to the agent's first packet, and to its first voiced sample.
    std::optional<double> first_packet_ms;
    std::optional<double> first_speech_ms;
    double talked_ms = 0;
    std::string codec;
    std::string keys_heard;
    MediaCounts media;
    std::vector<Turn> turns;
    std::vector<AgentSpeech> agent;

    std::string json() const;
};

/// Fills turns and agent speech from what a leg saw; `pause` is the longest silence inside one reply.
void measure_turns(const MediaLeg& leg, Clock::time_point origin, milliseconds pause, CallReport& report);

}  // namespace jackfield::sim
