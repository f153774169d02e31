#include "call/endpointing.hpp"

#include <jackfield/stt.h>

#include <algorithm>

namespace jackfield::call {
namespace {

constexpr double kept = 0.9;         // voice-behaviour.md: adaptive endpoint, moving average of 0.9
/// A wait as long as the mean pause would cut off every other one.
constexpr double above_the_mean = 1.5;

bool is_dictated(std::uint32_t slot) { return slot == JF_SLOT_DIGITS || slot == JF_SLOT_EMAIL; }

}  // namespace

Endpointing::Endpointing(const config::TurnOptions& options) : options_(options), wait_ms_(static_cast<double>(options.endpoint.count())) {}

Endpointing::Wait Endpointing::wait(std::uint32_t slot) const {
    if (provider_decides_) return {is_dictated(slot) ? options_.dictation_endpoint_cap : options_.endpoint_cap, "provider"};
    if (is_dictated(slot)) return {options_.dictation_endpoint, "dictation"};
    if (!options_.adaptive_endpoint || !learned_) return {options_.endpoint, "fixed"};
    // An operator's own figure outside of the range widens it.
    const auto least = std::min(options_.endpoint_least, options_.endpoint);
    const auto most = std::max(options_.endpoint_most, options_.endpoint);
    return {std::clamp(base::Milliseconds(static_cast<std::int64_t>(wait_ms_)), least, most), "adaptive"};
}

void Endpointing::on_pause(base::Milliseconds pause, std::uint32_t slot) {
    // Somebody who reads out a number pauses between its groups, and not so elsewhere.
    if (is_dictated(slot) || pause < options_.speech_stop || pause > options_.endpoint_cap) return;
    const auto ms = static_cast<double>(pause.count());
    mean_ms_ = learned_ ? kept * mean_ms_ + (1 - kept) * ms : ms;
    wait_ms_ = kept * wait_ms_ + (1 - kept) * ms * above_the_mean;
    learned_ = true;
}

base::Milliseconds Endpointing::mean_pause() const { return base::Milliseconds(learned_ ? static_cast<std::int64_t>(mean_ms_) : -1); }

}  // namespace jackfield::call
