#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <span>

struct SpeexResamplerState_;

namespace jackfield::media {

struct ResamplerOptions {
    int in_hz = 8000;
    int out_hz = 16000;
    /// speexdsp's scale, 0 to 10. At 5 the filter is cheap (some 3 us a packet) and well below what
    /// a phone line does.
    int quality = 5;
};

/// Changes the rate of one mono stream. Keeps its filter between calls; allocates only when
/// created.
class Resampler {
  public:
    static base::Result<std::unique_ptr<Resampler>> create(const ResamplerOptions& options);

    struct Step {
        std::size_t consumed = 0;
        std::size_t produced = 0;
    };
    /// Takes as much of `in` as fits into `out`. With out.size() >= max_output(in.size()) all of
    /// it.
    Step process(std::span<const std::int16_t> in, std::span<std::int16_t> out);

    std::size_t max_output(std::size_t in_samples) const;
    /// How far the output lags behind the input.
    int delay_in_samples() const;
    int delay_out_samples() const;
    /// Forgets the stream, for the start of another one.
    void reset();

    int in_hz() const { return options_.in_hz; }
    int out_hz() const { return options_.out_hz; }

  private:
    struct Destroy {
        void operator()(SpeexResamplerState_* state) const;
    };
    using State = std::unique_ptr<SpeexResamplerState_, Destroy>;
    Resampler(const ResamplerOptions& options, State state);

    ResamplerOptions options_;
    State state_;
};

}  // namespace jackfield::media
