#include "media/jitter_buffer.hpp"

#include <algorithm>

namespace jackfield::media {
namespace {

SamplePos samples_of(base::Milliseconds time) { return time.count() * narrowband_hz / 1000; }

constexpr SamplePos new_time_line = narrowband_hz;        // a jump by more is no jitter
constexpr std::int64_t another_offset_ns = 500'000'000;   // between the sender's clock and ours
constexpr SamplePos dry_after = 200 * narrowband_hz / 1000;  // of nothing: the far end stopped sending
constexpr SamplePos longest_packet = 200 * narrowband_hz / 1000;
constexpr SamplePos safety = 5 * narrowband_hz / 1000;    // on top of the jitter that was seen
constexpr SamplePos tolerance = Concealer::most_period;   // of too much, so that one step never calls for its opposite
constexpr SamplePos much = 40 * narrowband_hz / 1000;     // too deep by this: in a hurry
constexpr int pops_a_second = 1000 / packet_ms;
constexpr int steer_every = 25;
constexpr int hurry_every = 3;
constexpr int unsteady_for = 5 * pops_a_second;
constexpr int overlap = packet_samples / 2;

std::int16_t mix(std::int16_t from, std::int16_t to, int at, int of) {
    const int gain = (at + 1) * 256 / (of + 1);
    return static_cast<std::int16_t>((from * (256 - gain) + to * gain) / 256);
}

}  // namespace

JitterBuffer::JitterBuffer(const JitterOptions& options)
    : start_(samples_of(options.start)), target_(samples_of(options.target)), most_(samples_of(options.most)) {}

base::Milliseconds JitterBuffer::depth() const { return base::Milliseconds(std::max<SamplePos>(depth_samples(), 0) * 1000 / narrowband_hz); }

base::Milliseconds JitterBuffer::wanted() const { return base::Milliseconds(wanted_samples() * 1000 / narrowband_hz); }

void JitterBuffer::begin_time_line(SamplePos pts) {
    present_.fill(0);
    play_ = newest_end_ = pts;
    playing_ = false;
    waited_ = 0;
    stalled_ = 0;
}

/// How late the packet's last sample came, compared with the others of the last seconds.
void JitterBuffer::measure(SamplePos end, base::MonoTime now) {
    const std::int64_t transit = now.ns - end * (1'000'000'000 / narrowband_hz);
    if (transit - transit_ns_ > another_offset_ns || transit_ns_ - transit > another_offset_ns) spread_ = {};
    transit_ns_ = transit;
    Spread& spread = spread_[bucket_];
    if (!spread.any) spread = {transit, transit, true};
    spread.least_ns = std::min(spread.least_ns, transit);
    spread.most_ns = std::max(spread.most_ns, transit);
}

SamplePos JitterBuffer::wanted_samples() const {
    Spread all;
    for (const Spread& spread : spread_) {
        if (!spread.any) continue;
        all.least_ns = all.any ? std::min(all.least_ns, spread.least_ns) : spread.least_ns;
        all.most_ns = all.any ? std::max(all.most_ns, spread.most_ns) : spread.most_ns;
        all.any = true;
    }
    const SamplePos jitter = (all.most_ns - all.least_ns) * (narrowband_hz / 1000) / 1'000'000;
    const SamplePos least = unsteady_ > 0 ? target_ : start_;
    return std::clamp(jitter + packet_ + safety, std::min(least, most_), most_);
}

void JitterBuffer::push(SamplePos pts, std::span<const std::int16_t> pcm, base::MonoTime now) {
    ++counters_.packets;
    const auto size = static_cast<SamplePos>(pcm.size());
    if (size == 0 || size > longest_packet) return;
    const bool empty = !playing_ && newest_end_ == play_;
    const SamplePos jump = pts - newest_end_;
    if (!started_ || empty || jump > new_time_line || jump < -new_time_line) {
        // Behind a silence that was not sent every time line is as good as new.
        counters_.resyncs += started_ && !empty;
        begin_time_line(pts);
        started_ = true;
    }
    if (!playing_ && pts < play_ && newest_end_ - pts <= most_) play_ = pts;
    if (pts + size <= play_) {
        ++counters_.late;
        // By so little that waiting longer would have helped.
        if (play_ - pts <= most_) measure(pts + size, now);
        unsteady_ = unsteady_for;
        return;
    }
    if (pts + size > play_ + ring_samples) drop_to(pts + size - most_);
    measure(pts + size, now);
    packet_ = std::max(packet_, size);
    const SamplePos from = std::max(pts, play_);
    if (present(from) && from < newest_end_) {
        ++counters_.duplicate;
        return;
    }
    for (SamplePos at = from; at < pts + size; ++at) {
        ring_[place(at)] = pcm[static_cast<std::size_t>(at - pts)];
        present_[place(at)] = 1;
    }
    newest_end_ = std::max(newest_end_, pts + size);
}

void JitterBuffer::drop_to(SamplePos pts) {
    if (pts <= play_) return;
    const SamplePos end = std::min(pts, newest_end_);
    for (SamplePos at = play_; at < end; ++at) present_[place(at)] = 0;
    counters_.skipped_samples += static_cast<std::uint64_t>(std::max<SamplePos>(end - play_, 0));
    play_ = pts;
    newest_end_ = std::max(newest_end_, play_);
    concealer_.cut();
}

bool JitterBuffer::whole(SamplePos from, SamplePos to) const {
    for (SamplePos at = from; at < to; ++at)
        if (!present(at)) return false;
    return true;
}

/// The next samples in order; what is missing is made up.
void JitterBuffer::take(std::span<std::int16_t> out) {
    while (!out.empty()) {
        const bool here = play_ < newest_end_ && present(play_);
        std::size_t n = 0;
        while (n < out.size() && (play_ < newest_end_ && present(play_)) == here) {
            out[n++] = here ? ring_[place(play_)] : std::int16_t{0};
            present_[place(play_)] = 0;
            ++play_;
        }
        if (here) {
            concealer_.pass(out.first(n));
        } else {
            concealer_.fill(out.first(n));
            counters_.concealed_samples += n;
            counters_.lost_samples += n;
        }
        out = out.subspan(n);
    }
    newest_end_ = std::max(newest_end_, play_);
}

/// Gives one packet out and takes one and a pitch period: the two overlap where they are alike.
bool JitterBuffer::squeeze(std::span<std::int16_t, packet_samples> out) {
    std::array<std::int16_t, packet_samples + Concealer::most_period> audio;
    constexpr auto size = static_cast<SamplePos>(audio.size());
    if (concealer_.filling() || depth_samples() < size + packet_samples || !whole(play_, play_ + size)) return false;
    for (std::size_t i = 0; i < audio.size(); ++i) audio[i] = ring_[place(play_ + static_cast<SamplePos>(i))];
    const int period = Concealer::pitch_period(audio, packet_samples);
    for (int i = 0; i < packet_samples; ++i) {
        const std::int16_t later = audio[static_cast<std::size_t>(i + period)];
        out[static_cast<std::size_t>(i)] = i < overlap ? mix(audio[static_cast<std::size_t>(i)], later, i, overlap) : later;
    }
    for (SamplePos i = 0; i < packet_samples + period; ++i) present_[place(play_ + i)] = 0;
    play_ += packet_samples + period;
    concealer_.pass(out);
    counters_.squeezed_samples += static_cast<std::uint64_t>(period);
    return true;
}

/// Gives one packet out and takes a pitch period less: the last period is heard twice.
bool JitterBuffer::stretch(std::span<std::int16_t, packet_samples> out) {
    if (concealer_.filling() || depth_samples() < packet_samples || !whole(play_, play_ + packet_samples)) return false;
    const std::span<const std::int16_t> past = concealer_.history();
    const int period = Concealer::pitch_period(past);
    const auto sample = [&](int i) {
        return i >= 0 ? ring_[place(play_ + i)] : past[static_cast<std::size_t>(static_cast<int>(past.size()) + i)];
    };
    for (int i = 0; i < packet_samples; ++i)
        out[static_cast<std::size_t>(i)] = i < overlap ? mix(sample(i), sample(i - period), i, overlap) : sample(i - period);
    const SamplePos taken = packet_samples - period;
    for (SamplePos i = 0; i < taken; ++i) present_[place(play_ + i)] = 0;
    play_ += taken;
    concealer_.pass(out);
    counters_.stretched_samples += static_cast<std::uint64_t>(period);
    return true;
}

/// Towards the delay that is wanted, a pitch period at a time. True: it has filled the packet.
bool JitterBuffer::steer(std::span<std::int16_t, packet_samples> out) {
    deepest_ = std::max(deepest_, depth_samples());
    ++since_steer_;
    const SamplePos excess = deepest_ - wanted_samples();
    const bool hurry = excess > much && since_steer_ >= hurry_every;
    if (since_steer_ < steer_every && !hurry) return false;
    since_steer_ = 0;
    deepest_ = 0;
    if (excess > tolerance) return squeeze(out);
    // Of too little none is tolerated: packets come in whole steps, and the next step may be one down.
    if (excess < 0) return stretch(out);
    return false;
}

/// Nothing is there to be played.
JitterOutput JitterBuffer::dry(std::span<std::int16_t, packet_samples> out) {
    const bool noise = concealer_.faded();
    concealer_.fill(out);
    (noise ? counters_.noise_samples : counters_.concealed_samples) += packet_samples;
    stalled_ += packet_samples;
    if (playing_ && stalled_ >= dry_after) {
        playing_ = false;
        newest_end_ = play_;
    }
    return noise ? JitterOutput::noise : JitterOutput::concealed;
}

/// Once a pop: what was seen seconds ago counts no more.
void JitterBuffer::age() {
    unsteady_ = std::max(unsteady_ - 1, 0);
    if (++until_bucket_ < pops_a_second) return;
    until_bucket_ = 0;
    bucket_ = (bucket_ + 1) % bucket_count;
    spread_[bucket_] = {};
    if (bucket_ == 0) packet_ = packet_samples;
}

JitterOutput JitterBuffer::pop(std::span<std::int16_t, packet_samples> out) {
    age();
    if (!playing_) {
        const bool gathered = newest_end_ > play_;
        if (gathered) ++waited_;
        // A far end that sends one packet and no more is heard all the same.
        if (!gathered || (depth_samples() < start_ && waited_ * packet_samples <= start_)) {
            if (played_) return dry(out);
            std::fill(out.begin(), out.end(), std::int16_t{0});
            return JitterOutput::nothing;
        }
        playing_ = played_ = true;
        waited_ = 0;
        stalled_ = 0;
        since_steer_ = 0;
        deepest_ = 0;
    }
    if (depth_samples() <= 0) {
        unsteady_ = unsteady_for;
        return dry(out);
    }
    if (stalled_ > 0) {
        // What was made up while nothing came stands for what was lost; what was only late is played, and the delay has grown.
        while (stalled_ > 0 && play_ < newest_end_ && !present(play_)) {
            ++play_;
            --stalled_;
            ++counters_.lost_samples;
        }
        stalled_ = 0;
    }
    if (depth_samples() > most_ + packet_samples) drop_to(newest_end_ - most_);
    if (steer(out)) return JitterOutput::audio;
    const std::uint64_t lost = counters_.lost_samples;
    take(out);
    return counters_.lost_samples == lost ? JitterOutput::audio : JitterOutput::concealed;
}

}  // namespace jackfield::media
