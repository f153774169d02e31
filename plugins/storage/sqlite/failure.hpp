#pragma once

#include <jackfield/sdk/plugin.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace jackfield::sqlite {

/// A failure that also says when to come back.
class StoreFailure : public sdk::Failure {
  public:
    StoreFailure(jf_status code, std::string text, std::int64_t vendor = 0, std::uint32_t retry_after_ms = 0)
        : Failure(code, std::move(text), retry_after_ms ? JF_RETRY_AFTER : JF_RETRY_NO, vendor),
          retry_after_ms_(retry_after_ms) {}
    std::uint32_t retry_after_ms() const { return retry_after_ms_; }

    /// An SQLite constraint that the values broke: so that a writer can say it in the caller's words.
    enum class Constraint : std::uint8_t { none, unique };
    Constraint constraint = Constraint::none;

  private:
    std::uint32_t retry_after_ms_;
};

[[noreturn]] inline void invalid(std::string text) { throw StoreFailure(JF_E_INVALID, std::move(text)); }
[[noreturn]] inline void unsupported(std::string text) { throw StoreFailure(JF_E_UNSUPPORTED, std::move(text)); }
[[noreturn]] inline void conflict(std::string text) { throw StoreFailure(JF_E_CONFLICT, std::move(text)); }

}  // namespace jackfield::sqlite
