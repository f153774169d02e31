#include "causes.hpp"

#include <algorithm>
#include <charconv>

namespace jackfield::sip {

Refusal refusal_for(std::uint32_t cause) {
    switch (cause) {
        case JF_CAUSE_BUSY:
            return {486, "Busy Here"};
        case JF_CAUSE_NO_ANSWER:
            return {480, "Temporarily Unavailable"};
        case JF_CAUSE_REJECTED:
        case JF_CAUSE_NORMAL:
            return {603, "Decline"};
        case JF_CAUSE_INVALID_NUMBER:
            return {484, "Address Incomplete"};
        case JF_CAUSE_CANCELLED:
            return {487, "Request Terminated"};
        case JF_CAUSE_UNAVAILABLE:
            return {503, "Service Unavailable"};
        case JF_CAUSE_NOT_FOUND:
            return {404, "Not Found"};
        case JF_CAUSE_UNACCEPTABLE:
            return {488, "Not Acceptable Here"};
        case JF_CAUSE_MEDIA_TIMEOUT:
            return {480, "Temporarily Unavailable"};
        default:
            return {500, "Server Internal Error"};
    }
}

std::uint32_t cause_of(std::uint32_t status, std::uint32_t q850) {
    // A gateway's Q.850 cause says more than the SIP status that it was mapped to.
    switch (q850) {
        case 1:
        case 28:
            return JF_CAUSE_INVALID_NUMBER;
        case 17:
            return JF_CAUSE_BUSY;
        case 18:
        case 19:
            return JF_CAUSE_NO_ANSWER;
        case 21:
            return JF_CAUSE_REJECTED;
        case 34:
        case 38:
        case 41:
        case 42:
            return JF_CAUSE_CARRIER_ERROR;
        default:
            break;
    }
    switch (status) {
        case 486:
        case 600:
            return JF_CAUSE_BUSY;
        case 408:
        case 480:
            return JF_CAUSE_NO_ANSWER;
        case 487:
            return JF_CAUSE_CANCELLED;
        case 403:
        case 603:
            return JF_CAUSE_REJECTED;
        case 404:
        case 410:
        case 484:
        case 604:
            return JF_CAUSE_INVALID_NUMBER;
        case 415:
        case 488:
        case 606:
            return JF_CAUSE_UNACCEPTABLE;
        case 401:
        case 407:
            return JF_CAUSE_CARRIER_ERROR;  // our credentials
        default:
            return status >= 500 && status < 600 ? JF_CAUSE_CARRIER_ERROR : JF_CAUSE_FAILED;
    }
}

std::uint32_t q850_of(std::uint32_t cause) {
    switch (cause) {
        case JF_CAUSE_BUSY:
            return 17;
        case JF_CAUSE_NO_ANSWER:
            return 19;
        case JF_CAUSE_REJECTED:
            return 21;
        case JF_CAUSE_INVALID_NUMBER:
            return 28;
        case JF_CAUSE_UNAVAILABLE:
        case JF_CAUSE_CARRIER_ERROR:
        case JF_CAUSE_FAILED:
            return 41;  // temporary failure
        case JF_CAUSE_MEDIA_TIMEOUT:
            return 102;  // recovery on timer expiry
        case JF_CAUSE_NOT_FOUND:
            return 1;
        case JF_CAUSE_UNACCEPTABLE:
            return 65;  // bearer capability not implemented
        default:
            return 16;  // normal clearing
    }
}

std::uint32_t parse_reason(std::string_view header) {
    while (!header.empty()) {
        const std::string_view value = header.substr(0, header.find(','));
        header.remove_prefix(std::min(value.size() + 1, header.size()));
        const std::size_t protocol = value.find_first_not_of(" \t");
        if (protocol == std::string_view::npos || !value.substr(protocol).starts_with("Q.850"))
            continue;
        const std::size_t at = value.find("cause=");
        if (at == std::string_view::npos) continue;
        std::uint32_t cause = 0;
        const std::string_view digits = value.substr(at + 6);
        std::from_chars(digits.data(), digits.data() + digits.size(), cause);
        if (cause <= 127) return cause;
    }
    return 0;
}

}  // namespace jackfield::sip
