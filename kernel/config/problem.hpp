#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::config {

/// Where a value stands. `file` is shared by every value of one file; it is null for what no file
/// said.
struct Position {
    std::shared_ptr<const std::string> file;
    int line = 0;
    int column = 0;
};

/// One thing wrong with the configuration: where, which key, what, and what would be right.
struct Problem {
    std::string file;
    int line = 0;
    int column = 0;
    std::string key;
    std::string what;
    std::string remedy;
};

using Problems = std::vector<Problem>;

/// What a check leaves: a value that can be read on (wrong parts replaced by their defaults, so
/// that later checks can still run), and everything that was wrong. The value may be used only when
/// `ok()`.
template <typename T>
struct [[nodiscard]] Outcome {
    T value;
    Problems problems;
    bool ok() const { return problems.empty(); }
};

Problem problem_at(const Position& at, std::string key, std::string what, std::string remedy);

/// `file:line:column: key: what; remedy`, leaving out what is empty.
std::string to_text(const Problem& problem);
/// One JSON object.
std::string to_json(const Problem& problem);
/// A JSON array of all of them.
std::string to_json(const Problems& problems);

/// By file, line and column; equal ones once.
void sort_problems(Problems& problems);

/// The candidate that a typing slip may have meant, empty when none is close.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "a", "a or b", "a, b or c"
std::string one_of_text(const std::vector<std::string>& words);

void PrintTo(const Problem& problem, std::ostream* out);

}  // namespace jackfield::config
