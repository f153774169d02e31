#include "dtmf.hpp"

#include <cctype>
#include <charconv>

namespace jackfield::sip {
namespace {

constexpr std::string_view keys = "0123456789*#ABCD";
constexpr std::uint32_t units_per_ms = 8;  // telephone-event/8000
constexpr std::uint64_t lost_end_ns = 100'000'000;

constexpr unsigned tone_ticks = 5;
constexpr unsigned end_repeats = 3;  // of which the first closes the tone
constexpr unsigned gap_ticks = 3;
constexpr unsigned pause_ticks = 25;
constexpr std::uint8_t volume = 10;  // -10 dBm0

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
        text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
        text.remove_suffix(1);
    return text;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::tolower(static_cast<unsigned char>(a[i])) !=
            std::tolower(static_cast<unsigned char>(b[i])))
            return false;
    return true;
}

char as_key(std::string_view text) {
    if (text.size() == 1) {
        const char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
        return keys.find(upper) == std::string_view::npos ? 0 : upper;
    }
    // Some gateways write the event's number.
    unsigned code = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), code);
    const bool number = problem == std::errc() && end == text.data() + text.size();
    return number && code < keys.size() ? keys[code] : 0;
}

}  // namespace

std::optional<KeyPress> DtmfReceiver::event(std::span<const std::uint8_t> payload,
                                            std::uint32_t ssrc,
                                            std::uint32_t timestamp,
                                            bool marker,
                                            std::uint64_t now_ns) {
    if (payload.size() < 4 || payload[0] >= keys.size()) return std::nullopt;
    const std::uint8_t code = payload[0];
    const bool end = (payload[1] & 0x80) != 0;
    const auto duration = static_cast<std::uint32_t>(payload[2] << 8 | payload[3]);

    std::optional<KeyPress> ended;
    const bool same = seen_ && ssrc == ssrc_ && timestamp == timestamp_;
    if (!same) {
        if (seen_ && ssrc == ssrc_ && static_cast<std::int32_t>(timestamp - timestamp_) < 0)
            return std::nullopt;
        // A key held longer than 16 bits of duration goes on under a new timestamp, without a
        // marker, where the last segment ended.
        const bool segment = active_ && ssrc == ssrc_ && code == code_ && !marker &&
                             timestamp - timestamp_ >= 0xf000u && timestamp - timestamp_ <= 0xffffu;
        if (!segment) ended = finish();
        before_ = segment ? before_ + (timestamp - timestamp_) : 0;
        seen_ = active_ = true;
        ssrc_ = ssrc;
        timestamp_ = timestamp;
        code_ = code;
        duration_ = 0;
    }
    if (!active_) return ended;
    last_ns_ = now_ns;
    if (duration > duration_) duration_ = duration;
    if (end && !ended) return finish();
    return ended;
}

std::optional<KeyPress> DtmfReceiver::quiet(std::uint64_t now_ns) {
    if (!active_ || now_ns - last_ns_ < lost_end_ns) return std::nullopt;
    return finish();
}

std::optional<KeyPress> DtmfReceiver::finish() {
    if (!active_) return std::nullopt;
    active_ = false;
    return KeyPress{keys[code_], (before_ + duration_) / units_per_ms};
}

bool DtmfSender::add(std::string_view digits) {
    if (next_ == count_) next_ = count_ = 0;
    if (digits.empty() || digits.size() > most - count_) return false;
    for (const char digit : digits)
        if (digit != 'w' && keys.find(digit) == std::string_view::npos) return false;
    for (const char digit : digits) keys_[count_++] = digit;
    return true;
}

std::optional<DtmfSender::Packet> DtmfSender::tick() {
    if (!busy()) return std::nullopt;
    const char key = keys_[next_];
    const unsigned step = step_++;
    if (key == 'w') {
        if (step_ >= pause_ticks) {
            ++next_;
            step_ = 0;
        }
        return std::nullopt;
    }
    constexpr unsigned tone_and_repeats = tone_ticks + end_repeats - 1;
    if (step_ >= tone_and_repeats + gap_ticks) {
        ++next_;
        step_ = 0;
    }
    if (step >= tone_and_repeats) return std::nullopt;
    const unsigned ticks = step < tone_ticks ? step + 1 : tone_ticks;
    const std::uint32_t duration = ticks * tick_ms * units_per_ms;
    Packet packet;
    packet.first = step == 0;
    packet.payload = {static_cast<std::uint8_t>(keys.find(key)),
                      static_cast<std::uint8_t>((step + 1 >= tone_ticks ? 0x80 : 0) | volume),
                      static_cast<std::uint8_t>(duration >> 8),
                      static_cast<std::uint8_t>(duration)};
    return packet;
}

std::optional<KeyPress> parse_info_dtmf(std::string_view body) {
    KeyPress press;
    bool named = false;
    while (!body.empty()) {
        const std::size_t end = body.find_first_of("\r\n");
        const std::string_view line = trimmed(body.substr(0, end));
        body = end == std::string_view::npos ? std::string_view() : body.substr(end + 1);
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            if (!named && !line.empty()) press.digit = as_key(line);
            named = named || !line.empty();
            continue;
        }
        const std::string_view name = trimmed(line.substr(0, equals));
        const std::string_view value = trimmed(line.substr(equals + 1));
        if (equal_ignoring_case(name, "signal")) {
            press.digit = as_key(value);
            named = true;
        } else if (equal_ignoring_case(name, "duration")) {
            std::from_chars(value.data(), value.data() + value.size(), press.duration_ms);
        }
    }
    if (!press.digit) return std::nullopt;
    if (press.duration_ms > 60'000) press.duration_ms = 0;
    return press;
}

}  // namespace jackfield::sip
