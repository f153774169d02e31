#include "base/result.hpp"

#include "base/assert.hpp"

namespace jackfield::base {

std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid: return "invalid";
        case ErrorCode::state: return "state";
        case ErrorCode::unsupported: return "unsupported";
        case ErrorCode::again: return "again";
        case ErrorCode::cancelled: return "cancelled";
        case ErrorCode::timeout: return "timeout";
        case ErrorCode::too_new: return "too_new";
        case ErrorCode::peer_lost: return "peer_lost";
        case ErrorCode::auth: return "auth";
        case ErrorCode::quota: return "quota";
        case ErrorCode::rate: return "rate";
        case ErrorCode::not_found: return "not_found";
        case ErrorCode::conflict: return "conflict";
        case ErrorCode::internal: return "internal";
    }
    return "unknown";
}

Error Error::with_context(std::string_view doing) const {
    Error copy = *this;
    copy.text_ = std::string(doing) + ": " + text_;
    return copy;
}

Error Error::with_vendor_code(std::int64_t code) const {
    Error copy = *this;
    copy.vendor_code_ = code;
    return copy;
}

Error Error::with_retry(RetryClass retry, std::uint32_t after_ms) const {
    Error copy = *this;
    copy.retry_ = retry;
    copy.retry_after_ms_ = after_ms;
    return copy;
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
    panic("value() of a failed Result", error.text().c_str(), __FILE__, __LINE__);
}

}  // namespace jackfield::base
