#pragma once

#include <jackfield/stt.h>

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "config.hpp"
#include "dictionary.hpp"
#include "network.hpp"

namespace jackfield::pocketsphinx {

/// A copy of jf_hints. Longer lists than any turn needs are cut.
struct Hints {
    std::uint32_t slot = JF_SLOT_NONE;
    std::string grammar;
    std::vector<std::string> phrases;
    std::vector<std::string> keywords;

    static Hints copy(const jf_hints* hints);
    bool empty() const { return grammar.empty() && phrases.empty() && keywords.empty(); }
    /// Equal for equal hints, and only for those.
    std::string key() const;
};

/// Hints made ready for a decoder.
struct Vocabulary {
    std::uint64_t id = 0;  // the same for the same hints while they stay in the cache
    Network network;
    std::size_t unknown = 0;     // phrases, or words of a grammar, left out since the dictionary lacks a word
    std::string grammar_problem; // why a grammar was not used; phrases or the defaults took its place
};

/// Makes vocabularies and keeps the latest. Thread-safe; compiling runs outside the lock, on a worker.
class VocabularyCache {
  public:
    VocabularyCache(const Options& options, std::shared_ptr<const Lexicon> lexicon, std::size_t capacity = 128)
        : options_(options), lexicon_(std::move(lexicon)), capacity_(capacity) {}

    /// Never null. `made` says that it was not in the cache.
    std::shared_ptr<const Vocabulary> get(const Hints& hints, bool& made);

  private:
    Vocabulary make(const Hints& hints) const;

    const Options& options_;
    const std::shared_ptr<const Lexicon> lexicon_;
    const std::size_t capacity_;
    std::mutex mutex_;
    std::uint64_t next_id_ = 1;
    std::list<std::pair<std::string, std::shared_ptr<const Vocabulary>>> entries_;  // the latest used first
    std::unordered_map<std::string, decltype(entries_)::iterator> by_key_;
};

}  // namespace jackfield::pocketsphinx
