#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "jsgf.hpp"
#include "words.hpp"

namespace jackfield::pocketsphinx {

/// What may be said, as states joined by words. Only the final state is entered without a word, and never from the start.
struct Network {
    static constexpr std::int32_t no_word = -1;
    struct Arc {
        std::uint32_t from;
        std::uint32_t to;
        float log_probability;  // natural, at most 0
        std::int32_t word;      // index in `words`, or no_word into the final state
    };
    std::uint32_t states = 0;
    std::uint32_t start = 0;
    std::uint32_t final = 0;
    std::vector<Arc> arcs;
    std::vector<std::string> words;

    bool empty() const { return arcs.empty(); }
};

/// Puts a network together from arcs with and without words; finish() takes out the arcs without words and what can't be reached.
class NetworkBuilder {
  public:
    static constexpr std::size_t max_arcs = 60000;  // 20 times the largest grammar that a script made in tests

    std::uint32_t add_state() { return states_++; }
    void word(std::uint32_t from, std::uint32_t to, std::string_view word, double probability);
    void skip(std::uint32_t from, std::uint32_t to, double probability);

    /// Throws std::length_error when the network has grown too large.
    Network finish(std::uint32_t start, std::uint32_t final);

  private:
    struct Raw {
        std::uint32_t from;
        std::uint32_t to;
        float log_probability;
        std::int32_t word;
    };
    void add(Raw raw);

    std::uint32_t states_ = 0;
    std::vector<Raw> arcs_;
    std::vector<std::string> words_;
    std::map<std::string, std::int32_t, std::less<>> ids_;
};

/// How a written word of a grammar is said.
using Speak = std::function<Spoken(std::string_view)>;

/// The grammar as a network. What contains an unknown word is left out, as if it were <VOID>, and counted. A rule may refer to itself
/// where it ends (a loop, as in digits); elsewhere that is refused. Throws std::invalid_argument and std::length_error.
Network compile(const Grammar& grammar, const Speak& speak, std::size_t& unknown_words);

struct Phrase {
    std::vector<std::string> words;
    double weight = 1;
};

struct PhraseOptions {
    double join_probability = 0;     // that a phrase follows a phrase
    double carrier_probability = 0;  // that carrier phrases stand before or after
    std::vector<std::vector<std::string>> carriers;
};

/// Any of the phrases; sharing their beginnings.
Network compile(const std::vector<Phrase>& phrases, const PhraseOptions& options);

}  // namespace jackfield::pocketsphinx
