#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::scripted {

using Words = std::vector<std::string>;

/// Text as the matcher sees it: lower case, no punctuation, contractions written out ("i'd" is "i would"), hesitations and
/// courtesies dropped, "9:30am" cut into "9" "30" "am", and "a m", "o clock" joined. Recognisers and people then agree.
Words words_of(std::string_view text);

/// The same, with hesitations and courtesies kept: what a name or a free text is cut from.
Words all_words_of(std::string_view text);

std::string join(const Words& words);

/// `text` with bytes that are no UTF-8 replaced, so that it may stand in JSON and in a reply.
std::string clean_utf8(std::string_view text);

/// `text` with its first letter in upper case (ASCII).
std::string capitalised(std::string text);

/// Small words that carry little of an utterance's meaning: they weigh less when phrases are compared.
bool is_stop_word(std::string_view word);

bool is_numeric(std::string_view word);

}  // namespace jackfield::scripted
