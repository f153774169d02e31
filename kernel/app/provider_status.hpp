#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"
#include "observe/metrics.hpp"
#include "tenant/directory.hpp"

namespace jackfield::app {

/// How well the providers of calls (recognisers, models, voices) are, as every call on this host sees them.
/// As gauges, read at scrape: latency quantiles, samples and the breaker. `clock` outlives the metrics.
void register_provider_metrics(observe::Metrics& metrics, const tenant::Directory& directory, const base::Clock& clock);

/// Every instance there is by its name, the last one `storage` (null: none), as the member "providers" of the object being written: what it is, whether it
/// serves, and of those in chains the same as above.
void write_providers(base::JsonWriter& json, const plugin_host::Instance* storage, const tenant::Directory& directory, base::MonoTime now);

}  // namespace jackfield::app
