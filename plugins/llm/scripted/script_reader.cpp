// The one source that sees toml++, which is most of this plugin's compile time.

#include <stdexcept>

// toml++ 3.3.0 asserts on some malformed input ("[.]"), and in release builds assumes instead that it never comes. A file's contents
// must neither end the process nor be undefined behaviour, so here its assertions throw; NDEBUG would turn them into assumptions.
#undef NDEBUG
namespace {
constexpr void require_of_toml(bool holds) {
    if (!holds) throw std::logic_error("malformed TOML");
}
}  // namespace
#define TOML_ASSERT(expr) require_of_toml(static_cast<bool>(expr))
#include <toml++/toml.h>

#include <algorithm>
#include <initializer_list>
#include <set>

#include "script.hpp"

namespace jackfield::scripted {
namespace {

constexpr std::size_t max_phrases = 2000;

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t above = row[j + 1];
            row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] != b[j])});
            diagonal = above;
        }
    }
    return row.back();
}

template <typename Names>
std::string nearest(std::string_view name, const Names& names) {
    std::string best;
    std::size_t least = 3;
    if (name.size() > 64) return best;
    for (const auto& candidate : names)
        if (const std::size_t d = distance(name, candidate); d < least) {
            least = d;
            best = candidate;
        }
    return best;
}

template <typename Names>
std::string list_of(const Names& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : ", ") + std::string(name);
    return out;
}

/// A table of the file with its dotted name: reads typed values and notes what is wrong with them.
class Table {
  public:
    Table(const toml::table& table, std::string path, std::vector<ScriptError>& errors)
        : table_(table), path_(std::move(path)), errors_(errors) {}

    const toml::table& raw() const { return table_; }
    std::string name(std::string_view key) const { return path_.empty() ? std::string(key) : path_ + "." + std::string(key); }

    void fail(const toml::source_region& where, std::string_view key, std::string problem, std::string remedy) const {
        errors_.push_back({where.begin.line, where.begin.column, name(key), std::move(problem), std::move(remedy)});
    }
    void fail(std::string_view key, std::string problem, std::string remedy) const {
        const toml::node* node = table_.get(key);
        fail(node ? node->source() : table_.source(), key, std::move(problem), std::move(remedy));
    }

    void only(std::initializer_list<std::string_view> known) const {
        for (const auto& [key, node] : table_) {
            if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
            const std::string near = nearest(key.str(), known);
            fail(key.source(), key.str(), "unknown key",
                 near.empty() ? "known here: " + list_of(known) : "did you mean '" + near + "'?");
        }
    }

    std::string text(std::string_view key, std::string_view otherwise = {}) const {
        const toml::node* node = table_.get(key);
        if (!node) return std::string(otherwise);
        if (const auto* value = node->as_string()) return value->get();
        fail(key, "must be text", "write it in quotes");
        return std::string(otherwise);
    }

    std::string required(std::string_view key, std::string_view why) const {
        std::string value = text(key);
        if (value.empty() && !(table_.get(key) && !table_.get(key)->is_string()))
            fail(key, "is missing", "add " + std::string(key) + " = \"...\", " + std::string(why));
        return value;
    }

    /// Text or an array of texts.
    std::vector<std::string> texts(std::string_view key, std::vector<std::string> otherwise = {}) const {
        const toml::node* node = table_.get(key);
        if (!node) return otherwise;
        if (const auto* value = node->as_string()) return {value->get()};
        const toml::array* array = node->as_array();
        if (!array) {
            fail(key, "must be text or a list of texts", "write [\"...\", \"...\"]");
            return otherwise;
        }
        std::vector<std::string> out;
        for (const toml::node& element : *array) {
            if (const auto* value = element.as_string()) out.push_back(value->get());
            else fail(element.source(), key, "an element is no text", "write it in quotes");
        }
        return out;
    }

