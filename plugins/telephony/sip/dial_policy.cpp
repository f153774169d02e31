#include "dial_policy.hpp"

#include "text.hpp"

#include <algorithm>

namespace jackfield::sip {
namespace {

/// The user part of a SIP URI without its parameters and with escapes undone, since "%31%31%32" is
/// 112 as well.
std::string user_of(std::string_view uri) {
    uri.remove_prefix(std::min(uri.find(':') + 1, uri.size()));
    const std::size_t at = uri.find('@');
    if (at == std::string_view::npos) return {};
    std::string_view user = uri.substr(0, at);
    user = user.substr(0, user.find_first_of(";:"));
    std::string out;
    for (std::size_t i = 0; i < user.size(); ++i) {
        const auto digit = [](char c) {
            return c >= '0' && c <= '9'   ? c - '0'
                   : c >= 'a' && c <= 'f' ? c - 'a' + 10
                   : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                          : -1;
        };
        if (user[i] == '%' && i + 2 < user.size() && digit(user[i + 1]) >= 0 &&
            digit(user[i + 2]) >= 0) {
            out += static_cast<char>(digit(user[i + 1]) * 16 + digit(user[i + 2]));
            i += 2;
        } else {
            out += user[i];
        }
    }
    return out;
}

/// Without the separators that gateways ignore (RFC 3966 5.1.1), and with the usual way to dial
/// abroad written as '+'.
std::string dialled_number(std::string_view user) {
    std::string out;
    for (const char c : user)
        if (c != '-' && c != '.' && c != '(' && c != ')' && c != ' ') out += c;
    if (out.starts_with("00") && out.size() > 4) out.replace(0, 2, "+");
    return is_number(out) ? out : std::string();
}

}  // namespace

bool DialPolicy::is_emergency(std::string_view number) const {
    if (number.starts_with('+')) number.remove_prefix(1);
    return std::find(rules_.emergency_numbers.begin(), rules_.emergency_numbers.end(), number) !=
           rules_.emergency_numbers.end();
}

bool DialPolicy::listed(std::string_view uri, std::string_view number) const {
    bool allowed = false;
    for (const std::string& entry : rules_.allow) {
        const bool forbids = entry.starts_with('!');
        const std::string_view prefix = std::string_view(entry).substr(forbids ? 1 : 0);
        const bool matches = prefix == "*" ||
                             (prefix.starts_with("sip:") && uri.starts_with(prefix)) ||
                             (!number.empty() && number.starts_with(prefix));
        if (!matches) continue;
        if (forbids) return false;
        allowed = true;
    }
    return allowed;
}

bool DialPolicy::is_charged(std::string_view uri) const {
    return rules_.trunk && !is_emergency(dialled_number(user_of(uri)));
}

DialPolicy::Verdict DialPolicy::admit(std::string_view uri, std::uint64_t now_ms) {
    const std::string number = dialled_number(user_of(uri));
    if (is_emergency(number)) return rules_.emergency ? Verdict::allowed : Verdict::emergency;
    // With nothing listed, what costs nobody anything may be called. Through a trunk even a name
    // may end at a number that does: that is the carrier's to decide.
    if (rules_.allow.empty() ? rules_.trunk : !listed(uri, number)) return Verdict::not_listed;
    if (!rules_.trunk) return Verdict::allowed;
    const std::lock_guard lock(mutex_);
    if (rules_.per_minute && minute_.sum(now_ms) >= rules_.per_minute) return Verdict::per_minute;
    if (rules_.per_day && day_.sum(now_ms) >= rules_.per_day) return Verdict::per_day;
    if (rules_.minutes_per_day &&
        talk_ms_.sum(now_ms) >= std::uint64_t{rules_.minutes_per_day} * 60'000)
        return Verdict::minutes_per_day;
    minute_.add(1, now_ms);
    day_.add(1, now_ms);
    return Verdict::allowed;
}

void DialPolicy::talked(std::uint64_t duration_ms, std::uint64_t now_ms) {
    const std::lock_guard lock(mutex_);
    talk_ms_.add(duration_ms, now_ms);
}

const char* DialPolicy::explain(Verdict verdict) {
    switch (verdict) {
        case Verdict::allowed:
            break;
        case Verdict::not_listed:
            return "no entry of `dial_allow` permits this destination; add its prefix there, as in "
                   "dial_allow = [\"+1212\"]";
        case Verdict::emergency:
            return "this is an emergency number; they are dialled only with emergency = true";
        case Verdict::per_minute:
            return "max_dials_per_minute is reached";
        case Verdict::per_day:
            return "max_dials_per_day is reached";
        case Verdict::minutes_per_day:
            return "max_minutes_per_day is reached";
    }
    return "";
}

}  // namespace jackfield::sip
