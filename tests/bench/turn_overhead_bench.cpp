// What the turn-taking itself costs: one turn (speech, final, a reply of three sentences in single tokens, spoken, stored) through
// call::Machine, beside handing the same tokens on without deciding anything. Prints a table and one line for machines.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "call/machine.hpp"

namespace {

using namespace jackfield;

constexpr int turns_per_round = 2000;
constexpr int rounds = 21;

const std::vector<std::string>& tokens() {
    static const std::vector<std::string> words = {
        "We ", "are ", "open ", "Monday ", "to ", "Friday ", "from ", "eight ", "to ", "six. ", "Saturday ", "until ",
        "noon. ", "Is ", "there ", "anything ", "else?"};
    return words;
}

base::MonoTime at(std::int64_t ms) { return {ms * 1'000'000}; }

/// Counts what would be carried out, so that nothing can be left out.
std::size_t carry_out(const call::Actions& actions) { return actions.size(); }

std::size_t machine_turn(call::Machine& machine, std::int64_t& ms, std::uint64_t& ticket) {
    std::size_t done = 0;
    ms += 100;
    done += carry_out(machine.on_speech_start(at(ms), at(ms)));
    ms += 800;
    done += carry_out(machine.on_speech_stop(at(ms), at(ms - 200)));
    done += carry_out(machine.on_time(at(ms += 600)));
    done += carry_out(machine.on_final(at(ms += 10), ++ticket, "what are your opening hours", 0.9F));
    const std::uint64_t reply = machine.current_reply();
    for (const std::string& token : tokens()) done += carry_out(machine.on_token(at(ms), reply, token));
    done += carry_out(machine.on_generated(at(ms), reply));
    done += carry_out(machine.on_first_speech(at(ms += 20), reply));
    done += carry_out(machine.on_first_sent(at(ms += 10)));
    machine.set_heard({0, true});
    done += carry_out(machine.on_spoken(at(ms += 4000), reply));
    return done;
}

template <typename Turn>
double median_ns(Turn turn) {
    std::vector<double> rounds_ns;
    for (int round = 0; round < rounds; ++round) {
        const auto began = std::chrono::steady_clock::now();
        turn();
        const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - began;
        rounds_ns.push_back(elapsed.count() / turns_per_round);
    }
    std::nth_element(rounds_ns.begin(), rounds_ns.begin() + rounds / 2, rounds_ns.end());
    return rounds_ns[rounds / 2];
}

}  // namespace

int main() {
    std::size_t carried = 0;
    const double bare = median_ns([&] {
        for (int i = 0; i < turns_per_round; ++i) {
            std::string text;
            for (const std::string& token : tokens()) text += token;
            carried += text.size();
        }
    });
    bool whole = true;
    const double machine = median_ns([&] {
        // A new call every 20 turns: the conversation grows as it does on the telephone.
        for (int i = 0; i < turns_per_round; i += 20) {
            config::AgentConfig agent;
            agent.greeting = "";
            agent.turn.max_call = std::chrono::hours(10);
            call::Machine talk(agent, base::Milliseconds(500));
            std::int64_t ms = 1000;
            std::uint64_t ticket = 0;
            carried += carry_out(talk.on_answered(at(ms)));
            carried += carry_out(talk.on_generated(at(ms), talk.current_reply()));
            for (int turn = 0; turn < 20; ++turn) carried += machine_turn(talk, ms, ticket);
            whole = whole && talk.messages().size() == 40;
        }
    });
    if (!whole) {
        std::fprintf(stderr, "the machine did not take the turns: this measures nothing\n");
        return 1;
    }
    std::printf("%-28s %12s\n%-28s %12.0f\n%-28s %12.0f\n", "one turn", "ns", "tokens joined, nothing decided", bare, "call::Machine", machine);
    std::printf("bench turn_overhead bare_ns=%.0f machine_ns=%.0f share_of_600ms_reply=%.6f (%zu)\n", bare, machine, machine / 600e6, carried);
    return 0;
}
