#include "config/problem.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <ostream>
#include <tuple>

namespace jackfield::config {
namespace {

auto order(const Problem& p) {
    return std::tie(p.file, p.line, p.column, p.key, p.what, p.remedy);
}

void write(base::JsonWriter& json, const Problem& problem) {
    json.begin_object()
        .member("file", problem.file)
        .member("line", problem.line)
        .member("column", problem.column)
        .member("key", problem.key)
        .member("what", problem.what)
        .member("remedy", problem.remedy)
        .end_object();
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

}  // namespace

Problem problem_at(const Position& at, std::string key, std::string what, std::string remedy) {
    return {at.file ? *at.file : std::string(),
            at.line,
            at.column,
            std::move(key),
            std::move(what),
            std::move(remedy)};
}

std::string to_text(const Problem& problem) {
    std::string out = problem.file;
    if (problem.line > 0)
        out += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
    if (!out.empty()) out += ": ";
    if (!problem.key.empty()) out += problem.key + ": ";
    out += problem.what;
    if (!problem.remedy.empty()) out += "; " + problem.remedy;
    return out;
}

std::string to_json(const Problem& problem) {
    base::JsonWriter json;
    write(json, problem);
    return json.take();
}

std::string to_json(const Problems& problems) {
    base::JsonWriter json;
    json.begin_array();
    for (const Problem& problem : problems) write(json, problem);
    json.end_array();
    return json.take();
}

void sort_problems(Problems& problems) {
    std::sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
        return order(a) < order(b);
    });
    const auto same = [](const Problem& a, const Problem& b) { return order(a) == order(b); };
    problems.erase(std::unique(problems.begin(), problems.end(), same), problems.end());
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
    // Above a third of the letters a suggestion is a guess; the cap on length keeps hostile keys
    // cheap.
    if (word.size() > 64) return {};
    std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
    std::string found;
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best) {
            best = distance;
            found = candidate;
        }
    }
    return found;
}

std::string one_of_text(const std::vector<std::string>& words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
        out += words[i];
    }
    return out;
}

void PrintTo(const Problem& problem, std::ostream* out) {
    *out << to_text(problem);
}

}  // namespace jackfield::config
