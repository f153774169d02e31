// Values from a SIP peer that are parsed by hand: a=crypto (SDES) and the headers of session
// timers.

#include "plugins/telephony/sip/sdes.hpp"
#include "plugins/telephony/sip/session_timer.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

using namespace jackfield::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto line = parse_crypto(text)) {
        const std::string written = write_crypto(*line);
        const auto again = parse_crypto(std::string_view(written).substr(9, written.size() - 11));
        if (!again || again->tag != line->tag || again->suite != line->suite ||
            !(again->key == line->key))
            std::abort();
    }

    // A conversation: each line is what the next message says, its first character how it came.
    SessionTimer timer(size % 2 ? 1800 : 0, static_cast<std::uint32_t>(size));
    std::uint64_t now = 0;
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.empty()) continue;
        const auto kind = static_cast<unsigned char>(line[0]);
        TimerTerms terms;
        terms.expires = parse_session_expires(line.substr(1));
        terms.min_se = parse_min_se(line.substr(1)).value_or(0);
        terms.supported = (kind & 1) != 0;
        now += std::uint64_t{kind} * 1'000'000'000;
        if (timer.too_short(terms)) continue;
        switch (kind >> 1 & 3) {
            case 0:
                (void)timer.accept(terms, now);
                break;
            case 1:
                timer.answered(terms, now);
                break;
            case 2:
                (void)timer.raise(terms.min_se);
                break;
            default:
                if (timer.due(now) == SessionTimer::Due::refresh) timer.refresh_failed(now);
                break;
        }
        (void)timer.request_headers();
        // An active timer always has an end in sight, within a week and a half.
        if (timer.active() &&
            (timer.due_ns() == 0 || timer.due_ns() > now + 11ull * 86400 * 1'000'000'000))
            std::abort();
    }
    return 0;
}