    std::int64_t integer(std::string_view key, std::int64_t otherwise, std::int64_t least, std::int64_t most) const {
        const toml::node* node = table_.get(key);
        if (!node) return otherwise;
        const auto* value = node->as_integer();
        if (value && value->get() >= least && value->get() <= most) return value->get();
        fail(key, value ? "is out of range" : "must be a whole number",
             "write one from " + std::to_string(least) + " to " + std::to_string(most));
        return otherwise;
    }

    bool flag(std::string_view key, bool otherwise) const {
        const toml::node* node = table_.get(key);
        if (!node) return otherwise;
        if (const auto* value = node->as_boolean()) return value->get();
        fail(key, "must be true or false", "write true or false without quotes");
        return otherwise;
    }

    int time(std::string_view key, int otherwise) const {
        const toml::node* node = table_.get(key);
        if (!node) return otherwise;
        const auto* value = node->as_string();
        if (const std::optional<int> minute = value ? parse_iso_time(value->get()) : std::nullopt) return *minute;
        fail(key, "is no time of day", "write it as \"09:30\"");
        return otherwise;
    }

    template <typename Read>
    void tables(std::string_view key, Read&& read) const {
        const toml::node* node = table_.get(key);
        if (!node) return;
        const toml::table* group = node->as_table();
        if (!group) return fail(key, "must be a table", "write [" + name(key) + ".NAME] sections");
        // The library keeps keys sorted; the file's order decides ties between intents, so it is restored.
        std::vector<std::pair<const toml::key*, const toml::node*>> inside;
        for (const auto& [k, n] : *group) inside.emplace_back(&k, &n);
        std::stable_sort(inside.begin(), inside.end(), [](const auto& a, const auto& b) {
            const auto &x = a.first->source().begin, &y = b.first->source().begin;
            return x.line != y.line ? x.line < y.line : x.column < y.column;
        });
        for (const auto& [k, n] : inside) {
            const std::string path = name(key) + "." + std::string(k->str());
            if (const toml::table* table = n->as_table()) {
                read(std::string(k->str()), Table(*table, path, errors_));
            } else {
                errors_.push_back({n->source().begin.line, n->source().begin.column, path, "must be a table",
                                   "write it as a section [" + path + "]"});
            }
        }
    }

    /// The table of that name, or an empty one.
    Table table(std::string_view key) const {
        static const toml::table none;
        const toml::node* node = table_.get(key);
        if (node && !node->is_table()) fail(key, "must be a table", "write a section [" + name(key) + "]");
        const toml::table* found = node ? node->as_table() : nullptr;
        return Table(found ? *found : none, name(key), errors_);
    }

  private:
    const toml::table& table_;
    std::string path_;
    std::vector<ScriptError>& errors_;
};

class Reader {
  public:
    explicit Reader(std::vector<ScriptError>& errors) : errors_(errors) {}

    Script read(const toml::table& root) {
        const Table top(root, {}, errors_);
        top.only({"dialogue", "person", "no_match", "silence", "hours", "slots", "intents", "global"});
        read_hours(top.table("hours"));
        top.tables("slots", [&](const std::string& name, const Table& table) { read_slot(name, table); });
        top.tables("intents", [&](const std::string& name, const Table& table) {
            script_.intents.push_back(read_intent(name, table, nullptr));
        });
        read_globals(top);
        read_dialogue(top.table("dialogue"));
        read_person(top.table("person"));
        script_.no_match = read_escalation(top.table("no_match"), {"Sorry, I did not catch that.", "Sorry, I still did not understand."},
                                           {Next::Kind::person, {}});
        script_.silence = read_escalation(top.table("silence"), {"Are you still there?", "Hello? I cannot hear you."},
                                          {Next::Kind::end, {}});
        if (script_.intents.empty())
            top.fail("intents", "the script has no intents", "add a section [intents.NAME] with phrases and says");
        check_names(top);
        return std::move(script_);
    }

  private:
    struct DefaultGlobal {
        std::string_view name;
        std::vector<std::string> phrases;
        Next::Kind then;
        std::string_view dtmf;
    };

