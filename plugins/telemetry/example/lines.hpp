#pragma once

#include <string>

#include <jackfield/telemetry.h>

namespace jackfield::telemetry_example {

/// A line of JSON for each item of the batch.
std::string lines_of(const jf_telemetry_batch& batch);

}  // namespace jackfield::telemetry_example
