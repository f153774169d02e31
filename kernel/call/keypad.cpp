#include "call/keypad.hpp"

#include <algorithm>
#include <utility>

#include "base/json.hpp"

namespace jackfield::call {
namespace {

constexpr std::size_t longest_entry = 64;

}  // namespace

bool is_key(std::uint32_t digit) {
    return digit > 0 && digit < 128 && std::string_view("0123456789*#ABCD").find(static_cast<char>(digit)) != std::string_view::npos;
}

void Keypad::expect(bool digits, std::uint32_t most) {
    collecting_ = digits;
    expected_ = digits ? most : 0;
}

std::string Keypad::take() { return std::exchange(keys_, {}); }

std::optional<std::string> Keypad::press(base::MonoTime now, char key) {
    keys_ += key;
    last_ = now;
    const bool terminates = options_.terminator.size() == 1 && options_.terminator[0] == key;
    const std::size_t most = options_.max_digits > 0 ? static_cast<std::size_t>(options_.max_digits)
                             : expected_ > 0         ? expected_
                                                     : longest_entry;
    if (!collecting_ || terminates || keys_.size() >= most) return take();
    return std::nullopt;
}

std::optional<base::MonoTime> Keypad::next_deadline() const {
    if (keys_.empty()) return std::nullopt;
    return last_ + options_.inter_digit;
}

std::optional<std::string> Keypad::on_time(base::MonoTime now) {
    const auto due = next_deadline();
    if (!due || now < *due) return std::nullopt;
    return take();
}

std::string digits_to_send(std::string_view arguments_json) {
    const auto document = base::JsonDocument::parse(arguments_json);
    std::string digits = document ? document->root()["digits"].text_or("") : std::string();
    const bool good = digits.size() <= longest_entry && digits.find_first_not_of("0123456789*#ABCDw") == std::string::npos;
    return good ? digits : std::string();
}

bool DtmfSources::take(base::MonoTime now, char key, std::vector<Press>& mine, std::vector<Press>& other) {
    std::erase_if(mine, [&](const Press& press) { return now - press.at > same_press; });
    std::erase_if(other, [&](const Press& press) { return now - press.at > same_press; });
    const auto told = std::find_if(other.begin(), other.end(), [&](const Press& press) { return press.key == key; });
    if (told != other.end()) {
        other.erase(told);
        return false;
    }
    mine.push_back({key, now});
    return true;
}

}  // namespace jackfield::call
