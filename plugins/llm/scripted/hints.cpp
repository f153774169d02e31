#include "hints.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace jackfield::scripted {
namespace {

/// Rules that answers are made of. A rule is written once, with those that it needs.
class Grammar {
  public:
    void alternative(const std::string& expansion) {
        if (!expansion.empty() && seen_.insert(expansion).second) turn_.push_back(expansion);
    }

    void rule(const std::string& name, const std::string& expansion) { rules_.emplace(name, expansion); }

    std::string text() const {
        if (turn_.empty()) return {};
        std::string out = "#JSGF V1.0;\ngrammar jackfield;\n";
        for (const auto& [name, expansion] : rules_) out += "<" + name + "> = " + expansion + ";\n";
        out += "public <turn> = ";
        for (std::size_t i = 0; i < turn_.size(); ++i) out += (i ? "\n    | " : "") + turn_[i];
        return out + ";\n";
    }

    /// The rule for a slot's value, with all that it needs. False when no grammar covers it.
    bool slot(const Slot& slot) {
        const std::string expansion = expansion_of(slot);
        if (expansion.empty()) return false;
        rule("slot_" + slot.name, expansion);
        return true;
    }

  private:
    std::string expansion_of(const Slot& slot) {
        switch (slot.type) {
            case SlotType::weekday: return days();
            case SlotType::date: return dates();
            case SlotType::time: return times();
            case SlotType::number: return numbers();
            case SlotType::digits:
            case SlotType::phone: return digits(slot);
            case SlotType::yes_no: return "<yes> | <no>";
            case SlotType::choice: return values(slot);
            case SlotType::name:
                return slot.values.empty() ? "" : "[ my name is | this is ] ( " + values(slot) + " )";
            case SlotType::text: return slot.values.empty() ? "" : values(slot);
        }
        return {};
    }

    std::string days() {
        rule("weekday", "monday | tuesday | wednesday | thursday | friday | saturday | sunday");
        return "[ on ] [ next | this ] <weekday> | today | tomorrow | the day after tomorrow";
    }

    std::string dates() {
        rule("month", "january | february | march | april | may | june | july | august | september | october | november | december");
        rule("ordinal_unit", "first | second | third | fourth | fifth | sixth | seventh | eighth | ninth");
        rule("ordinal", "<ordinal_unit> | tenth | eleventh | twelfth | thirteenth | fourteenth | fifteenth | sixteenth | seventeenth | "
                        "eighteenth | nineteenth | twentieth | twenty <ordinal_unit> | thirtieth | thirty first");
        return days() + " | [ on ] [ <weekday> ] the <ordinal> [ of <month> ] | [ on ] <month> [ the ] <ordinal>";
    }

    std::string times() {
        rule("hour", "one | two | three | four | five | six | seven | eight | nine | ten | eleven | twelve");
        rule("minute", "oh five | five | ten | fifteen | twenty | twenty five | thirty | thirty five | forty | forty five | fifty | "
                       "fifty five");
        rule("half", "a m | p m | in the ( morning | afternoon | evening )");
        return "[ at ] ( <hour> [ o'clock ] [ <half> ] | <hour> <minute> [ <half> ] | half past <hour> | "
               "[ a ] quarter ( past | to ) <hour> | noon | midday )";
    }

    std::string numbers() {
        rule("unit", "one | two | three | four | five | six | seven | eight | nine");
        rule("teen", "ten | eleven | twelve | thirteen | fourteen | fifteen | sixteen | seventeen | eighteen | nineteen");
        rule("ten", "twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety");
        rule("below_hundred", "<unit> | <teen> | <ten> [ <unit> ]");
        return "zero | <below_hundred> | <unit> hundred [ [ and ] <below_hundred> ]";
    }

