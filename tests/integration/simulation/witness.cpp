#include "integration/simulation/witness.hpp"

#include <jackfield/llm.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/json.hpp"
#include "simulators/plugins/spoken.hpp"

namespace jackfield::simulation {
namespace {

/// Each part of "a b c;d e f;".
std::vector<std::vector<std::string>> split(std::string_view text) {
    std::vector<std::vector<std::string>> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(';'), text.size());
        std::string_view part = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        std::vector<std::string>& words = out.emplace_back();
        while (!part.empty()) {
            const std::size_t space = std::min(part.find(' '), part.size());
            words.emplace_back(part.substr(0, space));
            part.remove_prefix(std::min(space + 1, part.size()));
        }
    }
    return out;
}

std::int64_t number_of(std::string_view text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end > 0) out.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

/// It goes to the voice in pieces, or as bytes that are no text.
bool is_in_pieces(std::string_view word) {
    return word.size() > 40 || std::any_of(word.begin(), word.end(), [](char c) { return c & 0x80; });
}

std::int64_t lasts_ms(std::string_view word) { return static_cast<std::int64_t>(sim::packets_of(word)) * 20; }

/// Follows what is on record through what was heard.
class Follower {
  public:
    explicit Follower(const std::vector<LegReport::Word>& heard) : heard_(&heard) {}

    /// For how long the word sounded in the turn, behind what was followed before.
    std::int64_t follow(std::string_view word, const CallSeen::Turn& turn) {
        constexpr std::int64_t late_ms = 100; // between the clocks of both ends
        const unsigned tone = sim::tone_of(word);
        std::int64_t got = 0;
        for (; next_ < heard_->size() && got < lasts_ms(word) - 20; ++next_) {
            const LegReport::Word& sound = (*heard_)[next_];
            if (sound.at_ms > turn.ended_ms + late_ms) break;
            const bool same = sound.tone ? *sound.tone == tone : !sound.half_period || *sound.half_period == tone % 16 + 2;
            if (!same && got > 0) break;
            if (same && sound.at_ms + sound.ms + late_ms >= turn.began_ms) got += sound.ms;
        }
        return got;
    }

  private:
    const std::vector<LegReport::Word>* heard_;
    std::size_t next_ = 0;
};

/// When the model said goodbye, in ms since the answer.
std::optional<std::int64_t> goodbye_of(const CallSeen& call) {
    if (!call.goodbye_ns) return std::nullopt;
    return (*call.goodbye_ns - call.leg->answered_ns) / 1'000'000;
}

std::string ms(std::int64_t value) { return std::to_string(value) + " ms"; }

}  // namespace

LegReport read_leg_report(std::string_view json) {
    LegReport out;
    const auto document = base::JsonDocument::parse(json);
    if (!document) return out;
    const auto root = document->root();
    out.who = root["who"].text_or("");
    out.answered = root["answered"].text_or("") == "yes";
    out.answered_ns = number_of(root["answered_ns"].text_or(""));
    out.lasted_ms = number_of(root["lasted_ms"].text_or(""));
    for (const auto& part : split(root["notes"].text_or("")))
        out.notes.push_back({number_of(part.at(0)), part.at(1), part.size() > 2 ? part[2] : ""});
    for (const auto& part : split(root["heard"].text_or(""))) {
        LegReport::Word word;
        word.at_ms = number_of(part.at(0));
        word.ms = number_of(part.at(2)) / 8;
        const std::string& tone = part[1];
        if (tone[0] != '?') {
            word.tone = static_cast<unsigned>(number_of(tone));
            word.half_period = *word.tone % 16 + 2;
        } else if (tone.size() > 1) {
            word.half_period = static_cast<unsigned>(number_of(tone.substr(1)));
        }
        out.heard.push_back(word);
    }
    for (const auto& part : split(root["sounded"].text_or(""))) out.sounded.emplace_back(number_of(part.at(0)), number_of(part.at(1)));
    return out;
}

Witness::Witness(const World& world, WitnessOptions options) : options_(options) {
    for (const ScriptedCall& call : calls_of(world)) numbers_[call.who] = call.number;
    for (const Element& element : world.elements) {
        if (element.kind == Element::Kind::fault && element.text.ends_with(" liar")) voices_lie_ = true;
        if (element.kind == Element::Kind::turn && element.text.starts_with("endpoint_ms = ")) endpoint_ms_ = number_of(element.text.substr(14));
    }
}

void Witness::complain(std::string invariant, int call, std::string text) {
    violations_.push_back({std::move(invariant), call, std::move(text)});
}

void Witness::on_leg(LegReport report) {
    std::string who = report.who;
    legs_[std::move(who)] = std::move(report);
}

