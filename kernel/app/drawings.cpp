#include "app/drawings.hpp"

#include <jackfield/base.h>

#include <algorithm>
#include <cstdio>

namespace jackfield::app {
namespace {

/// A letter a stage, so that a terminal without colours shows as much as one with.
char letter_of(std::string_view stage) {
    if (stage == "vad_ms") return 'v';
    if (stage == "endpoint_ms") return 'e';
    if (stage == "stt_ms") return 's';
    if (stage == "llm_ms") return 'l';
    if (stage == "clause_ms") return 'c';
    if (stage == "tts_ms") return 't';
    if (stage == "playout_ms") return 'p';
    return '?';
}

std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

std::string right_aligned(const std::string& text, std::size_t width) {
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

/// The first line of a message, as a ladder shows it: "INVITE sip:100@192.0.2.1", "200 OK (INVITE)".
std::string summary_of(const std::string& message) {
    std::string line = message.substr(0, message.find_first_of("\r\n"));
    const bool response = line.starts_with("SIP/2.0 ");
    if (response) line.erase(0, 8);
    else if (const auto version = line.rfind(" SIP/2.0"); version != std::string::npos) line.erase(version);
    const auto header = [&](std::string_view name) -> std::string {
        std::size_t at = 0;
        while ((at = message.find('\n', at)) != std::string::npos) {
            ++at;
            if (message.size() - at <= name.size()) break;
            bool same = true;
            for (std::size_t i = 0; i < name.size() && same; ++i)
                same = std::tolower(static_cast<unsigned char>(message[at + i])) == name[i];
            if (same) return message.substr(at + name.size(), message.find_first_of("\r\n", at) - at - name.size());
        }
        return {};
    };
    if (response)
        if (const std::string cseq = header("cseq:"); cseq.find_last_of(' ') != std::string::npos)
            line += " (" + cseq.substr(cseq.find_last_of(' ') + 1) + ")";
    if (header("content-type:").find("application/sdp") != std::string::npos) line += " [SDP]";
    return line;
}

constexpr std::size_t left_width = 48;

std::string arrow(const std::string& text, bool to_the_right) {
    std::string label = text.size() > left_width - 6 ? text.substr(0, left_width - 9) + "..." : text;
    const std::size_t dashes = left_width - 4 - label.size();
    return (to_the_right ? "-- " : "<- ") + label + " " + std::string(dashes - 1, '-') + (to_the_right ? ">" : "-");
}

std::string time_of(std::int64_t us, std::int64_t zero) {
    char text[32];
    std::snprintf(text, sizeof text, "%9.3f", static_cast<double>(us - zero) / 1e6);
    return text;
}

std::string op_of(base::JsonView entry) {
    std::string name = entry["name"].text_or("");
    if (const std::int64_t reply = entry["number"].integer_or(0); reply > 0) name += " " + std::to_string(reply);
    return name + (entry["provider"].absent() ? "" : " " + entry["provider"].text_or(""));
}

void append_indented(std::string& out, const std::string& message) {
    for (std::size_t at = 0; at < message.size();) {
        const std::size_t end = std::min(message.find('\n', at), message.size());
        std::string line = message.substr(at, end - at);
        if (!line.empty() && line.back() == '\r') line.pop_back();
        out += std::string(14, ' ') + line + "\n";
        at = end + 1;
    }
}

}  // namespace

std::string status_text(std::int64_t status) {
    constexpr const char* names[] = {"ok",        "invalid", "state", "unsupported", "again", "cancelled", "timeout",  "too_new",
                                     "peer_lost", "auth",    "quota", "rate",        "not_found", "conflict", "internal"};
    const auto index = static_cast<std::size_t>(-status);
    return status <= 0 && index < std::size(names) ? names[index] : std::to_string(status);
}

std::string draw_waterfall(const std::vector<store::TurnRow>& turns, std::size_t columns) {
    std::int64_t longest = 0;
    for (const store::TurnRow& turn : turns)
        if (!turn.stages_json.empty()) longest = std::max(longest, turn.reply_ms);
    if (longest <= 0) return {};
    std::string out = "from the caller's last voiced sample to the agent's first sample sent; the full width is " + std::to_string(longest) + " ms\n";
    for (const store::TurnRow& turn : turns) {
        const auto stages = turn.stages_json.empty() ? base::Result<base::JsonDocument>(base::Error()) : base::JsonDocument::parse(turn.stages_json);
        if (!stages) continue;
        std::string bar;
        std::string figures;
        std::int64_t reached = 0;
        for (const auto& [name, value] : stages->root().members()) {
            const std::int64_t ms = value.integer_or(0);
            reached += ms;
            // Ends are rounded, not lengths: the bar is as long as its sum.
            const auto end = static_cast<std::size_t>(reached * static_cast<std::int64_t>(columns) / longest);
            if (end > bar.size()) bar.append(end - bar.size(), letter_of(name));
            if (ms > 0) figures += " " + std::string(name.substr(0, name.find("_ms"))) + " " + std::to_string(ms);
        }
        out += right_aligned(std::to_string(turn.number), 4) + "  " + right_aligned(std::to_string(turn.reply_ms), 5) + " ms  |" + padded(bar, columns) +
               "|" + figures + "\n";
    }
    return out + "v: the detector makes sure of quiet  e: the turn is closed  s: recogniser  l: model  c: a clause of text  t: voice  p: playout\n";
}

std::string draw_ladder(const base::JsonView& trace, bool whole) {
    const base::JsonView entries = trace["entries"];
    if (entries.size() == 0) return "nothing was traced\n";
    const std::int64_t zero = entries.at(0)["at_us"].integer_or(0);
    std::string remote;
    std::string out;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const base::JsonView entry = entries.at(i);
        const std::string kind = entry["kind"].text_or("");
        const std::string text = entry["text"].text_or("");
        std::string rung;
        if (kind == "sip") {
            // Who the far end is stands where it changes: proxies answer from other addresses than callers.
            const std::string far = entry["transport"].text_or("") + " " + entry["remote"].text_or("") + " / " + entry["local"].text_or("");
            if (std::exchange(remote, far) != far) out += "           far end " + far + " host\n";
            rung = arrow(summary_of(text), !entry["out"].boolean_or(false)) + "|";
        } else if (kind == "open") {
            rung = std::string(left_width, ' ') + "|-- open " + op_of(entry) + " -->";
        } else if (kind == "done") {
            rung = std::string(left_width, ' ') + "|<- done " + op_of(entry) + ": " + status_text(entry["status"].integer_or(0));
            if (!text.empty()) rung += " (" + text + ")";
        } else if (kind == "left_out") {
            rung = std::string(left_width, ' ') + ": " + std::to_string(entry["number"].integer_or(0)) + " were left out";
        } else {
            rung = std::string(left_width, ' ') + "* " + entry["name"].text_or("") + (text.empty() ? "" : " " + text);
        }
        out += time_of(entry["at_us"].integer_or(0), zero) + "  " + rung + "\n";
        if (whole && kind == "sip") append_indented(out, text);
    }
    return out;
}

}  // namespace jackfield::app
