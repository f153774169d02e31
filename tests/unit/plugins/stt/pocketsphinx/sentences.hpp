#pragma once

#include <set>
#include <string>

#include "plugins/stt/pocketsphinx/network.hpp"

namespace jackfield::pocketsphinx {

/// All that a network can say in at most `longest` words.
inline std::set<std::string> sentences(const Network& network, std::size_t longest = 4) {
    std::set<std::string> out;
    struct Step {
        std::uint32_t state;
        std::string said;
        std::size_t words;
    };
    std::vector<Step> open;
    if (!network.empty()) open.push_back({network.start, "", 0});
    while (!open.empty()) {
        const Step step = open.back();
        open.pop_back();
        if (step.state == network.final) out.insert(step.said);
        for (const Network::Arc& arc : network.arcs) {
            if (arc.from != step.state) continue;
            if (arc.word == Network::no_word) open.push_back({arc.to, step.said, step.words});
            else if (step.words < longest)
                open.push_back({arc.to, step.said + (step.said.empty() ? "" : " ") + network.words[static_cast<std::size_t>(arc.word)],
                                step.words + 1});
        }
    }
    return out;
}

}  // namespace jackfield::pocketsphinx
