#include "conformance/kit/check.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace jackfield::conformance {

void fail(std::string why) { throw Failed{std::move(why)}; }
void not_applicable(std::string why) { throw NotApplicable{std::move(why)}; }

void require(bool holds, std::string_view otherwise) {
    if (!holds) fail(std::string(otherwise));
}

std::string status_name(jf_status status) {
    static constexpr std::array names{"OK",      "INVALID", "STATE", "UNSUPPORTED", "AGAIN", "CANCELLED", "TIMEOUT", "TOO_NEW",
                                      "PEER_LOST", "AUTH",    "QUOTA", "RATE",        "NOT_FOUND", "CONFLICT", "INTERNAL"};
    if (status <= 0 && status > -static_cast<jf_status>(names.size()))
        return fmt::format("{} ({})", names[static_cast<std::size_t>(-status)], status);
    return status < -1000 ? fmt::format("the vendor's {}", status) : fmt::format("the undefined status {}", status);
}

void require_status(std::string_view call, jf_status got, std::initializer_list<jf_status> wanted) {
    if (std::find(wanted.begin(), wanted.end(), got) != wanted.end()) return;
    std::string list;
    for (const jf_status status : wanted) list += (list.empty() ? "" : " or ") + status_name(status);
    fail(fmt::format("{} answered {}; wanted: {}", call, status_name(got), list));
}

}  // namespace jackfield::conformance
