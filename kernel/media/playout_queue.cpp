#include "media/playout_queue.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace jackfield::media {
namespace {

std::size_t to_samples(std::chrono::milliseconds duration) {
    return static_cast<std::size_t>(std::max<std::int64_t>(0, duration.count()) * narrowband_hz /
                                    1000);
}

}  // namespace

PlayoutQueue::PlayoutQueue(const PlayoutOptions& options)
    : options_(options),
      capacity_(std::max<std::size_t>(to_samples(options.capacity), packet_samples)),
      cushion_(std::min(to_samples(options.cushion), capacity_)),
      // Left unset, and read from the start whenever it runs empty: only the part that a call needs
      // becomes memory.
      ring_(new std::uint8_t[capacity_]),
      duck_gain_(std::pow(10.0F, options.duck_db / 20.0F)),
      gain_step_(std::abs(1.0F - duck_gain_) / static_cast<float>(ramp_samples)) {}

std::size_t PlayoutQueue::push(std::span<const std::uint8_t> codes) {
    if (count_ == 0) read_at_ = 0;
    const std::size_t n = std::min(codes.size(), room());
    const std::size_t at = (read_at_ + count_) % capacity_;
    const std::size_t first = std::min(n, capacity_ - at);
    if (n > 0) {
        std::memcpy(ring_.get() + at, codes.data(), first);
        std::memcpy(ring_.get(), codes.data() + first, n - first);
    }
    count_ += n;
    pushed_ += static_cast<SamplePos>(n);
    return n;
}

bool PlayoutQueue::start_turn(std::uint64_t turn) {
    return add_tag(TagKind::turn, turn);
}
bool PlayoutQueue::tag_text(std::uint64_t text_end) {
    return add_tag(TagKind::text, text_end);
}
bool PlayoutQueue::tag_mark(std::uint64_t mark) {
    return add_tag(TagKind::mark, mark);
}

bool PlayoutQueue::add_tag(TagKind kind, std::uint64_t value) {
    // Marks that were reached and not yet fetched keep their place, so that they can't be lost.
    if (tags_waiting_ + reached_count_ >= tag_count) return false;
    tags_[(first_tag_ + tags_waiting_) % tag_count] = {kind, pushed_, value};
    ++tags_waiting_;
    pass_tags();
    return true;
}

void PlayoutQueue::flush() {
    flush_at_ = pushed_;
}

PlayoutPacket PlayoutQueue::pop(std::span<std::uint8_t, packet_samples> out) {
    before_ = *this;
    if (tail_size_ > 0) return give_tail(out);
    PlayoutPacket packet;
    if (may_play()) {
        const SamplePos end = flush_at_ ? *flush_at_ : pushed_;
        const auto n = static_cast<std::size_t>(std::min<SamplePos>(end - played_, packet_samples));
        const std::span<std::uint8_t> speech = out.first(n);
        peek(speech);
        consume(n);
        shape(speech);
        packet.speech_samples = static_cast<int>(n);
    }
    const auto n = static_cast<std::size_t>(packet.speech_samples);
    fill_silence(options_.law, out.subspan(n));
    if (flush_at_ && played_ >= *flush_at_ && !paused_) {
        packet.finished = true;
        flush_at_.reset();
        playing_ = false;
    } else if (playing_ && !paused_ && n < out.size()) {
        packet.underrun = true;
        run_dry(out.subspan(n));
    }
    sounding_ = n == out.size();
    if (n == 0) gain_ = target_gain_;
    return packet;
}

void PlayoutQueue::give_back() {
    static_cast<Place&>(*this) = before_;
}

bool PlayoutQueue::may_play() {
    if (paused_) return false;
    if (!playing_) playing_ = count_ > 0 && (count_ >= cushion_ || flush_at_);
    return playing_;
}

/// The few milliseconds in which the sound of before a pause or a clear dies away. They don't count
/// as heard.
PlayoutPacket PlayoutQueue::give_tail(std::span<std::uint8_t, packet_samples> out) {
    std::memcpy(out.data(), tail_.data(), tail_size_);
    fill_silence(options_.law, out.subspan(tail_size_));
    tail_size_ = 0;
    sounding_ = false;
    return {};
}

void PlayoutQueue::run_dry(std::span<std::uint8_t> padding) {
    ++underruns_;
    playing_ = false;
    // There is nothing left to fade, so the last sample dies away instead of breaking off.
    const std::size_t n = std::min(padding.size(), fade_samples);
    for (std::size_t i = 0; i < n; ++i) {
        const auto left = static_cast<std::int32_t>(fade_samples - i);
        const std::int32_t sample = last_sample_ * left / static_cast<std::int32_t>(fade_samples);
        padding[i] = encode_sample(options_.law, static_cast<std::int16_t>(sample));
    }
    last_sample_ = 0;
}

