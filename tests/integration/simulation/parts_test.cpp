// What the simulated calls are made of: scripts, the network, the ear, and how a failing world is made smaller.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "integration/simulation/shrink.hpp"
#include "integration/simulation/witness.hpp"
#include "integration/simulation/world.hpp"
#include "simulators/plugins/faults.hpp"
#include "simulators/plugins/telephony/sim/ear.hpp"
#include "simulators/plugins/telephony/sim/network.hpp"
#include "simulators/plugins/telephony/sim/script.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using simulation::Element;
using simulation::World;
using telephony_sim::Ear;
using telephony_sim::Network;
using telephony_sim::NetworkFault;

/// The time lines of what arrives when 12 packets are sent, packet by packet.
std::vector<std::vector<std::uint64_t>> arrivals(NetworkFault fault, unsigned times = 12) {
    Network network({fault});
    std::vector<std::vector<std::uint64_t>> out;
    for (unsigned i = 0; i < times; ++i) {
        const telephony_sim::Voice packet{.pts = i * 160};
        std::vector<std::uint64_t>& now = out.emplace_back();
        for (const auto& arrived : network.step(&packet)) now.push_back(arrived.pts / 160);
    }
    return out;
}

using Arrivals = std::vector<std::vector<std::uint64_t>>;

TEST(SimulatedNetwork, LosesPackets) {
    EXPECT_EQ(arrivals({NetworkFault::Kind::lose, 1, 2}, 4), (Arrivals{{0}, {}, {}, {3}}));
}

TEST(SimulatedNetwork, BringsOnePacketBehindTheNext) {
    EXPECT_EQ(arrivals({NetworkFault::Kind::swap, 1, 2}, 5), (Arrivals{{0}, {}, {2}, {1, 3}, {4}}));
}

TEST(SimulatedNetwork, StallsAndThenBringsEverythingAtOnce) {
    EXPECT_EQ(arrivals({NetworkFault::Kind::stall, 1, 3}, 6), (Arrivals{{0}, {}, {}, {}, {1, 2, 3, 4}, {5}}));
}

TEST(SimulatedNetwork, BringsPacketsTwice) {
    EXPECT_EQ(arrivals({NetworkFault::Kind::twice, 1, 1}, 4), (Arrivals{{0}, {1}, {1, 2}, {3}}));
}

TEST(SimulatedNetwork, DelaysPackets) {
    EXPECT_EQ(arrivals({NetworkFault::Kind::delay, 1, 2, 2}, 6), (Arrivals{{0}, {}, {}, {1, 3}, {2, 4}, {5}}));
}

TEST(SimulatedNetwork, MovesTheTimeLine) {
    EXPECT_EQ(arrivals({NetworkFault::Kind::jump, 1, 1600}, 3), (Arrivals{{0}, {11}, {12}}));
    EXPECT_EQ(arrivals({NetworkFault::Kind::back, 2, 160}, 4), (Arrivals{{0}, {1}, {1}, {2}}));
    EXPECT_EQ(arrivals({NetworkFault::Kind::back, 1, 1600}, 3), (Arrivals{{0}, {0}, {1}}));
    EXPECT_EQ(arrivals({NetworkFault::Kind::restart, 1, 16000}, 3), (Arrivals{{0}, {100}, {101}}));
}

/// A text as the simulated voice says it.
std::vector<std::uint8_t> spoken(std::string_view word, std::size_t from = 0) {
    std::vector<std::uint8_t> out(from, 0xff);
    for (std::size_t i = 0; i < sim::packets_of(word); ++i) {
        const sim::Packet& packet = sim::packet_of(sim::tone_of(word));
        out.insert(out.end(), packet.begin(), packet.end());
    }
    out.insert(out.end(), 320, 0xff);
    return out;
}

std::vector<Ear::Word> heard(const std::vector<std::uint8_t>& codes) {
    Ear ear;
    for (std::size_t at = 0; at + 160 <= codes.size(); at += 160) ear.hear(std::span(codes).subspan(at, 160), at / 8);
    ear.close();
    return ear.words();
}

TEST(SimulatedEar, HearsWhichWordAndHowMuchOfIt) {
    const auto words = heard(spoken("appointment"));

    ASSERT_EQ(words.size(), 1U);
    EXPECT_EQ(telephony_sim::to_text(words), "0 " + std::to_string(sim::tone_of("appointment")) + " 3840;");
}

