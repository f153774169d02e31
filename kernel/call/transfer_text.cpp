#include "call/transfer_text.hpp"

#include <algorithm>

namespace jackfield::call {
namespace {

/// "+12125550100" is "1 2 1 2 5 5 5 0 1 0 0"; of "sip:desk@example.org" the user is said.
std::string spoken_number(std::string_view number) {
    if (number.starts_with("sip:") || number.starts_with("sips:")) number.remove_prefix(number.find(':') + 1);
    number = number.substr(0, number.find('@'));
    const bool digits = number.find_first_not_of("+0123456789*#") == number.npos;
    if (!digits) return std::string(number);
    std::string out;
    for (const char c : number) {
        if (c == '+') continue;
        if (!out.empty()) out += ' ';
        out += c;
    }
    return out;
}

}  // namespace

std::string fill_announcement(std::string_view text, const AnnouncedCall& call) {
    std::string out;
    while (!text.empty()) {
        const std::size_t open = text.find('{');
        out += text.substr(0, open);
        if (open == text.npos) break;
        text.remove_prefix(open);
        const std::size_t close = text.find('}');
        const std::string_view name = close == text.npos ? std::string_view() : text.substr(1, close - 1);
        if (name == "caller") out += spoken_number(call.caller);
        else if (name == "called") out += spoken_number(call.called);
        else if (name == "summary") out += call.summary;
        else {
            out += '{';
            text.remove_prefix(1);
            continue;
        }
        text.remove_prefix(close + 1);
    }
    return out;
}

}  // namespace jackfield::call
