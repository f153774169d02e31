#include "media/resampler.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include <speex/speex_resampler.h>

namespace jackfield::media {
namespace {

constexpr int lowest_hz = 4000;
constexpr int highest_hz = 192000;

bool rate_is_usable(int hz) {
    return hz >= lowest_hz && hz <= highest_hz;
}

}  // namespace

void Resampler::Destroy::operator()(SpeexResamplerState_* state) const {
    speex_resampler_destroy(state);
}

Resampler::Resampler(const ResamplerOptions& options, State state)
    : options_(options), state_(std::move(state)) {}

base::Result<std::unique_ptr<Resampler>> Resampler::create(const ResamplerOptions& options) {
    if (!rate_is_usable(options.in_hz) || !rate_is_usable(options.out_hz)) {
        return base::Error(
            base::ErrorCode::invalid,
            "a sample rate outside 4000 to 192000 Hz: " + std::to_string(options.in_hz) + " to " +
                std::to_string(options.out_hz));
    }
    int code = RESAMPLER_ERR_SUCCESS;
    State state(speex_resampler_init(1,
                                     static_cast<spx_uint32_t>(options.in_hz),
                                     static_cast<spx_uint32_t>(options.out_hz),
                                     options.quality,
                                     &code));
    if (state == nullptr) {
        return base::Error(base::ErrorCode::invalid,
                           std::string("speexdsp resampler: ") + speex_resampler_strerror(code));
    }
    return std::unique_ptr<Resampler>(new Resampler(options, std::move(state)));
}

Resampler::Step Resampler::process(std::span<const std::int16_t> in, std::span<std::int16_t> out) {
    constexpr std::size_t most = std::numeric_limits<spx_uint32_t>::max() / 2;
    auto taken = static_cast<spx_uint32_t>(std::min(in.size(), most));
    auto given = static_cast<spx_uint32_t>(std::min(out.size(), most));
    if (taken == 0 || given == 0) return {};
    speex_resampler_process_int(state_.get(), 0, in.data(), &taken, out.data(), &given);
    return {taken, given};
}

std::size_t Resampler::max_output(std::size_t in_samples) const {
    const auto out = static_cast<std::uint64_t>(options_.out_hz);
    const auto in = static_cast<std::uint64_t>(options_.in_hz);
    return static_cast<std::size_t>((in_samples * out + in - 1) / in + 1);
}

int Resampler::delay_in_samples() const {
    return speex_resampler_get_input_latency(state_.get());
}

int Resampler::delay_out_samples() const {
    return speex_resampler_get_output_latency(state_.get());
}

void Resampler::reset() {
    speex_resampler_reset_mem(state_.get());
}

}  // namespace jackfield::media
