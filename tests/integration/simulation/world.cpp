#include "integration/simulation/world.hpp"

#include <algorithm>
#include <set>

#include "integration/simulation/random_call.hpp"
#include "simulators/plugins/random.hpp"

namespace jackfield::simulation {
namespace {

using sim::Random;

constexpr std::uint64_t last_call_begins_ms = 12'000;

std::string number(std::uint64_t value) { return std::to_string(value); }

/// "name value", drawn between two bounds.
std::string option(Random& random, const char* name, std::uint64_t from, std::uint64_t to) {
    return std::string(name) + " = " + number(random.between(from, to));
}

/// Short patience throughout: a simulated second costs as much as a real one is worth.
void draw_turn_options(Random& random, World& world) {
    const auto add = [&](std::string text) { world.elements.push_back({Element::Kind::turn, std::move(text)}); };
    add(option(random, "endpoint_ms", 200, 700));
    add(option(random, "nudge_after_ms", 1000, 2500));
    add(option(random, "hang_up_after_silence_ms", 2500, 4000));
    add(option(random, "media_timeout_ms", 1000, 2000));
    add(option(random, "no_media_timeout_ms", 1000, 2000));
    add(option(random, "stt_timeout_ms", 300, 700));
    add(option(random, "llm_timeout_ms", 400, 1000));
    add(option(random, "tts_timeout_ms", 300, 800));
    if (random.chance(500)) add(option(random, "answer_after_ms", 0, 400));
    if (random.chance(300)) add(option(random, "stuck_turn_ms", 500, 2000));
    if (random.chance(300)) add(option(random, "play_cushion_ms", 0, 100));
    if (random.chance(300)) add(option(random, "first_flush_ms", 0, 400));
    if (random.chance(300)) add(option(random, "greeting_protected_ms", 0, 1000));
    if (random.chance(300)) add(option(random, "backchannel_guard_ms", 0, 1500));
    if (random.chance(300)) add(option(random, "resume_after_ms", 0, 1000));
    if (random.chance(300)) add("barge_in_while_deciding = \"quieter\"");
    if (random.chance(300)) add("adaptive_endpoint = false");
    if (random.chance(300)) add("speculate = false");
    if (random.chance(200)) add(option(random, "max_call_ms", 4000, 12000));
    if (random.chance(300)) add(option(random, "nudges", 0, 2));
}

const char* draw_stt_fault(Random& random) {
    constexpr const char* kinds[] = {"refuse", "fail",       "late_cancel 3000", "stall", "late 900", "late 250", "empty",
                                     "giant 3000", "die",    "leave",            "after", "stale",    "stale_only", "future",
                                     "unasked", "double"};
    return random.one_of(kinds);
}

const char* draw_llm_fault(Random& random) {
    constexpr const char* kinds[] = {"refuse",  "fail",  "stall 0", "stall 3", "die 0",         "die 2", "after 2", "late_cancel 3000",
                                     "empty",   "blank", "giant 60", "long_word 900", "garbage", "tool",  "nobody",  "tools"};
    return random.one_of(kinds);
}

const char* draw_tts_fault(Random& random) {
    constexpr const char* kinds[] = {"refuse",  "fail",    "stall 0", "stall 3", "die 0", "die 3", "leave 2", "after 1",
                                     "again 3", "late_cancel 3000", "flood", "slow",  "odd",   "liar"};
    return random.one_of(kinds);
}

/// A world in three has providers that are well, a third has bad days, and in the others nothing can be relied upon.
void draw_faults(Random& random, World& world) {
    const std::uint64_t health = random.between(0, 2);
    if (health == 0) return;
    const auto add = [&](const char* provider, std::uint64_t n, const char* kind) {
        world.elements.push_back({Element::Kind::fault, std::string(provider) + ' ' + number(n) + ' ' + kind});
    };
    const std::uint64_t permille = health == 1 ? 40 : 250;
    for (std::uint64_t n = 1; n <= 2 * calls_per_world; ++n) {
        if (random.chance(permille)) add("ears", n, draw_stt_fault(random));
        if (random.chance(permille)) add("brain", n, draw_llm_fault(random));
        if (random.chance(permille)) add("voice", n, draw_tts_fault(random));
        if (health == 2 && random.chance(permille / 2)) add("spare_ears", n, draw_stt_fault(random));
        if (health == 2 && random.chance(permille / 2)) add("spare_brain", n, draw_llm_fault(random));
        if (health == 2 && random.chance(permille / 2)) add("spare_voice", n, draw_tts_fault(random));
    }
}

void draw_actions(Random& random, World& world) {
    const auto add = [&](std::string text) { world.elements.push_back({Element::Kind::action, std::move(text)}); };
    for (int call = 0; call < calls_per_world; ++call)
        if (random.chance(40)) add("hang_up " + number(static_cast<std::uint64_t>(call)) + ' ' + number(random.between(0, 15'000)));
    if (random.chance(30)) add("drain " + number(random.between(2000, 15'000)));
    else if (random.chance(30)) add("stop " + number(random.between(2000, 15'000)));
}

/// In half of the worlds who is handed on is joined with a person on a second leg, who answers, is busy or stays away, talks and hangs up.
void draw_person(Random& random, World& world) {
    if (random.chance(500)) return;
    std::string how = random.chance(500) ? "mode = \"bridge\"" : "mode = \"attended\", announce = \"A caller for you.\"";
    if (how.find("attended") != std::string::npos && random.chance(500)) how += ", accept_key = \"1\", accept_within_ms = 1000";
    if (random.chance(300)) how += ", ring_timeout_ms = " + number(random.between(1000, 4000));
    if (random.chance(300)) how += ", longest_ms = " + number(random.between(1000, 5000));
    if (random.chance(300)) how += ", hold_caller = true";
    if (random.chance(500)) how += ", release = true";
    world.elements.push_back({Element::Kind::person, std::move(how)});
}

/// In a third of them the model may call on a shop, which fails as often as not.
void draw_shop(Random& random, World& world) {
    if (random.chance(667)) return;
    constexpr const char* kinds[] = {"refuse", "fail", "stall", "die", "late 900", "late 6000", "again", "after", "late_cancel 3000", "empty", "garbage", "giant"};
    const auto add = [&](std::uint64_t n, const char* kind) {
        world.elements.push_back({Element::Kind::fault, "shop " + number(n) + ' ' + kind});
    };
    add(0, "none"); // it is offered
    for (std::uint64_t n = 1; n <= 2 * calls_per_world; ++n)
        if (random.chance(400)) add(n, random.one_of(kinds));
}

void draw_call(Random& random, int call, World& world) {
    const std::vector<std::string> lines = draw_call_steps(random);
    const bool dialled = random.chance(100);
    std::string first = dialled ? "dialled +1646555" : "from +1212555";
    first += number(2000 + static_cast<std::uint64_t>(call));
    if (dialled) {
        first += "; ring " + number(random.between(0, 1500));
        first += random.chance(700) ? "; answers" : random.chance(500) ? "; busy" : "; away";
    } else {
        // Most call the reception; some the agent that says nothing first, some the one that is recorded.
        first += "; to +1212555010" + number(random.chance(850) ? 0 : random.chance(700) ? 1 : 2);
    }
    first += "; at " + number(random.between(0, last_call_begins_ms));
    world.elements.push_back({Element::Kind::call, first, call});
    for (const std::string& line : lines) world.elements.push_back({Element::Kind::step, line, call});
}

std::string faults_of(const World& world, const std::string& provider) {
    std::string list;
    for (const Element& element : world.elements) {
        const std::size_t space = element.text.find(' ');
        if (element.kind != Element::Kind::fault || element.text.substr(0, space) != provider) continue;
        list += (list.empty() ? "\"" : ", \"") + element.text.substr(space + 1) + '"';
    }
    return "faults = [" + list + "]\n";
}

std::string provider(const World& world, const std::string& name, const std::string& plugin, const char* more) {
    return "[providers." + name + "]\nplugin = \"" + plugin + "\"\nseed = " + number(world.seed % 1'000'000'007) + "\n" + more +
           faults_of(world, name);
}

/// Only worlds with faults of them have such providers.
bool has_faults_of(const World& world, const std::string& provider) {
    return std::any_of(world.elements.begin(), world.elements.end(), [&](const Element& element) {
        return element.kind == Element::Kind::fault && element.text.starts_with(provider + ' ');
    });
}

std::string agent(const World& world, const std::string& name, const std::string& answers, const std::string& more) {
    std::string out = "[agents." + name + "]\n" + "answers = [\"host:carrier/" + answers + "\"]\n";
    out += "stt = [\"ears\", \"spare_ears\"]\nllm = [\"brain\", \"spare_brain\"]\ntts = [\"voice\", \"spare_voice\"]\n";
    std::string person = "\"+12125550199\"";
    for (const Element& element : world.elements)
        if (element.kind == Element::Kind::person) person = "{ to = \"+12125550199\", " + element.text + " }";
    out += has_faults_of(world, "shop") ? "tools = [\"hang_up\", \"transfer\", \"shop\"]\n" : "tools = [\"hang_up\", \"transfer\"]\n";
    out += "transfer = { reception = " + person + " }\n" + more;
    out += "turn = { vad = \"energy\"";
    for (const Element& element : world.elements)
        if (element.kind == Element::Kind::turn) out += ", " + element.text;
    return out + " }\n\n";
}

}  // namespace

std::size_t World::calls() const {
    return static_cast<std::size_t>(
        std::count_if(elements.begin(), elements.end(), [](const Element& element) { return element.kind == Element::Kind::call; }));
}

World draw_world(std::uint64_t seed) {
    World world;
    world.seed = seed;
    // Neighbouring seeds must have nothing in common.
    Random random(Random(seed).next());
    draw_turn_options(random, world);
    draw_faults(random, world);
    draw_actions(random, world);
    for (int call = 0; call < calls_per_world; ++call) draw_call(random, call, world);
    draw_person(random, world);
    draw_shop(random, world);
    return world;
}

World only(const World& world, const std::vector<std::size_t>& places) {
    World out;
    out.seed = world.seed;
    const std::set<std::size_t> kept(places.begin(), places.end());
    std::set<int> calls;
    for (std::size_t i = 0; i < world.elements.size(); ++i)
        if (kept.count(i) && world.elements[i].kind == Element::Kind::call) calls.insert(world.elements[i].call);
    for (std::size_t i = 0; i < world.elements.size(); ++i) {
        const Element& element = world.elements[i];
        if (kept.count(i) && (element.kind != Element::Kind::step || calls.count(element.call))) out.elements.push_back(element);
    }
    return out;
}

std::string to_text(const World& world) {
    constexpr const char* names[] = {"turn  ", "fault ", "person", "action", "call  ", "  step"};
    std::string out;
    for (std::size_t i = 0; i < world.elements.size(); ++i) {
        const Element& element = world.elements[i];
        std::string place = number(i);
        place.insert(0, 5 - std::min<std::size_t>(place.size(), 5), ' ');
        out += place + "  " + names[static_cast<int>(element.kind)] + "  " + element.text;
        if (element.kind == Element::Kind::call) out += "   (call " + std::to_string(element.call) + ")";
        out += '\n';
    }
    return out;
}

std::vector<ScriptedCall> calls_of(const World& world) {
    std::vector<ScriptedCall> out;
    for (const Element& element : world.elements) {
        if (element.kind == Element::Kind::call) {
            ScriptedCall call;
            call.number = element.call;
            call.dialled = element.text.starts_with("dialled");
            const std::size_t plus = element.text.find('+');
            call.who = element.text.substr(plus, element.text.find(';') - plus);
            call.at_ms = static_cast<unsigned>(std::stoul(element.text.substr(element.text.rfind(' ') + 1)));
            call.script = element.text;
            out.push_back(std::move(call));
        } else if (element.kind == Element::Kind::step) {
            out.back().script += "; " + element.text;
        }
    }
    return out;
}

std::map<std::string, std::string> config_of(const World& world) {
    std::string calls;
    for (const ScriptedCall& call : calls_of(world)) calls += (calls.empty() ? "\n    \"" : ",\n    \"") + call.script + '"';
    std::string host = "[host]\nplugins = [\"${env:PLUGINS}\"]\nrecordings_dir = \"recordings\"\n";
    host += has_faults_of(world, "store") ? "storage = \"store\"\n" : "storage = \"sqlite::memory:\"\n";
    host += "tenants = \"tenants\"\nshards = 2\nlog_level = \"info\"\n\n";
    host += provider(world, "carrier", "telephony/sim", "lines = 0\nnumbers = [\"+12125550100\"]\n");
    host.erase(host.rfind("faults = ")); // a carrier's are in its calls
    host += "calls = [" + calls + "]\n";
    if (has_faults_of(world, "store")) host += "\n[providers.store]\nplugin = \"storage/sim\"\n" + faults_of(world, "store");

    std::string tenant = "[tenant]\nname = \"Simulated Clinic\"\ntime_zone = \"America/New_York\"\nlimits = { concurrent_calls = 100 }\n\n";
    tenant += provider(world, "ears", "stt/sim", "final_ms = 60\n") + provider(world, "spare_ears", "stt/sim", "");
    const bool persons = std::any_of(world.elements.begin(), world.elements.end(), [](const Element& e) { return e.kind == Element::Kind::person; });
    tenant += provider(world, "brain", "llm/sim", persons ? "token_ms = 15\nwords = 8\ntransfers_permille = 300\n" : "token_ms = 15\nwords = 8\n");
    tenant += provider(world, "spare_brain", "llm/sim", "words = 4\n");
    tenant += provider(world, "voice", "tts/sim", "") + provider(world, "spare_voice", "tts/sim", "first_ms = 120\n") + "\n";
    if (has_faults_of(world, "shop")) tenant += provider(world, "shop", "tools/sim", "") + "\n";
    tenant += agent(world, "reception", "+12125550100", "greeting = \"Hello, the clinic.\"\n");
    tenant += agent(world, "silent", "+12125550101", "");
    tenant += agent(world, "recorded", "+12125550102", "greeting = \"Front desk.\"\nrecording = { enabled = true }\n");
    return {{"jackfield.toml", host}, {"clinic.toml", tenant}};
}

}  // namespace jackfield::simulation
