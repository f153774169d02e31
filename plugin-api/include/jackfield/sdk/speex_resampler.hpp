#pragma once

// A resampler for one stretch of speech, over libspeexdsp (libspeexdsp-dev; link speexdsp). The
// only SDK header that needs a library.

#include <jackfield/sdk/plugin.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <speex/speex_resampler.h>

namespace jackfield::sdk {

/// Turns mono samples of one rate into another's, sample-exactly: n samples become ceil(n * to /
/// from), without the filter's delay.
class SpeexResampler {
  public:
    /// Quality 5 costs 3 us per 20 ms and keeps aliases 60 dB down, which is beyond what a
    /// telephone carries.
    SpeexResampler(std::uint32_t from_hz, std::uint32_t to_hz, int quality = 5)
        : from_(from_hz), to_(to_hz) {
        if (from_ == to_) return;
        int error = 0;
        state_.reset(speex_resampler_init(1, from_, to_, quality, &error));
        if (!state_) throw Failure(JF_E_INTERNAL, "libspeexdsp makes no resampler for these rates");
        speex_resampler_skip_zeros(state_.get());
    }

    /// Replaces `out` by what these samples complete.
    void process(const std::int16_t* samples, std::size_t n, std::vector<std::int16_t>& out) {
        out.clear();
        taken_ += n;
        run(samples, n, out);
        given_ += out.size();
    }

    /// Replaces `out` by the rest. Nothing may be processed afterwards.
    void finish(std::vector<std::int16_t>& out) {
        out.clear();
        const std::uint64_t total = (taken_ * to_ + from_ - 1) / from_;
        if (!state_ || given_ >= total) return;
        const std::vector<std::int16_t> silence(
            static_cast<std::size_t>(speex_resampler_get_input_latency(state_.get())) * 2 + 16);
        while (given_ + out.size() < total) run(silence.data(), silence.size(), out);
        out.resize(static_cast<std::size_t>(total - given_));
        given_ = total;
    }

  private:
    struct Delete {
        void operator()(SpeexResamplerState* state) const { speex_resampler_destroy(state); }
    };

    void run(const std::int16_t* samples, std::size_t n, std::vector<std::int16_t>& out) {
        if (!state_) {
            out.insert(out.end(), samples, samples + n);
            return;
        }
        while (n > 0) {
            const std::size_t before = out.size();
            const std::size_t room = static_cast<std::size_t>(n) * to_ / from_ + 64;
            out.resize(before + room);
            auto in_length = static_cast<spx_uint32_t>(n);
            auto out_length = static_cast<spx_uint32_t>(room);
            speex_resampler_process_int(
                state_.get(), 0, samples, &in_length, out.data() + before, &out_length);
            out.resize(before + out_length);
            if (in_length == 0 && out_length == 0) return;
            samples += in_length;
            n -= in_length;
        }
    }

    std::uint32_t from_, to_;
    std::unique_ptr<SpeexResamplerState, Delete> state_;
    std::uint64_t taken_ = 0, given_ = 0;
};

}  // namespace jackfield::sdk
