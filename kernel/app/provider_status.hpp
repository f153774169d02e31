#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"
#include "observe/metrics.hpp"
#include "tenant/directory.hpp"

namespace jackfield::app {

/// How well the providers of calls (recognisers, models, voices) are, as every call on this host sees them.
/// As gauges, read at scrape: latency quantiles, samples and the breaker. `clock` outlives the metrics.
void register_provider_metrics(observe::Metrics& metrics, const tenant::Directory& directory, const base::Clock& clock);

/// The same as the member "providers" of the object being written.
void write_providers(base::JsonWriter& json, const tenant::Directory& directory, base::MonoTime now);

}  // namespace jackfield::app
