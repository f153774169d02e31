#include "dialogue.hpp"

#include "replay.hpp"

namespace jackfield::scripted {

Turn next_turn(const Script& script, const Conversation& conversation) { return Replay(script, conversation).run(); }

}  // namespace jackfield::scripted
