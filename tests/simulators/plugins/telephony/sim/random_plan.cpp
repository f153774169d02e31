#include "random_plan.hpp"

#include "simulators/plugins/random.hpp"

namespace jackfield::telephony_sim {
namespace {

constexpr unsigned per_second = 50;

constexpr const char* days[] = {"monday", "tuesday please", "wednesday", "thursday", "friday", "saturday", "sunday"};
constexpr const char* times[] = {"nine", "ten thirty", "at nine in the morning", "two in the afternoon", "eleven", "three thirty"};
constexpr const char* numbers[] = {"five five five one two three four", "seven six five four three two one", "one two three"};
constexpr const char* beginnings[] = {"i would like to book an appointment", "i would like to make an appointment", "i need an appointment"};
constexpr const char* questions[] = {"what are your opening hours", "when are you open", "are you open now", "help"};
constexpr const char* nonsense[] = {"banana bicycle", "seventeen banana", "okay"};
constexpr const char* interruptions[] = {"stop", "wait please", "no that is not correct", "i need help please"};
constexpr const char* farewells[] = {"goodbye", "thank you goodbye", "that is all"};

Move::Begins begins(bool over_agent) { return over_agent ? Move::Begins::agent_talks : Move::Begins::agent_quiet; }

class Planner {
  public:
    explicit Planner(std::uint64_t seed) : random_(seed) {}
    Plan draw();

  private:
    void say(const char* text);
    void press(const char* keys);
    void cough();
    void end_early();
    unsigned reaction();

    sim::Random random_;
    Plan plan_;
};

unsigned Planner::reaction() { return static_cast<unsigned>(random_.between(30, 80)); }

void Planner::say(const char* text) {
    if (random_.chance(120)) cough();
    const bool over_agent = random_.chance(150);
    Move move{.begins = begins(over_agent), .after = reaction(), .sounds = sim::speak(text)};
    if (over_agent) move.after = static_cast<unsigned>(random_.between(10, 120));
    if (random_.chance(200) && move.sounds.size() > 30) {
        // Thinks in mid-sentence: sometimes so long that it sounds like the end.
        const std::size_t middle = random_.between(15, move.sounds.size() - 5);
        std::size_t at = middle;
        while (at < move.sounds.size() && move.sounds[at] != sim::quiet) ++at;
        move.sounds.insert(move.sounds.begin() + static_cast<std::ptrdiff_t>(at), random_.between(8, 60), sim::quiet);
    }
    plan_.moves.push_back(std::move(move));
}

void Planner::press(const char* keys) {
    const bool over_agent = random_.chance(300);
    plan_.moves.push_back({.begins = begins(over_agent), .after = reaction(), .keys = keys});
}

void Planner::cough() {
    const bool word = random_.chance(400);
    Move move{.begins = Move::Begins::agent_talks, .after = static_cast<unsigned>(random_.between(15, 100))};
    move.sounds = word ? sim::speak("mhm") : std::vector<sim::Sound>(random_.between(3, 18), sim::noise);
    plan_.moves.push_back(std::move(move));
}

Plan Planner::draw() {
    switch (random_.between(0, 9)) {
        case 0: // asks one thing
            say(random_.one_of(questions));
            if (random_.chance(500)) say(random_.one_of(questions));
            break;
        case 1: // wants a person
            say("can i speak to a person");
            break;
        case 2: // never understood
            for (int i = 0; i < 4; ++i) say(random_.one_of(nonsense));
            break;
        case 3: // says nothing until the agent gives up
            if (random_.chance(500)) say(random_.one_of(questions));
            plan_.stays = 60 * per_second;
            plan_.moves.push_back({.after = plan_.stays});
            return std::move(plan_);
        case 4: // keys only
            press("2");
            press("1");
            say(random_.one_of(days));
            press("9");
            break;
        default: // books an appointment
            say(random_.one_of(beginnings));
            if (random_.chance(100)) say(random_.one_of(interruptions));
            say(random_.one_of(days));
            say(random_.one_of(times));
            if (random_.chance(500)) press("5551234#");
            else say(random_.one_of(numbers));
            say(random_.chance(800) ? "yes" : "no");
            break;
    }
    say(random_.one_of(farewells));
    if (random_.chance(150)) end_early();
    if (random_.chance(60)) plan_.impatience = static_cast<unsigned>(random_.between(0, 80));
    return std::move(plan_);
}

/// Cuts the plan at some point: hangs up there, or is gone without a word.
void Planner::end_early() {
    plan_.moves.resize(random_.between(1, plan_.moves.size()));
    Move& last = plan_.moves.back();
    last.end = random_.chance(700) ? Step::End::hang_up : Step::End::vanish;
    if (random_.chance(500)) {
        last.begins = Move::Begins::agent_talks;
        last.after = static_cast<unsigned>(random_.between(5, 100));
        last.sounds.clear();
    } else if (!last.sounds.empty()) {
        last.sounds.resize(random_.between(1, last.sounds.size()));
    }
}

}  // namespace

Plan random_plan(std::uint64_t seed) { return Planner(seed).draw(); }

}  // namespace jackfield::telephony_sim
