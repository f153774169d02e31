#include "integration/simulation/random_call.hpp"

namespace jackfield::simulation {
namespace {

using sim::Random;

constexpr const char* phrases[] = {"monday",
                                   "at nine please",
                                   "yes",
                                   "no",
                                   "help",
                                   "what are your opening hours",
                                   "i need an appointment",
                                   "can i speak to a person",
                                   "banana bicycle",
                                   "is that all",
                                   "one two three",
                                   "repeat that please",
                                   "goodbye"};
constexpr const char* interruptions[] = {"stop", "wait please", "no that is not correct", "i need help please", "never mind"};

class Drawer {
  public:
    explicit Drawer(Random& random) : random_(random) {}

    std::vector<std::string> draw() {
        const std::uint64_t things = random_.chance(600) ? 1 : random_.between(2, 3);
        for (std::uint64_t i = 0; i < things; ++i) draw_thing();
        if (random_.chance(120)) add("vanish");
        else if (random_.chance(250)) leave();
        draw_network();
        if (random_.chance(50)) add("impatient", random_.between(0, 600));
        // Whoever is cut off at any moment shows most.
        if (random_.chance(250)) add("stays", random_.between(20, 6000));
        else add("stays", 9000);
        add("linger", random_.between(200, 800));
        return std::move(steps_);
    }

  private:
    void add(std::string step) { steps_.push_back(std::move(step)); }
    void add(const char* verb, std::uint64_t n) { add(std::string(verb) + ' ' + std::to_string(n)); }
    void add_text(const char* verb, const std::string& text) { add(std::string(verb) + ' ' + text); }

    void in_turn() { add("wait", random_.between(100, 700)); }
    void over_agent() { add("over", random_.between(20, 1200)); }

    void draw_thing() {
        switch (random_.between(0, 11)) {
            case 0: case 1: case 2: case 3:
                in_turn();
                add_text("say", random_.one_of(phrases));
                break;
            case 4: // thinks in mid-sentence, sometimes so long that it sounds like the end
                in_turn();
                add_text("say", random_.one_of(phrases));
                add("pause", random_.between(100, 1200));
                add_text("say", random_.one_of(phrases));
                break;
            case 5:
                over_agent();
                add_text("say", random_.one_of(interruptions));
                break;
            case 6:
                over_agent();
                if (random_.chance(500)) add("cough", random_.between(100, 180));
                else add("say mhm");
                break;
            case 7:
                if (random_.chance(500)) over_agent();
                else in_turn();
                press();
                break;
            case 8: // keys while they speak
                in_turn();
                add_text("say", random_.one_of(phrases));
                press();
                break;
            case 9:
                if (random_.chance(500)) over_agent();
                else in_turn();
                add("hold", random_.between(200, 1500));
                break;
            case 10: // says nothing for a while
                add("pause", random_.between(500, 3000));
                break;
            default: // noise in the room
                in_turn();
                add("cough", random_.between(60, 1500));
                break;
        }
    }

    void press() {
        std::string keys;
        for (std::uint64_t n = random_.between(1, 6); n > 0; --n) keys += static_cast<char>('0' + random_.between(0, 9));
        if (random_.chance(400)) keys += random_.chance(800) ? '#' : '*';
        add_text("press", keys);
    }

    void leave() {
        if (random_.chance(500)) over_agent();
        else add("pause", random_.between(20, 1500));
        add("hang_up");
    }

    void draw_network() {
        if (random_.chance(650)) return;
        struct Range {
            const char* kind;
            std::uint64_t from, to;
            std::uint64_t much_from = 0, much_to = 0;
        };
        constexpr Range ranges[] = {{"lose", 1, 25}, {"delay", 1, 20, 1, 12}, {"swap", 1, 4},      {"twice", 1, 10},
                                    {"stall", 2, 40}, {"jump", 1, 40'000},    {"back", 1, 20'000}, {"restart", 0, 4'000'000'000}};
        for (std::uint64_t n = random_.between(1, 4); n > 0; --n) {
            const Range& range = random_.one_of(ranges);
            std::string fault = std::string("net ") + range.kind;
            fault += ' ' + std::to_string(random_.between(0, 250));
            fault += ' ' + std::to_string(random_.between(range.from, range.to));
            if (range.much_to > 0) fault += ' ' + std::to_string(random_.between(range.much_from, range.much_to));
            add(std::move(fault));
        }
    }

    Random& random_;
    std::vector<std::string> steps_;
};

}  // namespace

std::vector<std::string> draw_call_steps(Random& random) { return Drawer(random).draw(); }

}  // namespace jackfield::simulation
