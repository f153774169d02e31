// Nobody is left in silence: fillers, the waiting tone, and an end to what helps nobody.

#include "call/machine.hpp"

#include <iterator>

#include "call/machine_parts.hpp"

namespace jackfield::call {
namespace {

using base::MonoTime;

}  // namespace

/// Said while the answer takes long. It is part of the reply, so that the transcript holds it like any other word that was heard.
void Machine::say_filler(MonoTime now, Actions& out) {
    const std::string progress = tools_.take_progress();
    const std::string& text = progress.empty() ? fillers_[static_cast<std::size_t>(dead_air_.fillers()) % fillers_.size()] : progress;
    decisions_.note(now, Decision::dead_air, dead_air_.fillers() + 1, ms_of(now - dead_air_.since()), text);
    dead_air_.said_filler();
    const bool spoken = reply_->spoken_text;
    speak_chunks({text}, out);
    reply_->spoken_text = spoken;
}

void Machine::serve_dead_air(MonoTime now, Actions& out) {
    const auto take = [&](Actions more) { std::move(more.begin(), more.end(), std::back_inserter(out)); };
    if (const auto due = tool_filler_at(); due && now >= *due) say_filler(now, out);
    // A tool has a deadline of its own, and the caller has been told: nothing is given up on until then.
    const bool on_tool = reply_ && tools_.waiting() && !reply_->generating;
    const bool can_fill = reply_ && (reply_->generating || on_tool) && !end_ && agent_.turn.fillers_most > 0;
    while (const auto step = dead_air_.due(now, can_fill)) {
        if (on_tool && (*step == DeadAir::Step::no_words || *step == DeadAir::Step::hopeless)) continue;
        const std::int64_t silence = ms_of(now - dead_air_.since());
        switch (*step) {
            case DeadAir::Step::filler:
                if (dead_air_.fillers() < agent_.turn.fillers_most) {
                    say_filler(now, out);
                    break;
                }
                if (on_tool) break;
                decisions_.note(now, Decision::dead_air, 0, silence, "no filler is left");
                out.push_back(act::CancelGeneration{});
                return give_up(now, "dead_air", out);
            case DeadAir::Step::tone:
                if (!agent_.turn.waiting_tone) break;
                decisions_.note(now, Decision::dead_air, 0, silence, "waiting tone");
                tone_ = true;
                out.push_back(act::WaitingTone{true});
                break;
            case DeadAir::Step::no_words:
                decisions_.note(now, Decision::dead_air, 0, silence, "no words: given up on");
                if (!reply_) {
                    if (user_ && user_->ticket) abandon_stt(now, out);
                } else if (!reply_->text.empty() && (!reply_->generating || !reply_->audible)) {
                    take(on_voice_failed(now, reply_->id));
                } else if (reply_->generating) {
                    out.push_back(act::CancelGeneration{});
                    take(on_generation_failed(now, reply_->id));
                }
                return;
            case DeadAir::Step::hopeless:
                decisions_.note(now, Decision::dead_air, 0, silence, "hopeless");
                if (reply_ && reply_->generating) out.push_back(act::CancelGeneration{});
                return give_up(now, "dead_air", out);
        }
    }
}

}  // namespace jackfield::call
