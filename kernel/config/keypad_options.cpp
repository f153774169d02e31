#include "config/keypad_options.hpp"

#include <string_view>

namespace jackfield::config {
namespace {

const std::vector<std::string> sources{"auto", "events", "inband", "both"};

}  // namespace

OptionTable keypad_option_table() {
    const KeypadOptions defaults;
    return {{
        Option::string("dtmf",
                       sources[static_cast<std::size_t>(defaults.dtmf)],
                       "Where keys are heard: beside the audio (events: RFC 4733, SIP INFO), as "
                       "tones in it (inband), in both places, each press once (both), or as tones "
                       "where the carrier sends no events (auto).")
            .among(sources),
        Option::whole("max_digits",
                      defaults.max_digits,
                      "So many keys make an entry while digits are asked for. 0: as many as the "
                      "dialogue expects, else the terminator or a pause ends it.")
            .in("keys")
            .between(0, 64),
        Option::string("terminator",
                       defaults.terminator,
                       "The key that ends an entry: one of 0-9, *, #, A-D, or empty for none."),
        Option::whole("inter_digit_ms",
                      defaults.inter_digit.count(),
                      "Pause after which an entry of several keys is complete.")
            .in("milliseconds")
            .between(200, 60'000),
        Option::whole("first_digit_ms",
                      defaults.first_digit.count(),
                      "How long a caller who is asked for digits may take for the first one before "
                      "the agent asks again. 0: nudge_after_ms of the turn.")
            .in("milliseconds")
            .between(0, 600'000),
    }};
}

KeypadOptions read_keypad_options(const Value& checked, Problems& problems) {
    KeypadOptions out;
    for (std::size_t i = 0; i < sources.size(); ++i)
        if (checked["dtmf"].text() == sources[i]) out.dtmf = static_cast<DtmfSource>(i);
    out.max_digits = static_cast<int>(checked["max_digits"].integer());
    out.terminator = checked["terminator"].text();
    out.inter_digit = KeypadOptions::ms(checked["inter_digit_ms"].integer());
    out.first_digit = KeypadOptions::ms(checked["first_digit_ms"].integer());
    const bool is_key =
        out.terminator.size() == 1 &&
        std::string_view("0123456789*#ABCD").find(out.terminator[0]) != std::string_view::npos;
    if (!out.terminator.empty() && !is_key)
        problems.push_back(problem_at(checked["terminator"].at,
                                      checked["terminator"].path,
                                      "'" + out.terminator + "' is not a key",
                                      "write one of 0-9, *, #, A-D, or \"\" for none"));
    return out;
}

}  // namespace jackfield::config
