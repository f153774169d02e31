#pragma once

#include <optional>
#include <string>

namespace jackfield::bench {

/// Writes a circle of days and times, spoken by a person, with pauses that leave the wanted share of speech; over all of it white noise of
/// that level, if any. Returns the share. Throws when the recordings aren't installed, saying how to install them.
double write_speech(const std::string& file, double share, std::optional<double> noise_dbov);

}  // namespace jackfield::bench
