#include "leg_state.hpp"

#include <algorithm>
#include <charconv>

namespace jackfield::sip {
namespace {

constexpr std::string_view magic = "sip-leg 1";

/// Header values may be folded over lines on the wire; one line is the same header.
void append(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ' ';
    for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    out += '\n';
}

}  // namespace

std::string LegState::encode() const {
    std::string out(magic);
    out += '\n';
    append(out, "call-id", call_id);
    append(out, "from", from);
    append(out, "to", to);
    append(out, "target", target);
    for (const std::string& route : routes) append(out, "route", route);
    if (!next_hop.empty()) append(out, "next-hop", next_hop);
    append(out, "cseq", std::to_string(cseq));
    return out.size() <= most_leg_state ? out : std::string();
}

std::optional<LegState> LegState::parse(std::string_view text) {
    if (text.size() > most_leg_state) return std::nullopt;
    LegState out;
    bool first = true;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (std::any_of(line.begin(), line.end(), [](char c) {
                return static_cast<unsigned char>(c) < 0x20;
            }))
            return std::nullopt;
        if (first) {
            if (line != magic) return std::nullopt;
            first = false;
            continue;
        }
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos) return std::nullopt;
        const std::string_view name = line.substr(0, space);
        const std::string_view value = line.substr(space + 1);
        if (name == "call-id")
            out.call_id = value;
        else if (name == "from")
            out.from = value;
        else if (name == "to")
            out.to = value;
        else if (name == "target")
            out.target = value;
        else if (name == "route")
            out.routes.emplace_back(value);
        else if (name == "next-hop")
            out.next_hop = value;
        else if (name == "cseq")
            std::from_chars(value.data(), value.data() + value.size(), out.cseq);
    }
    if (out.call_id.empty() || out.from.empty() || out.to.empty() || out.target.empty() ||
        out.cseq == 0)
        return std::nullopt;
    return out;
}

}  // namespace jackfield::sip
