#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "config.hpp"
#include "dictionary.hpp"
#include "hints.hpp"

struct ps_decoder_s;

namespace jackfield::pocketsphinx {

/// What a decoder made of one utterance. Frames are of 10 ms.
struct Heard {
    struct Word {
        std::string text;
        std::uint32_t from;
        std::uint32_t to;       // one past the last
        double distance;        // nats per frame below the best sounds
    };
    std::vector<Word> words;    // none: no path through the grammar ends here
    std::uint32_t frames = 0;
    std::uint32_t word_frames = 0;
    double distance = 0;        // of all words, nats per frame

    std::string text() const;
};

/// One libpocketsphinx decoder with a dictionary of just the words that its vocabularies needed, used by one thread at a
/// time. Nothing of an utterance stays: each is normalised by its own cepstral mean, so that a decoder serves any stream
/// and gives the same text for the same audio.
class Decoder {
  public:
    /// Throws sdk::Failure. Takes tens of milliseconds: for workers.
    static std::unique_ptr<Decoder> create(const Options& options, std::shared_ptr<const Lexicon> lexicon);
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    bool has(std::uint64_t vocabulary) const { return searches_.contains(vocabulary); }
    /// Whole utterance of L16 at 16 kHz. `so_far` gets the words on the best path that need not have come to an end of the
    /// grammar. False: the library refused vocabulary or audio.
    bool decode(const Vocabulary& vocabulary, std::span<const std::int16_t> audio, Heard& out, Heard& so_far);
    /// Its dictionary has grown beyond what is worth keeping.
    bool worn() const { return words_.size() > 20000; }

  private:
    Decoder(ps_decoder_s* decoder, const Options& options, std::shared_ptr<const Lexicon> lexicon);
    bool select(const Vocabulary& vocabulary);
    bool add_search(const Vocabulary& vocabulary, const std::string& name);
    void read_words(Heard& out) const;

    ps_decoder_s* decoder_;
    const std::size_t capacity_;
    const std::shared_ptr<const Lexicon> lexicon_;
    std::set<std::string, std::less<>> words_;
    std::list<std::uint64_t> latest_;  // the latest used first
    std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> searches_;
};

}  // namespace jackfield::pocketsphinx
