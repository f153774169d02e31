// Recognised text, which may be anything, as turn-taking looks at it in each language.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "call/answer_detection.hpp"
#include "call/clause_chunker.hpp"
#include "call/words.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield::call;
    if (size == 0) return 0;
    static const std::vector<std::string> languages = known_languages();
    const Language& language = language_of(languages[data[0] % languages.size()]);
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);

    const int words = count_meaningful_words(language, text);
    if (words < 0 || static_cast<std::size_t>(words) > text.size()) std::abort();
    if (is_backchannel(language, text) && words != 0) std::abort();
    static_cast<void>(is_stop_phrase(language, text));
    static_cast<void>(has_phrase(machine_phrases(language.code), text));
    if (cut_at_word(text, data[0]) > text.size()) std::abort();

    ClauseChunkerOptions options;
    options.sentences = &language.sentences;
    ClauseChunker chunker(options);
    std::string together;
    for (const std::string& piece : chunker.feed(text, {})) together += piece;
    for (const std::string& piece : chunker.flush()) together += piece;
    if (together.size() > text.size() || text.substr(0, together.size()) != together) std::abort();
    return 0;
}