    static const std::vector<DefaultGlobal>& default_globals() {
        static const std::vector<DefaultGlobal> all{
            {"help", {"help", "help me", "what can you do", "what can i say"}, Next::Kind::stay, ""},
            {"repeat", {"repeat that", "say that again", "what did you say"}, Next::Kind::repeat, "*"},
            {"person",
             {"[i (would like|want) to] (speak|talk) to (a person|someone|a human)", "[speak to] [the] (receptionist|operator)",
              "transfer me"},
             Next::Kind::person,
             "0"},
            {"cancel", {"cancel", "never mind", "start over", "forget it"}, Next::Kind::cancel, ""},
            {"goodbye", {"[thank you] goodbye", "bye bye", "that (is|will be) all", "hang up"}, Next::Kind::end, ""},
        };
        return all;
    }

    std::optional<Next> read_next(const Table& table, std::string_view key, bool in_slot) const {
        if (!table.raw().get(key)) return std::nullopt;
        static const std::vector<std::pair<std::string, Next::Kind>> names{
            {"ask", Next::Kind::ask},       {"stay", Next::Kind::stay},     {"prompt", Next::Kind::prompt}, {"end", Next::Kind::end},
            {"person", Next::Kind::person}, {"repeat", Next::Kind::repeat}, {"cancel", Next::Kind::cancel}};
        const std::string text = table.text(key);
        for (const auto& [name, kind] : names)
            if (text == name) return Next{kind, {}};
        if (in_slot && text == "skip") return Next{Next::Kind::skip, {}};
        if (text.starts_with("goto:") && text.size() > 5) {
            targets_.push_back({table.name(key), text.substr(5), table.raw().get(key)->source()});
            return Next{Next::Kind::go_to, text.substr(5)};
        }
        table.fail(key, "'" + text + "' is no next step",
                   std::string("write one of ask, stay, prompt, end, person, repeat, cancel, ") + (in_slot ? "skip, " : "") +
                       "goto:INTENT");
        return std::nullopt;
    }

    Phrase read_phrase(const Table& table, const toml::node& node, const std::string& text) {
        Phrase::Parsed parsed = Phrase::parse(text);
        if (!parsed.phrase) {
            table.fail(node.source(), "phrases", "\"" + text + "\": " + parsed.problem, "see README.md for the patterns");
            return {};
        }
        for (const std::string& slot : parsed.phrase->slots())
            if (!script_.slot(slot))
                table.fail(node.source(), "phrases", "\"" + text + "\" names the unknown slot '" + slot + "'",
                           "add [slots." + slot + "] or use one of: " + slot_names());
        return std::move(*parsed.phrase);
    }

    void read_phrases(const Table& table, Intent& intent) {
        const toml::node* node = table.raw().get("phrases");
        if (!node) return;
        const toml::array* array = node->as_array();
        if (!array) return table.fail("phrases", "must be a list of phrases", "write phrases = [\"...\", \"...\"]");
        for (const toml::node& element : *array) {
            const auto* text = element.as_string();
            if (!text) {
                table.fail(element.source(), "phrases", "an element is no text", "write it in quotes");
            } else if (++phrases_ > max_phrases) {
                return table.fail("phrases", "the script has more than 2000 phrases", "split it into several agents");
            } else {
                intent.phrases.push_back(read_phrase(table, element, text->get()));
            }
        }
    }

