#include "config/amd_options.hpp"

namespace jackfield::config {
namespace {

using ms = AmdOptions::ms;

struct Row {
    const char* key;
    ms AmdOptions::*field;
    std::int64_t least;
    std::int64_t most;
    const char* doc;
};

constexpr Row rows[] = {
    {"human_speech_ms",
     &AmdOptions::human_speech,
     300,
     10'000,
     "First words of at most this length, then quiet: a person. Longer ones are a machine's."},
    {"human_quiet_ms",
     &AmdOptions::human_quiet,
     100,
     5000,
     "Quiet after the first words that makes a person of whoever said them."},
    {"machine_quiet_ms",
     &AmdOptions::machine_quiet,
     200,
     10'000,
     "Quiet after which a machine's own words are over and a message may be left. A beep ends them "
     "at once."},
    {"no_speech_ms",
     &AmdOptions::no_speech,
     500,
     30'000,
     "Nothing is said for so long after the answer: nobody knows, and the agent goes on."},
    {"total_ms",
     &AmdOptions::total,
     1000,
     60'000,
     "How long after the answer a machine may still be recognised by its words or its beep."},
    {"message_wait_ms",
     &AmdOptions::message_wait,
     1000,
     120'000,
     "How long a machine may talk before the message is spoken anyway."},
};

}  // namespace

OptionTable amd_option_table() {
    const AmdOptions defaults;
    OptionTable table{{
        Option::flag("enabled",
                     defaults.enabled,
                     "Finds out whether a machine answered a call that the host placed. The agent "
                     "speaks at once; what it said is taken back when it was a machine."),
        Option::string(
            "on_machine",
            "hang_up",
            "What follows when a machine answered: hang up, or leave the message and hang up.")
            .among({"hang_up", "message"}),
        Option::string("message", "", "What is left on a machine."),
        Option::strings("phrases",
                        {},
                        "Words by which a machine is recognised (\"after the tone\"). Empty: what "
                        "the agent's language has."),
    }};
    for (const Row& row : rows)
        table.options.push_back(Option::whole(row.key, (defaults.*row.field).count(), row.doc)
                                    .in("milliseconds")
                                    .between(row.least, row.most));
    return table;
}

AmdOptions read_amd_options(const Value& checked, Problems& problems) {
    AmdOptions out;
    out.enabled = checked["enabled"].boolean();
    out.on_machine =
        checked["on_machine"].text() == "message" ? OnMachine::message : OnMachine::hang_up;
    out.message = checked["message"].text();
    for (const Value& phrase : checked["phrases"].array()) out.phrases.push_back(phrase.text());
    for (const Row& row : rows) out.*row.field = ms(checked[row.key].integer());
    if (out.enabled && out.on_machine == OnMachine::message && out.message.empty())
        problems.push_back(problem_at(checked["on_machine"].at,
                                      checked["on_machine"].path,
                                      "there is no message to leave",
                                      "write message = \"...\", or on_machine = \"hang_up\""));
    return out;
}

}  // namespace jackfield::config
