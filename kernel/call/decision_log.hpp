#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace jackfield::call {

/// What was decided, or what a decision was taken from. The comment says what the two numbers and the text of an entry are; the names and
/// the sentences are in decision_log.cpp. Append only at the end: the names are stored.
enum class Decision : std::uint8_t {
    speech_start,     ///< a: sample position, b: level in dBov
    speech_stop,      ///< a: sample position of the last voice, b: voiced ms
    partial,          ///< a: meaningful words, text: the words
    final_text,       ///< a: confidence in thousandths, -1 unknown; b: ticket, 0 for one that came by itself; text: the words
    no_match,         ///< b: ticket, text: the nearest words
    endpoint_wait,    ///< a: ms that are waited after speech, b: the caller's mean pause in ms or -1; text: fixed, dictation, adaptive, ...
    endpoint,         ///< a: ms of quiet when the turn was closed, b: ticket; text: the rule
    resumed,          ///< the caller went on before the answer was heard; a: ms since the turn was closed
    stuck,            ///< voice without an end: a: ms since the last word
    speculate,        ///< a: the reply begun before the turn was closed; text: on which words
    speculation_kept, ///< a: the reply, b: ms won
    speculation_dropped, ///< a: the reply, text: why
    duck,             ///< a: voiced ms, b: reply
    held_back,        ///< a: voiced ms, b: words; text: by what: greeting, legal_lock, backchannel_guard, goodbye, noise, echo
    backchannel,      ///< a: words; text: the words that count as none
    barge_in,         ///< confirmed: a: voiced ms, b: words; text: the rule
    barge_in_resume,  ///< it was none: a: ms ducked, b: ms of quiet
    reply_begun,      ///< a: reply
    first_token,      ///< a: reply, b: ms since the reply was begun
    first_speech,     ///< a: reply
    first_sent,       ///< a: reply, b: ms since the caller's last voiced sample, -1 unknown
    reply_cut,        ///< a: bytes heard, b: bytes in all; text: the rule
    reply_done,       ///< a: reply, b: bytes
    provider,         ///< one takes over: a: 0 stt, 1 llm, 2 tts; text: its name
    provider_failed,  ///< a: as above, b: jf_status; text: its name
    timer,            ///< a: ms that had passed; text: which
    dead_air,         ///< a: step of the escalation, b: ms of silence; text: what was done
    dtmf,             ///< a: keys gathered so far
    tool_call,        ///< a: round; text: the tool
    tool_result,      ///< a: reply; b: index of the call in it
    nudge,            ///< a: which, b: ms of silence
    hang_up,          ///< a: JF_CAUSE_*; text: the reason
    transfer,         ///< text: the target's name
    hold,             ///< a: 1 held, 0 resumed
    note,             ///< a, b, text: anything else
};

/// The last decisions of a call, as they were taken: a ring of fixed size inside the call, so that noting costs a copy and never an
/// allocation. What repeats per frame (held_back with the same text) overwrites its predecessor and counts.
class DecisionLog {
  public:
    static constexpr std::size_t capacity = 160;
    static constexpr std::size_t text_bytes = 60;

    struct Entry {
        base::MonoTime at;
        std::int64_t a = 0;
        std::int64_t b = 0;
        std::uint16_t times = 1; ///< how often in a row
        Decision code = Decision::note;
        std::uint8_t length = 0;
        bool cut = false; ///< the text was longer
        std::array<char, text_bytes> bytes = {};

        std::string_view text() const { return {bytes.data(), length}; }
    };

    void note(base::MonoTime now, Decision code, std::int64_t a = 0, std::int64_t b = 0, std::string_view text = {});

    std::size_t size() const { return size_; }
    /// 0 is the oldest that is kept.
    const Entry& operator[](std::size_t index) const { return entries_[(begin_ + index) % capacity]; }
    /// When the newest of the entries that had to go was noted.
    std::optional<base::MonoTime> lost_until() const { return lost_until_; }

  private:
    std::array<Entry, capacity> entries_;
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
    std::optional<base::MonoTime> lost_until_;
};

std::string_view name_of(Decision code);
/// The other way; `note` for what it does not know.
Decision decision_of(std::string_view name);

/// Entries noted from `from` to `to` as a JSON array: {"at_ms" since `zero`, "what", the numbers under their names, "text"}. The first element
/// says so when older ones of that time were lost.
std::string decisions_json(const DecisionLog& log, base::MonoTime from, base::MonoTime to, base::MonoTime zero);

/// One element of decisions_json() as a sentence, without its time.
std::string describe_decision(const base::JsonView& entry);

}  // namespace jackfield::call
