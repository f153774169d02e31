#include "functions.hpp"

#include <algorithm>
#include <cctype>

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <jackfield/tools.h>

namespace jackfield::desk {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void text(Writer& writer, const char* key, std::string_view value) {
    writer.Key(key);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

constexpr const char* a_date = R"("date":{"type":"string","pattern":"^[0-9]{4}-[0-9]{2}-[0-9]{2}$","description":"YYYY-MM-DD"})";
constexpr const char* a_time = R"("time":{"type":"string","pattern":"^[0-9]{1,2}:[0-9]{2}$","description":"HH:MM, 24 hours"})";

std::string object_of(const std::string& properties, const std::string& required) {
    return R"({"type":"object","properties":{)" + properties + R"(},"required":[)" + required + "]}";
}

/// Words in lower case, with one space between them. Bytes beyond ASCII stay as they are.
std::string plain(std::string_view given) {
    std::string out;
    for (const char c : given) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) || byte >= 0x80) out += static_cast<char>(std::tolower(byte));
        else if (!out.empty() && out.back() != ' ') out += ' ';
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

/// Whole words of one inside the other.
bool holds(const std::string& outer, const std::string& inner) {
    return !inner.empty() && (" " + outer + " ").find(" " + inner + " ") != std::string::npos;
}

/// 0 nothing in common .. 3 the same.
int likeness(const Entry& entry, const std::string& wanted) {
    int best = 0;
    const auto compare = [&](const std::string& name) {
        const std::string known = plain(name);
        best = std::max(best, known == wanted ? 3 : holds(wanted, known) ? 2 : holds(known, wanted) ? 1 : 0);
    };
    compare(entry.name);
    for (const std::string& synonym : entry.synonyms) compare(synonym);
    return best;
}

}  // namespace

std::vector<Function> functions_of(const Config& config) {
    std::vector<Function> out;
    if (!config.entries.empty())
        out.push_back({"lookup", JF_TOOL_IDEMPOTENT | JF_TOOL_READ_ONLY,
                       "Finds what the desk knows about a person, a place, a price or another thing by its name.",
                       object_of(R"("topic":{"type":"string","minLength":1,"maxLength":200,"description":"The name, as the caller says it"})",
                                 R"("topic")")});
    if (config.timetable.empty()) return out;
    out.push_back({"hours", JF_TOOL_IDEMPOTENT | JF_TOOL_READ_ONLY, "When the desk is open on a day, today when none is given.",
                   object_of(a_date, "")});
    out.push_back({"free_times", JF_TOOL_IDEMPOTENT | JF_TOOL_READ_ONLY, "At which times of a day an appointment is free.",
                   object_of(a_date, R"("date")")});
    out.push_back({"book", JF_TOOL_IDEMPOTENT, "Makes an appointment and answers its code. Ask for day, time, name and telephone number before.",
                   object_of(std::string(a_date) + "," + a_time +
                                 R"(,"name":{"type":"string","maxLength":200},"phone":{"type":"string","maxLength":40},)"
                                 R"("note":{"type":"string","maxLength":1000,"description":"What it is about"})",
                             R"("date","time")")});
    out.push_back({"find", JF_TOOL_IDEMPOTENT | JF_TOOL_READ_ONLY, "The appointments to come of a telephone number.",
                   object_of(R"("phone":{"type":"string","minLength":3,"maxLength":40})", R"("phone")")});
    out.push_back({"cancel", JF_TOOL_IDEMPOTENT, "Cancels the appointment with this code.",
                   object_of(R"("code":{"type":"string","minLength":4,"maxLength":20})", R"("code")")});
    return out;
}

namespace {

/// RapidJSON takes "\udeaa" alone, a half of a character that UTF-8 has no form for (RFC 3629 3), and what holds it is no text that a host accepts.
void replace_half_characters(std::string& text) {
    for (std::size_t i = 0; i + 2 < text.size(); ++i)
        if (text[i] == '\xed' && static_cast<unsigned char>(text[i + 1]) >= 0xa0) text.replace(i, 3, "\xef\xbf\xbd");
}

}  // namespace

Arguments Arguments::parse(std::string_view json) {
    Arguments out;
    rapidjson::Document document;
    // Iterative: what a model wrote must not cost stack.
    document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
    if (document.HasParseError() || !document.IsObject()) return out;
    for (const auto& member : document.GetObject()) {
        std::string value;
        if (member.value.IsString()) value.assign(member.value.GetString(), member.value.GetStringLength());
        else if (member.value.IsInt64()) value = std::to_string(member.value.GetInt64());
        else continue;
        replace_half_characters(value);
        out.members_.emplace_back(std::string(member.name.GetString(), member.name.GetStringLength()), std::move(value));
    }
    return out;
}

std::string Arguments::operator[](std::string_view name) const {
    for (const auto& [key, value] : members_)
        if (key == name) return value;
    return {};
}

std::string refusal(std::string_view why) {
    rapidjson::StringBuffer buffer;
    Writer writer(buffer);
    writer.StartObject();
    text(writer, "error", why);
    writer.EndObject();
    return buffer.GetString();
}

std::string lookup(const Config& config, const Arguments& arguments) {
    const std::string wanted = plain(arguments["topic"]);
    const Entry* best = nullptr;
    int most = 0;
    for (const Entry& entry : config.entries)
        if (const int like = likeness(entry, wanted); like > most) {
            best = &entry;
            most = like;
        }
    rapidjson::StringBuffer buffer;
    Writer writer(buffer);
    writer.StartObject();
    writer.Key("found");
    writer.Bool(best != nullptr);
    if (best) {
        text(writer, "name", best->name);
        text(writer, "text", best->text);
    } else {
        writer.Key("known");
        writer.StartArray();
        for (const Entry& entry : config.entries) writer.String(entry.name.data(), static_cast<rapidjson::SizeType>(entry.name.size()));
        writer.EndArray();
    }
    writer.EndObject();
    return buffer.GetString();
}

std::string hours(const Config& config, const Arguments& arguments, const Moment& now) {
    const std::string given = arguments["date"];
    const auto day = given.empty() ? std::optional(now.day) : parse_date(given);
    if (!day) return refusal("there is no day " + given);
    const std::vector<Timetable::Span>& spans = config.timetable.spans(*day);
    rapidjson::StringBuffer buffer;
    Writer writer(buffer);
    writer.StartObject();
    text(writer, "date", date_text(*day));
    text(writer, "weekday", weekday_text(*day));
    writer.Key("open");
    writer.Bool(!spans.empty());
    writer.Key("hours");
    writer.StartArray();
    for (const Timetable::Span& span : spans) writer.String((time_text(span.from) + "-" + time_text(span.to)).c_str());
    writer.EndArray();
    writer.EndObject();
    return buffer.GetString();
}

}  // namespace jackfield::desk
