#include "config.hpp"

namespace jackfield::telephony_sim {

Options read_options(const sdk::Config& config) {
    Options out;
    out.seed = static_cast<std::uint64_t>(config.integer("seed", 1));
    out.lines = static_cast<unsigned>(config.integer("lines", 10));
    out.numbers = config.list("numbers");
    if (out.numbers.empty()) throw sdk::Failure(JF_E_INVALID, "numbers: at least one is needed");
    out.gap_ns = static_cast<std::uint64_t>(config.integer("gap_ms", 1000)) * 1'000'000;
    out.loss_permille = static_cast<std::uint64_t>(config.integer("loss_permille", 5));
    for (const std::string& text : config.list("calls")) {
        std::string problem;
        auto script = parse_script(text, problem);
        if (!script) throw sdk::Failure(JF_E_INVALID, "calls: " + problem);
        out.calls.push_back(std::move(*script));
    }
    return out;
}

}  // namespace jackfield::telephony_sim
