#include "config/transfer_options.hpp"

namespace jackfield::config {
namespace {

bool is_key(const std::string& text) {
    return text.size() == 1 && std::string_view("0123456789*#").find(text[0]) != std::string_view::npos;
}

void check_key(const Value& value, Problems& problems) {
    if (value.text().empty() || is_key(value.text())) return;
    problems.push_back(problem_at(value.at,
                                  value.path,
                                  "'" + value.text() + "' is not a key of a telephone",
                                  "choose one of 0 to 9, * and #"));
}

}  // namespace

OptionTable transfer_option_table() {
    const TransferConfig d;
    return {{
        Option::string("to", "", "The number or SIP address.").must_be_given(),
        Option::string("mode",
                       "auto",
                       "How: the carrier is asked to do it (refer), this host calls and joins both "
                       "when the person answers (bridge), or after the person has heard "
                       "`announce` (attended). auto: refer with a carrier that can, else bridge.")
            .among({"auto", "refer", "bridge", "attended"}),
        Option::string("provider",
                       d.provider,
                       "The telephony provider that dials when the host joins the two: "
                       "host:trunk. Empty: the one by which the call came."),
        Option::string("from",
                       d.from,
                       "The number that the person sees. Empty: the provider's own."),
        Option::string("announce",
                       d.announce,
                       "What the person hears before being joined (attended). {caller} and "
                       "{called} are the call's numbers, {summary} is what the model says of it."),
        Option::string("accept_key",
                       d.accept_key,
                       "The key that takes the call after the announcement. Empty: staying on the "
                       "line is enough."),
        Option::whole("accept_within_ms",
                      d.accept_within.count(),
                      "How long after the announcement the key is waited for.")
            .in("milliseconds")
            .between(1000, 120'000),
        Option::whole("ring_timeout_ms", d.ring_timeout.count(), "How long it rings there.")
            .in("milliseconds")
            .between(1000, 300'000),
        Option::whole("longest_ms", d.longest.count(), "How long the two may talk once they are joined.")
            .in("milliseconds")
            .between(1000, 86'400'000),
        Option::string("hold_music",
                       "",
                       "A WAV file that the caller hears meanwhile. Relative to this file's "
                       "folder. Empty: the ringing tone."),
        Option::flag("hold_caller",
                     d.hold_caller,
                     "Puts the caller on hold with the carrier until it is decided; the caller "
                     "still hears the music."),
        Option::flag("release",
                     d.release,
                     "Once the two are joined, the carrier is asked to connect them with each other "
                     "(in SIP: REFER with Replaces), and this host leaves the call. Until that is "
                     "done, and where the carrier can't, they talk through this host."),
    }};
}

OptionTable consent_option_table() {
    const ConsentConfig d;
    return {{
        Option::string("text",
                       d.text,
                       "What is said first, before the greeting: that the call is recorded, that a "
                       "machine speaks. Empty: nothing."),
        Option::flag("locked",
                     d.locked,
                     "Nothing interrupts it: neither speech nor keys, whatever else is set."),
        Option::string("require",
                       "none",
                       "What the caller must do to agree: nothing, press accept_key (keypress), or "
                       "say one of accept_words (words).")
            .among({"none", "keypress", "words"}),
        Option::string("accept_key", "1", "The key that agrees."),
        Option::strings("accept_words",
                        {"yes", "i agree", "i do", "okay", "sure"},
                        "Words one of which agrees."),
        Option::whole("wait_ms",
                      d.wait.count(),
                      "How long the answer is waited for; then it counts as a refusal.")
            .in("milliseconds")
            .between(1000, 60'000),
        Option::string("refused",
                       "continue",
                       "What follows a refusal: the call goes on without a recording (continue), "
                       "or ends.")
            .among({"continue", "end"}),
        Option::string("refused_text", d.refused_text, "What is said after a refusal."),
    }};
}

TransferConfig read_transfer_options(const Value& checked,
                                     const std::filesystem::path& folder,
                                     Problems& problems) {
    TransferConfig out;
    const auto wait = [&](const char* key) {
        return std::chrono::milliseconds(checked[key].integer());
    };
    out.to = checked["to"].text();
    const std::string& mode = checked["mode"].text();
    out.mode = mode == "refer"      ? TransferMode::refer
               : mode == "bridge"   ? TransferMode::bridge
               : mode == "attended" ? TransferMode::attended
                                    : TransferMode::automatic;
    out.mode_at = checked["mode"].at;
    out.provider = checked["provider"].text();
    out.from = checked["from"].text();
    out.announce = checked["announce"].text();
    out.accept_key = checked["accept_key"].text();
    out.accept_within = wait("accept_within_ms");
    out.ring_timeout = wait("ring_timeout_ms");
    out.longest = wait("longest_ms");
    out.hold_caller = checked["hold_caller"].boolean();
    out.release = checked["release"].boolean();
    out.at = checked["to"].at;
    check_key(checked["accept_key"], problems);
    if (const std::string& music = checked["hold_music"].text(); !music.empty()) {
        out.hold_music = (folder / music).lexically_normal();
        std::error_code error;
        if (!std::filesystem::is_regular_file(out.hold_music, error))
            problems.push_back(problem_at(checked["hold_music"].at,
                                          checked["hold_music"].path,
                                          "there is no file " + out.hold_music.string(),
                                          "name a WAV file; it counts from this file's folder"));
    }
    if (out.mode == TransferMode::attended && out.announce.empty())
        problems.push_back(problem_at(checked["mode"].at,
                                      checked["mode"].path,
                                      "an attended transfer tells the person something first",
                                      "write announce = \"...\", or mode = \"bridge\""));
    if (out.mode == TransferMode::refer && out.release)
        problems.push_back(problem_at(checked["release"].at,
                                      checked["release"].path,
                                      "with mode = \"refer\" this host is never between the two",
                                      "write mode = \"bridge\" or \"attended\", or leave release out"));
    return out;
}

ConsentConfig read_consent_options(const Value& checked, Problems& problems) {
    ConsentConfig out;
    out.text = checked["text"].text();
    out.locked = checked["locked"].boolean();
    const std::string& require = checked["require"].text();
    out.require = require == "keypress" ? ConsentBy::keypress
                  : require == "words"  ? ConsentBy::words
                                        : ConsentBy::nothing;
    out.accept_key = checked["accept_key"].text();
    for (const Value& word : checked["accept_words"].array()) out.accept_words.push_back(word.text());
    out.wait = std::chrono::milliseconds(checked["wait_ms"].integer());
    out.refusal_ends_call = checked["refused"].text() == "end";
    out.refused_text = checked["refused_text"].text();
    check_key(checked["accept_key"], problems);
    const auto problem = [&](const char* key, const char* what, const char* remedy) {
        problems.push_back(problem_at(checked[key].at, checked[key].path, what, remedy));
    };
    if (out.text.empty() && out.require != ConsentBy::nothing)
        problem("require", "nobody is asked for consent", "write text = \"...\"");
    if (out.require == ConsentBy::keypress && out.accept_key.empty())
        problem("accept_key", "no key agrees", "write accept_key = \"1\"");
    if (out.require == ConsentBy::words && out.accept_words.empty())
        problem("accept_words", "no word agrees", "write accept_words = [\"yes\"]");
    return out;
}

}  // namespace jackfield::config
