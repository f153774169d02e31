#include "script.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace jackfield::telephony_sim {
namespace {

std::string_view next_word(std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return word;
}

unsigned next_number(std::string_view& rest) {
    const std::string_view word = next_word(rest);
    unsigned number = 0;
    std::from_chars(word.data(), word.data() + word.size(), number);
    return number;
}

unsigned packets(unsigned ms) { return (ms + 10) / 20; }

bool read_network(std::string_view rest, Script& out) {
    using Kind = NetworkFault::Kind;
    constexpr std::array<std::pair<std::string_view, Kind>, 8> kinds = {{{"lose", Kind::lose},
                                                                         {"delay", Kind::delay},
                                                                         {"swap", Kind::swap},
                                                                         {"twice", Kind::twice},
                                                                         {"stall", Kind::stall},
                                                                         {"jump", Kind::jump},
                                                                         {"back", Kind::back},
                                                                         {"restart", Kind::restart}}};
    const std::string_view word = next_word(rest);
    for (const auto& [name, kind] : kinds) {
        if (name != word) continue;
        NetworkFault fault;
        fault.kind = kind;
        fault.at = next_number(rest);
        fault.n = next_number(rest);
        fault.much = next_number(rest);
        out.network.push_back(fault);
        return true;
    }
    return false;
}

bool read_line_fault(std::string_view rest, Move& move) {
    constexpr std::array<std::pair<std::string_view, LineFault>, 6> kinds = {{{"die", LineFault::die},
                                                                              {"deaf", LineFault::deaf},
                                                                              {"block", LineFault::block},
                                                                              {"lie", LineFault::lie},
                                                                              {"twice", LineFault::twice},
                                                                              {"after", LineFault::after}}};
    const std::string_view word = next_word(rest);
    for (const auto& [name, kind] : kinds) {
        if (name != word) continue;
        move.fault = kind;
        move.fault_packets = packets(next_number(rest));
        return true;
    }
    return false;
}

/// Reads one step; `begins` is when the next move shall.
bool read_step(std::string_view verb, std::string_view rest, Script& out, Move& begins) {
    const auto move = [&]() -> Move& {
        out.plan.moves.push_back(std::exchange(begins, Move{.begins = Move::Begins::at_once}));
        return out.plan.moves.back();
    };
    if (verb == "from") out.from = next_word(rest);
    else if (verb == "to") out.to = next_word(rest);
    else if (verb == "dialled") out.dialled = next_word(rest);
    else if (verb == "at") out.at_ms = next_number(rest);
    else if (verb == "ring") out.ring_ms = next_number(rest);
    else if (verb == "answers") out.then = Script::Dialled::answers;
    else if (verb == "busy") out.then = Script::Dialled::busy;
    else if (verb == "away") out.then = Script::Dialled::away;
    else if (verb == "impatient") out.plan.impatience = packets(next_number(rest));
    else if (verb == "patience") out.plan.patience = packets(next_number(rest));
    else if (verb == "linger") out.plan.lingers = packets(next_number(rest));
    else if (verb == "stays") out.plan.stays = packets(next_number(rest));
    else if (verb == "wait") begins = Move{.begins = Move::Begins::agent_quiet, .after = packets(next_number(rest))};
    else if (verb == "over") begins = Move{.begins = Move::Begins::agent_talks, .after = packets(next_number(rest))};
    else if (verb == "pause") move().sounds.assign(packets(next_number(rest)), sim::quiet);
    else if (verb == "say") move().sounds = sim::speak(rest);
    else if (verb == "cough") move().sounds.assign(packets(next_number(rest)), sim::noise);
    else if (verb == "press") move().keys = next_word(rest);
    else if (verb == "hold") move().hold = packets(next_number(rest));
    else if (verb == "hang_up") move().end = Step::End::hang_up;
    else if (verb == "vanish") move().end = Step::End::vanish;
    else if (verb == "net") return read_network(rest, out);
    else if (verb == "line") return read_line_fault(rest, move());
    else return false;
    return true;
}

}  // namespace

std::optional<Script> parse_script(std::string_view text, std::string& problem) {
    Script out;
    out.plan.lingers = packets(2000);
    out.plan.patience = packets(3000);
    Move begins{.begins = Move::Begins::at_once};
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(';'), text.size());
        std::string_view step = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::string whole(step);
        const std::string_view verb = next_word(step);
        if (verb.empty() || read_step(verb, step, out, begins)) continue;
        problem = "no step of a call: '" + whole + "'";
        return std::nullopt;
    }
    if (out.from.empty() == out.dialled.empty()) {
        problem = "a call has either 'from' or 'dialled'";
        return std::nullopt;
    }
    return out;
}

}  // namespace jackfield::telephony_sim
