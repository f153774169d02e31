#include "book.hpp"

#include <algorithm>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace jackfield::desk {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void text(Writer& writer, const char* key, std::string_view value) {
    writer.Key(key);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

/// "482193" spoken digit by digit by any voice.
std::string spaced(std::string_view code) {
    std::string out;
    for (const char c : code) out += (out.empty() ? "" : " ") + std::string(1, c);
    return out;
}

void when(Writer& writer, std::string_view starts) {
    text(writer, "date", starts.substr(0, 10));
    if (const auto day = parse_date(starts.substr(0, 10))) text(writer, "weekday", weekday_text(*day));
    text(writer, "time", starts.substr(std::min<std::size_t>(11, starts.size())));
}

}  // namespace

sdk::Collection appointments() {
    sdk::Collection made("desk.appointments", JF_SCOPE_TENANT);
    made.field("starts", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("seat", JF_VALUE_INT, JF_FIELD_NOT_NULL)
        .field("name", JF_VALUE_TEXT)
        .field("phone", JF_VALUE_TEXT)
        .field("note", JF_VALUE_TEXT)
        .field("code", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("call", JF_VALUE_TEXT)
        .unique({"starts", "seat"})
        .index({"phone"})
        .index({"code"});
    return made;
}

sdk::Collection cancellations() {
    sdk::Collection made("desk.cancellations", JF_SCOPE_TENANT);
    made.field("code", JF_VALUE_TEXT, JF_FIELD_NOT_NULL).field("starts", JF_VALUE_TEXT).field("name", JF_VALUE_TEXT).field("phone", JF_VALUE_TEXT);
    return made;
}

std::string starts_text(const Moment& moment) { return date_text(moment.day) + "T" + time_text(moment.minute); }

std::string code_for(std::string_view key) {
    std::uint64_t hash = 14695981039346656037ULL; // FNV-1a
    for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    return std::to_string(100000 + hash % 900000);
}

std::string digits_of(std::string_view given) {
    std::string out;
    for (const char c : given)
        if (c >= '0' && c <= '9') out += c;
    return out;
}

std::string objection(const Config& config, const Moment& wanted, const Moment& now) {
    if (config.timetable.spans(wanted.day).empty()) return "the desk is closed on that day";
    const std::vector<int> begins = config.timetable.begins(wanted.day);
    if (std::find(begins.begin(), begins.end(), wanted.minute) == begins.end()) return "no appointment begins at that time";
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(wanted.day - now.day).count() + wanted.minute - now.minute;
    if (minutes < config.notice_minutes) return "that is too soon or over";
    if (wanted.day > now.day + std::chrono::days(config.days_ahead)) return "that is too far ahead";
    return {};
}

std::vector<int> free_times(const Config& config, std::chrono::local_days day, const std::vector<std::string>& taken, const Moment& now) {
    std::vector<int> out;
    for (const int minute : config.timetable.begins(day)) {
        const Moment moment{day, minute};
        if (!objection(config, moment, now).empty()) continue;
        if (std::count(taken.begin(), taken.end(), starts_text(moment)) < config.at_once) out.push_back(minute);
    }
    return out;
}

std::string free_times_json(std::chrono::local_days day, const std::vector<int>& times) {
    rapidjson::StringBuffer buffer;
    Writer writer(buffer);
    writer.StartObject();
    text(writer, "date", date_text(day));
    text(writer, "weekday", weekday_text(day));
    writer.Key("count");
    writer.Int64(static_cast<std::int64_t>(times.size()));
    if (!times.empty()) text(writer, "first", time_text(times.front()));
    writer.Key("times");
    writer.StartArray();
    for (const int minute : times) writer.String(time_text(minute).c_str());
    writer.EndArray();
    writer.EndObject();
    return buffer.GetString();
}

std::string booked_json(std::string_view code, std::string_view starts, std::string_view name) {
    rapidjson::StringBuffer buffer;
    Writer writer(buffer);
    writer.StartObject();
    writer.Key("ok");
    writer.Bool(true);
    text(writer, "code", code);
    text(writer, "code_spoken", spaced(code));
    when(writer, starts);
    if (!name.empty()) text(writer, "name", name);
    writer.EndObject();
    return buffer.GetString();
}

std::string found_json(const std::vector<sdk::Row>& rows) {
    rapidjson::StringBuffer buffer;
    Writer writer(buffer);
    writer.StartObject();
    writer.Key("count");
    writer.Int64(static_cast<std::int64_t>(rows.size()));
    writer.Key("appointments");
    writer.StartArray();
    for (const sdk::Row& row : rows) {
        writer.StartObject();
        text(writer, "code", row.field(appointment_code).text());
        when(writer, row.field(appointment_starts).text());
        text(writer, "name", row.field(appointment_name).text());
        writer.EndObject();
    }
    writer.EndArray();
    writer.EndObject();
    return buffer.GetString();
}

}  // namespace jackfield::desk