    /// A recogniser that may hear any number of digits hears some in every breath: where the length is known, the grammar counts.
    std::string digits(const Slot& slot) {
        rule("digit", "zero | oh | one | two | three | four | five | six | seven | eight | nine");
        if (slot.max_length != slot.min_length) return "( <digit> | ( double | triple ) <digit> )+";
        std::string out = run(slot.min_length);
        for (int before = 0; before + 2 <= slot.min_length; ++before)
            out += " | " + run(before) + (before ? " " : "") + "double <digit> " + run(slot.min_length - before - 2);
        return out;
    }

    static std::string run(int length) {
        std::string out;
        for (int i = 0; i < length; ++i) out += i ? " <digit>" : "<digit>";
        return out;
    }

    static std::string values(const Slot& slot) {
        std::string out;
        const auto add = [&](const std::string& text) {
            if (const Phrase::Parsed parsed = Phrase::parse(join(words_of(text))); parsed.phrase)
                out += (out.empty() ? "" : " | ") + parsed.phrase->jsgf();
        };
        for (const Choice& choice : slot.values) {
            add(choice.value);
            for (const std::string& synonym : choice.synonyms) add(synonym);
        }
        return out;
    }

    std::map<std::string, std::string> rules_;
    std::vector<std::string> turn_;
    std::set<std::string> seen_;
};

class Builder {
  public:
    explicit Builder(const Script& script) : script_(script) {}

    Hints build(Asking asking, const Intent* intent, const Slot* slot) {
        if (asking == Asking::slot && slot) {
            answer(*slot, intent);
            set_dictation(*slot);
            corrections(intent, slot);
        } else if (asking == Asking::confirm_slot || asking == Asking::confirm_task || asking == Asking::change) {
            yes_no();
            corrections(intent, nullptr);
            if (intent && asking != Asking::confirm_slot) changes(*intent);
        } else if (asking == Asking::anything_else) {
            yes_no();
        }
        const bool anywhere_only = asking != Asking::open && asking != Asking::anything_else;
        for (const Intent& other : script_.intents)
            if (!anywhere_only || other.anywhere) phrases_of(other);
        for (const Intent& global : script_.globals) phrases_of(global);
        hints_.grammar = covered_ ? grammar_.text() : std::string();
        return std::move(hints_);
    }

  private:
    void phrase(const std::string& text) {
        if (seen_.insert(text).second) hints_.phrases.push_back(text);
    }

    void phrases_of(const Intent& intent) {
        for (const Phrase& p : intent.phrases) {
            bool covered = !p.jsgf().empty();
            for (const std::string& name : p.slots()) {
                const Slot* slot = script_.slot(name);
                covered = covered && slot && grammar_.slot(*slot);
                if (slot && slot->type == SlotType::yes_no) yes_no_rules();
            }
            if (covered) grammar_.alternative(p.jsgf() + " [ please ]");
            for (std::string& text : p.texts()) phrase(std::move(text));
        }
        for (const std::string& keyword : intent.keywords)
            if (keywords_.insert(keyword).second) hints_.keywords.push_back(keyword);
    }

    void yes_no_rules() {
        grammar_.rule("yes", "yes [ please ] | yeah | yep | sure | okay | correct | yes [ that is | that's ] ( right | correct ) | "
                             "( that is | that's ) ( right | correct )");
        grammar_.rule("no", "no [ thank you | thanks ] | nope | ( that is | that's ) wrong");
    }

    void yes_no() {
        yes_no_rules();
        grammar_.alternative("<yes>");
        grammar_.alternative("<no>");
        for (const char* text : {"yes", "yes please", "yeah", "that is right", "correct", "no", "no thank you", "that is wrong"})
            phrase(text);
    }

