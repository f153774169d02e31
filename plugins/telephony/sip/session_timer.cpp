#include "session_timer.hpp"

#include <algorithm>
#include <charconv>

namespace jackfield::sip {
namespace {

constexpr std::uint64_t ns_per_second = 1'000'000'000;
constexpr std::uint32_t most_s = 7 * 24 * 3600;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::string_view part(std::string_view& text) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view out = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return out;
}

bool same(std::string_view text, std::string_view lower_case) {
    return text.size() == lower_case.size() &&
           std::equal(text.begin(), text.end(), lower_case.begin(), [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
           });
}

std::optional<std::uint32_t> seconds(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::optional<SessionExpires> parse_session_expires(std::string_view value) {
    const std::optional<std::uint32_t> number = seconds(part(value));
    if (!number) return std::nullopt;
    SessionExpires out{*number, Refresher::unsaid};
    while (!value.empty()) {
        const std::string_view parameter = part(value);
        const std::size_t equals = parameter.find('=');
        if (equals == std::string_view::npos ||
            !same(trimmed(parameter.substr(0, equals)), "refresher"))
            continue;
        const std::string_view who = trimmed(parameter.substr(equals + 1));
        if (same(who, "uac"))
            out.refresher = Refresher::uac;
        else if (same(who, "uas"))
            out.refresher = Refresher::uas;
        else
            return std::nullopt;
    }
    return out;
}

std::optional<std::uint32_t> parse_min_se(std::string_view value) {
    return seconds(part(value));
}

SessionTimer::SessionTimer(std::uint32_t wanted_s, std::uint32_t min_se_s)
    : wanted_s_(wanted_s), min_se_s_(std::max(min_se_s, least_s)) {}

bool SessionTimer::too_short(const TimerTerms& request) const {
    return request.supported && request.expires && request.expires->seconds < min_se_s_;
}

std::string SessionTimer::request_headers() const {
    std::string out = "Supported: timer\r\n";
    const std::uint32_t asked = active() ? interval_s_ : wanted_s_;
    if (asked == 0) return out;
    out += "Session-Expires: " + std::to_string(std::max(asked, far_min_se_s_));
    // The first request leaves the choice to the far end; later ones keep what was settled (RFC
    // 4028 7.4).
    if (active()) out += we_refresh_ ? ";refresher=uac" : ";refresher=uas";
    return out + "\r\nMin-SE: " + std::to_string(std::max(min_se_s_, far_min_se_s_)) + "\r\n";
}

void SessionTimer::begin(std::uint32_t interval_s, bool we_refresh, std::uint64_t now_ns) {
    interval_s_ = std::min(interval_s, most_s);
    we_refresh_ = we_refresh;
    refreshing_ = false;
    refreshed_ns_ = now_ns;
    refresh_ns_ = now_ns + interval_s_ * ns_per_second / 2;
}

void SessionTimer::answered(const TimerTerms& response, std::uint64_t now_ns) {
    // No Session-Expires in a 2xx: the far end has no timers, and this session none (RFC 4028 7.2).
    if (!response.expires || response.expires->seconds < least_s) {
        interval_s_ = 0;
        refreshing_ = false;
        return;
    }
    begin(response.expires->seconds, response.expires->refresher != Refresher::uas, now_ns);
}

bool SessionTimer::raise(std::uint32_t min_se_s) {
    refreshing_ = false;
    const std::uint32_t asked = std::max(active() ? interval_s_ : wanted_s_, far_min_se_s_);
    if (min_se_s <= asked || min_se_s > most_s) return false;
    far_min_se_s_ = min_se_s;
    if (active()) interval_s_ = std::max(interval_s_, min_se_s);
    return true;
}

std::string SessionTimer::accept(const TimerTerms& request, std::uint64_t now_ns) {
    std::uint32_t interval = interval_s_;
    bool we_refresh = we_refresh_;
    if (request.expires && request.expires->seconds >= least_s) {
        interval = request.expires->seconds;
        // Who asks for a timer without saying who shall keep it, keeps it, if it can.
        we_refresh = !request.supported || request.expires->refresher == Refresher::uas;
    } else if (!active()) {
        if (wanted_s_ == 0 || !request.supported) return {};
        interval = std::max(wanted_s_, request.min_se);
        we_refresh = false;
    }
    begin(interval, we_refresh, now_ns);
    std::string out = "Session-Expires: " + std::to_string(interval_s_) +
                      (we_refresh ? ";refresher=uas\r\n" : ";refresher=uac\r\n");
    if (!we_refresh) out += "Require: timer\r\n";
    return out;
}

/// RFC 4028 10: the BYE goes out shortly before the session ends for everybody.
std::uint64_t SessionTimer::over_ns() const {
    return refreshed_ns_ +
           (interval_s_ - std::min<std::uint32_t>(32, interval_s_ / 3)) * ns_per_second;
}

std::uint64_t SessionTimer::due_ns() const {
    if (!active()) return 0;
    return we_refresh_ && !refreshing_ ? std::min(refresh_ns_, over_ns()) : over_ns();
}

SessionTimer::Due SessionTimer::due(std::uint64_t now_ns) {
    if (!active()) return Due::nothing;
    if (now_ns >= over_ns()) return Due::over;
    if (!we_refresh_ || refreshing_ || now_ns < refresh_ns_) return Due::nothing;
    refreshing_ = true;
    return Due::refresh;
}

void SessionTimer::refresh_failed(std::uint64_t now_ns) {
    refreshing_ = false;
    refresh_ns_ = now_ns + (over_ns() > now_ns ? (over_ns() - now_ns) / 2 + ns_per_second : 0);
}

}  // namespace jackfield::sip
