#include "call/local_time.hpp"

#include <date/tz.h>

namespace jackfield::call {

std::string format_local(base::UtcTime time, const std::string& zone) {
    const auto at = std::chrono::floor<std::chrono::seconds>(
        std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>(std::chrono::microseconds(time.us)));
    try {
        return date::format("%FT%T%Ez", date::make_zoned(zone, at));
    } catch (const std::runtime_error&) {
        return date::format("%FT%TZ", at);
    }
}

}  // namespace jackfield::call