    /// The value asked for, and the task's other values with it: "monday", "monday at nine".
    void answer(const Slot& slot, const Intent* intent) {
        if (slot.type == SlotType::yes_no) yes_no_rules();
        if (!grammar_.slot(slot)) {
            covered_ = false;
            return;
        }
        std::string with;
        if (intent) {
            // Only what would be asked for later: each alternative that nobody says is one more to be heard by mistake.
            const auto here = std::find(intent->slots.begin(), intent->slots.end(), slot.name);
            for (auto later = here; later != intent->slots.end(); ++later) {
                const std::string& name = *later;
                const Slot* other = script_.slot(name);
                // Digits behind a value would make each recogniser hear digits in any noise.
                if (!other || other == &slot || other->is_digits() || other->type == SlotType::number ||
                    other->type == SlotType::yes_no || slot.is_digits() || !grammar_.slot(*other))
                    continue;
                with += (with.empty() ? "" : " | ") + ("<slot_" + name + ">");
            }
        }
        const std::string value = slot.is_digits() ? "[ it is | it's | my number is ] <slot_" + slot.name + ">"
                                                   : "<slot_" + slot.name + ">";
        grammar_.alternative(value + (with.empty() ? "" : " [ " + with + " ]") +
                             (slot.is_digits() ? "" : " [ please ]"));
        value_words(slot);
    }

    /// "no tuesday", for what was given before or is being confirmed.
    void corrections(const Intent* intent, const Slot* asked) {
        if (!intent) return;
        for (const std::string& name : intent->slots) {
            const Slot* slot = script_.slot(name);
            if (!slot || slot == asked || slot->type == SlotType::yes_no || slot->type == SlotType::number) continue;
            if (asked && slot->is_digits()) continue;
            if (!grammar_.slot(*slot)) continue;
            grammar_.alternative("no [ i said ] <slot_" + name + ">");
            if (!asked) value_words(*slot);
        }
    }

    void changes(const Intent& intent) {
        for (const std::string& name : intent.slots) {
            const Slot* slot = script_.slot(name);
            if (!slot) continue;
            for (const std::string& label : slot->labels) {
                const std::string words = join(words_of(label));
                if (words.empty()) continue;
                grammar_.alternative("[ no ] [ change ] the " + words);
                phrase("change the " + words);
            }
        }
    }

    void value_words(const Slot& slot) {
        const auto add = [&](std::initializer_list<const char*> texts) {
            for (const char* text : texts) phrase(text);
        };
        switch (slot.type) {
            case SlotType::weekday:
            case SlotType::date:
                for (int day = 0; day < 7; ++day) phrase(std::string(weekday_name(day)));
                add({"today", "tomorrow"});
                break;
            case SlotType::time:
                add({"nine", "nine a m", "two p m", "half past ten", "quarter to four", "eleven thirty", "noon"});
                break;
            case SlotType::number:
            case SlotType::digits:
            case SlotType::phone:
                add({"zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"});
                break;
            case SlotType::yes_no: add({"yes", "no"}); break;
            case SlotType::name:
            case SlotType::choice:
            case SlotType::text:
                for (const Choice& choice : slot.values) {
                    phrase(join(words_of(choice.value)));
                    for (const std::string& synonym : choice.synonyms) phrase(join(words_of(synonym)));
                }
                break;
        }
    }

    void set_dictation(const Slot& slot) {
        if (slot.is_digits() || slot.type == SlotType::number) hints_.dictation = Hints::Dictation::digits;
        if (slot.is_digits()) {
            hints_.min_digits = slot.min_length;
            hints_.max_digits = slot.max_length;
        }
        if (slot.type == SlotType::name) hints_.dictation = Hints::Dictation::name;
        else if (slot.type == SlotType::text) hints_.dictation = Hints::Dictation::other;
    }

    const Script& script_;
    Hints hints_;
    Grammar grammar_;
    std::set<std::string> seen_;
    std::set<std::string> keywords_;
    bool covered_ = true;
};

}  // namespace

Hints hints_for(const Script& script, Asking asking, const Intent* intent, const Slot* slot) {
    return Builder(script).build(asking, intent, slot);
}

}  // namespace jackfield::scripted
