// Answers that are begun before the caller's turn is over for sure.

#include "call/machine.hpp"

#include <jackfield/llm.h>

#include <iterator>

#include "call/machine_parts.hpp"
#include "call/words.hpp"

namespace jackfield::call {
namespace {

using base::MonoTime;

}  // namespace

/// The caller is quiet, though their turn may not be over: the model begins on the words that are known. Nothing of it is heard and no tool
/// is called before the turn is over with these very words.
void Machine::speculate(MonoTime now, Actions& out) {
    if (!agent_.turn.speculate || reply_ || end_ || !user_ || user_->speaking || noisy_ || !keypad_.empty() || agent_.llm.empty() || tools_.waiting()) return;
    if (slot_ == JF_SLOT_DIGITS || slot_ == JF_SLOT_EMAIL) return; // dictated in groups: what is there now is rarely all
    if (user_->last_voiced - user_->began > agent_.turn.speculate_within) return;
    std::string words = words_so_far();
    if (!user_->words || words.empty() || (draft_ && same_words(draft_->words, words)) || user_->drafts >= agent_.turn.speculate_tries) return;
    ++user_->drafts;
    drop_draft(now, "the words changed", out);
    draft_ = Draft{.reply = next_reply_++, .words = words, .began = now, .pieces = {}};
    decisions_.note(now, Decision::speculate, static_cast<std::int64_t>(draft_->reply), 0, shown(words));
    out.push_back(act::Generate{draft_->reply, std::move(words)});
}

void Machine::drop_draft(MonoTime now, const char* why, Actions& out) {
    if (!draft_) return;
    decisions_.note(now, Decision::speculation_dropped, static_cast<std::int64_t>(draft_->reply), 0, why);
    draft_.reset();
    out.push_back(act::CancelGeneration{});
}

/// The turn is over and the words are what the draft answers: it is the reply.
void Machine::adopt_draft(MonoTime now, Actions& out) {
    Draft draft = std::move(*draft_);
    draft_.reset();
    decisions_.note(now, Decision::speculation_kept, static_cast<std::int64_t>(draft.reply), ms_of(now - draft.began));
    out.push_back(act::Adopt{draft.reply});
    const auto take = [&](Actions more) { std::move(more.begin(), more.end(), std::back_inserter(out)); };
    for (const Draft::Piece& piece : draft.pieces) {
        if (piece.tool) take(on_tool_call(now, draft.reply, piece.tool->tool_call_id, piece.tool->tool_name, piece.tool->tool_arguments));
        else take(on_token(now, draft.reply, piece.text));
    }
    if (draft.complete) take(on_generated(now, draft.reply));
}

}  // namespace jackfield::call
