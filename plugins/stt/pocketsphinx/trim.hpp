#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace jackfield::pocketsphinx {

/// The audio of one turn, with an eye for where speech is in it. Decoding wants speech alone: pauses shift the cepstral mean and
/// water down the score that rejects.
class Utterance {
  public:
    struct Limits {
        std::uint32_t rate_hz = 8000;
        std::uint32_t max_ms = 15000;    // of audio kept, the latest
        double min_level_db = -55;       // dBFS
        double speech_range_db = 30;     // below the loudest frame
    };

    /// Speech with 100 ms around each stretch, joined.
    struct Speech {
        struct Piece {
            std::size_t at;         // first sample in `samples`
            std::uint64_t position; // its place in the stream
        };
        std::vector<std::int16_t> samples;
        std::vector<Piece> pieces;
        std::uint64_t from = 0;  // stream positions
        std::uint64_t to = 0;

        /// Where sample `index` of `samples` was in the stream.
        std::uint64_t position_of(std::size_t index) const;
    };

    explicit Utterance(const Limits& limits) : limits_(limits), frame_(limits.rate_hz / 100) {}

    /// `position` is that of the first sample. Where it doesn't follow the audio before, the frame begun is closed.
    void add(std::span<const std::int16_t> samples, std::uint64_t position);
    void clear();

    std::uint32_t speech_ms() const;
    /// Since the last speech; 0 when there was none.
    std::uint32_t pause_ms() const;
    /// Grows with each stretch of speech, so that results can be kept while it stands still.
    std::uint64_t speech_end() const;
    Speech speech() const;

  private:
    struct Frame {
        std::uint64_t position;
        float level_db;
    };
    static constexpr std::size_t margin = 10;  // frames around speech

    void close_frame();
    void forget_oldest();
    double threshold_db() const;

    Limits limits_;
    std::size_t frame_;                   // samples in 10 ms
    std::vector<std::int16_t> samples_;   // whole frames, then `partial_`
    std::vector<Frame> frames_;
    std::vector<std::int16_t> partial_;
    std::uint64_t partial_position_ = 0;
    float peak_db_ = -100;
};

}  // namespace jackfield::pocketsphinx