void Witness::on_event(std::string_view json) {
    const auto event = base::JsonDocument::parse(json);
    if (!event) return complain("events_are_json", -1, std::string(json.substr(0, 200)));
    const auto root = event->root();
    CallSeen& call = calls_[root["call"].text_or("")];
    if (call.id.empty()) {
        call.id = root["call"].text_or("");
        call.agent = root["agent"].text_or("");
        const std::string who = root["direction"].text_or("") == "outbound" ? root["to"].text_or("") : root["from"].text_or("");
        if (const auto known = numbers_.find(who); known != numbers_.end()) call.number = known->second;
        else complain("calls_are_somebodys", -1, "a call of " + who);
    }
    const std::string name = root["event"].text_or("");
    check_order(call, name, root["at_us"].integer_or(0));
    if (name == "call.turn") {
        if (root["number"].integer_or(-1) != static_cast<std::int64_t>(call.turns.size()))
            complain("turns_are_numbered", call.number, "turn " + std::to_string(root["number"].integer_or(-1)) + " is the " +
                                                            std::to_string(call.turns.size()) + "th");
        call.turns.push_back({root["role"].text_or("") == "assistant", root["text"].text_or(""), root["unheard"].text_or(""),
                              root["rule"].text_or(""), root["flags"].integer_or(0), root["began_ms"].integer_or(0),
                              root["ended_ms"].integer_or(0)});
    }
    if (name == "call.transfer") check_transfer(call, root["state"].text_or(""));
    if (name != "call.ended") return;
    call.cause = root["cause"].text_or("");
    call.reason = root["reason"].text_or("");
    call.answered_us = root["answered_us"].integer_or(0);
    call.ended_us = root["ended_us"].integer_or(0);
    call.recording = root["recording"].text_or("");
    if (root["turns"].integer_or(-1) != static_cast<std::int64_t>(call.turns.size()))
        complain("turns_are_numbered", call.number, "ended with another number of turns than there were");
    for (const auto& [who, number] : numbers_)
        if (number == call.number)
            if (const auto leg = legs_.find(who); leg != legs_.end()) call.leg = leg->second;
    check_ended(call);
}

void Witness::check_order(CallSeen& call, const std::string& name, std::int64_t at_us) {
    const auto wrong = [&](const char* what) {
        complain("events_in_order", call.number, name + " after '" + call.last_event + "': " + what);
    };
    // What became of a tool that the call did not wait for is told when it is known.
    if (call.ended && name != "call.tool") wrong("the call had ended");
    if (at_us < call.last_at_us) wrong("time went back");
    if (name == "call.started") {
        if (std::exchange(call.started, true)) wrong("twice");
    } else if (!call.started) {
        wrong("the call had not started");
    }
    if (name == "call.answered" && std::exchange(call.answered, true)) wrong("twice");
    if (name == "call.turn" && !call.answered) wrong("nobody had answered");
    if (name == "call.ended") call.ended = true;
    call.last_event = name;
    call.last_at_us = at_us;
}

/// begun, then failed or joined (or done, by the carrier); who is joined may be released to the other, or kept; then it has ended.
void Witness::check_transfer(CallSeen& call, const std::string& state) {
    static const std::map<std::string, std::set<std::string>> follows = {
        {"begun", {"", "failed"}},   {"failed", {"begun"}},       {"done", {"begun"}},        {"joined", {"begun"}},
        {"kept", {"joined", "releasing"}}, {"releasing", {"joined"}}, {"released", {"releasing"}}, {"ended", {"joined", "kept", "releasing"}}};
    const auto known = follows.find(state);
    if (known == follows.end() || !known->second.count(call.transfer))
        complain("transfers_in_order", call.number, "'" + state + "' after '" + call.transfer + "'");
    call.transfers += state == "begun";
    call.joins += state == "joined";
    call.transfer = state;
}

void Witness::check_ended(const CallSeen& call) {
    if (call.cause.empty()) complain("calls_end_for_a_cause", call.number, "no cause");
    if (!call.leg) return;
    for (const LegReport::Note& note : call.leg->notes)
        if (note.what == "audio_after_end") complain("no_audio_after_hang_up", call.number, "audio at " + ms(note.at_ms));
    if (!call.answered) return;
    check_heard(call);
}

/// What is on record as said by the agent was heard: each of its words sounded in the ear, in order, while the turn lasted. And what is on
/// record as cut off was not: the word that was being said may have been finished, no other.
void Witness::check_heard(const CallSeen& call) {
    constexpr std::int64_t least_of_a_word = 120; // so much of a word may be missing: voices tell how far they are every 100 ms
    if (voices_lie_) return;
    Follower follower(call.leg->heard);
    for (const CallSeen::Turn& turn : call.turns) {
        if (!turn.agent) continue;
        const std::string when = " (" + turn.rule + ", " + ms(turn.began_ms) + " to " + ms(turn.ended_ms) + ")";
        for (const std::string_view word : words_of(turn.text)) {
            if (is_in_pieces(word)) return;
            const std::int64_t got = follower.follow(word, turn);
            if (got == 0 || got < lasts_ms(word) - least_of_a_word)
                return complain("heard_only", call.number,
                                "'" + std::string(word) + "' of '" + turn.text.substr(0, 200) + "'" + when + " is on record, and of its " +
                                    ms(lasts_ms(word)) + " the caller heard " + ms(got));
        }
        Follower beyond = follower;
        int more = 0;
        for (const std::string_view word : words_of(turn.unheard)) {
            if (is_in_pieces(word) || beyond.follow(word, turn) < lasts_ms(word)) break;
            ++more;
        }
        if (more > 1)
            complain("all_that_was_heard", call.number,
                     "on record is '" + turn.text.substr(0, 200) + "'" + when + ", and the caller heard " + std::to_string(more) + " words more");
    }
}

