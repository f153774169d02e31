#include "call_facts.hpp"

#include <algorithm>

#include <rapidjson/document.h>

namespace jackfield::call_log {
namespace {

constexpr std::size_t longest_event = 4u << 20;
constexpr std::size_t longest_transcript = 48 * 1024;
constexpr std::size_t longest_summary = 2000;
constexpr std::size_t longest_quote = 120;
constexpr std::string_view gap = "\n[...]\n";

using Json = rapidjson::Value;

const Json* member(const Json& object, const char* name) {
    const auto found = object.FindMember(name);
    return found == object.MemberEnd() ? nullptr : &found->value;
}

std::string text_of(const Json& object, const char* name) {
    const Json* value = member(object, name);
    return value && value->IsString() ? std::string(value->GetString(), value->GetStringLength()) : std::string();
}

std::int64_t number_of(const Json& object, const char* name) {
    const Json* value = member(object, name);
    return value && value->IsInt64() ? value->GetInt64() : 0;
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool space = static_cast<unsigned char>(c) <= ' ';
        if (!space) out += c;
        else if (!out.empty() && out.back() != ' ') out += ' ';
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

/// The first `limit` bytes without half a character.
std::string_view head(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return text;
    while (limit > 0 && continues_character(text[limit])) --limit;
    return text.substr(0, limit);
}

std::string_view tail(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return text;
    std::size_t from = text.size() - limit;
    while (from < text.size() && continues_character(text[from])) ++from;
    return text.substr(from);
}

void read_transcript(const Json& messages, CallFacts& facts) {
    for (rapidjson::SizeType i = 0; i < messages.Size(); ++i) {
        const Json& message = messages[i];
        if (!message.IsObject()) continue;
        const std::string text = one_line(text_of(message, "text"));
        if (text.empty()) continue;
        const bool caller = text_of(message, "role") == "user";
        if (caller && facts.first_words.empty()) facts.first_words = text;
        facts.transcript += (caller ? "Caller: " : "Agent: ") + text + "\n";
    }
    facts.transcript = shortened(facts.transcript, longest_transcript);
}

std::string duration(std::int64_t seconds) {
    if (seconds < 60) return std::to_string(seconds) + " s";
    return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
}

}  // namespace

std::string shortened(std::string_view text, std::size_t limit) {
    if (text.size() <= limit || limit < 4 * gap.size()) return std::string(head(text, limit));
    const std::size_t room = limit - gap.size();
    return std::string(head(text, room / 4)) + std::string(gap) + std::string(tail(text, room - room / 4));
}

std::string tidied(std::string_view reply) { return std::string(head(one_line(reply), longest_summary)); }

std::optional<CallFacts> read_call_ended(std::string_view json) {
    if (json.size() > longest_event) return std::nullopt;
    rapidjson::Document document;
    // Iterative: nesting must not cost stack.
    document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
    if (document.HasParseError() || !document.IsObject()) return std::nullopt;
    CallFacts facts;
    facts.call = text_of(document, "call");
    facts.agent = text_of(document, "agent");
    // Of an outgoing call the far end is the one that was called.
    facts.caller = text_of(document, text_of(document, "direction") == "outbound" ? "to" : "from");
    facts.cause = text_of(document, "cause");
    facts.turns = std::max<std::int64_t>(number_of(document, "turns"), 0);
    const std::int64_t answered = number_of(document, "answered_us");
    const std::int64_t ended = number_of(document, "ended_us");
    if (answered > 0 && ended > answered) facts.seconds = (ended - answered) / 1'000'000;
    if (const Json* messages = member(document, "transcript"); messages && messages->IsArray()) read_transcript(*messages, facts);
    return facts;
}

std::string summary_by_rule(const CallFacts& facts) {
    std::string out = "Call with " + (facts.caller.empty() ? std::string("an unknown number") : facts.caller);
    if (!facts.agent.empty()) out += " for " + facts.agent;
    out += ": " + duration(facts.seconds) + ", " + std::to_string(facts.turns) + (facts.turns == 1 ? " turn" : " turns");
    if (!facts.cause.empty()) out += ", ended: " + facts.cause;
    out += ".";
    if (!facts.first_words.empty()) {
        const std::string_view quote = head(facts.first_words, longest_quote);
        out += " The caller began: \"" + std::string(quote) + (quote.size() < facts.first_words.size() ? "...\"" : "\"");
    }
    return one_line(out);
}

}  // namespace jackfield::call_log
