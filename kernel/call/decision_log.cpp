#include "call/decision_log.hpp"

#include <algorithm>
#include <cstring>

namespace jackfield::call {
namespace {

struct CodeText {
    const char* name;
    const char* a;        ///< name of the number in JSON, nullptr when it says nothing
    const char* b;
    const char* sentence; ///< {a}, {b} and {text} stand for what they name
};

// In the order of the enum.
constexpr CodeText texts[] = {
    {"speech_start", "sample", "level_db", "the detector is sure of speech, which began at sample {a} ({b} dBov)"},
    {"speech_stop", "sample", "voiced_ms", "speech stopped at sample {a} after {b} ms of voice"},
    {"partial", "words", nullptr, "partial with {a} meaningful words: \"{text}\""},
    {"final_text", "confidence_milli", "ticket", "final, confidence {a}/1000: \"{text}\""},
    {"no_match", nullptr, "ticket", "no match, nearest: \"{text}\""},
    {"endpoint_wait", "wait_ms", "mean_pause_ms", "waiting {a} ms of quiet before the turn is closed: {text} (the caller's mean pause in ms: {b})"},
    {"endpoint", "quiet_ms", "ticket", "turn closed after {a} ms of quiet by rule {text}"},
    {"resumed", "after_ms", nullptr, "the caller went on {a} ms after the turn was closed: its words come back"},
    {"stuck", "since_word_ms", nullptr, "voice without an end: answering (ms since the last word: {a})"},
    {"speculate", "reply", nullptr, "reply {a} begun before the turn was closed, on \"{text}\""},
    {"speculation_kept", "reply", "won_ms", "reply {a} was begun on the right words: {b} ms won"},
    {"speculation_dropped", "reply", nullptr, "reply {a} dropped: {text}"},
    {"duck", "voiced_ms", "reply", "agent made quieter after {a} ms of voice"},
    {"held_back", "voiced_ms", "words", "interruption held back by {text} ({a} ms of voice, {b} words)"},
    {"backchannel", "words", nullptr, "a backchannel, no interruption: \"{text}\""},
    {"barge_in", "voiced_ms", "words", "interruption confirmed by {text} ({a} ms of voice, {b} words)"},
    {"barge_in_resume", "ducked_ms", "quiet_ms", "no interruption after all: speaking goes on after {a} ms, {b} ms of quiet"},
    {"reply_begun", "reply", nullptr, "model asked for reply {a}"},
    {"first_token", "reply", "after_ms", "first words of reply {a} after {b} ms"},
    {"first_speech", "reply", nullptr, "first audio of reply {a} from the voice"},
    {"first_sent", "reply", "after_ms", "first sample of reply {a} sent (ms since the caller's last voice: {b})"},
    {"reply_cut", "heard_bytes", "bytes", "agent stopped by {text}: {a} of {b} bytes of text were heard"},
    {"reply_done", "reply", "bytes", "reply {a} was played to its end ({b} bytes of text)"},
    {"provider", "kind", nullptr, "{a} is now {text}"},
    {"provider_failed", "kind", "status", "{a} {text} failed with status {b}"},
    {"timer", "after_ms", nullptr, "timer {text} fired after {a} ms"},
    {"dead_air", "step", "silence_ms", "{b} ms without a sound, step {a}: {text}"},
    {"dtmf", "keys", nullptr, "key pressed, {a} gathered"},
    {"tool_call", "round", nullptr, "tool {text} called in round {a}"},
    {"tool_result", "reply", "index", "tool call {b} of reply {a} has its result"},
    {"nudge", "number", "silence_ms", "nudge {a} after {b} ms of silence"},
    {"hang_up", "cause", nullptr, "hanging up: {text} (cause {a})"},
    {"transfer", nullptr, nullptr, "transfer to {text}"},
    {"hold", "held", nullptr, "hold: {a}"},
    {"note", "a", "b", "{text} ({a}, {b})"},
};
static_assert(std::size(texts) == static_cast<std::size_t>(Decision::note) + 1, "a code without a text, or the other way round");

const CodeText& text_of(Decision code) { return texts[static_cast<std::size_t>(code)]; }

constexpr const char* kinds[] = {"stt", "llm", "tts"};

bool names_a_kind(Decision code) { return code == Decision::provider || code == Decision::provider_failed; }

/// As many bytes as fit without half a character at the end.
std::size_t fitting(std::string_view text, std::size_t room) {
    if (text.size() <= room) return text.size();
    while (room > 0 && (static_cast<unsigned char>(text[room]) & 0xC0U) == 0x80) --room;
    return room;
}

}  // namespace

void DecisionLog::note(base::MonoTime now, Decision code, std::int64_t a, std::int64_t b, std::string_view text) {
    const std::size_t length = fitting(text, text_bytes);
    Entry* entry = nullptr;
    if (size_ > 0) {
        Entry& last = entries_[(begin_ + size_ - 1) % capacity];
        if (code == Decision::held_back && last.code == code && last.text() == text.substr(0, length)) {
            last.a = a;
            last.b = b;
            if (last.times < UINT16_MAX) ++last.times;
            return;
        }
    }
    if (size_ == capacity) {
        lost_until_ = entries_[begin_].at;
        begin_ = (begin_ + 1) % capacity;
        --size_;
    }
    entry = &entries_[(begin_ + size_) % capacity];
    ++size_;
    entry->at = now;
    entry->a = a;
    entry->b = b;
    entry->times = 1;
    entry->code = code;
    entry->length = static_cast<std::uint8_t>(length);
    entry->cut = length < text.size();
    if (length > 0) std::memcpy(entry->bytes.data(), text.data(), length);
}

std::string_view name_of(Decision code) { return text_of(code).name; }

Decision decision_of(std::string_view name) {
    for (std::size_t i = 0; i < std::size(texts); ++i)
        if (name == texts[i].name) return static_cast<Decision>(i);
    return Decision::note;
}

std::string decisions_json(const DecisionLog& log, base::MonoTime from, base::MonoTime to, base::MonoTime zero) {
    base::JsonWriter json;
    const auto ms = [&](base::MonoTime at) { return std::chrono::duration_cast<base::Milliseconds>(at - zero).count(); };
    json.begin_array();
    if (log.lost_until() && *log.lost_until() >= from) {
        json.begin_object();
        json.member("at_ms", static_cast<std::int64_t>(ms(from))).member("what", "note").member("text", "older entries of this turn were overwritten");
        json.end_object();
    }
    for (std::size_t i = 0; i < log.size(); ++i) {
        const DecisionLog::Entry& entry = log[i];
        if (entry.at < from || entry.at > to) continue;
        const CodeText& names = text_of(entry.code);
        json.begin_object();
        json.member("at_ms", static_cast<std::int64_t>(ms(entry.at))).member("what", names.name);
        if (names_a_kind(entry.code)) json.member(names.a, kinds[static_cast<std::size_t>(std::clamp<std::int64_t>(entry.a, 0, 2))]);
        else if (names.a) json.member(names.a, entry.a);
        if (names.b) json.member(names.b, entry.b);
        if (entry.length > 0) json.member("text", entry.text());
        if (entry.cut) json.member("cut", true);
        if (entry.times > 1) json.member("times", static_cast<std::uint32_t>(entry.times));
        json.end_object();
    }
    json.end_array();
    return json.take();
}

std::string describe_decision(const base::JsonView& entry) {
    const std::string what = entry["what"].text_or("note");
    const CodeText& names = text_of(decision_of(what));
    const std::string text = entry["text"].text_or("") + (entry["cut"].boolean_or(false) ? "..." : "");
    // Of a code that this version does not know, and of a remark, the text is what there is to say.
    if (decision_of(what) == Decision::note && entry["a"].integer_or(0) == 0 && entry["b"].integer_or(0) == 0) return text;
    const auto value = [&](const char* name) -> std::string {
        if (!name) return {};
        const base::JsonView v = entry[name];
        if (v.is_string()) return v.text_or("");
        const std::string_view unit(name);
        const bool never_negative = unit.ends_with("_ms") || unit.ends_with("_milli");
        if (v.absent() || (never_negative && v.integer_or(-1) < 0)) return "unknown";
        return std::to_string(v.integer_or(0));
    };
    std::string out;
    for (std::string_view rest = names.sentence; !rest.empty();) {
        const std::size_t open = rest.find('{');
        out += rest.substr(0, open);
        if (open == std::string_view::npos) break;
        const std::size_t close = rest.find('}', open);
        const std::string_view field = rest.substr(open + 1, close - open - 1);
        out += field == "a" ? value(names.a) : field == "b" ? value(names.b) : text;
        rest.remove_prefix(close + 1);
    }
    if (const std::int64_t times = entry["times"].integer_or(1); times > 1) out += " (" + std::to_string(times) + " times)";
    return out;
}

}  // namespace jackfield::call
