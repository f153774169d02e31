#include "simulators/scenario.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

#include "simulators/torture.hpp"

namespace jackfield::sim {
namespace {

struct Failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Run {
    SipPhone& phone;
    std::string folder;
    milliseconds timeout;
};
using Arguments = std::vector<std::string>;
using Step = std::function<void(Run&, const Arguments&)>;

long number(const std::string& text) {
    long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) throw Failed("'" + text + "' is no number");
    return value;
}

milliseconds duration(const std::string& text) {
    if (text.ends_with("ms")) return milliseconds(number(text.substr(0, text.size() - 2)));
    if (text.ends_with("s")) return milliseconds(1000 * number(text.substr(0, text.size() - 1)));
    throw Failed("'" + text + "' is no time: write 700ms or 3s");
}

void require(bool held, const std::string& what) {
    if (!held) throw Failed(what);
}

milliseconds timeout_of(const Run& run, const Arguments& arguments, std::size_t at) {
    return arguments.size() > at ? duration(arguments[at]) : run.timeout;
}

void say(Run& run, const Arguments& arguments) {
    const std::string& what = arguments.at(0);
    if (what == "tone") {
        run.phone.say("tone", tone(440, static_cast<int>(duration(arguments.at(1)).count())));
    } else {
        const std::filesystem::path path = std::filesystem::path(run.folder) / what;
        run.phone.say(path.stem().string(), read_speech(path.string()));
    }
    require(run.phone.state() == CallState::answered, "the call is not up");
}

void say_and_wait(Run& run, const Arguments& arguments) {
    say(run, arguments);
    require(run.phone.wait_said(milliseconds(120000)), "speech was not sent in two minutes");
}

int far_port_of(const Run& run) { return run.phone.far_media().port; }

void expect_number(const std::string& name, double value, const std::string& relation, double bound) {
    const bool held = relation == "<=" ? value <= bound : relation == ">=" ? value >= bound : relation == "=" && value == bound;
    std::ostringstream text;
    text << "expected " << name << ' ' << relation << ' ' << bound << ", was " << value;
    require(held, text.str());
}

double slowest(const CallReport& report) {
    double worst = 0;
    for (const Turn& turn : report.turns) worst = std::max(worst, turn.latency_ms.value_or(0));
    return worst;
}

double longest_overrun(const CallReport& report) {
    double worst = 0;
    for (const Turn& turn : report.turns) worst = std::max(worst, turn.kept_speaking_ms.value_or(0));
    return worst;
}

void expect(Run& run, const Arguments& arguments) {
    const CallReport report = run.phone.report();
    const std::string& what = arguments.at(0);
    const auto answered_turns = std::count_if(report.turns.begin(), report.turns.end(), [](const Turn& turn) {
        return turn.latency_ms.has_value();
    });
    const std::map<std::string, double> numbers = {
        {"status", report.final_status},
        {"latency_max_ms", slowest(report)},
        {"barge_in_max_ms", longest_overrun(report)},
        {"first_speech_ms", report.first_speech_ms.value_or(1e9)},
        {"agent_utterances", static_cast<double>(report.agent.size())},
        {"answered_turns", static_cast<double>(answered_turns)},
        {"lost", static_cast<double>(report.media.lost)},
        {"gaps", static_cast<double>(report.media.gaps)},
        {"received", static_cast<double>(report.media.received)},
        {"attack_received", static_cast<double>(report.media.attack_received)},
        {"talked_ms", report.talked_ms},
    };
    const std::map<std::string, std::string> words = {
        {"ended_by", std::string(to_string(report.ended_by))},
        {"state", std::string(to_string(report.state))},
        {"codec", report.codec},
        {"keys_heard", report.keys_heard},
    };
    if (const auto word = words.find(what); word != words.end()) {
        require(arguments.at(1) == "=" && word->second == arguments.at(2),
                "expected " + what + " = " + arguments.at(2) + ", was " + word->second);
        return;
    }
    const auto found = numbers.find(what);
    require(found != numbers.end(), "expect does not know '" + what + "'");
    expect_number(what, found->second, arguments.at(1), static_cast<double>(number(arguments.at(2))));
}

void reinvite(Run& run, SipPhone::Change change) {
    const int status = run.phone.change(change);
    require(status == 200, "re-INVITE was answered with " + std::to_string(status));
}

void codec(Run& run, const Arguments& arguments) {
    require(arguments.at(0) == "pcmu" || arguments.at(0) == "pcma", "codec is pcmu or pcma");
    reinvite(run, {"", arguments.at(0) == "pcmu" ? Codec::pcmu : Codec::pcma, false});
}

void attack(Run& run, const Arguments& arguments) {
    require(far_port_of(run) != 0, "there is no media to attack");
    run.phone.attack(static_cast<int>(number(arguments.at(0))), arguments.at(1) == "same_ssrc");
    require(run.phone.wait_said(run.timeout), "the attack was not sent in time");
}

void malformed(Run&, const Arguments& arguments) {
    TortureOptions options;
    const auto uri = parse_sip_uri(arguments.at(1));
    require(uri.has_value(), "malformed wants a SIP URI");
    options.target = {parse_address(uri->host).value_or(loopback), uri->port};
    options.user = uri->user;
    options.tcp = uri->tcp;
    options.count = static_cast<int>(number(arguments.at(0)));
    const TortureReport report = torture(options);
    require(report.sent > 0, "nothing could be sent");
}

struct Verb {
    std::size_t arguments = 0;
    std::string_view help;
    Step step;
};

const std::map<std::string, Verb, std::less<>>& verbs() {
    static const std::map<std::string, Verb, std::less<>> all = {
        {"wait_ringing", {0, "[TIMEOUT]", [](Run& r, const Arguments& a) { require(r.phone.wait_ringing(timeout_of(r, a, 0)), "did not ring"); }}},
        {"wait_answered", {0, "[TIMEOUT]", [](Run& r, const Arguments& a) { require(r.phone.wait_answered(timeout_of(r, a, 0)), "was not answered"); }}},
        {"wait_ended", {0, "[TIMEOUT]: until the other side hangs up", [](Run& r, const Arguments& a) { require(r.phone.wait_ended(timeout_of(r, a, 0)), "the call did not end"); }}},
        {"wait_agent", {1, "QUIET [TIMEOUT]: until the agent has spoken since our last words, and then was quiet that long", [](Run& r, const Arguments& a) { require(r.phone.wait_agent_quiet(duration(a[0]), timeout_of(r, a, 1)), "the agent did not finish a reply"); }}},
        {"wait_speaking", {1, "LENGTH [TIMEOUT]: until the agent is in mid-speech", [](Run& r, const Arguments& a) { require(r.phone.wait_agent_speaking(duration(a[0]), timeout_of(r, a, 1)), "the agent did not speak that long"); }}},
        {"wait_keys", {1, "KEYS [TIMEOUT]: until these were pressed at the other side", [](Run& r, const Arguments& a) { require(r.phone.wait_heard_key(a[0], timeout_of(r, a, 1)), "keys were not heard"); }}},
        {"pause", {1, "TIME", [](Run& r, const Arguments& a) { require(r.phone.wait(duration(a[0])), "the call ended meanwhile"); }}},
        {"say", {1, "FILE.wav, or tone TIME; waits until it is sent", say_and_wait}},
        {"begin", {1, "FILE.wav, or tone TIME; goes on at once", say}},
        {"press", {1, "KEYS: RFC 4733", [](Run& r, const Arguments& a) { r.phone.press(a[0]); require(r.phone.wait_said(r.timeout), "keys were not sent"); }}},
        {"hold", {0, ": re-INVITE with sendonly", [](Run& r, const Arguments&) { reinvite(r, {"sendonly", {}, false}); }}},
        {"resume", {0, ": re-INVITE with sendrecv", [](Run& r, const Arguments&) { reinvite(r, {"sendrecv", {}, false}); }}},
        {"codec", {1, "pcmu|pcma: re-INVITE with that one only", codec}},
        {"move_port", {0, ": re-INVITE from another media port", [](Run& r, const Arguments&) { reinvite(r, {"", {}, true}); }}},
        {"loudspeaker", {2, "DB DELAY: the microphone hears the far end, so many dB quieter and that late",
                         [](Run& r, const Arguments& a) { r.phone.use_loudspeaker(static_cast<double>(number(a[0])), duration(a[1])); }}},
        {"attack", {2, "PACKETS same_ssrc|other_ssrc: loud RTP from a third party's port", attack}},
        {"malformed", {2, "COUNT URI: broken SIP messages, while the call goes on", malformed}},
        {"cancel", {0, "", [](Run& r, const Arguments&) { r.phone.cancel(); }}},
        {"hang_up", {0, "", [](Run& r, const Arguments&) { r.phone.hang_up(); }}},
        {"vanish", {0, ": no BYE, no more packets, sockets stay open", [](Run& r, const Arguments&) { r.phone.vanish(); }}},
        {"expect", {3, "NAME <=|>=|= VALUE; names: status latency_max_ms barge_in_max_ms first_speech_ms agent_utterances answered_turns lost gaps "
                       "received attack_received talked_ms ended_by state codec keys_heard", expect}},
    };
    return all;
}

}  // namespace

