#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "script.hpp"

namespace jackfield::scripted {

/// A slot's value as tools get it and as the caller hears it.
struct Value {
    std::string canonical;  // "monday", "09:00", "5550123"
    std::string spoken;     // "Monday", "nine in the morning", "five five five, ..."
    int weekday = -1;                             // of weekdays and dates
    std::optional<std::chrono::local_days> date;  // likewise
    int minute = -1;                              // of times

    bool operator==(const Value& other) const { return canonical == other.canonical; }
};

/// Why a value that was understood cannot be taken.
enum class Refusal { none, invalid, closed };

struct FoundValue {
    Value value;
    std::size_t from = 0;
    std::size_t length = 0;
    Refusal refusal = Refusal::none;
};

/// How freely words are taken for a value: `asked` when this is what the caller was asked for ("nine" is then a time), `offered`
/// when it only might be there ("at nine" is).
enum class Reading { asked, offered };

/// The last value of the slot in `words` whose words are not `used`; what stands after "not" is none.
std::optional<FoundValue> find_value(const Slot& slot, const Words& words, const std::vector<bool>& used, Reading reading,
                                     const std::optional<LocalTime>& now);
/// The number of words of a value that begins at `at`, 0 for none.
std::size_t value_length_at(const Slot& slot, const Words& words, std::size_t at, const std::optional<LocalTime>& now);

/// Names and free text, which are what is left of an utterance.
std::optional<FoundValue> whole_value(const Slot& slot, std::string_view utterance);

/// Keys for the slot: digits, a time as HHMM, a weekday as 1..7, a choice by its place, 1 and 2 for yes and no.
std::optional<FoundValue> keyed_value(const Slot& slot, std::string_view keys, const std::optional<LocalTime>& now);

enum class Polarity { none, yes, no };
/// What an answer to a yes-or-no question says.
Polarity polarity_of(const Words& words);

}  // namespace jackfield::scripted
