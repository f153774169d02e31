#pragma once

#include <poll.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "simulators/audio.hpp"
#include "simulators/rtp.hpp"
#include "simulators/sockets.hpp"

namespace jackfield::sim {

/// A stretch of speech on the wire: from the first to the last voiced sample.
struct Stretch {
    Clock::time_point first;
    Clock::time_point last;
};

/// Something that this side said.
struct Utterance {
    std::string name;
    std::optional<Stretch> voiced;  // absent until its first voiced sample was sent
};

struct MediaCounts {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t lost = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t late = 0;     // more than 40 ms behind the stream's own clock
    std::uint64_t foreign = 0;  // not from the negotiated address
    std::uint64_t gaps = 0;     // more than 60 ms without a packet while the stream's clock shows no pause
    milliseconds longest_gap{0};
    std::uint64_t attack_sent = 0;
    std::uint64_t attack_received = 0;  // what the far end sent to the attacker's port: media was moved
};

/// The RTP side of one call: sends a packet at every tick of an absolute 20 ms clock, records and measures both directions.
/// It has no thread and takes no lock: its owner polls, and calls it from one thread.
class MediaLeg {
  public:
    MediaLeg();

    std::uint16_t port() const { return local_port(socket_); }
    void set_peer(Endpoint peer) { peer_ = peer; }
    Endpoint peer() const { return peer_; }
    void set_codec(Codec codec) { codec_ = codec; }
    Codec codec() const { return codec_; }
    void set_event_payload(int payload) { event_payload_ = payload; }
    void set_sending(bool sending) { sending_ = sending; }
    /// Goes on from another local port, as a phone does that changed its network.
    void move_port();

    void start(Clock::time_point now);
    void stop() { running_ = false; }
    bool running() const { return running_; }

    void say(std::string name, Pcm speech);
    void press(std::string_view keys);
    void fall_silent() { queue_.clear(); }
    /// Speech or keys wait to be sent.
    bool busy() const { return !queue_.empty(); }
    bool pressing() const { return busy() && queue_.front().key != 0; }
    /// The last voiced sample of ours that was sent.
    std::optional<Clock::time_point> last_said() const;
    /// Sends back what comes in.
    void set_echo(bool echo) { echo_ = echo; }
    /// Hands free: the microphone hears what came in, so many dB quieter and that much later, mixed with what is said.
    void set_loudspeaker(double quieter_db, milliseconds delay);
    /// A machine's manners: says the next of `replies` once the other side spoke and was quiet for `quiet`.
    void set_replies(milliseconds quiet, std::vector<Pcm> replies);
    /// Sends loud packets to the far end's media port from a port that belongs to nobody in the call.
    void attack(int packets, bool same_ssrc);
    bool attacking() const { return attack_left_ > 0; }

    void add_to(std::vector<pollfd>& polled) const;
    void receive_all();
    void send_due(Clock::time_point now);
    Clock::time_point next_tick() const { return next_tick_; }

    const MediaCounts& counts() const { return counts_; }
    const std::vector<Utterance>& said() const { return said_; }
    /// The far end's speech, pauses shorter than `pause` closed.
    std::vector<Stretch> heard(milliseconds pause) const;
    const std::vector<Stretch>& heard_raw() const { return heard_; }
    std::optional<Clock::time_point> first_packet() const { return first_packet_; }
    const std::string& keys_heard() const { return keys_heard_; }
    /// Left what was sent, right what was heard; both start when the media did.
    Wav recording() const;

  private:
    struct Item {
        int utterance = -1;
        Pcm samples;
        std::size_t at = 0;
        char key = 0;
        int key_tick = 0;
        std::uint32_t key_timestamp = 0;
    };
    struct Stream {
        std::uint32_t ssrc = 0;
        std::int64_t highest = 0;
        std::set<std::int64_t> recent;
        std::int64_t anchor_sample = 0;
        std::uint32_t anchor_timestamp = 0;
    };

    void send_tick(Clock::time_point tick);
    Pcm next_frame(int& utterance);
    void mix_loudspeaker(Clock::time_point tick, Pcm& frame) const;
    void send_key(Item& item);
    void send_packet(int payload_type, bool marker, std::uint32_t timestamp, std::string_view payload);
    void send_attack();
    void reply_if_due(Clock::time_point now);
    void on_packet(const RtpPacket& packet, Clock::time_point at);
    bool count_sequence(const RtpPacket& packet);
    void on_audio(const RtpPacket& packet, Clock::time_point at);
    void on_key(const RtpPacket& packet);
    std::int64_t sample_at(Clock::time_point at) const;
    void note_heard(Stretch stretch);

    Fd socket_;
    Endpoint peer_;
    Codec codec_ = Codec::pcmu;
    int event_payload_ = -1;
    bool sending_ = true;
    bool running_ = false;
    bool echo_ = false;
    double loudspeaker_gain_ = 0;
    milliseconds loudspeaker_delay_{0};
    Clock::time_point started_;
    Clock::time_point next_tick_;

    std::uint32_t ssrc_ = 0;
    std::uint16_t sequence_ = 0;
    std::uint32_t timestamp_ = 0;
    bool talkspurt_starts_ = true;
    std::deque<Item> queue_;
    std::vector<Utterance> said_;
    Pcm sent_;

    std::optional<Stream> stream_;
    std::optional<Clock::time_point> first_packet_;
    Clock::time_point last_packet_;
    std::uint32_t last_timestamp_ = 0;
    std::vector<Stretch> heard_;
    Pcm heard_samples_;
    std::string keys_heard_;
    std::optional<std::uint32_t> last_key_timestamp_;

    milliseconds reply_quiet_{0};
    std::vector<Pcm> replies_;
    std::size_t next_reply_ = 0;
    Clock::time_point replied_to_;

    Fd attacker_;
    int attack_left_ = 0;
    bool attack_same_ssrc_ = false;
    std::uint32_t attack_ssrc_ = 0;
    std::uint16_t attack_sequence_ = 0;
    std::uint32_t attack_timestamp_ = 0;

    MediaCounts counts_;
    std::string buffer_;
};

}  // namespace jackfield::sim
