// A provider of each kind is killed, is stalled or lies in the middle of a call, hundreds of times: the caller is never left in silence
// beyond the bound, nothing is said twice, and what is on record is what was heard. Also what a healthy chain saves: the greeting's latency.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/json.hpp"
#include "integration/simulation/world_run.hpp"
#include "simulators/plugins/random.hpp"
#include "simulators/plugins/spoken.hpp"

namespace jackfield::simulation {
namespace {

constexpr std::int64_t silence_bound_ms = 1500; // dead_air_ms
constexpr std::int64_t slack_ms = 100;          // of the media clock and of a packet's edges

const char* const questions[] = {"what are your opening hours", "i need an appointment", "at nine please", "when are you open", "help"};

/// One world with one caller who asks three things and waits for each answer longer than any silence may last.
World patient_caller(std::uint64_t seed, std::vector<std::string> faults) {
    World world;
    world.seed = seed;
    sim::Random random(sim::Random(seed).next());
    for (std::string& fault : faults) world.elements.push_back({Element::Kind::fault, std::move(fault)});
    world.elements.push_back({Element::Kind::call, "from +12125552000; to +12125550100; at 100", 0});
    for (int i = 0; i < 3; ++i) {
        world.elements.push_back({Element::Kind::step, "wait 2200", 0});
        world.elements.push_back({Element::Kind::step, std::string("say ") + random.one_of(questions), 0});
    }
    for (const char* step : {"wait 2200", "hang_up", "stays 60000", "patience 9000", "linger 12000"}) world.elements.push_back({Element::Kind::step, step, 0});
    return world;
}

/// What one call was, from the trace.
struct Talked {
    struct Turn {
        bool agent = false;
        std::string text;
        std::string rule;
        std::int64_t began_ms = 0;
        std::int64_t ended_ms = 0;
    };
    std::vector<Turn> turns;
    LegReport leg;
    std::map<std::string, int> logged; ///< lines by their event
    std::string reason;