void PlayoutQueue::shape(std::span<std::uint8_t> speech) {
    if (gain_ != 1.0F || target_gain_ != 1.0F) {
        for (std::uint8_t& code : speech) {
            if (gain_ < target_gain_) gain_ = std::min(gain_ + gain_step_, target_gain_);
            if (gain_ > target_gain_) gain_ = std::max(gain_ - gain_step_, target_gain_);
            const float sample = static_cast<float>(decode_sample(options_.law, code)) * gain_;
            code = encode_sample(options_.law, static_cast<std::int16_t>(sample));
        }
    }
    if (fade_in_) {
        fade_in_ = false;
        const std::size_t n = std::min(speech.size(), fade_samples);
        for (std::size_t i = 0; i < n; ++i) {
            const std::int32_t sample = decode_sample(options_.law, speech[i]) *
                                        static_cast<std::int32_t>(i + 1) /
                                        static_cast<std::int32_t>(fade_samples);
            speech[i] = encode_sample(options_.law, static_cast<std::int16_t>(sample));
        }
    }
    if (!speech.empty()) last_sample_ = decode_sample(options_.law, speech.back());
}

void PlayoutQueue::peek(std::span<std::uint8_t> out) const {
    const std::size_t first = std::min(out.size(), capacity_ - read_at_);
    if (out.empty()) return;
    std::memcpy(out.data(), ring_.get() + read_at_, first);
    std::memcpy(out.data() + first, ring_.get(), out.size() - first);
}

void PlayoutQueue::consume(std::size_t n) {
    read_at_ = (read_at_ + n) % capacity_;
    count_ -= n;
    played_ += static_cast<SamplePos>(n);
    pass_tags();
}

void PlayoutQueue::pass_tags() {
    while (tags_waiting_ > 0 && tag(0).at <= played_) {
        const Tag passed = tag(0);
        first_tag_ = (first_tag_ + 1) % tag_count;
        --tags_waiting_;
        if (passed.kind == TagKind::mark) {
            reached_[(first_reached_ + reached_count_) % tag_count] = passed.value;
            ++reached_count_;
            continue;
        }
        text_from_ = passed.at;
        text_ = passed.kind == TagKind::turn ? 0 : passed.value;
        if (passed.kind == TagKind::turn) {
            turn_ = passed.value;
            turn_from_ = passed.at;
        }
    }
}

std::optional<std::uint64_t> PlayoutQueue::next_mark() {
    if (reached_count_ == 0) return std::nullopt;
    const std::uint64_t mark = reached_[first_reached_];
    first_reached_ = (first_reached_ + 1) % tag_count;
    --reached_count_;
    return mark;
}

Heard PlayoutQueue::heard() const {
    Heard heard{played_, turn_, played_ - turn_from_, text_, text_};
    for (std::size_t i = 0; i < tags_waiting_; ++i) {
        const Tag& next = tag(i);
        if (next.kind == TagKind::mark) continue;
        if (next.kind == TagKind::text && next.value > text_ && next.at > text_from_) {
            const auto part = static_cast<std::uint64_t>(played_ - text_from_);
            const auto whole = static_cast<std::uint64_t>(next.at - text_from_);
            heard.text_estimated = text_ + (next.value - text_) * part / whole;
        }
        break;
    }
    return heard;
}

Cleared PlayoutQueue::clear() {
    if (playing_ && !paused_ && sounding_) keep_fading_tail();
    Cleared cleared;
    cleared.heard = heard();
    cleared.dropped_samples = static_cast<SamplePos>(count_);
    for (std::size_t i = 0; i < tags_waiting_; ++i) {
        cleared.dropped_marks += tag(i).kind == TagKind::mark ? 1U : 0U;
    }
    tags_waiting_ = 0;
    count_ = 0;
    read_at_ = 0;
    // Nobody will hear what is dropped, so the positions behind it belong to what is pushed next.
    pushed_ = played_;
    text_from_ = played_;
    flush_at_.reset();
    playing_ = false;
    paused_ = false;
    fade_in_ = false;
    target_gain_ = 1.0F;
    gain_ = 1.0F;
    return cleared;
}

void PlayoutQueue::pause() {
    if (paused_) return;
    if (playing_ && sounding_) {
        keep_fading_tail();
        fade_in_ = true;
    }
    paused_ = true;
}

void PlayoutQueue::resume() {
    if (!paused_) return;
    paused_ = false;
    if (tail_size_ == 0) return;
    // No packet went out in between, so there is nothing to fade back in from.
    tail_size_ = 0;
    fade_in_ = false;
}

void PlayoutQueue::keep_fading_tail() {
    tail_size_ = std::min(count_, fade_samples);
    peek(std::span(tail_).first(tail_size_));
    for (std::size_t i = 0; i < tail_size_; ++i) {
        const float left =
            static_cast<float>(tail_size_ - i) / static_cast<float>(tail_size_) * gain_;
        const float sample = static_cast<float>(decode_sample(options_.law, tail_[i])) * left;
        tail_[i] = encode_sample(options_.law, static_cast<std::int16_t>(sample));
    }
}

}  // namespace jackfield::media
