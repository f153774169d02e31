#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::observe {

/// Text that must not leave through a log: whatever the configuration took from the environment and
/// from files. Thread-safe.
class Secrets {
  public:
    /// Text shorter than this is not hidden: replacing "no" or "5060" wherever it stands would ruin
    /// every line.
    static constexpr std::size_t shortest = 5;

    void add(std::string_view text);

    /// The line with each secret replaced by ***, also where it stands escaped as in JSON.
    std::string redact(std::string line) const;

  private:
    using Patterns = std::vector<std::string>;
    // Readers take the current list and search without the lock.
    mutable std::mutex mutex_;
    std::shared_ptr<const Patterns> patterns_ = std::make_shared<const Patterns>();
};

}  // namespace jackfield::observe