std::string_view scenario_help() {
    static const std::string text = [] {
        std::string out = "Steps of a scenario, one a line; times are written 700ms or 3s:\n";
        for (const auto& [name, verb] : verbs()) {
            out += "  " + name + (verb.help.empty() || verb.help[0] == ':' ? "" : " ") + std::string(verb.help) + '\n';
        }
        return out;
    }();
    return text;
}

std::vector<ScenarioStep> parse_scenario(std::string_view text) {
    std::vector<ScenarioStep> steps;
    std::istringstream lines{std::string(text)};
    int line_number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++line_number;
        // Only a '#' that begins a word is a comment: it is also a key.
        if (const auto hash = line.find("# "); hash != std::string::npos && (hash == 0 || line[hash - 1] == ' ')) line.erase(hash);
        std::istringstream words(line);
        ScenarioStep step;
        step.line = line_number;
        if (!(words >> step.verb) || step.verb[0] == '#') continue;
        for (std::string word; words >> word;) step.arguments.push_back(word);
        const auto verb = verbs().find(step.verb);
        const std::string where = "line " + std::to_string(line_number) + ": ";
        if (verb == verbs().end()) throw std::runtime_error(where + "no step is called '" + step.verb + "'");
        if (step.arguments.size() < verb->second.arguments) {
            throw std::runtime_error(where + step.verb + " wants " + std::string(verb->second.help));
        }
        steps.push_back(std::move(step));
    }
    return steps;
}

ScenarioResult run_scenario(SipPhone& phone, const std::vector<ScenarioStep>& steps, const std::string& folder, milliseconds timeout) {
    ScenarioResult result;
    Run run{phone, folder, timeout};
    for (const ScenarioStep& step : steps) {
        try {
            verbs().find(step.verb)->second.step(run, step.arguments);
        } catch (const std::exception& error) {
            result.failures.push_back("line " + std::to_string(step.line) + ": " + step.verb + ": " + error.what());
            if (step.verb != "expect") return result;
        }
    }
    return result;
}

}  // namespace jackfield::sim