    Intent read_intent(const std::string& name, const Table& table, const DefaultGlobal* defaults) {
        table.only({"phrases", "keywords", "slots", "confirm_says", "change_says", "tool", "arguments", "wait_says", "says", "says_open",
                    "says_closed", "says_failed", "hours_of", "then", "then_failed", "dtmf", "anywhere", "enabled"});
        Intent intent;
        intent.name = name;
        read_phrases(table, intent);
        intent.keywords = table.texts("keywords");
        intent.slots = table.texts("slots");
        intent.confirm_says = table.text("confirm_says");
        intent.change_says = table.text("change_says", "What would you like to change?");
        intent.tool = table.text("tool");
        read_arguments(table, intent);
        intent.wait_says = table.text("wait_says");
        intent.says = table.text("says");
        intent.says_open = table.text("says_open");
        intent.says_closed = table.text("says_closed");
        intent.says_failed = table.text("says_failed", "Sorry, that did not work.");
        intent.hours_of = table.text("hours_of");
        intent.then = read_next(table, "then", false).value_or(Next{defaults ? defaults->then : Next::Kind::ask, {}});
        intent.then_failed = read_next(table, "then_failed", false).value_or(Next{Next::Kind::person, {}});
        intent.dtmf = table.text("dtmf", defaults ? defaults->dtmf : std::string_view());
        intent.global = defaults != nullptr;
        intent.anywhere = table.flag("anywhere", intent.slots.empty());

        if (intent.phrases.empty() && !table.raw().get("phrases") && !defaults && intent.keywords.empty() && intent.dtmf.empty())
            table.fail("phrases", "nothing leads to this intent", "add phrases = [\"...\"]");
        for (const std::string& slot : intent.slots)
            if (!script_.slot(slot))
                table.fail("slots", "unknown slot '" + slot + "'", "add [slots." + slot + "] or use one of: " + slot_names());
        if (!intent.hours_of.empty()) {
            const Slot* slot = script_.slot(intent.hours_of);
            const bool listed = std::find(intent.slots.begin(), intent.slots.end(), intent.hours_of) != intent.slots.end();
            if (!slot || !listed || (slot->type != SlotType::weekday && slot->type != SlotType::date))
                table.fail("hours_of", "must name a weekday or date slot of this intent", "list the slot under slots as well");
        }
        if ((!intent.says_open.empty() || !intent.says_closed.empty()) && !script_.hours.known)
            table.fail(intent.says_open.empty() ? "says_closed" : "says_open", "depends on opening hours and there are none",
                       "add a section [hours]");
        for (const std::string_view key : {"says", "says_open", "says_closed", "says_failed", "confirm_says", "wait_says"})
            check_template(table, key, intent.slots, !intent.tool.empty());
        check_keys(table, "dtmf", intent.dtmf);
        return intent;
    }

    void read_globals(const Table& top) {
        std::set<std::string> written;
        top.tables("global", [&](const std::string& name, const Table& table) {
            written.insert(name);
            static const DefaultGlobal plain{"", {}, Next::Kind::stay, ""};
            const DefaultGlobal* defaults = &plain;
            for (const DefaultGlobal& known : default_globals())
                if (known.name == name) defaults = &known;
            Intent intent = read_intent(name, table, defaults);
            if (!table.raw().get("phrases")) add_phrases(defaults->phrases, intent);
            if (table.flag("enabled", true)) script_.globals.push_back(std::move(intent));
        });
        for (const DefaultGlobal& known : default_globals()) {
            if (written.contains(std::string(known.name))) continue;
            Intent intent;
            intent.name = known.name;
            intent.then.kind = known.then;
            intent.dtmf = known.dtmf;
            intent.global = intent.anywhere = true;
            add_phrases(known.phrases, intent);
            script_.globals.push_back(std::move(intent));
        }
    }

    static void add_phrases(const std::vector<std::string>& texts, Intent& intent) {
        for (const std::string& text : texts)
            if (Phrase::Parsed parsed = Phrase::parse(text); parsed.phrase) intent.phrases.push_back(std::move(*parsed.phrase));
    }

