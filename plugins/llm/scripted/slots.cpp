#include "slots.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "numbers.hpp"

namespace jackfield::scripted {
namespace {

template <std::size_t N>
bool one_of(std::string_view word, const std::array<std::string_view, N>& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

Value day_value(const Slot& slot, int weekday, std::optional<std::chrono::local_days> date) {
    Value value;
    value.weekday = weekday;
    value.date = date;
    if (slot.type == SlotType::date && date) {
        value.canonical = iso_date(*date);
        value.spoken = say_date(*date);
    } else {
        value.canonical = weekday_name(weekday);
        value.spoken = capitalised(value.canonical);
    }
    return value;
}

FoundValue time_value(const Slot& slot, const TimeFound& time) {
    FoundValue out;
    out.length = time.length;
    out.value.minute = settle_half(time, slot.earliest, slot.latest);
    out.value.canonical = iso_time(out.value.minute);
    out.value.spoken = say_time(out.value.minute);
    if (out.value.minute < slot.earliest || out.value.minute > slot.latest) out.refusal = Refusal::invalid;
    return out;
}

FoundValue digits_value(const Slot& slot, std::string digits) {
    FoundValue out;
    const int length = static_cast<int>(digits.size());
    if (length < slot.min_length || length > slot.max_length) out.refusal = Refusal::invalid;
    out.value.spoken = say_digits(digits);
    out.value.canonical = std::move(digits);
    return out;
}

FoundValue number_value(const Slot& slot, std::int64_t number) {
    FoundValue out;
    out.value.canonical = std::to_string(number);
    out.value.spoken = say_number(number);
    if (slot.min < slot.max && (number < slot.min || number > slot.max)) out.refusal = Refusal::invalid;
    return out;
}

FoundValue choice_value(const Choice& choice) {
    FoundValue out;
    out.value.canonical = choice.value;
    out.value.spoken = choice.say;
    return out;
}

FoundValue yes_no_value(bool yes) {
    FoundValue out;
    out.value.canonical = yes ? "true" : "false";
    out.value.spoken = yes ? "yes" : "no";
    return out;
}

bool stands_at(const Words& phrase, const Words& words, std::size_t at) {
    return !phrase.empty() && at + phrase.size() <= words.size() &&
           std::equal(phrase.begin(), phrase.end(), words.begin() + static_cast<std::ptrdiff_t>(at));
}

std::optional<FoundValue> choice_at(const Slot& slot, const Words& words, std::size_t at) {
    std::optional<FoundValue> best;
    const auto consider = [&](const Choice& choice, const Words& phrase) {
        if (!stands_at(phrase, words, at) || (best && best->length >= phrase.size())) return;
        best = choice_value(choice);
        best->length = phrase.size();
    };
    for (const Choice& choice : slot.values) {
        consider(choice, words_of(choice.value));
        for (const std::string& synonym : choice.synonyms) consider(choice, words_of(synonym));
    }
    return best;
}

std::optional<FoundValue> digits_found_at(const Slot& slot, const Words& words, std::size_t at, Reading reading) {
    Digits digits = digits_at(words, at);
    if (digits.length == 0) return std::nullopt;
    // Not asked for, a run of digits is a telephone number only when it is as long as one.
    const std::size_t least = slot.type == SlotType::phone ? 7 : static_cast<std::size_t>(std::max(4, slot.min_length));
    if (reading == Reading::offered && digits.digits.size() < least) return std::nullopt;
    FoundValue out = digits_value(slot, std::move(digits.digits));
    out.length = digits.length;
    return out;
}

std::optional<FoundValue> number_found_at(const Slot& slot, const Words& words, std::size_t at) {
    const std::optional<Number> number = cardinal_at(words, at);
    if (!number) return std::nullopt;
    FoundValue out = number_value(slot, number->value);
    out.length = number->length;
    return out;
}

std::optional<FoundValue> value_at(const Slot& slot, const Words& words, std::size_t at, Reading reading,
                                   const std::optional<LocalTime>& now) {
    switch (slot.type) {
        case SlotType::weekday:
        case SlotType::date: {
            const std::optional<DayFound> day =
                slot.type == SlotType::weekday ? weekday_at(words, at, now) : date_at(words, at, now);
            if (!day) return std::nullopt;
            FoundValue out;
            out.value = day_value(slot, day->weekday, day->date);
            out.length = day->length;
            return out;
        }
        case SlotType::time: {
            const std::optional<TimeFound> time = time_at(words, at);
            if (!time || (reading == Reading::offered && !time->marked)) return std::nullopt;
            return time_value(slot, *time);
        }
        case SlotType::digits:
        case SlotType::phone: return digits_found_at(slot, words, at, reading);
        case SlotType::number: return reading == Reading::asked ? number_found_at(slot, words, at) : std::nullopt;
        case SlotType::choice: return choice_at(slot, words, at);
        case SlotType::name:
        case SlotType::text:
            if (reading == Reading::asked || !slot.values.empty()) return choice_at(slot, words, at);
            return std::nullopt;
        case SlotType::yes_no: return std::nullopt;
    }
    return std::nullopt;
}

bool free_at(const std::vector<bool>& used, std::size_t from, std::size_t length) {
    for (std::size_t i = from; i < from + length && i < used.size(); ++i)
        if (used[i]) return false;
    return true;
}

}  // namespace

std::optional<FoundValue> find_value(const Slot& slot, const Words& words, const std::vector<bool>& used, Reading reading,
                                     const std::optional<LocalTime>& now) {
    if (slot.type == SlotType::yes_no) {
        if (reading == Reading::offered) return std::nullopt;
        const Polarity polarity = polarity_of(words);
        if (polarity == Polarity::none) return std::nullopt;
        FoundValue out = yes_no_value(polarity == Polarity::yes);
        out.length = words.size();
        return out;
    }
    std::optional<FoundValue> best;
    for (std::size_t at = 0; at < words.size();) {
        std::optional<FoundValue> found = value_at(slot, words, at, reading, now);
        if (!found || found->length == 0 || !free_at(used, at, found->length)) {
            ++at;
            continue;
        }
        found->from = at;
        at += found->length;
        if (found->from > 0 && words[found->from - 1] == "not") continue;
        // A correction comes last ("monday no tuesday"); of two runs of digits the longer one is the number; a value that can be
        // taken beats one that cannot.
        const bool acceptable = found->refusal == Refusal::none;
        const bool best_acceptable = best && best->refusal == Refusal::none;
        const bool longer = !best || !slot.is_digits() || found->value.canonical.size() >= best->value.canonical.size();
        if (!best || (acceptable && !best_acceptable) || (acceptable == best_acceptable && longer)) best = std::move(found);
    }
    return best;
}

std::size_t value_length_at(const Slot& slot, const Words& words, std::size_t at, const std::optional<LocalTime>& now) {
    if (slot.type == SlotType::name || slot.type == SlotType::text) return words.size() - at;
    const std::optional<FoundValue> found = value_at(slot, words, at, Reading::asked, now);
    return found ? found->length : 0;
}

std::optional<FoundValue> whole_value(const Slot& slot, std::string_view utterance) {
    FoundValue out;
    if (slot.type == SlotType::text) {
        std::string text = clean_utf8(utterance);
        while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
        text.erase(0, std::min(text.find_first_not_of(" \t\r\n"), text.size()));
        if (text.empty()) return std::nullopt;
        if (text.size() > 1000) text = clean_utf8(std::string_view(text).substr(0, 1000));
        out.value.canonical = out.value.spoken = text;
        return out;
    }
    Words words = words_of(clean_utf8(utterance));
    static const std::array<Words, 8> leads{Words{"my", "name", "is"}, Words{"the", "name", "is"}, Words{"it", "is"},
                                            Words{"this", "is"},       Words{"i", "am"},           Words{"that", "is"},
                                            Words{"yes"},              Words{"no"}};
    for (const Words& lead : leads)
        if (stands_at(lead, words, 0) && words.size() > lead.size())
            words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(lead.size()));
    // A name is a few words; a sentence is something else that was misunderstood.
    if (words.empty() || words.size() > 5) return std::nullopt;
    for (std::string& word : words) word = capitalised(std::move(word));
    out.value.canonical = out.value.spoken = join(words);
    return out;
}

std::optional<FoundValue> keyed_value(const Slot& slot, std::string_view keys, const std::optional<LocalTime>& now) {
    std::string digits;
    for (const char c : keys)
        if (c >= '0' && c <= '9') digits += c;
    if (digits.empty() || digits.size() > 64) return std::nullopt;
    std::int64_t number = -1;
    if (digits.size() <= 9) std::from_chars(digits.data(), digits.data() + digits.size(), number);

    switch (slot.type) {
        case SlotType::digits:
        case SlotType::phone: return digits_value(slot, digits);
        case SlotType::number: return number >= 0 ? std::optional(number_value(slot, number)) : std::nullopt;
        case SlotType::weekday:
            if (number < 1 || number > 7) return std::nullopt;
            return find_value(slot, {std::string(weekday_name(static_cast<int>(number) - 1))}, {}, Reading::asked, now);
        case SlotType::date: return std::nullopt;
        case SlotType::time: {
            const std::optional<TimeFound> time = time_at({digits}, 0);
            return time ? std::optional(time_value(slot, *time)) : std::nullopt;
        }
        case SlotType::yes_no:
            if (number == 1 || number == 2) return yes_no_value(number == 1);
            return std::nullopt;
        case SlotType::choice:
        case SlotType::name:
        case SlotType::text:
            if (number < 1 || number > static_cast<std::int64_t>(slot.values.size())) return std::nullopt;
            return choice_value(slot.values[static_cast<std::size_t>(number - 1)]);
    }
    return std::nullopt;
}

Polarity polarity_of(const Words& words) {
    static constexpr std::array<std::string_view, 16> yes{"yes",     "yeah",     "yep",         "yup",  "sure", "correct",
                                                          "right",   "okay",     "ok",          "fine", "good", "perfect",
                                                          "exactly", "absolutely", "affirmative", "great"};
    static constexpr std::array<std::string_view, 8> no{"no", "nope", "nah", "not", "wrong", "incorrect", "never", "negative"};
    bool has_yes = false;
    for (const std::string& word : words) {
        // "that is not right" is a no, and so is "no that is fine".
        if (one_of(word, no)) return Polarity::no;
        has_yes = has_yes || one_of(word, yes);
    }
    return has_yes ? Polarity::yes : Polarity::none;
}

}  // namespace jackfield::scripted
