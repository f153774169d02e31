#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::listener {

using Audio = std::span<const std::int16_t>;  // 8000 Hz

/// One stretch of speech, in samples.
struct Segment {
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// Cuts by energy: a pause of `pause_ms` ends an utterance; what is shorter than 150 ms is no speech. Each keeps 200 ms of its surroundings.
std::vector<Segment> cut_utterances(Audio audio, int pause_ms = 500);

/// Text as it is spoken: lower case, numbers and times as words, letters of `a.m.` apart, no punctuation.
std::vector<std::string> spoken_words(std::string_view text);

/// How many of `wanted` occur in `heard` in the same order, as a share of `wanted`.
double share_found(const std::vector<std::string>& wanted, const std::vector<std::string>& heard);

/// A person's ears for tests: PocketSphinx with a trigram language model over everything that the tenant may say, and a dictionary
/// of those words only. It shares nothing with the host's recogniser but the packaged model files.
class Listener {
  public:
    /// `replies` may hold slots in braces: the texts around them count, and the slots' words are given as replies of their own.
    /// Throws std::runtime_error, with the package to install when the model is missing.
    explicit Listener(const std::vector<std::string>& replies);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    std::vector<std::string> recognise(Audio utterance);
    /// Words of the replies that the dictionary lacks: they can't be heard, and count as missed.
    const std::vector<std::string>& unknown_words() const { return unknown_; }

  private:
    struct Decoder;
    std::unique_ptr<Decoder> decoder_;
    std::vector<std::string> unknown_;
};

struct HeardReply {
    std::string expected;
    std::string heard;
    double right = 0;     // share of its own words found
    double shuffled = 0;  // mean share of the other replies' words found in it
};

struct Verdict {
    std::vector<HeardReply> replies;
    double right = 0;     // over all words
    double shuffled = 0;  // over all words of the shuffled assignments
    bool passed() const { return !replies.empty() && right >= 0.8 && shuffled <= 0.3; }
    std::string json() const;
};

/// Recognises the agent's side of a call and holds it against the replies that were due, in order. Utterances and replies are
/// matched in order, since a reply may hold pauses. With one reply only, or equal ones, there is nothing to shuffle: 0.
Verdict judge(Listener& listener, Audio agent, const std::vector<std::string>& expected);

}  // namespace jackfield::listener