    int count(const std::string& event) const {
        const auto found = logged.find(event);
        return found == logged.end() ? 0 : found->second;
    }
};

Talked talked(const Outcome& outcome, int call) {
    Talked out;
    const auto trace = outcome.trace.find(call);
    if (trace == outcome.trace.end()) return out;
    for (const std::string& line : trace->second) {
        const auto json = base::JsonDocument::parse(line);
        if (!json) continue;
        const auto root = json->root();
        const std::string event = root["event"].text_or("");
        ++out.logged[event];
        if (event == "sim.leg") out.leg = read_leg_report(line);
        if (event == "call.ended") out.reason = root["reason"].text_or(out.reason);
        if (event != "call.turn") continue;
        out.turns.push_back({root["role"].text_or("") == "assistant", root["text"].text_or(""), root["rule"].text_or(""),
                             root["began_ms"].integer_or(0), root["ended_ms"].integer_or(0)});
    }
    return out;
}

std::vector<std::string> words_on_record(const Talked& call) {
    std::vector<std::string> out;
    for (const Talked::Turn& turn : call.turns) {
        std::string word;
        for (const char c : (turn.agent ? turn.text : std::string()) + ' ') {
            if (c != ' ') word += c;
            else if (!word.empty()) out.push_back(std::exchange(word, {}));
        }
    }
    return out;
}

/// Everything heard is on record, in the same order, and the other way round. The word that a voice broke off in is heard again from the next; of
/// the one that the line broke off in (`cut_off`) a piece was heard.
std::string compare_with_record(const Talked& call, bool cut_off = false) {
    const std::vector<std::string> record = words_on_record(call);
    std::size_t at = 0;
    std::int64_t got_ms = 0;  ///< of the word that is next on record
    bool doubtful = false;    ///< the one before it was nearly whole: it may have been broken off
    for (const LegReport::Word& sound : call.leg.heard) {
        if (!sound.tone) continue; // faded, or the waiting tone
        const auto is = [&](std::size_t i) { return i < record.size() && sim::tone_of(record[i]) == *sound.tone; };
        const auto lasts = [&](std::size_t i) { return static_cast<std::int64_t>(sim::packets_of(record[i])) * 20; };
        if (is(at)) {
            got_ms += sound.ms;
            if (sound.ms < lasts(at) - 40 && got_ms < lasts(at) - 40) continue; // broken off: it comes again, or goes on
            doubtful = sound.ms < lasts(at);
            ++at;
            got_ms = 0;
            continue;
        }
        if (at > 0 && is(at - 1) && std::exchange(doubtful, false)) continue; // it was, and is heard again
        // A piece that was broken off and then heard whole before its rest; or one that an interruption left.
        if (at > 0 && is(at - 1) && sound.ms < lasts(at - 1) - 20) continue;
        if (got_ms > 0 && is(at + 1)) {
            got_ms = 0;
            at += 2;
            continue;
        }
        if (cut_off && at == record.size() && &sound == &call.leg.heard.back()) return {};
        return "at " + std::to_string(sound.at_ms) + " ms a word of tone " + std::to_string(*sound.tone) + " is heard, and next on record is '" +
               (at < record.size() ? record[at] : "nothing") + "' (word " + std::to_string(at) + ")";
    }
    if (at < record.size() && !(at + 1 == record.size() && got_ms > 0))
        return "'" + record[at] + "' (word " + std::to_string(at) + " of " + std::to_string(record.size()) + ") is on record and was not heard";
    return {};
}

/// The longest silence within a turn of the agent's.
std::int64_t longest_gap_ms(const Talked& call) {
    std::int64_t longest = 0;
    for (const Talked::Turn& turn : call.turns) {
        if (!turn.agent || turn.text.empty()) continue;
        std::int64_t quiet_since = turn.began_ms;
        for (const auto& [from, to] : call.leg.sounded) {
            if (to <= turn.began_ms || from > turn.ended_ms) continue;
            longest = std::max(longest, from - quiet_since);
            quiet_since = to;
        }
    }
    return longest;
}

Outcome run(const World& world) {
    RunOptions options;
    options.witness.dead_air = true;
    options.trace = true;
    return run_world(world, options);
}

/// What the seed breaks: which provider, when, and how.
std::vector<std::string> draw_faults(std::uint64_t seed) {
    constexpr const char* stt[] = {"die",   "die",        "stall",  "stall",   "refuse", "fail",  "leave",      "after",
                                   "stale", "stale_only", "future", "double",  "empty",  "late 900", "giant 3000", "late_cancel 3000"};
    constexpr const char* llm[] = {"die 0",   "die 3",   "stall 0", "stall 3", "refuse", "fail", "after 2",
                                   "after 0", "tools",   "tool",    "nobody",  "blank",  "late_cancel 3000", "stall 1", "late 700", "late 1200", "late 640"};
    constexpr const char* tts[] = {"die 0",   "die 2",   "die 5",   "stall 0", "stall 2", "stall 6", "refuse", "fail",
                                   "leave 0", "leave 2", "leave 5", "after 1", "after 4", "flood",   "odd",    "late_cancel 3000", "late 680", "late 760", "late 1300"};
    sim::Random random(seed * 7919);
    std::vector<std::string> out;
    const auto add = [&](const char* provider, std::uint64_t n, const char* kind) {
        out.push_back(std::string(provider) + ' ' + std::to_string(n) + ' ' + kind);
    };
    const std::uint64_t times = random.between(1, 3);
    for (std::uint64_t n = 1; n <= times; ++n) {
        const std::uint64_t which = random.between(1, 4);
        if (seed % 3 == 0) add("ears", which, random.one_of(stt));
        if (seed % 3 == 1) add("brain", which, random.one_of(llm));
        if (seed % 3 == 2) add("voice", which, random.one_of(tts));
    }
    return out;
}

/// The same of the kinds that have no second one to turn to: what the model calls, the carrier, the store. Every sixth world has two sick at once.
std::vector<std::string> draw_other_faults(std::uint64_t seed) {
    constexpr const char* shop[] = {"refuse", "fail", "stall", "die", "late 900", "late 12000", "again", "after", "late_cancel 3000", "empty", "garbage", "giant"};
    constexpr const char* store[] = {"refuse", "fail", "lost", "stall", "again"};
    sim::Random random(seed * 7927);
    std::vector<std::string> out;
    const auto add = [&](const char* provider, std::uint64_t n, const char* kind) {
        out.push_back(std::string(provider) + ' ' + std::to_string(n) + ' ' + kind);
    };
    const bool both = random.chance(160);
    if (seed % 3 == 0 || both) {
        add("shop", 0, "none"); // it is offered
        for (std::uint64_t n = 1; n <= 4; ++n)
            if (random.chance(600)) add("shop", n, random.one_of(shop));
    }
    if (seed % 3 == 1 || both)
        for (std::uint64_t times = random.between(1, 3); times > 0; --times) add("store", std::max<std::uint64_t>(random.between(1, 12), 2), random.one_of(store)); // the first is the start's
    return out;
}

/// What the carrier's plugin does wrong, at some place in the call.
void spoil_line(std::uint64_t seed, World& world) {
    constexpr const char* line[] = {"line die", "line deaf", "line block 200", "line block 900", "line block 2500", "line lie", "line twice", "line after"};
    sim::Random random(seed * 7933);
    std::vector<std::size_t> steps;
    for (std::size_t i = 0; i < world.elements.size(); ++i)
        if (world.elements[i].text.starts_with("wait ")) steps.push_back(i);
    const std::size_t at = steps[random.between(0, steps.size() - 1)];
    // Over the agent's words, before the caller's next.
    const std::string when = "over " + std::to_string(random.between(20, 900));
    world.elements.insert(world.elements.begin() + static_cast<std::ptrdiff_t>(at),
                          {Element{Element::Kind::step, when, 0}, Element{Element::Kind::step, random.one_of(line), 0}});
}

bool has(const World& world, const char* text) {
    return std::any_of(world.elements.begin(), world.elements.end(), [&](const Element& element) { return element.text.starts_with(text); });
}

/// What may be broken where that is what is tried: records that a sick store did not take, packets that a sick line did not.
bool is_granted(const World& world, const Violation& violation) {
    const std::string& what = violation.invariant;
    // A call that could not be stored has never started, and ends all the same.
    if (has(world, "store ") && (what == "one_final_record" || what == "events_in_order")) return true;
    return has(world, "line ") && (what == "no_audio_after_hang_up" || what == "one_completion_each");
}

std::string describe(const World& world) { return "seed " + std::to_string(world.seed) + "\n" + to_text(world); }

TEST(Chains, KeepTheCallGoingThroughThreeHundredBrokenProviders) {
    const char* only = std::getenv("JACKFIELD_CHAIN_SEED");
    std::map<std::string, int> seen;
    int broken = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        if (only && std::to_string(seed) != only) continue;
        const World world = patient_caller(seed, draw_faults(seed));

        const Outcome outcome = run(world);

        const Talked call = talked(outcome, 0);
        std::string wrong;
        for (const Violation& violation : outcome.violations) wrong += violation.invariant + ": " + violation.text + "\n";
        if (const std::string difference = compare_with_record(call); !difference.empty()) wrong += difference + "\n";
        if (const std::int64_t gap = longest_gap_ms(call); gap > silence_bound_ms + slack_ms)
            wrong += "silence of " + std::to_string(gap) + " ms within a turn\n";
        if (outcome.answered != 1) wrong += "the call was not answered\n";
        for (const auto& [event, count] : call.logged) seen[event] += count;
        if (only)
            for (const auto& [number, lines] : outcome.trace)
                for (const std::string& line : lines) std::printf("%s\n", line.c_str());
        if (wrong.empty()) continue;
        ADD_FAILURE() << wrong << "replay: JACKFIELD_CHAIN_SEED=" << seed << " " << JACKFIELD_BINARY_DIR "/bin/chains_test\n" << describe(world);
        if (++broken == 5) break;
    }
    for (const auto& [event, count] : seen) std::printf("%s=%d ", event.c_str(), count);
    std::printf("\n");
}

/// Ninety of them; JACKFIELD_CHAIN_LAST=600 tries all three hundred.
TEST(Chains, KeepTheCallGoingThroughBrokenToolsLinesAndStores) {
    const char* only = std::getenv("JACKFIELD_CHAIN_SEED");
    const char* last = std::getenv("JACKFIELD_CHAIN_LAST");
    std::map<std::string, int> seen;
    int broken = 0;
    for (std::uint64_t seed = 301; seed <= (only ? 600 : last ? std::strtoull(last, nullptr, 10) : 390); ++seed) {
        if (only && std::to_string(seed) != only) continue;
        World world = patient_caller(seed, draw_other_faults(seed));
        if (seed % 3 == 2) {
            world.elements.insert(world.elements.begin(), Element{Element::Kind::fault, "carrier 0 none"}); // somebody lies
            spoil_line(seed, world);
        }

        const Outcome outcome = run(world);

        const Talked call = talked(outcome, 0);
        std::string wrong;
        for (const Violation& violation : outcome.violations)
            if (!is_granted(world, violation)) wrong += violation.invariant + ": " + violation.text + "\n";
        if (const std::string difference = compare_with_record(call, has(world, "line die")); !difference.empty()) wrong += difference + "\n";
        // Nothing can be heard while the carrier takes nothing.
        const std::int64_t bound = silence_bound_ms + slack_ms + (has(world, "line block 2500") ? 2500 : has(world, "line block 900") ? 900 : 200);
        if (const std::int64_t gap = longest_gap_ms(call); gap > bound) wrong += "silence of " + std::to_string(gap) + " ms within a turn\n";
        // What can't be noted down is not begun: the carrier may take the caller elsewhere.
        if (outcome.answered != 1 && call.reason != "not_stored") wrong += "the call was not answered\n";
        if (call.count("call.ended") == 0) wrong += "the call did not end\n";
        for (const auto& [event, count] : call.logged) seen[event] += count;
        if (only)
            for (const auto& [number, lines] : outcome.trace)
                for (const std::string& line : lines) std::printf("%s\n", line.c_str());
        if (wrong.empty()) continue;
        ADD_FAILURE() << wrong << "replay: JACKFIELD_CHAIN_SEED=" << seed << " " << JACKFIELD_BINARY_DIR "/bin/chains_test\n" << describe(world);
        if (++broken == 5) break;
    }
    for (const auto& [event, count] : seen) std::printf("%s=%d ", event.c_str(), count);
    std::printf("\n");
}

TEST(Chains, AskAStandbyWhenTheModelIsSilentAndLetTheFirstWin) {
    const Outcome outcome = run(patient_caller(11, {"brain 1 stall 0", "brain 2 stall 0"}));

    const Talked call = talked(outcome, 0);
    EXPECT_TRUE(outcome.violations.empty()) << outcome.violations.front().text;
    EXPECT_GE(call.count("llm.hedged"), 1);
    EXPECT_EQ(call.count("llm.timeout"), 0) << "nobody waited for three seconds";
    EXPECT_GE(outcome.metrics.at("jackfield_call_hedges_won_total"), 1);
    EXPECT_EQ(compare_with_record(call), "");
}

TEST(Chains, AskAStandbyWhenTheVoiceIsSilent) {
    const Outcome outcome = run(patient_caller(12, {"voice 2 stall 0"}));

    const Talked call = talked(outcome, 0);
    EXPECT_TRUE(outcome.violations.empty()) << outcome.violations.front().text;
    EXPECT_EQ(call.count("tts.hedged"), 1);
    EXPECT_EQ(call.count("tts.timeout"), 0);
    EXPECT_EQ(outcome.metrics.at("jackfield_call_hedges_started_total"), 1);
    EXPECT_EQ(outcome.metrics.at("jackfield_call_hedges_won_total"), 1);
    EXPECT_EQ(outcome.metrics.at("jackfield_call_hedges_lost_total"), 0);
    EXPECT_EQ(compare_with_record(call), "");
}

TEST(Chains, GiveTheStandbyUpWhenTheFirstAnswersAfterAll) {
    const Outcome outcome = run(patient_caller(12, {"voice 2 late 610"}));

    const Talked call = talked(outcome, 0);
    EXPECT_TRUE(outcome.violations.empty()) << outcome.violations.front().text;
    EXPECT_EQ(outcome.metrics.at("jackfield_call_hedges_started_total"), 1);
    EXPECT_EQ(outcome.metrics.at("jackfield_call_hedges_lost_total"), 1);
    EXPECT_EQ(compare_with_record(call), "") << "both have the text, one is heard";
}

TEST(Chains, SpeakASentenceToItsEndWithTheNextVoice) {
    for (const char* fault : {"voice 1 die 6", "voice 1 stall 6", "voice 1 leave 6"}) {
        const Outcome outcome = run(patient_caller(13, {fault}));

        const Talked call = talked(outcome, 0);
        ASSERT_FALSE(call.turns.empty()) << fault;
        EXPECT_EQ(call.turns.front().text, "Hello, the clinic.") << fault;
        EXPECT_EQ(call.count("tts.resumed"), 1) << fault;
        EXPECT_EQ(outcome.metrics.at("jackfield_call_sentences_resumed_total"), 1) << fault;
        EXPECT_EQ(outcome.metrics.at("jackfield_call_failovers_total"), 1) << fault;
        EXPECT_EQ(compare_with_record(call), "") << fault;
        EXPECT_LE(longest_gap_ms(call), 1100) << fault; // the floor of a standby, the next voice's first audio, the cushion
    }
}

TEST(Chains, LoseNoWordOfTheCallerWithTheirRecogniser) {
    for (const char* fault : {"ears 1 die", "ears 1 stall", "ears 1 leave", "ears 1 after", "ears 2 stale_only"}) {
        const World world = patient_caller(14, {fault});
        const Outcome outcome = run(world);

        const Talked call = talked(outcome, 0);
        std::string said;
        for (const Element& element : world.elements)
            if (said.empty() && element.text.starts_with("say ")) said = element.text.substr(4);
        const auto turn = std::find_if(call.turns.begin(), call.turns.end(), [](const Talked::Turn& t) { return !t.agent; });
        ASSERT_NE(turn, call.turns.end()) << fault;
        EXPECT_EQ(turn->text, said) << fault;
        EXPECT_GE(outcome.metrics.at("jackfield_call_turns_fed_again_total"), std::string_view(fault) == "ears 2 stale_only" ? 0 : 1) << fault;
    }
}

TEST(Chains, AskARecogniserAgainThatHadNoRoomForTheQuestion) {
    const World world = patient_caller(16, {"ears 1 busy 6"});
    const Outcome outcome = run(world);

    const Talked call = talked(outcome, 0);
    EXPECT_TRUE(outcome.violations.empty()) << outcome.violations.front().text;
    const auto turn = std::find_if(call.turns.begin(), call.turns.end(), [](const Talked::Turn& t) { return !t.agent; });
    ASSERT_NE(turn, call.turns.end());
    EXPECT_TRUE(has(world, ("say " + turn->text).c_str())) << turn->text;
    EXPECT_EQ(outcome.metrics.at("jackfield_call_turns_fed_again_total"), 0) << "nobody else had to be asked";
    EXPECT_EQ(compare_with_record(call), "");
}

TEST(Chains, PlayTheGreetingOfTheSecondCallFromTheCache) {
    World world;
    world.seed = 15;
    for (int call = 0; call < 2; ++call) {
        world.elements.push_back({Element::Kind::call, "from +1212555200" + std::to_string(call) + "; to +12125550100; at " + std::to_string(100 + call * 8000), call});
        for (const char* step : {"wait 1500", "hang_up", "stays 6000"}) world.elements.push_back({Element::Kind::step, step, call});
    }

    const Outcome outcome = run(world);

    const Talked first = talked(outcome, 0);
    const Talked second = talked(outcome, 1);
    ASSERT_FALSE(first.leg.heard.empty());
    ASSERT_FALSE(second.leg.heard.empty());
    EXPECT_GE(first.leg.heard.front().at_ms, 60) << "a voice takes its time";
    EXPECT_LE(second.leg.heard.front().at_ms, 40);
    EXPECT_EQ(outcome.metrics.at("jackfield_call_greetings_cached_total"), 1);
    EXPECT_EQ(outcome.metrics.at("jackfield_call_greetings_synthesised_total"), 1);
    EXPECT_EQ(second.turns.front().text, first.turns.front().text);
    EXPECT_EQ(compare_with_record(second), "");
}

}  // namespace
}  // namespace jackfield::simulation
