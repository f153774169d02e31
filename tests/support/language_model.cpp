#include "support/language_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <map>
#include <sstream>

namespace jackfield::listener {
namespace {

using Gram = std::vector<std::string>;
constexpr double discount = 0.5;

struct Counts {
    std::map<Gram, double> grams;
    /// Of the words that followed a history: how often in all, and how many different ones.
    std::map<Gram, std::pair<double, double>> histories;
};

Gram history_of(const Gram& gram) { return {gram.begin(), gram.end() - 1}; }
Gram suffix_of(const Gram& gram) { return {gram.begin() + 1, gram.end()}; }

std::array<Counts, 4> count(const std::vector<Gram>& sentences) {
    std::array<Counts, 4> counts;
    for (const Gram& sentence : sentences) {
        Gram words = {"<s>"};
        words.insert(words.end(), sentence.begin(), sentence.end());
        words.emplace_back("</s>");
        for (std::size_t order = 1; order <= 3; ++order) {
            for (std::size_t at = 0; at + order <= words.size(); ++at) {
                ++counts[order].grams[Gram(words.begin() + static_cast<std::ptrdiff_t>(at), words.begin() + static_cast<std::ptrdiff_t>(at + order))];
            }
        }
    }
    for (std::size_t order = 1; order <= 3; ++order) {
        for (const auto& [gram, seen] : counts[order].grams) {
            if (order == 1 && gram[0] == "<s>") continue;  // it is given, never predicted
            auto& [total, kinds] = counts[order].histories[history_of(gram)];
            total += seen;
            kinds += 1;
        }
    }
    return counts;
}

double probability(const std::array<Counts, 4>& counts, const Gram& gram) {
    const Counts& of_order = counts[gram.size()];
    const double seen = of_order.grams.at(gram);
    const double total = of_order.histories.at(history_of(gram)).first;
    return gram.size() == 1 ? seen / total : (seen - discount) / total;
}

/// What the discount saved, spread over the words that the shorter history knows and this one did not see.
double back_off(const std::array<Counts, 4>& counts, const Gram& history) {
    const Counts& longer = counts[history.size() + 1];
    const auto found = longer.histories.find(history);
    if (found == longer.histories.end()) return 1;
    const auto& [total, kinds] = found->second;
    double covered = 0;
    for (auto entry = longer.grams.lower_bound(history); entry != longer.grams.end(); ++entry) {
        if (!std::equal(history.begin(), history.end(), entry->first.begin())) break;
        if (entry->first.size() == history.size() + 1) covered += probability(counts, suffix_of(entry->first));
    }
    return discount * kinds / total / std::max(1 - covered, 0.001);
}

}  // namespace

std::string build_arpa(const std::vector<Gram>& sentences) {
    const auto counts = count(sentences);
    std::ostringstream out;
    out << std::fixed << std::setprecision(4) << "\\data\\\n";
    for (std::size_t order = 1; order <= 3; ++order) out << "ngram " << order << '=' << counts[order].grams.size() << '\n';
    for (std::size_t order = 1; order <= 3; ++order) {
        out << '\n' << '\\' << order << "-grams:\n";
        for (const auto& [gram, seen] : counts[order].grams) {
            const bool given = order == 1 && gram[0] == "<s>";
            out << (given ? -99.0 : std::log10(probability(counts, gram)));
            for (const std::string& word : gram) out << ' ' << word;
            if (order < 3) out << ' ' << std::log10(back_off(counts, gram));
            out << '\n';
        }
    }
    out << "\n\\end\\\n";
    return out.str();
}

}  // namespace jackfield::listener
