#include "caller.hpp"

namespace jackfield::telephony_sim {
namespace {

constexpr unsigned per_second = 50;
constexpr unsigned word_gap = 25;       ///< quiet of the agent up to here is a pause between words
constexpr unsigned patience = 6 * per_second; ///< for an agent that says nothing at all
constexpr unsigned key_gap = 15;

constexpr const char* days[] = {"monday", "tuesday please", "wednesday", "thursday", "friday", "saturday", "sunday"};
constexpr const char* times[] = {"nine", "ten thirty", "at nine in the morning", "two in the afternoon", "eleven", "three thirty"};
constexpr const char* numbers[] = {"five five five one two three four", "seven six five four three two one", "one two three"};
constexpr const char* beginnings[] = {"i would like to book an appointment", "i would like to make an appointment", "i need an appointment"};
constexpr const char* questions[] = {"what are your opening hours", "when are you open", "are you open now", "help"};
constexpr const char* nonsense[] = {"banana bicycle", "seventeen banana", "okay"};
constexpr const char* interruptions[] = {"stop", "wait please", "no that is not correct", "i need help please"};
constexpr const char* farewells[] = {"goodbye", "thank you goodbye", "that is all"};

}  // namespace

Caller::Caller(std::uint64_t seed) : random_(seed) { plan(); }

unsigned Caller::reaction() { return static_cast<unsigned>(random_.between(30, 80)); }

void Caller::say(const char* text) {
    if (random_.chance(120)) cough();
    Move move{.over_agent = random_.chance(150), .after = reaction(), .sounds = sim::speak(text)};
    if (move.over_agent) move.after = static_cast<unsigned>(random_.between(10, 120));
    if (random_.chance(200) && move.sounds.size() > 30) {
        // Thinks in mid-sentence: sometimes so long that it sounds like the end.
        const std::size_t middle = random_.between(15, move.sounds.size() - 5);
        std::size_t at = middle;
        while (at < move.sounds.size() && move.sounds[at] != sim::quiet) ++at;
        move.sounds.insert(move.sounds.begin() + static_cast<std::ptrdiff_t>(at), random_.between(8, 60), sim::quiet);
    }
    moves_.push_back(std::move(move));
}

void Caller::press(const char* keys) { moves_.push_back({.over_agent = random_.chance(300), .after = reaction(), .keys = keys}); }

void Caller::cough() {
    const bool word = random_.chance(400);
    Move move{.over_agent = true, .after = static_cast<unsigned>(random_.between(15, 100))};
    move.sounds = word ? sim::speak("mhm") : std::vector<sim::Sound>(random_.between(3, 18), sim::noise);
    moves_.push_back(std::move(move));
}

void Caller::plan() {
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
            stays_ = 60 * per_second;
            moves_.push_back({.after = stays_});
            return;
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
    if (random_.chance(60)) impatience_ = static_cast<unsigned>(random_.between(0, 80));
}

/// Cuts the plan at some point: hangs up there, or is gone without a word.
void Caller::end_early() {
    moves_.resize(random_.between(1, moves_.size()));
    Move& last = moves_.back();
    last.end = random_.chance(700) ? Step::End::hang_up : Step::End::vanish;
    if (random_.chance(500)) {
        last.over_agent = true;
        last.after = static_cast<unsigned>(random_.between(5, 100));
        last.sounds.clear();
    } else if (!last.sounds.empty()) {
        last.sounds.resize(random_.between(1, last.sounds.size()));
    }
}

bool Caller::is_time(const Move& move) const {
    if (move.over_agent && agent_talked_ >= move.after && agent_quiet_ == 0) return true;
    // Whoever meant to interrupt and found nobody talking speaks in turn like everyone else.
    const unsigned quiet = move.over_agent ? 2 * per_second : move.after;
    return agent_quiet_ >= std::max(quiet, heard_agent_ ? 0 : patience);
}

Step Caller::step(bool agent_audible) {
    ++ticks_;
    agent_quiet_ = agent_audible ? 0 : agent_quiet_ + 1;
    if (agent_audible) {
        ++agent_talked_;
        heard_agent_ = true;
    } else if (agent_quiet_ > word_gap) {
        agent_talked_ = 0;
    }
    Step out;
    if (ticks_ >= stays_ || (move_ == moves_.size() && agent_quiet_ > 8 * per_second)) {
        out.end = Step::End::hang_up;
        return out;
    }
    if (move_ == moves_.size()) return out;
    Move& move = moves_[move_];
    if (!busy_ && is_time(move)) {
        busy_ = true;
        heard_agent_ = false;
        sound_ = key_ = 0;
        key_wait_ = 0;
    }
    if (!busy_) return out;
    if (sound_ < move.sounds.size()) out.sound = move.sounds[sound_++];
    if (key_ < move.keys.size()) {
        if (key_wait_-- == 0) {
            out.key = move.keys[key_++];
            key_wait_ = key_gap;
        }
    }
    if (sound_ < move.sounds.size() || key_ < move.keys.size()) return out;
    busy_ = false;
    out.end = move.end;
    ++move_;
    return out;
}

}  // namespace jackfield::telephony_sim
