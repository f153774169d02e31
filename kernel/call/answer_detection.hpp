#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "config/amd_options.hpp"

namespace jackfield::call {

enum class AnsweredBy : std::uint8_t { human, machine, unsure };

const char* name_of(AnsweredBy by);

struct AnswerVerdict {
    AnsweredBy by;
    const char* rule; ///< short_speech, long_speech, words, beep, carrier, no_speech
};

/// Whether a person or a machine answered, from the answer on: what rings or plays before it is never heard here. A person says a few words and
/// waits; a machine goes on. Where its words or its beep come later, a verdict for a person is taken back within `total`. Afterwards it
/// says when a machine's own words are over, so that a message is recorded whole.
class AnswerDetection {
  public:
    AnswerDetection(const config::AmdOptions& options, std::vector<std::string> machine_phrases)
        : options_(options), phrases_(std::move(machine_phrases)) {}

    void start(base::MonoTime now) { answered_ = now; }
    // Each may bring a verdict: the first one, or the machine that takes back a person.
    std::optional<AnswerVerdict> on_speech_start(base::MonoTime began);
    std::optional<AnswerVerdict> on_speech_stop(base::MonoTime last_voiced);
    std::optional<AnswerVerdict> on_words(base::MonoTime now, std::string_view text);
    std::optional<AnswerVerdict> on_beep(base::MonoTime now);
    std::optional<AnswerVerdict> on_carrier(AnsweredBy by);
    std::optional<AnswerVerdict> on_time(base::MonoTime now);

    std::optional<base::MonoTime> next_deadline() const;
    /// There is nothing left to find out: no machine could be recognised any more, or its words are over.
    bool over(base::MonoTime now) const;
    bool is_machine() const { return verdict_ && verdict_->by == AnsweredBy::machine; }
    /// The machine listens: a beep has sounded, it has been quiet, or there is no more waiting.
    bool ready_for_message(base::MonoTime now) const;
    /// When that is so at the latest, as things are.
    base::MonoTime message_at() const;

  private:
    std::optional<AnswerVerdict> decide(AnsweredBy by, const char* rule);

    config::AmdOptions options_;
    std::vector<std::string> phrases_;
    base::MonoTime answered_;
    std::optional<base::MonoTime> began_;       ///< of the first words
    std::optional<base::MonoTime> last_voiced_; ///< they are over, or the last of what followed
    bool speaking_ = false;
    bool beeped_ = false;
    std::optional<AnswerVerdict> verdict_;
    base::MonoTime machine_at_;
};

/// What answering machines say in that language (BCP 47; the first subtag decides), English for one that isn't known.
const std::vector<std::string>& machine_phrases(std::string_view language);

}  // namespace jackfield::call
