// Grammars and phrases that an agent sends: parsed, compiled, and what comes out is checked against what the decoder relies on.

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "plugins/stt/pocketsphinx/network.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield::pocketsphinx;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Speak speak = [](std::string_view word) {
        return spoken_words(word, [](std::string_view candidate) { return candidate.size() % 5 != 4; });
    };
    Grammar grammar;
    std::string problem;
    Network network;
    std::size_t unknown = 0;
    try {
        if (parse_jsgf(text, grammar, problem)) network = compile(grammar, speak, unknown);
        else if (problem.empty()) std::abort();
    } catch (const std::invalid_argument&) {
    } catch (const std::length_error&) {
    }
    for (const Network::Arc& arc : network.arcs) {
        if (arc.from >= network.states || arc.to >= network.states || arc.from == network.final || !(arc.log_probability <= 0))
            std::abort();
        if (arc.word >= static_cast<std::int32_t>(network.words.size()) || (arc.word < 0 && arc.to != network.final)) std::abort();
    }
    for (const std::string& word : network.words)
        if (word.empty()) std::abort();
    speak(text);
    return 0;
}
