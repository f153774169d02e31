// What becomes of a reply when a model or a voice fails it.

#include "call/machine.hpp"

#include <jackfield/llm.h>
#include <jackfield/telephony.h>

#include <algorithm>
#include <utility>

#include "call/words.hpp"

namespace jackfield::call {
namespace {

using base::MonoTime;

constexpr int most_llm_failures = 3;
constexpr std::uint32_t most_voice_failures = 2; // in one reply

}  // namespace

/// A model that has neither a word nor a tool for what the caller said has failed like one that broke. Keys may be the first of several, and
/// whether to nudge is the model's to say: there nothing is an answer, too.
bool Machine::lacks_words() const {
    if (reply_->spoken_text || pending_tools_ || end_ || tools_.made_in(reply_->id)) return false;
    if (messages_.empty() || messages_.back().role != Role::user) return false;
    return !(messages_.back().flags & (JF_MESSAGE_SILENCE | JF_MESSAGE_DTMF));
}

void Machine::on_no_words(MonoTime now, Actions& out) {
    decisions_.note(now, Decision::note, static_cast<std::int64_t>(reply_->empty_answers), 0, "the model has nothing to say");
    const std::size_t tries = std::clamp<std::size_t>(agent_.llm.size(), 2, most_llm_failures);
    if (++reply_->empty_answers < tries) return ask_next_model(now, out);
    // Not one of them has an answer. The caller may put it differently, once; after that it isn't for them to help.
    if (++turns_without_words_ > 1) return give_up(now, "llm_failed", out);
    reply_->generating = false;
    reply_->text_complete = true;
    speak_chunks({agent_.not_understood}, out);
    out.push_back(act::EndSpeech{reply_->id});
}

void Machine::ask_next_model(MonoTime now, Actions& out) {
    reply_->generating = true;
    reply_->began = now;
    act::Generate ask{reply_->id};
    if (reply_->spoken_text) ask.said = reply_->text;
    out.push_back(act::NextProvider{act::NextProvider::llm});
    out.push_back(std::move(ask));
}

/// The model broke behind words that the voice has already. They stay. When they are not whole, another model goes on behind them; whole they
/// are with the end of a sentence, and nothing begun behind it.
void Machine::on_broken_off(MonoTime now, Actions& out) {
    const std::vector<std::string> rest = chunker_.flush();
    const bool begun = std::any_of(rest.begin(), rest.end(), [](const std::string& chunk) { return would_be_heard(chunk); });
    const bool whole = ends_sentence(reply_->text);
    reply_->more_due = reply_->more_due || begun || !whole;
    if (reply_->more_due && !end_ && ++llm_failures_ < most_llm_failures) {
        decisions_.note(now, Decision::note, static_cast<std::int64_t>(reply_->text.size()), 0, "another model goes on behind what was said");
        return ask_next_model(now, out);
    }
    if (!whole && !end_) return give_up(now, "llm_failed", out);
    if (end_) speak_chunks(rest, out);
    reply_->generating = false;
    reply_->text_complete = true;
    out.push_back(act::EndSpeech{reply_->id});
}

Actions Machine::on_generation_failed(MonoTime now, std::uint64_t reply) {
    Actions out;
    if (is_draft(reply)) {
        // The answer proper is asked for when the turn is over, and its failures count then.
        draft_.reset();
        return out;
    }
    if (!reply_ || reply_->id != reply || over_) return out;
    if (tools_.made_in(reply)) {
        // It broke behind a call that is being carried out: asked anew from there, it need not be made again.
        speak_chunks(chunker_.flush(), out);
        reply_->generating = false;
        out.push_back(act::NextProvider{act::NextProvider::llm});
        if (!tools_.waiting()) go_on_after_tools(now, out);
        return out;
    }
    if (reply_->spoken_text) {
        on_broken_off(now, out);
        return out;
    }
    if (++llm_failures_ >= most_llm_failures) {
        give_up(now, "llm_failed", out);
        return out;
    }
    chunker_.flush(); // what the failed one had begun to say
    ask_next_model(now, out);
    return out;
}

void Machine::on_standby(MonoTime now, std::uint64_t reply) {
    if (reply_ && reply_->id == reply && reply_->generating) reply_->began = now;
}

Actions Machine::on_voice_failed(MonoTime now, std::uint64_t reply, std::uint64_t spoken) {
    Actions out;
    if (!reply_ || reply_->id != reply || over_) return out;
    if (reply_->audible && ++reply_->voice_failures <= most_voice_failures) {
        // In mid-sentence: what there is of it is heard, and the next voice goes on behind the last whole word.
        out.push_back(act::NextProvider{act::NextProvider::tts});
        out.push_back(act::SpeakOn{reply, cut_at_word(reply_->text, std::max(spoken, heard_.bytes))});
        return out;
    }
    if (reply_->audible) {
        // Nobody speaks on: what was heard stands, and the next reply has another voice.
        const bool consent = std::exchange(reply_->consent, false);
        cut_reply(now, "voice_failed", out);
        quiet_since_ = now;
        out.push_back(act::NextProvider{act::NextProvider::tts});
        if (consent) {
            // Half of what the law wants said is none of it.
            ask_consent(now, out);
            return out;
        }
        if (end_) end_after_speech(out);
        return out;
    }
    if (++reply_->voice_failures > most_voice_failures) {
        hang_up(JF_CAUSE_FAILED, "tts_failed", out);
        return out;
    }
    out.push_back(act::NextProvider{act::NextProvider::tts});
    out.push_back(act::StopSpeech{});
    const std::string again = reply_->text;
    if (!again.empty()) out.push_back(act::Speak{reply_->id, again});
    if (reply_->text_complete) out.push_back(act::EndSpeech{reply_->id});
    return out;
}

void Machine::give_up(MonoTime now, const char* reason, Actions& out) {
    const auto person = agent_.transfer.find(agent_.on_failure);
    end_ = EndOfCall{true, person == agent_.transfer.end() ? std::string() : person->first, reason};
    if (apologised_ || !reply_) {
        if (std::exchange(reply_, std::nullopt)) out.push_back(act::StopSpeech{});
        end_after_speech(out);
        return;
    }
    apologised_ = true;
    // The apology has to be heard like any other answer, and if it isn't there is nothing left to try.
    dead_air_.owe(now);
    reply_->generating = false;
    reply_->text_complete = true;
    speak_chunks({agent_.apology}, out);
    out.push_back(act::EndSpeech{reply_->id});
}

}  // namespace jackfield::call
