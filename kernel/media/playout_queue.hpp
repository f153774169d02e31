#pragma once

#include "media/g711.hpp"
#include "media/types.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace jackfield::media {

struct PlayoutOptions {
    G711Law law = G711Law::mu;
    std::chrono::milliseconds capacity{30000};
    /// Playing starts when so much is queued, or when flush() says that no more comes.
    std::chrono::milliseconds cushion{60};
    float duck_db = -18.0F;
};

/// How far the caller has heard. Positions count samples over the whole call, text counts bytes
/// within a turn.
struct Heard {
    SamplePos samples = 0;
    std::uint64_t turn = 0;
    SamplePos turn_samples = 0;
    /// The text whose audio was played whole, by the last tag that was reached.
    std::uint64_t text_tagged = 0;
    /// The same with the part of the text up to the next tag that corresponds to the audio played
    /// since. May fall into a character: cut the text at a word.
    std::uint64_t text_estimated = 0;
};

struct Cleared {
    SamplePos dropped_samples = 0;
    std::uint32_t dropped_marks = 0;
    Heard heard;
};

struct PlayoutPacket {
    /// The first so many samples of the packet are the agent's, the others silence.
    int speech_samples = 0;
    /// Speech ran dry in the middle: the other side is too slow.
    bool underrun = false;
    /// All that was there when flush() was called has now been given out.
    bool finished = false;
};

namespace detail {

/// What a packet that is handed out changes of a PlayoutQueue.
struct PlayoutPlace {
    std::size_t read_at_ = 0;
    std::size_t count_ = 0;
    SamplePos played_ = 0;
    std::optional<SamplePos> flush_at_;

    bool playing_ = false;
    // The last packet ended in speech, so that stopping now would click.
    bool sounding_ = false;
    bool fade_in_ = false;
    float gain_ = 1.0F;
    std::int16_t last_sample_ = 0;
    std::size_t tail_size_ = 0;
    std::uint64_t underruns_ = 0;

    std::size_t first_tag_ = 0;
    std::size_t tags_waiting_ = 0;
    std::size_t reached_count_ = 0;
    std::uint64_t turn_ = 0;
    SamplePos turn_from_ = 0;
    SamplePos text_from_ = 0;
    std::uint64_t text_ = 0;
};

}  // namespace detail

/// What the agent still has to say, in the call's wire format, handed out a packet at a time.
/// Belongs to the call's shard; allocates only in the constructor.
class PlayoutQueue : private detail::PlayoutPlace {
  public:
    explicit PlayoutQueue(const PlayoutOptions& options = {});

    /// Takes what fits and returns how much; the rest is the caller's to keep.
    std::size_t push(std::span<const std::uint8_t> codes);
    std::size_t room() const { return capacity_ - count_; }
    std::size_t queued() const { return count_; }

    /// Text positions begin at 0 again with the audio that is pushed next.
    bool start_turn(std::uint64_t turn);
    /// The audio pushed so far speaks the turn's text up to this byte. False: too many tags wait
    /// already.
    bool tag_text(std::uint64_t text_end);
    /// `mark` comes out of next_mark() when the audio pushed so far has been played. False as
    /// above.
    bool tag_mark(std::uint64_t mark);
    /// No more audio belongs to what is queued: play it without a cushion, and its end is no
    /// underrun.
    void flush();

    /// Always fills the whole packet.
    PlayoutPacket pop(std::span<std::uint8_t, packet_samples> out);
    /// Nobody took the packet of the last pop(): it comes again, and none of it counts as played.
    /// Right after that pop().
    void give_back();
    std::optional<std::uint64_t> next_mark();

    /// Drops all that is queued and ends ducking and pause. The next packet fades the sound out
    /// within 5 ms.
    Cleared clear();
    /// Falls silent within 5 ms and keeps everything. resume() goes on from the first sample that
    /// was not played.
    void pause();
    void resume();
    bool paused() const { return paused_; }
    /// Quieter by `duck_db`, or back to normal, within 10 ms.
    void duck() { target_gain_ = duck_gain_; }
    void unduck() { target_gain_ = 1.0F; }

    Heard heard() const;
    /// True while packets carry speech.
    bool playing() const { return playing_ && !paused_; }
    std::uint64_t underruns() const { return underruns_; }

  private:
    using Place = detail::PlayoutPlace;
    static constexpr std::size_t tag_count = 256;
    static constexpr std::size_t fade_samples = 5 * narrowband_hz / 1000;
    static constexpr int ramp_samples = 10 * narrowband_hz / 1000;

    enum class TagKind : std::uint8_t { turn, text, mark };
    struct Tag {
        TagKind kind = TagKind::text;
        SamplePos at = 0;
        std::uint64_t value = 0;
    };

    bool add_tag(TagKind kind, std::uint64_t value);
    const Tag& tag(std::size_t place) const { return tags_[(first_tag_ + place) % tag_count]; }
    void pass_tags();
    void peek(std::span<std::uint8_t> out) const;
    void consume(std::size_t n);
    void keep_fading_tail();
    bool may_play();
    PlayoutPacket give_tail(std::span<std::uint8_t, packet_samples> out);
    void run_dry(std::span<std::uint8_t> padding);
    void shape(std::span<std::uint8_t> speech);

    PlayoutOptions options_;
    std::size_t capacity_;
    std::size_t cushion_;
    std::unique_ptr<std::uint8_t[]> ring_;
    SamplePos pushed_ = 0;
    bool paused_ = false;
    float duck_gain_;
    float gain_step_;
    float target_gain_ = 1.0F;
    std::array<std::uint8_t, fade_samples> tail_{};

    std::array<Tag, tag_count> tags_{};
    std::array<std::uint64_t, tag_count> reached_{};
    std::size_t first_reached_ = 0;
    Place before_; ///< the last pop()
};

}  // namespace jackfield::media
