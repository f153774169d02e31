#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace jackfield::tts_espeak_ng {

/// Reads a WAV stream as it comes from a pipe, where the writer did not know its length: 16 bit
/// PCM, one channel.
class WavReader {
  public:
    /// Takes the next bytes and appends the samples that they complete. False once the stream is no
    /// such WAV; problem() says why.
    bool feed(const std::uint8_t* bytes, std::size_t n, std::vector<std::int16_t>& samples);

    /// 0 until the header has been read.
    std::uint32_t rate_hz() const { return in_data_ ? rate_hz_ : 0; }
    const std::string& problem() const { return problem_; }

  private:
    /// Looks for the data chunk in what has been collected; true once it stands at the front.
    bool read_header();
    bool fail(std::string why);
    void take_samples(const std::uint8_t* bytes, std::size_t n, std::vector<std::int16_t>& samples);

    std::vector<std::uint8_t> head_;  // until the data chunk begins
    std::uint32_t rate_hz_ = 0;
    bool in_data_ = false;
    std::uint64_t left_ = 0;  // bytes of the data chunk still to come
    int odd_byte_ = -1;       // half a sample
    std::string problem_;
};

}  // namespace jackfield::tts_espeak_ng