    void read_dialogue(const Table& table) {
        table.only({"name", "language", "greeting", "greeting_closed", "prompt", "anything_else", "goodbye", "cancelled",
                    "interrupted"});
        script_.name = table.text("name");
        script_.language = table.text("language", "en-US");
        if (!script_.language.starts_with("en"))
            table.fail("language", "'" + script_.language + "' is not understood", "this plugin reads English: write en, en-US or en-GB");
        script_.greeting = table.required("greeting", "what the agent says first");
        script_.greeting_closed = table.text("greeting_closed");
        if (!script_.greeting_closed.empty() && !script_.hours.known)
            table.fail("greeting_closed", "depends on opening hours and there are none", "add a section [hours]");
        script_.prompt = table.text("prompt", "How can I help you?");
        script_.anything_else = table.text("anything_else", "Is there anything else I can do for you?");
        script_.goodbye = table.text("goodbye", "Thank you for calling. Goodbye.");
        script_.cancelled = table.text("cancelled", "All right, never mind.");
        script_.interrupted = table.text("interrupted", "Sorry, go ahead.");
        for (const std::string_view key : {"greeting", "greeting_closed", "prompt", "anything_else", "goodbye"})
            check_template(table, key, {}, false);
    }

    void read_person(const Table& table) {
        table.only({"to", "says", "unavailable"});
        script_.person_to = table.text("to", "reception");
        script_.person_says = table.text("says", "One moment please, I will put you through.");
        script_.person_unavailable = table.text("unavailable", "I am sorry, nobody can take your call at the moment.");
        check_template(table, "says", {}, false);
        check_template(table, "unavailable", {}, false);
    }

    Escalation read_escalation(const Table& table, std::vector<std::string> says, Next then) {
        table.only({"says", "after", "then"});
        Escalation out;
        out.says = table.texts("says", std::move(says));
        if (out.says.empty()) table.fail("says", "the list is empty", "write at least one sentence");
        out.after = static_cast<int>(table.integer("after", 3, 1, 20));
        out.then = read_next(table, "then", false).value_or(then);
        return out;
    }

    void read_hours(const Table& table) {
        if (table.raw().empty()) return;
        table.only({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "closed_dates"});
        script_.hours.known = true;
        for (int day = 0; day < 7; ++day) {
            const std::string_view key = weekday_name(day);
            for (const std::string& text : table.texts(key)) {
                const std::size_t dash = text.find('-');
                const auto from = parse_iso_time(std::string_view(text).substr(0, dash));
                const auto to = dash == std::string::npos ? std::nullopt : parse_iso_time(std::string_view(text).substr(dash + 1));
                auto& spans = script_.hours.week[static_cast<std::size_t>(day)];
                if (!from || !to || *from >= *to || (!spans.empty() && spans.back().to > *from))
                    table.fail(key, "'" + text + "' is no span of opening hours after the one before",
                               "write spans in order as \"08:00-12:00\"");
                else
                    spans.push_back({*from, *to});
            }
        }
        for (const std::string& text : table.texts("closed_dates")) {
            const std::optional<LocalTime> date = parse_local_time(text.size() == 10 ? text + "T00:00" : "");
            if (date) script_.hours.closed_dates.push_back(date->day);
            else table.fail("closed_dates", "'" + text + "' is no date", "write it in quotes as \"2026-12-25\"");
        }
    }

