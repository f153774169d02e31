#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::pocketsphinx {

/// A pronouncing dictionary in CMU's form ("word PH PH", variants as "word(2)"), kept as its text and an index of lines: 4 MB for
/// 130,000 words, where a decoder that loads it whole takes 20 MB each.
class Dictionary {
  public:
    explicit Dictionary(std::string text);
    /// One copy per process and path. Throws sdk::Failure when it can't be read.
    static std::shared_ptr<const Dictionary> open(const std::string& path);

    bool has(std::string_view word) const { return !find(word).empty(); }
    /// The phones of each variant, the first one first; empty for a word that it lacks.
    std::vector<std::string> variants(std::string_view word) const;
    std::size_t size() const { return lines_.size(); }

  private:
    struct Line {
        std::uint32_t at;
        std::uint32_t length;
    };
    std::string_view word_of(Line line) const;
    std::string_view find(std::string_view word) const;

    std::string text_;
    std::vector<Line> lines_;  // by word
};

/// The dictionary with an instance's own words before it.
class Lexicon {
  public:
    /// `extra` as in the option `pronunciations`. Throws sdk::Failure for one that isn't a word and phones of the model.
    Lexicon(std::shared_ptr<const Dictionary> dictionary, const std::vector<std::string>& extra);

    bool has(std::string_view word) const { return extra_.contains(word) || dictionary_->has(word); }
    std::vector<std::string> variants(std::string_view word) const;

  private:
    std::shared_ptr<const Dictionary> dictionary_;
    std::map<std::string, std::vector<std::string>, std::less<>> extra_;
};

}  // namespace jackfield::pocketsphinx
