#pragma once

#include <string>
#include <string_view>

namespace jackfield::call {

struct AnnouncedCall {
    std::string_view caller;
    std::string_view called;
    std::string_view summary;
};

/// `text` with {caller}, {called} and {summary} filled in. Numbers are spelled so that a voice reads their digits one by one.
std::string fill_announcement(std::string_view text, const AnnouncedCall& call);

}  // namespace jackfield::call
