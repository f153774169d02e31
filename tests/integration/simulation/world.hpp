#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace jackfield::simulation {

/// One line of what a world is made of; leave any out and it still is one.
struct Element {
    enum class Kind {
        turn,   ///< an option of the agents' [turn]: "endpoint_ms = 300"
        fault,  ///< a provider and what it does wrong: "ears 3 stall"
        person, ///< how a caller gets to whom they are handed to: "mode = \"bridge\""; at most one, without it the carrier is asked
        action, ///< the operator: "hang_up 4 5200" (a call and when), "drain 9000", "stop 9000"
        call,   ///< begins a call: who, whom and when, as tests/simulators/plugins/telephony/sim/script.hpp has it
        step,   ///< of the call before it
    };
    Kind kind = Kind::call;
    std::string text;
    int call = -1; ///< of calls and steps
};

/// A host's life: its calls, what its providers do wrong and what its operator does, all drawn from one seed.
struct World {
    std::uint64_t seed = 0;
    std::vector<Element> elements;

    std::size_t calls() const;
};

constexpr int calls_per_world = 20;

World draw_world(std::uint64_t seed);

/// The world with these elements only, by their place; steps of calls that are not there are left out.
World only(const World& world, const std::vector<std::size_t>& places);

/// For people: one line an element, its place in front.
std::string to_text(const World& world);

/// One call as the simulated carrier takes it.
struct ScriptedCall {
    int number = 0;
    std::string who;     ///< the far end's number, no two alike
    bool dialled = false;
    unsigned at_ms = 0;
    std::string script;
};
std::vector<ScriptedCall> calls_of(const World& world);

/// The configuration's text: "jackfield.toml" and "tenants/clinic.toml".
std::map<std::string, std::string> config_of(const World& world);

}  // namespace jackfield::simulation
