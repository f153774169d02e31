#include "plugin_host/adapters/telemetry.hpp"

#include <jackfield/sdk/plugin.hpp>

namespace jackfield::plugin_host {
namespace {

constexpr std::uint64_t most_items = 4096; // telemetry.h publishes it

std::uint64_t items_of(const jf_telemetry_batch& batch) {
    return std::uint64_t{batch.spans.n} + batch.generations.n + batch.scores.n;
}

class TelemetryCheck final : public OutputCheck {
  public:
    explicit TelemetryCheck(std::uint64_t items) : items_(items) {}
    Verdict look(const jf_event&) override { return Verdict::drop; }
    bool complete(const jf_event* last) override {
        const auto* done = last && last->type == JF_EV_TELEMETRY_DONE ? sdk::data_of<jf_telemetry_done>(*last) : nullptr;
        return done && std::uint64_t{done->accepted} + done->rejected == items_;
    }

  private:
    std::uint64_t items_;
};

}  // namespace

const char* fault_of(const jf_telemetry_batch& batch) {
    if (items_of(batch) == 0) return "the batch is empty";
    if (items_of(batch) > most_items) return "a batch has at most 4096 items";
    for (std::uint32_t i = 0; i < batch.generations.n; ++i) {
        const auto* generation = JF_AT(jf_generation, batch.generations, i);
        if (!JF_HAS(generation, jf_generation, span) || !generation->span) return "a generation without its span";
    }
    return nullptr;
}

std::unique_ptr<OutputCheck> check_telemetry(const jf_telemetry_batch& batch) {
    return std::make_unique<TelemetryCheck>(items_of(batch));
}

}  // namespace jackfield::plugin_host
