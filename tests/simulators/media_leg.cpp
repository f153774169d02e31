#include "simulators/media_leg.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace jackfield::sim {
namespace {

constexpr auto frame_time = milliseconds(20);
constexpr auto late_after = milliseconds(40);
constexpr auto gap_after = milliseconds(60);
constexpr int key_ticks = 5;      // 100 ms of tone
constexpr int key_gap_ticks = 5;  // and 100 ms until the next
constexpr std::int64_t moved_timeline_samples = 200 * rate_hz / 1000;

std::uint32_t random_number() {
    static thread_local std::mt19937 engine{std::random_device{}()};
    return engine();
}

std::chrono::nanoseconds samples_time(std::int64_t samples) {
    return std::chrono::nanoseconds(samples * 1'000'000'000 / rate_hz);
}

}  // namespace

MediaLeg::MediaLeg()
    : socket_(open_udp()),
      ssrc_(random_number()),
      sequence_(static_cast<std::uint16_t>(random_number())),
      timestamp_(random_number()) {}

void MediaLeg::move_port() { socket_ = open_udp(); }

void MediaLeg::start(Clock::time_point now) {
    if (running_) return;
    running_ = true;
    started_ = now;
    next_tick_ = now;
}

void MediaLeg::say(std::string name, Pcm speech) {
    said_.push_back({std::move(name), std::nullopt});
    Item item;
    item.utterance = static_cast<int>(said_.size()) - 1;
    item.samples = std::move(speech);
    queue_.push_back(std::move(item));
}

void MediaLeg::press(std::string_view keys) {
    for (char key : keys) {
        if (dtmf_code(key) < 0) continue;
        Item item;
        item.key = key;
        queue_.push_back(std::move(item));
    }
}

void MediaLeg::set_replies(milliseconds quiet, std::vector<Pcm> replies) {
    reply_quiet_ = quiet;
    replies_ = std::move(replies);
}

void MediaLeg::set_loudspeaker(double quieter_db, milliseconds delay) {
    loudspeaker_gain_ = std::pow(10.0, -quieter_db / 20.0);
    loudspeaker_delay_ = delay;
}

void MediaLeg::attack(int packets, bool same_ssrc) {
    attacker_ = open_udp();
    attack_left_ = packets;
    attack_same_ssrc_ = same_ssrc;
    attack_ssrc_ = random_number();
    attack_sequence_ = static_cast<std::uint16_t>(random_number());
    attack_timestamp_ = random_number();
}

std::optional<Clock::time_point> MediaLeg::last_said() const {
    for (auto utterance = said_.rbegin(); utterance != said_.rend(); ++utterance) {
        if (utterance->voiced) return utterance->voiced->last;
    }
    return std::nullopt;
}

void MediaLeg::add_to(std::vector<pollfd>& polled) const {
    polled.push_back({socket_.get(), POLLIN, 0});
    if (attacker_.open()) polled.push_back({attacker_.get(), POLLIN, 0});
}

void MediaLeg::receive_all() {
    while (attacker_.open() && receive(attacker_, buffer_)) ++counts_.attack_received;
    while (const auto datagram = receive(socket_, buffer_)) {
        if (!running_) continue;
        const auto packet = parse_rtp(datagram->bytes);
        if (!packet) continue;
        if (datagram->from != peer_) {
            ++counts_.foreign;
        } else {
            on_packet(*packet, datagram->at);
        }
    }
}

void MediaLeg::send_due(Clock::time_point now) {
    if (!running_) return;
    reply_if_due(now);
    // Absolute: a tick that came late is followed by the next one on time, and none is skipped.
    for (; next_tick_ <= now; next_tick_ += frame_time) send_tick(next_tick_);
}

void MediaLeg::send_tick(Clock::time_point tick) {
    timestamp_ += frame_samples;
    if (attack_left_ > 0) send_attack();
    if (!queue_.empty() && queue_.front().key != 0) {
        sent_.resize(sent_.size() + frame_samples);
        send_key(queue_.front());
        return;
    }
    int utterance = -1;
    Pcm frame = next_frame(utterance);
    // What this side says is measured without what its microphone hears besides.
    const VoicedSpan span = find_voiced(frame);
    if (loudspeaker_gain_ > 0) mix_loudspeaker(tick, frame);
    sent_.insert(sent_.end(), frame.begin(), frame.end());
    if (!sending_) return;
    send_packet(static_cast<int>(codec_), talkspurt_starts_, timestamp_, encode(codec_, frame));
    talkspurt_starts_ = false;
    if (utterance < 0 || !span.voiced) return;
    // What counts for the far end is when the packet really left, not when its tick was due.
    const auto left = std::max(Clock::now(), tick);
    auto& voiced = said_[static_cast<std::size_t>(utterance)].voiced;
    if (!voiced) voiced = Stretch{left + samples_time(span.first), {}};
    voiced->last = left + samples_time(span.last);
}

Pcm MediaLeg::next_frame(int& utterance) {
    Pcm frame(frame_samples, 0);
    std::size_t filled = 0;
    while (filled < frame.size() && !queue_.empty() && queue_.front().key == 0) {
        Item& item = queue_.front();
        const std::size_t count = std::min(frame.size() - filled, item.samples.size() - item.at);
        std::copy_n(item.samples.begin() + static_cast<std::ptrdiff_t>(item.at),
                    count,
                    frame.begin() + static_cast<std::ptrdiff_t>(filled));
        if (item.utterance >= 0) utterance = item.utterance;
        filled += count;
        item.at += count;
        if (item.at == item.samples.size()) queue_.pop_front();
    }
    return frame;
}

void MediaLeg::mix_loudspeaker(Clock::time_point tick, Pcm& frame) const {
    const std::int64_t from = sample_at(tick) - loudspeaker_delay_.count() * rate_hz / 1000 - frame_samples;
    for (std::size_t i = 0; i < frame.size(); ++i) {
        const std::int64_t at = from + static_cast<std::int64_t>(i);
        if (at < 0 || at >= static_cast<std::int64_t>(heard_samples_.size())) continue;
        const double echo = loudspeaker_gain_ * heard_samples_[static_cast<std::size_t>(at)];
        frame[i] = static_cast<std::int16_t>(std::clamp(frame[i] + std::lround(echo), -32768L, 32767L));
    }
}

void MediaLeg::send_key(Item& item) {
    const int tick = item.key_tick++;
    if (tick >= key_ticks + key_gap_ticks) {
        queue_.pop_front();
        return;
    }
    if (tick >= key_ticks || event_payload_ < 0) return;
    if (tick == 0) item.key_timestamp = timestamp_;
    const bool end = tick == key_ticks - 1;
    const DtmfEvent event{dtmf_code(item.key), end, static_cast<std::uint16_t>((tick + 1) * frame_samples)};
    // RFC 4733 2.5.1.4: the last state goes out three times, because there is nothing after it that would repair its loss.
    for (int copy = 0; copy < (end ? 3 : 1); ++copy) {
        send_packet(event_payload_, tick == 0, item.key_timestamp, build_dtmf(event));
    }
    talkspurt_starts_ = true;
}

void MediaLeg::send_packet(int payload_type, bool marker, std::uint32_t timestamp, std::string_view payload) {
    const std::string packet = build_rtp({payload_type, marker, sequence_++, timestamp, ssrc_, payload});
    if (send_to(socket_, peer_, packet)) ++counts_.sent;
}

void MediaLeg::send_attack() {
    --attack_left_;
    static const Pcm loud = tone(1000, 20, 24000);
    RtpPacket packet;
    packet.payload_type = static_cast<int>(codec_);
    packet.sequence = attack_same_ssrc_ ? sequence_ : attack_sequence_++;
    packet.timestamp = attack_same_ssrc_ ? timestamp_ : attack_timestamp_ += frame_samples;
    packet.ssrc = attack_same_ssrc_ ? ssrc_ : attack_ssrc_;
    const std::string payload = encode(codec_, loud);
    packet.payload = payload;
    if (send_to(attacker_, peer_, build_rtp(packet))) ++counts_.attack_sent;
}

void MediaLeg::reply_if_due(Clock::time_point now) {
    if (replies_.empty() || heard_.empty() || busy()) return;
    const Clock::time_point last = heard_.back().last;
    if (last <= replied_to_ || now - last < reply_quiet_) return;
    replied_to_ = last;
    say("reply " + std::to_string(next_reply_), replies_[next_reply_ % replies_.size()]);
    ++next_reply_;
}

void MediaLeg::on_packet(const RtpPacket& packet, Clock::time_point at) {
    if (!first_packet_) {
        first_packet_ = at;
    } else {
        const auto gap = std::chrono::duration_cast<milliseconds>(at - last_packet_);
        const bool paused = packet.timestamp - last_timestamp_ > 2 * frame_samples;
        if (gap > gap_after && !paused) ++counts_.gaps;
        if (!paused) counts_.longest_gap = std::max(counts_.longest_gap, gap);
    }
    last_packet_ = at;
    last_timestamp_ = packet.timestamp;
    if (!count_sequence(packet)) return;
    // Dynamic numbers carry nothing but keys here, whichever of the two sides' numbers the far end uses.
    if (packet.payload_type >= 96) {
        on_key(packet);
    } else if (packet.payload_type == 0 || packet.payload_type == 8) {
        on_audio(packet, at);
    }
}

bool MediaLeg::count_sequence(const RtpPacket& packet) {
    if (!stream_ || stream_->ssrc != packet.ssrc) {
        stream_ = Stream{};
        stream_->ssrc = packet.ssrc;
        stream_->highest = packet.sequence - 1;
        stream_->anchor_sample = -1;
    }
    const auto step = static_cast<std::int16_t>(packet.sequence - static_cast<std::uint16_t>(stream_->highest));
    const std::int64_t sequence = stream_->highest + step;
    if (!stream_->recent.insert(sequence).second) {
        ++counts_.duplicated;
        return false;
    }
    if (stream_->recent.size() > 256) stream_->recent.erase(stream_->recent.begin());
    ++counts_.received;
    if (step > 0) {
        counts_.lost += static_cast<std::uint64_t>(step - 1);
        stream_->highest = sequence;
    } else if (counts_.lost > 0) {
        --counts_.lost;  // it was only reordered
    }
    return true;
}

void MediaLeg::on_audio(const RtpPacket& packet, Clock::time_point at) {
    const Pcm samples = decode(static_cast<Codec>(packet.payload_type), packet.payload);
    const std::int64_t arrived = sample_at(at);
    auto anchor = [&] {
        stream_->anchor_sample = arrived;
        stream_->anchor_timestamp = packet.timestamp;
    };
    if (stream_->anchor_sample < 0) anchor();
    const auto offset = static_cast<std::int32_t>(packet.timestamp - stream_->anchor_timestamp);
    const std::int64_t behind = arrived - (stream_->anchor_sample + offset);
    if (samples_time(behind) > late_after) ++counts_.late;
    // A sender that stops its clock in silence, or restarts it, has moved its timeline against ours.
    if (std::abs(behind) > moved_timeline_samples) anchor();
    const std::int64_t place = std::max<std::int64_t>(
        0, stream_->anchor_sample + static_cast<std::int32_t>(packet.timestamp - stream_->anchor_timestamp));
    const std::size_t end = static_cast<std::size_t>(place) + samples.size();
    if (heard_samples_.size() < end) heard_samples_.resize(end, 0);
    std::copy(samples.begin(), samples.end(), heard_samples_.begin() + place);
    if (echo_) {
        Item item;
        item.samples = samples;
        if (queue_.size() < 10) queue_.push_back(std::move(item));
    }
    const VoicedSpan span = find_voiced(samples);
    if (span.voiced) note_heard({at + samples_time(span.first), at + samples_time(span.last)});
}

void MediaLeg::on_key(const RtpPacket& packet) {
    const auto event = parse_dtmf(packet.payload);
    // Every packet of one key carries the time at which it began.
    if (!event || last_key_timestamp_ == packet.timestamp) return;
    last_key_timestamp_ = packet.timestamp;
    keys_heard_.push_back(dtmf_key(event->event));
}

std::int64_t MediaLeg::sample_at(Clock::time_point at) const {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(at - started_).count();
    return std::max<std::int64_t>(0, since * rate_hz / 1'000'000'000);
}

void MediaLeg::note_heard(Stretch stretch) {
    if (!heard_.empty() && stretch.first - heard_.back().last < milliseconds(50)) {
        heard_.back().last = std::max(heard_.back().last, stretch.last);
    } else {
        heard_.push_back(stretch);
    }
}

std::vector<Stretch> MediaLeg::heard(milliseconds pause) const {
    std::vector<Stretch> merged;
    for (const Stretch& stretch : heard_) {
        if (!merged.empty() && stretch.first - merged.back().last < pause) {
            merged.back().last = stretch.last;
        } else {
            merged.push_back(stretch);
        }
    }
    return merged;
}

Wav MediaLeg::recording() const {
    Wav wav;
    wav.channels = 2;
    const std::size_t length = std::max(sent_.size(), heard_samples_.size());
    wav.samples.resize(2 * length, 0);
    for (std::size_t i = 0; i < sent_.size(); ++i) wav.samples[2 * i] = sent_[i];
    for (std::size_t i = 0; i < heard_samples_.size(); ++i) wav.samples[2 * i + 1] = heard_samples_[i];
    return wav;
}

}  // namespace jackfield::sim
