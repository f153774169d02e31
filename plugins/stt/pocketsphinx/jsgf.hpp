#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::pocketsphinx {

/// The right side of a rule.
struct Expansion {
    enum class Kind { word, null_, void_, rule, sequence, alternatives, optional, any_number, one_or_more };
    Kind kind = Kind::null_;
    std::string text;              // word, rule
    std::vector<Expansion> items;  // of the rest
    std::vector<double> weights;   // of alternatives, adding up to 1
};

/// A grammar in the Java Speech Grammar Format (W3C NOTE of 5 June 2000), without imports: a grammar comes from an agent, and
/// files of the host are no business of its. Tags are read and dropped.
///
/// libsphinxbase has a parser too; this one exists because that one opens files for imports and gives no reason for a refusal.
struct Grammar {
    std::map<std::string, Expansion> rules;
    std::vector<std::string> public_rules;  // in the order written
};

/// False: `problem` says what and where ("line 3: ';' expected").
bool parse_jsgf(std::string_view text, Grammar& out, std::string& problem);

}  // namespace jackfield::pocketsphinx