TEST(SimulatedEar, HearsAWordThatBeginsInTheMiddleOfAPacket) {
    const auto words = heard(spoken("week", 67));

    ASSERT_EQ(words.size(), 1U);
    EXPECT_EQ(words[0].amplitude * 16 + words[0].half_period - 2, sim::tone_of("week"));
    EXPECT_EQ(words[0].samples, sim::packets_of("week") * 160);
}

TEST(SimulatedEar, KnowsTheToneOfAWordThatIsQuieter) {
    std::vector<std::uint8_t> codes = spoken("noon");
    for (std::uint8_t& code : codes)
        if (code != 0xff) code = static_cast<std::uint8_t>(code + 0x30); // 18 dB less, in mu-law
    const auto words = heard(codes);

    ASSERT_EQ(words.size(), 1U);
    EXPECT_EQ(words[0].amplitude, 16U);
    EXPECT_EQ(words[0].half_period, sim::tone_of("noon") % 16 + 2U);
}

TEST(SimulatedCallScript, SaysWhatItDoesNotUnderstand) {
    std::string problem;

    EXPECT_FALSE(telephony_sim::parse_script("from +1; sing 3", problem));
    EXPECT_EQ(problem, "no step of a call: ' sing 3'");
    EXPECT_FALSE(telephony_sim::parse_script("say yes", problem));
    EXPECT_FALSE(telephony_sim::parse_script("from +1; net melt 3", problem));
}

TEST(SimulatedCallScript, BecomesThePlanOfACaller) {
    std::string problem;
    const auto script = telephony_sim::parse_script("from +1; to +2; at 350; wait 700; say yes; press 5#; over 300; hang_up; net lose 40 10", problem);

    ASSERT_TRUE(script) << problem;
    EXPECT_EQ(script->at_ms, 350U);
    ASSERT_EQ(script->plan.moves.size(), 3U);
    EXPECT_EQ(script->plan.moves[0].begins, telephony_sim::Move::Begins::agent_quiet);
    EXPECT_EQ(script->plan.moves[0].after, 35U);
    EXPECT_EQ(script->plan.moves[1].begins, telephony_sim::Move::Begins::at_once);
    EXPECT_EQ(script->plan.moves[1].keys, "5#");
    EXPECT_EQ(script->plan.moves[2].end, telephony_sim::Step::End::hang_up);
    ASSERT_EQ(script->network.size(), 1U);
    EXPECT_EQ(script->network[0].n, 10U);
}

TEST(SimulatedFaults, AreFoundByTheirNumber) {
    const sim::Faults faults({"3 stall", "7 late 900", "nonsense", "9"});

    EXPECT_EQ(faults.find(1, {"stall", "late"}), nullptr);
    EXPECT_EQ(faults.find(3, {"late"}), nullptr);
    ASSERT_NE(faults.find(7, {"stall", "late"}), nullptr);
    EXPECT_EQ(faults.find(7, {"stall", "late"})->argument, 900U);
}

TEST(RandomWorld, IsTheSameFromTheSameSeedAndAnotherFromTheNext) {
    EXPECT_EQ(to_text(simulation::draw_world(7)), to_text(simulation::draw_world(7)));
    EXPECT_NE(to_text(simulation::draw_world(7)), to_text(simulation::draw_world(8)));
}

TEST(RandomWorld, HasCallersThatTheCarrierUnderstands) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        const World world = simulation::draw_world(seed);
        std::set<std::string> who;
        for (const simulation::ScriptedCall& call : calls_of(world)) {
            std::string problem;
            EXPECT_TRUE(telephony_sim::parse_script(call.script, problem)) << problem;
            EXPECT_TRUE(who.insert(call.who).second) << call.who;
        }
        EXPECT_EQ(who.size(), static_cast<std::size_t>(simulation::calls_per_world));
    }
}

TEST(SmallerWorld, KeepsWhatTheFailureNeedsAndNothingElse) {
    const World world = simulation::draw_world(5);
    // The failure: call 3 speaks at all, and some provider stalls.
    const auto speaks = [](const World& one) {
        return std::any_of(one.elements.begin(), one.elements.end(), [](const Element& element) {
            return element.call == 3 && element.kind == Element::Kind::step;
        });
    };
    const auto turned = [](const World& one) {
        return std::any_of(one.elements.begin(), one.elements.end(), [](const Element& element) { return element.text.starts_with("endpoint_ms"); });
    };
    int trials = 0;
    const simulation::Trial trial = [&](const World& one) {
        ++trials;
        return speaks(one) && turned(one) ? std::vector<std::string>{"broken"} : std::vector<std::string>{};
    };

    const auto places = simulation::shrink(world, "broken", 3, trial, 10s);

    EXPECT_EQ(places.size(), 3U) << to_text(only(world, places)); // the option, the call, one step
    EXPECT_LT(trials, 200);
    EXPECT_TRUE(speaks(only(world, places)));
}

