#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace jackfield::base {

/// What went wrong, in the ABI's own numbering (jackfield/base.h), so that an error keeps its meaning through a plugin.
enum class ErrorCode : std::int32_t {
    invalid = -1,
    state = -2,
    unsupported = -3,
    again = -4,
    cancelled = -5,
    timeout = -6,
    too_new = -7,
    peer_lost = -8,
    auth = -9,
    quota = -10,
    rate = -11,
    not_found = -12,
    conflict = -13,
    internal = -14,
};

/// What a caller may sensibly do next.
enum class RetryClass : std::uint32_t { no = 0, now = 1, after_ms = 2, other_provider = 3 };

std::string_view to_string(ErrorCode code);

/// An expected failure: a code from a short list, a retry class, and a sentence for a person.
class [[nodiscard]] Error {
  public:
    /// What Result::error() answers when there is none: Boost's result wants one.
    Error() : Error(ErrorCode::internal, "no error") {}
    Error(ErrorCode code, std::string text, RetryClass retry = RetryClass::no)
        : code_(code), retry_(retry), text_(std::move(text)) {}

    ErrorCode code() const { return code_; }
    RetryClass retry() const { return retry_; }
    std::uint32_t retry_after_ms() const { return retry_after_ms_; }
    /// The vendor's own code, 0 when there is none.
    std::int64_t vendor_code() const { return vendor_code_; }
    const std::string& text() const { return text_; }

    /// Adds what the layer was doing: `open stream: connection refused`.
    Error with_context(std::string_view doing) const;
    Error with_vendor_code(std::int64_t code) const;
    Error with_retry(RetryClass retry, std::uint32_t after_ms = 0) const;

    friend bool operator==(const Error&, const Error&) = default;

  private:
    ErrorCode code_;
    RetryClass retry_;
    std::uint32_t retry_after_ms_ = 0;
    std::int64_t vendor_code_ = 0;
    std::string text_;
};

void throw_exception_from_error(const Error& error, const boost::source_location& where);

/// A value or an Error. Reading the value of a failed result is a bug and aborts.
template <typename T = void>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
  public:
    using boost::system::result<T, Error>::result;
};

template <>
class [[nodiscard]] Result<void> : public boost::system::result<void, Error> {
  public:
    using boost::system::result<void, Error>::result;
};

}  // namespace jackfield::base