    void read_slot(const std::string& name, const Table& table) {
        table.only({"type", "labels", "values", "ask", "reask", "help", "invalid", "closed", "echo", "confirm", "confirm_says",
                    "tries", "on_fail", "length", "min_length", "max_length", "min", "max", "earliest", "latest", "open_only",
                    "optional"});
        Slot slot;
        slot.name = name;
        if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos)
            table.fail(table.raw().source(), "", "the slot's name has other characters than a-z, 0-9 and _", "rename it");
        read_type(table, slot);
        slot.labels = table.texts("labels", {name});
        read_values(table, slot);
        slot.ask = table.required("ask", "the question that asks for it");
        slot.reask = table.texts("reask", {slot.ask});
        if (slot.reask.empty()) slot.reask = {slot.ask};
        slot.help = table.text("help");
        slot.invalid = table.text("invalid", slot.is_digits()                 ? "That number does not seem complete."
                                             : slot.type == SlotType::time ? "Sorry, that time is not possible."
                                                                           : "Sorry, that is not possible.");
        slot.closed = table.text("closed", "Sorry, we are closed then.");
        slot.echo = table.text("echo", "{value}.");
        slot.confirm_says = table.text("confirm_says", "I heard {value}. Is that right?");
        for (const std::string_view key : {"echo", "confirm_says", "invalid", "closed"})
            check_template(table, key, {"value"}, false);
        read_confirm(table, slot);
        slot.tries = static_cast<int>(table.integer("tries", 3, 1, 20));
        slot.on_fail = read_next(table, "on_fail", true).value_or(Next{Next::Kind::person, {}});
        const std::int64_t length = table.integer("length", 0, 1, 40);
        slot.min_length = static_cast<int>(table.integer("min_length", length ? length : 1, 1, 40));
        slot.max_length = static_cast<int>(table.integer("max_length", length ? length : 15, 1, 40));
        if (slot.min_length > slot.max_length) table.fail("min_length", "is more than max_length", "make it smaller");
        slot.min = table.integer("min", 0, -1'000'000'000, 1'000'000'000);
        slot.max = table.integer("max", 0, -1'000'000'000, 1'000'000'000);
        slot.earliest = table.time("earliest", 0);
        slot.latest = table.time("latest", 1440);
        slot.open_only = table.flag("open_only", false);
        slot.optional = table.flag("optional", false);
        if (slot.open_only && !script_.hours.known)
            table.fail("open_only", "depends on opening hours and there are none", "add a section [hours]");
        script_.slots.push_back(std::move(slot));
    }

    void read_arguments(const Table& table, Intent& intent) const {
        const toml::node* node = table.raw().get("arguments");
        if (!node) return;
        const toml::table* given = node->as_table();
        if (!given || intent.tool.empty())
            return table.fail("arguments", given ? "stands without a tool" : "must be a table", "write tool = \"...\" and arguments = { name = \"{slot}\" }");
        for (const auto& [name, value] : *given) {
            const auto* text = value.as_string();
            if (!text) {
                table.fail(value.source(), "arguments", "'" + std::string(name.str()) + "' is no text", "write \"{slot}\" or \"a text\"");
                continue;
            }
            const std::string& wanted = text->get();
            if (wanted.size() > 2 && wanted.front() == '{' && wanted.back() == '}') {
                std::string slot = wanted.substr(1, wanted.size() - 2);
                const auto known = [&] { return std::find(intent.slots.begin(), intent.slots.end(), slot) != intent.slots.end(); };
                if (!known() && slot.ends_with("_date")) slot.resize(slot.size() - 5);
                if (!known()) table.fail(value.source(), "arguments", wanted + " is no slot of this intent", "write one of " + list_of(intent.slots));
            }
            intent.arguments.emplace_back(std::string(name.str()), wanted);
        }
    }

    void read_type(const Table& table, Slot& slot) {
        static const std::vector<std::pair<std::string, SlotType>> types{
            {"weekday", SlotType::weekday}, {"date", SlotType::date},   {"time", SlotType::time},     {"number", SlotType::number},
            {"digits", SlotType::digits},   {"phone", SlotType::phone}, {"name", SlotType::name},     {"choice", SlotType::choice},
            {"yes_no", SlotType::yes_no},   {"text", SlotType::text}};
        const std::string text = table.required("type", "what kind of value it is");
        std::vector<std::string> names;
        for (const auto& [name, type] : types) {
            names.push_back(name);
            if (text == name) {
                slot.type = type;
                return;
            }
        }
        if (!text.empty()) table.fail("type", "'" + text + "' is no slot type", "write one of " + list_of(names));
    }

    void read_values(const Table& table, Slot& slot) {
        const toml::node* node = table.raw().get("values");
        if (!node) {
            if (slot.type == SlotType::choice) table.fail("values", "a choice needs its values", "add values = [\"...\", \"...\"]");
            return;
        }
        const toml::array* array = node->as_array();
        if (!array || array->empty()) return table.fail("values", "must be a list of values", "write values = [\"...\"]");
        for (const toml::node& element : *array) {
            if (const auto* text = element.as_string()) {
                slot.values.push_back({text->get(), text->get(), {}});
            } else if (const toml::table* row = element.as_table()) {
                const Table value(*row, table.name("values"), errors_);
                value.only({"value", "say", "synonyms"});
                Choice choice;
                choice.value = value.required("value", "what tools get");
                choice.say = value.text("say", choice.value);
                choice.synonyms = value.texts("synonyms");
                slot.values.push_back(std::move(choice));
            } else {
                table.fail(element.source(), "values", "is neither text nor a table", "write \"...\" or { value = \"...\" }");
            }
        }
    }

    void read_confirm(const Table& table, Slot& slot) {
        const std::string text = table.text("confirm", "none");
        if (text == "explicit") slot.confirm = Confirm::explicit_;
        else if (text == "implicit") slot.confirm = Confirm::implicit;
        else if (text != "none") table.fail("confirm", "'" + text + "' is no policy", "write explicit, implicit or none");
    }

    /// Placeholders that nothing would fill are found now and not by a caller.
    void check_template(const Table& table, std::string_view key, std::vector<std::string> allowed, bool with_result) const {
        const std::string text = table.raw().get(key) && table.raw().get(key)->is_string() ? table.text(key) : std::string();
        for (const char* known : {"today", "now", "hours", "opens", "closes"}) allowed.emplace_back(known);
        for (std::size_t open = text.find('{'); open != std::string::npos; open = text.find('{', open + 1)) {
            const std::size_t close = text.find('}', open);
            if (close == std::string::npos) return table.fail(key, "'{' without '}'", "close the placeholder");
            const std::string name = text.substr(open + 1, close - open - 1);
            if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) continue;
            if (with_result && name.starts_with("result.")) continue;
            table.fail(key, "{" + name + "} has no value here", "write one of {" + list_of(allowed) + "}");
        }
    }

    void check_keys(const Table& table, std::string_view key, const std::string& keys) const {
        if (keys.find_first_not_of("0123456789*#") != std::string::npos || keys.size() > 8)
            table.fail(key, "'" + keys + "' are no telephone keys", "write 1 to 8 of 0-9, * and #");
    }

    void check_names(const Table& top) const {
        for (const Target& target : targets_) {
            if (script_.intent(target.intent)) continue;
            std::vector<std::string> names;
            for (const Intent& intent : script_.intents) names.push_back(intent.name);
            errors_.push_back({target.where.begin.line, target.where.begin.column, target.key,
                               "unknown intent '" + target.intent + "'", "write one of " + list_of(names)});
        }
        for (const Intent& global : script_.globals)
            for (const Intent& intent : script_.intents)
                if (global.name == intent.name)
                    top.fail("intents", "'" + intent.name + "' is also the name of a global intent",
                             "rename it, or change the global one under [global." + intent.name + "]");
    }

    std::string slot_names() const {
        std::vector<std::string> names;
        for (const Slot& slot : script_.slots) names.push_back(slot.name);
        return names.empty() ? "(none is defined)" : list_of(names);
    }

    struct Target {
        std::string key;
        std::string intent;
        toml::source_region where;
    };

    Script script_;
    std::vector<ScriptError>& errors_;
    mutable std::vector<Target> targets_;
    std::size_t phrases_ = 0;
};

}  // namespace

LoadedScript load_script(std::string_view text) {
    LoadedScript out;
    try {
        const toml::table root = toml::parse(text);
        Script script = Reader(out.errors).read(root);
        std::stable_sort(out.errors.begin(), out.errors.end(), [](const ScriptError& a, const ScriptError& b) {
            return a.line != b.line ? a.line < b.line : a.column < b.column;
        });
        if (out.errors.empty()) out.script = std::move(script);
    } catch (const toml::parse_error& error) {
        const auto where = error.source().begin;
        out.errors.push_back({where.line, where.column, {}, std::string(error.description()), "correct the TOML there"});
    } catch (const std::logic_error& error) {
        out.errors.push_back({1, 1, {}, error.what(), "look for an empty key or table name"});
    }
    return out;
}

}  // namespace jackfield::scripted