TEST(SmallerWorld, HasItsPlacesInOneWord) {
    const std::vector<std::size_t> places{1, 2, 3, 7, 12, 13};

    EXPECT_EQ(simulation::to_ranges(places), "1-3,7,12-13");
    EXPECT_EQ(simulation::from_ranges("1-3,7,12-13"), places);
}

/// What a witness says of a call with these turns, whose far end heard and did this.
std::vector<std::string> broken(const std::string& turns, const std::string& notes, const std::string& heard) {
    World world;
    world.elements.push_back({Element::Kind::call, "from +1555; to +1; at 0", 0});
    simulation::Witness witness(world, {});
    const std::string of_call = R"("call":"C","tenant":"t","agent":"a","direction":"inbound","from":"+1555","to":"+1","at_us":5)";
    witness.on_leg(simulation::read_leg_report(R"({"who":"+1555","answered":"yes","lasted_ms":"9000","notes":")" + notes + R"(","heard":")" +
                                               heard + R"(","sounded":"100 1000;"})"));
    witness.on_event(R"({"event":"call.started",)" + of_call + "}");
    witness.on_event(R"({"event":"call.answered",)" + of_call + "}");
    if (!turns.empty()) witness.on_event(R"({"event":"call.turn",)" + of_call + R"(,"number":0,)" + turns + "}");
    witness.on_event(R"({"event":"call.ended",)" + of_call + R"(,"cause":"normal","reason":"","turns":)" + (turns.empty() ? "0}" : "1}"));
    witness.on_decisions("C", {.endpoints = {3600}});
    std::vector<std::string> out;
    for (const simulation::Violation& violation : witness.violations()) out.push_back(violation.invariant);
    return out;
}

std::string word_heard(std::string_view word, int at_ms, std::size_t packets) {
    return std::to_string(at_ms) + ' ' + std::to_string(sim::tone_of(word)) + ' ' + std::to_string(packets * 160) + ';';
}

const std::string said = R"("role":"assistant","text":"noon week","rule":"reply","flags":0,"began_ms":100,"ended_ms":700)";
using Names = std::vector<std::string>;

TEST(Witness, HasNothingToSayOfWordsThatWereHeard) {
    EXPECT_EQ(broken(said, "", word_heard("noon", 100, 13) + word_heard("week", 380, 13)), Names{});
}

TEST(Witness, SaysWhenAWordOnRecordWasNotHeard) {
    EXPECT_EQ(broken(said, "", word_heard("noon", 100, 13)), Names{"heard_only"});
    EXPECT_EQ(broken(said, "", word_heard("noon", 100, 13) + word_heard("week", 380, 3)), Names{"heard_only"});
    EXPECT_EQ(broken(said, "", word_heard("week", 100, 13) + word_heard("noon", 380, 13)), Names{"heard_only"});
}

TEST(Witness, SaysWhenMoreWasHeardThanIsOnRecord) {
    const std::string cut = R"("role":"assistant","text":"noon","unheard":" week then day","rule":"barge_in_voice","flags":8,"began_ms":100,"ended_ms":1300)";

    EXPECT_EQ(broken(cut, "", word_heard("noon", 100, 13) + word_heard("week", 380, 13)), Names{});
    EXPECT_EQ(broken(cut, "", word_heard("noon", 100, 13) + word_heard("week", 380, 13) + word_heard("then", 660, 13)), Names{"all_that_was_heard"});
}

TEST(Witness, SaysWhenAKeyIsOnNoRecord) {
    const std::string keys = R"("role":"user","text":"5","rule":"dtmf","flags":4,"began_ms":100,"ended_ms":700)";

    EXPECT_EQ(broken(keys, "200 key 5;", ""), Names{});
    EXPECT_EQ(broken(keys, "200 key 5;300 key 6;", ""), Names{"no_lost_keys"});
    EXPECT_EQ(broken(keys, "", ""), Names{"no_lost_keys"});
}

TEST(Witness, SaysWhenACallerIsLeftInSilence) {
    EXPECT_EQ(broken("", "3000 spoke 1500;", ""), Names{"dead_air"});
    EXPECT_EQ(broken("", "3000 spoke 1500;4000 hold;", ""), Names{});
}

TEST(Witness, SaysWhenThereIsAudioAfterTheEnd) {
    EXPECT_EQ(broken("", "4000 audio_after_end;", ""), Names{"no_audio_after_hang_up"});
}

}  // namespace
}  // namespace jackfield
