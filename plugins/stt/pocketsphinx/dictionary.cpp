#include "dictionary.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>

namespace jackfield::pocketsphinx {
namespace {

constexpr std::array<std::string_view, 40> phones{
    "AA", "AE", "AH", "AO", "AW", "AY", "B",  "CH", "D", "DH", "EH", "ER", "EY", "F", "G",  "HH", "IH", "IY", "JH", "K",
    "L",  "M",  "N",  "NG", "OW", "OY", "P",  "R",  "S", "SH", "T",  "TH", "UH", "UW", "V", "W",  "Y",  "Z",  "ZH", "SIL"};

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

}  // namespace

Dictionary::Dictionary(std::string text) : text_(std::move(text)) {
    for (std::size_t at = 0; at < text_.size();) {
        const std::size_t end = std::min(text_.find('\n', at), text_.size());
        std::size_t length = end - at;
        while (length > 0 && blank(text_[at + length - 1])) --length;
        const std::string_view line = std::string_view(text_).substr(at, length);
        // A word without phones is no use to anyone; ";;;" starts a comment.
        if (!line.empty() && !line.starts_with(";;;") && !blank(line[0]) && line.find_first_of(" \t") != line.npos)
            lines_.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(length)});
        at = end + 1;
    }
    std::stable_sort(lines_.begin(), lines_.end(), [this](Line a, Line b) { return word_of(a) < word_of(b); });
}

std::string_view Dictionary::word_of(Line line) const {
    const std::string_view whole = std::string_view(text_).substr(line.at, line.length);
    return whole.substr(0, whole.find_first_of(" \t"));
}

std::string_view Dictionary::find(std::string_view word) const {
    const auto at = std::lower_bound(lines_.begin(), lines_.end(), word,
                                     [this](Line line, std::string_view wanted) { return word_of(line) < wanted; });
    if (at == lines_.end() || word.empty() || word_of(*at) != word) return {};
    std::string_view rest = std::string_view(text_).substr(at->at, at->length).substr(word.size());
    while (!rest.empty() && blank(rest.front())) rest.remove_prefix(1);
    return rest;
}

std::vector<std::string> Dictionary::variants(std::string_view word) const {
    std::vector<std::string> out;
    for (std::string_view found = find(word); !found.empty();
         found = find(std::string(word) + '(' + std::to_string(out.size() + 1) + ')'))
        out.emplace_back(found);
    return out;
}

std::shared_ptr<const Dictionary> Dictionary::open(const std::string& path) {
    static std::mutex mutex;
    static std::map<std::string, std::shared_ptr<const Dictionary>> opened;
    const std::lock_guard lock(mutex);
    std::shared_ptr<const Dictionary>& entry = opened[path];
    if (!entry) {
        std::ifstream file(path, std::ios::binary);
        std::string text{std::istreambuf_iterator<char>(file), {}};
        if (!file || text.empty())
            throw sdk::Failure(JF_E_NOT_FOUND, "dictionary: " + path + " can't be read: apt install pocketsphinx-en-us");
        if (text.size() > 256u * 1024 * 1024) throw sdk::Failure(JF_E_INVALID, "dictionary: " + path + " is too large");
        entry = std::make_shared<const Dictionary>(std::move(text));
    }
    return entry;
}

Lexicon::Lexicon(std::shared_ptr<const Dictionary> dictionary, const std::vector<std::string>& extra)
    : dictionary_(std::move(dictionary)) {
    for (const std::string& line : extra) {
        std::istringstream in(line);
        std::string word;
        std::string phone;
        std::string spoken;
        in >> word;
        while (in >> phone) {
            if (std::find(phones.begin(), phones.end(), phone) == phones.end())
                throw sdk::Failure(JF_E_INVALID, "pronunciations: \"" + phone + "\" in \"" + line + "\" is not a phone of the model");
            spoken += (spoken.empty() ? "" : " ") + phone;
        }
        const bool lower = std::all_of(word.begin(), word.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || c == '\'' || c == '-' || c == '.';
        });
        if (word.empty() || spoken.empty() || !lower)
            throw sdk::Failure(JF_E_INVALID, "pronunciations: \"" + line + "\" is not a lower-case word and its phones");
        extra_[word].push_back(spoken);
    }
}

std::vector<std::string> Lexicon::variants(std::string_view word) const {
    const auto own = extra_.find(word);
    return own == extra_.end() ? dictionary_->variants(word) : own->second;
}

}  // namespace jackfield::pocketsphinx
