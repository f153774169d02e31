#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "config/keypad_options.hpp"

namespace jackfield::call {

/// The keys that a caller presses, put together to entries. Outside of dictation each key is a choice of its own; while digits are
/// asked for, the terminator, the expected number of them or a pause makes an entry. The terminator stays in it: that it was pressed is news.
class Keypad {
  public:
    explicit Keypad(const config::KeypadOptions& options = {}) : options_(options) {}

    /// The model asks for digits, this many at the most (0 unknown); or for none.
    void expect(bool digits, std::uint32_t most = 0);
    bool expects_digits() const { return collecting_; }
    /// The entry that this key completes.
    std::optional<std::string> press(base::MonoTime now, char key);
    /// The entry that the pause completed.
    std::optional<std::string> on_time(base::MonoTime now);
    std::optional<base::MonoTime> next_deadline() const;
    /// What was pressed and is no entry yet: the caller has spoken instead, or is gone.
    std::string take();

    bool empty() const { return keys_.empty(); }
    std::size_t size() const { return keys_.size(); }
    base::MonoTime last_key() const { return last_; }

  private:
    config::KeypadOptions options_;
    std::string keys_;
    base::MonoTime last_;
    bool collecting_ = false;
    std::uint32_t expected_ = 0;
};

/// One of 0-9, *, #, A-D: a carrier's plugin may say anything.
bool is_key(std::uint32_t digit);

/// The keys that a model's send_digits wants sent: "1w2". Empty when its arguments hold none or others than 0-9, *, #, A-D and w.
std::string digits_to_send(std::string_view arguments_json);

/// Keys from two sources, each press once: a tone in the audio and the event beside it are one press.
class DtmfSources {
  public:
    /// A press that the other source told within this time is the same one: SIP INFO comes when the key is let go, and gateways cut the
    /// tone off only once they have recognised it. Each press stands for one of the other side's, so the same key twice is two.
    static constexpr base::Milliseconds same_press{1500};

    /// False when the press is known from the other source already.
    bool event(base::MonoTime now, char key) { return take(now, key, event_, tone_); }
    bool tone(base::MonoTime now, char key) { return take(now, key, tone_, event_); }

  private:
    struct Press {
        char key = 0;
        base::MonoTime at;
    };
    static bool take(base::MonoTime now, char key, std::vector<Press>& mine, std::vector<Press>& other);

    std::vector<Press> event_; ///< those that the tones have not told yet
    std::vector<Press> tone_;  ///< likewise
};

}  // namespace jackfield::call
