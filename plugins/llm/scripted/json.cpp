#include "json.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "words.hpp"

namespace jackfield::scripted {

std::string json_object(const std::vector<JsonMember>& members) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    const auto size = [](const std::string& text) { return static_cast<rapidjson::SizeType>(text.size()); };
    writer.StartObject();
    for (const JsonMember& member : members) {
        writer.Key(member.name.data(), size(member.name));
        if (member.bare) writer.RawValue(member.value.data(), member.value.size(), rapidjson::kNumberType);
        else writer.String(member.value.data(), size(member.value));
    }
    writer.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

ToolResult parse_tool_result(std::string_view content) {
    ToolResult out;
    if (content.size() > 256 * 1024) return out;
    rapidjson::Document document;
    // Iterative: a tool's answer comes from outside, and nesting must not cost stack.
    document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(content.data(), content.size());
    if (document.HasParseError() || !document.IsObject()) return out;
    for (rapidjson::SizeType i = 0; i < document.MemberCount(); ++i) {
        const auto& member = document.MemberBegin()[static_cast<std::ptrdiff_t>(i)];
        const std::string name(member.name.GetString(), member.name.GetStringLength());
        const auto& value = member.value;
        if (name == "error" && !value.IsNull() && !value.IsFalse()) out.ok = false;
        if (name == "ok" && value.IsFalse()) out.ok = false;
        if (value.IsString()) out.members[name] = clean_utf8({value.GetString(), value.GetStringLength()});
        else if (value.IsInt64()) out.members[name] = std::to_string(value.GetInt64());
        else if (value.IsBool()) out.members[name] = value.GetBool() ? "yes" : "no";
    }
    return out;
}

}  // namespace jackfield::scripted
