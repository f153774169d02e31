#pragma once

#include "base/clock.hpp"
#include "call/language.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::call {

struct ClauseChunkerOptions {
    /// The first chunk is a clause of at least so many characters ...
    std::size_t first_chars = 30;
    /// ... or what is there so long after the first token, up to a word's end.
    base::Milliseconds first_wait{250};
    /// A sentence that goes on for longer is cut at a clause or a word.
    std::size_t longest_chars = 300;
    /// Abbreviations and ordinals of the language that is spoken. As long-lived as the chunker:
    /// those of language_of() are for ever.
    const SentenceRules* sentences = &language_of("en").sentences;
};

/// Cuts a model's tokens into pieces that a synthesiser can speak well: a short first one, so that
/// speech begins early, then sentences. The pieces put together are the text. Knows the language's
/// abbreviations; cuts lie behind white space or sentence marks, never within a UTF-8 character.
class ClauseChunker {
  public:
    explicit ClauseChunker(const ClauseChunkerOptions& options = {}) : options_(options) {}

    /// Takes the next tokens, of any length; returns the pieces that they complete.
    std::vector<std::string> feed(std::string_view text, base::MonoTime now);
    /// What has waited long enough. To be called at next_deadline().
    std::vector<std::string> poll(base::MonoTime now);
    /// When the first piece shall be given out as it is; nothing when no text waits for that.
    std::optional<base::MonoTime> next_deadline() const;
    /// The text is complete: returns the rest. Half a character at the end is dropped. What is fed
    /// next counts as a new text with a first piece of its own.
    std::vector<std::string> flush();

    /// Text that no piece has been made of yet.
    std::string_view pending() const { return pending_; }

  private:
    std::vector<std::string> cut(base::MonoTime now);
    std::size_t end_of_next() const;
    std::string take(std::size_t size);

    ClauseChunkerOptions options_;
    std::string pending_;
    bool first_ = true;
    // The first piece's time is up, but no word had ended then: the next word's end is enough.
    bool overdue_ = false;
    std::optional<base::MonoTime> first_token_;
};

}  // namespace jackfield::call
