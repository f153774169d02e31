#pragma once

#include <string_view>
#include <vector>

namespace jackfield::call {

/// What an agent says by itself when its configuration doesn't say it otherwise.
struct Phrases {
    std::vector<std::string_view> fillers; ///< while an answer takes long, one after the other
    std::string_view not_understood;       ///< when no model knows an answer to what the caller said
    std::string_view apology;              ///< when nothing works any more and the call ends
    std::string_view apology_transfer;     ///< the same when a person takes over
};

/// Those of a language (BCP 47; its first subtag decides), English for one that isn't here.
const Phrases& phrases_of(std::string_view language);

}  // namespace jackfield::call