void Witness::on_tool(std::string_view json) {
    const auto document = base::JsonDocument::parse(json);
    if (!document) return;
    const std::string tool = document->root()["tool"].text_or("");
    if (tool != "hang_up" && tool != "transfer") return;
    std::optional<std::int64_t>& goodbye = calls_[document->root()["call"].text_or("")].goodbye_ns;
    if (!goodbye) goodbye = number_of(document->root()["at_ns"].text_or(""));
}

void Witness::on_decisions(const std::string& id, const DecisionsSeen& decisions) {
    const auto call = calls_.find(id);
    if (call == calls_.end() || !call->second.leg || !call->second.answered) return;
    check_keys(call->second);
    if (options_.dead_air) check_dead_air(call->second, decisions);
}

/// Every key is on record, unless the agent had decided to end the call.
void Witness::check_keys(const CallSeen& call) {
    std::string kept;
    for (const CallSeen::Turn& turn : call.turns)
        if (turn.flags & JF_MESSAGE_DTMF && !turn.agent) kept += turn.text;
    std::int64_t end_ms = goodbye_of(call).value_or(call.leg->lasted_ms + 1);
    for (const LegReport::Note& note : call.leg->notes)
        if (note.what == "hung_up" || note.what == "transferred") end_ms = std::min(end_ms, note.at_ms);
    std::string pressed;
    std::string lost;
    std::size_t at = 0;
    for (const LegReport::Note& note : call.leg->notes) {
        if (note.what != "key") continue;
        pressed += note.detail;
        if (at < kept.size() && kept[at] == note.detail[0]) ++at;
        else if (note.at_ms < end_ms) lost += note.detail + " at " + ms(note.at_ms) + ", ";
    }
    if (at < kept.size()) complain("no_lost_keys", call.number, "pressed '" + pressed + "', and on record is '" + kept + "'");
    else if (!lost.empty()) complain("no_lost_keys", call.number, "pressed '" + pressed + "', on record is '" + kept + "'; lost: " + lost);
}

/// From the end of the caller's speech something is audible within one bound, and words within another, if the caller leaves it at that.
/// A wait that the agent chose since the caller may go on is no dead air: what is longer than the plain endpoint is not counted.
void Witness::check_dead_air(const CallSeen& call, const DecisionsSeen& decisions) {
    constexpr std::int64_t longest_wait = 3000; // endpoint_cap_ms
    constexpr std::int64_t audible_within = 1500;
    constexpr std::int64_t words_within = 4000;
    constexpr std::int64_t slack = 100;
    constexpr std::int64_t a_word = 300; // shorter is a cough or a "mhm"
    const LegReport& leg = *call.leg;
    for (const LegReport::Note& note : leg.notes) {
        if (note.what != "spoke" || note.at_ms - number_of(note.detail) < a_word) continue;
        // Behind a goodbye nobody waits for an answer.
        std::int64_t until = std::min(leg.lasted_ms, std::max(note.at_ms, goodbye_of(call).value_or(leg.lasted_ms)));
        for (const LegReport::Note& other : leg.notes) {
            const std::int64_t at = other.what == "spoke" ? number_of(other.detail) : other.at_ms;
            if (at >= note.at_ms) until = std::min(until, at);
        }
        std::int64_t owed = note.at_ms + longest_wait;
        for (const std::int64_t endpoint : decisions.endpoints)
            if (endpoint >= note.at_ms) owed = std::min(owed, std::max(note.at_ms, endpoint - endpoint_ms_));
        const auto silent = [&](std::int64_t heard, std::int64_t bound) { return std::min(heard, until) - owed > bound + slack; };
        const auto since = [&](std::int64_t heard) {
            return "the caller stopped at " + ms(note.at_ms) + ", an answer was owed from " + ms(owed) + " on, and until " + ms(std::min(heard, until));
        };
        std::int64_t sound = until;
        for (const auto& [from, to] : leg.sounded)
            if (to > note.at_ms) sound = std::min(sound, std::max(from, note.at_ms));
        std::int64_t words = until;
        for (const LegReport::Word& word : leg.heard)
            if (word.at_ms + word.ms > note.at_ms) words = std::min(words, std::max(word.at_ms, note.at_ms));
        if (silent(sound, audible_within)) complain("dead_air", call.number, since(sound) + " nothing was heard");
        else if (silent(words, words_within)) complain("dead_air_words", call.number, since(words) + " there were no words");
    }
}

}  // namespace jackfield::simulation
