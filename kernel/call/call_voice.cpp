// What the agent says: the voices that speak a reply, one after the other or side by side, and the audio that they give.

#include <algorithm>

#include "call/call.hpp"
#include "call/line_format.hpp"
#include "call/words.hpp"

namespace jackfield::call {
namespace {

/// Synthesised ahead of the ear at most: enough for a slow voice, little enough to throw away.
constexpr std::uint64_t voice_credit = 5 * media::narrowband_hz;
/// What a voice may give beyond that: more is no speech, but a voice that went mad.
constexpr std::size_t most_overflow = 4 * voice_credit;

base::Milliseconds duration_of(std::size_t samples) {
    return base::Milliseconds(static_cast<std::int64_t>(samples) * 1000 / media::narrowband_hz);
}

}  // namespace

/// Everything that belongs to the reply before this one is over for the voices.
void Call::begin_speech(std::uint64_t reply) {
    if (speech_.reply == reply) return;
    drop_voices();
    cached_.reset();
    speech_ = Speech{};
    speech_.reply = playing_reply_ = reply;
    first_sent_reported_ = false;
    playout_->start_turn(reply);
}

void Call::drop_voices() {
    drop_stream(tts_);
    drop_stream(tts_standby_);
    voice_deadline_.reset();
    voice_hedge_at_.reset();
    capture_.reset();
    credit_owed_ = 0;
}

/// A voice of the chain for the reply in hand, its text from this byte on.
Call::Stream* Call::add_voice(std::size_t index, std::uint64_t from) {
    const auto& instance = setup_.tts[index];
    plugin_host::TtsPort port(*instance);
    Stream* stream = port ? open_stream(StreamKind::tts, instance, speech_.reply) : nullptr;
    if (!stream) {
        log_.error("tts.unusable", {{"provider", instance->name()}});
        return nullptr;
    }
    stream->chain_index = index;
    stream->text_from = stream->text_sent = from;
    jf_tts_open options{};
    options.struct_size = sizeof options;
    options.format.struct_size = sizeof options.format;
    options.format.codec = codec_for(*instance, "tts", law_);
    options.format.channels = 1;
    options.format.rate_hz = media::narrowband_hz;
    options.language = sdk::str(setup_.agent.language);
    options.credit = voice_credit;
    jf_error error{};
    error.struct_size = sizeof error;
    const jf_status status = port.open(stream->op, options, &error);
    if (status != JF_OK) env_.plugins.ops().complete(*instance, stream->op, status, nullptr, &error);
    return stream;
}

bool Call::open_voice(std::uint64_t from) {
    drop_voices();
    if (setup_.tts.empty()) return false;
    choose(setup_.tts, tts_index_);
    tts_ = add_voice(tts_index_ % setup_.tts.size(), from);
    return tts_ != nullptr;
}

void Call::speak(const act::Speak& action) {
    begin_speech(action.reply);
    const std::uint64_t from = speech_.text.size();
    speech_.text += action.text;
    speech_.parts.push_back(speech_.text.size());
    speech_.ended = false;
    if (from == 0 && play_cached()) return;
    capture_ = from == 0 ? std::move(capture_) : std::nullopt; // more than the fixed text
    if (!tts_ && !open_voice(from)) return run(machine_.on_voice_failed(now(), action.reply, speech_.spoken));
    if (from == 0 && is_fixed(speech_.text)) capture_.emplace();
    send_text(*tts_);
    if (tts_standby_) send_text(*tts_standby_);
    update_timer();
}

/// The voice broke in mid-sentence: what it gave is played, and the next one takes over behind it.
void Call::speak_on(std::uint64_t reply, std::uint64_t from) {
    if (speech_.reply != reply) return;
    drop_voices();
    speech_.spoken = from = std::min<std::uint64_t>(from, speech_.text.size());
    if (!would_be_heard(std::string_view(speech_.text).substr(from))) {
        if (speech_.complete) end_of_audio();
        return;
    }
    env_.metrics.chains.resumed.add();
    log_.warn("tts.resumed", {{"heard_bytes", from}, {"of", speech_.text.size()}});
    if (!open_voice(from)) return run(machine_.on_voice_failed(now(), reply, from));
    send_text(*tts_);
}

void Call::end_speech(std::uint64_t reply) {
    if (speech_.reply != reply) return;
    speech_.complete = true;
    if (cached_) return;
    if (!tts_) {
        // Its voice ended before it was told to, with nothing left to say.
        if (!speech_.ended) end_of_audio();
        return;
    }
    send_text(*tts_);
    if (tts_ && tts_standby_) send_text(*tts_standby_);
    arm_voice_deadline();
}

/// Piece by piece, as far as the voice takes them; tried again with its next audio or when it says that there is room.
void Call::send_text(Stream& voice) {
    const plugin_host::TtsPort port(*voice.instance);
    while (!voice.has_all_text) {
        const auto part = std::upper_bound(speech_.parts.begin(), speech_.parts.end(), voice.text_sent);
        const bool last = part == speech_.parts.end();
        if (last && !speech_.complete) break;
        const std::uint64_t end = last ? voice.text_sent : *part;
        jf_tts_text text{};
        text.struct_size = sizeof text;
        text.flush = last ? JF_TTS_END : JF_TTS_FLUSH;
        text.text = sdk::str(std::string_view(speech_.text).substr(voice.text_sent, end - voice.text_sent));
        // Its time runs from the first attempt: one that never has room for text is silent, too.
        if (voice.asked == base::MonoTime{}) {
            voice.asked = now();
            if (&voice == tts_) arm_voice_hedge();
        }
        const jf_status status = port.text(voice.op, text);
        if (status == JF_E_AGAIN) break;
        if (status != JF_OK && status != JF_E_INVALID) {
            env_.plugins.ops().cancel(voice.op);
            return;
        }
        if (!owes_words(voice)) voice.owes_since = now(); // until now it had nothing to say
        voice.text_sent = end;
        voice.has_all_text = last;
    }
    if (&voice == tts_) arm_voice_deadline();
}

/// It was given words that there is no audio of.
bool Call::owes_words(const Stream& voice) const {
    const std::uint64_t from = std::max(voice.text_from, std::min(speech_.spoken, voice.text_sent));
    return would_be_heard(std::string_view(speech_.text).substr(from, voice.text_sent - from));
}

/// How long the voice may stay silent: before its first audio, and when what it gave has been played and words are missing.
void Call::arm_voice_deadline() {
    voice_deadline_.reset();
    if (!tts_ || tts_->asked == base::MonoTime{}) return;
    const config::TurnOptions& turn = setup_.agent.turn;
    if (!tts_->served) {
        voice_deadline_ = tts_->asked + turn.tts_timeout;
        return;
    }
    if (!tts_->has_all_text && !owes_words(*tts_)) return;
    // In mid-sentence the caller waits for the next word: a standby is not kept waiting for as long as at the beginning.
    base::Milliseconds patience = turn.tts_timeout;
    if (setup_.tts.size() > 1 && turn.hedge_floor.count() > 0) patience = std::min(patience, turn.hedge_floor);
    voice_deadline_ = std::max(dry_at_, tts_->owes_since) + patience;
}

void Call::on_voice_deadline() {
    voice_deadline_.reset();
    if (!tts_) return;
    if (playout_->queued() + overflow_.size() > 0 && tts_->served) {
        // Playing was paused meanwhile: there still is something to hear.
        dry_at_ = now() + duration_of(playout_->queued() + overflow_.size());
        arm_voice_deadline();
        return;
    }
    log_.warn("tts.timeout", {{"provider", tts_->instance->name()}});
    machine_.decisions().note(now(), Decision::timer, setup_.agent.turn.tts_timeout.count(), 0, "tts_timeout");
    drop_stream(tts_);
    voice_is_gone(false);
}

/// The voice in hand ended or was given up. `well`: by its own account it is done.
void Call::voice_is_gone(bool well) {
    voice_deadline_.reset();
    voice_hedge_at_.reset();
    if (tts_standby_) {
        // A race that it cannot win any more.
        setup_.tts[tts_index_ % setup_.tts.size()]->breaker().failed(now());
        ChainMetrics::of(env_.metrics.chains.failovers, ChainKind::tts).add();
        tts_ = std::exchange(tts_standby_, nullptr);
        tts_index_ = tts_->chain_index;
        arm_voice_deadline();
        return update_timer();
    }
    // One that broke has not finished the word that it was at; one that says it is done is believed as to its last letters.
    const std::size_t done = well ? speech_.spoken : cut_at_word(speech_.text, speech_.spoken);
    if (would_be_heard(std::string_view(speech_.text).substr(done))) {
        if (well) {
            env_.metrics.chains.cut_short.add();
            log_.warn("tts.cut_short", {{"spoken_bytes", speech_.spoken}, {"of", speech_.text.size()}});
        }
        capture_.reset();
        note_heard();
        return run(machine_.on_voice_failed(now(), speech_.reply, speech_.spoken));
    }
    if (well && speech_.complete) keep_captured();
    capture_.reset();
    if (!well) next_provider(act::NextProvider::tts); // whatever comes next, another one speaks it
    if (speech_.complete) end_of_audio();
    update_timer();
}

void Call::on_voice_audio(Stream& voice, const jf_event& event, const jf_frame& frame) {
    if (voice.reply != playing_reply_) return;
    std::vector<std::uint8_t> encoded;
    std::span<const std::uint8_t> codes(static_cast<const std::uint8_t*>(frame.data.ptr), frame.data.len);
    if (frame.codec == JF_CODEC_L16) {
        encoded.resize(frame.data.len / sizeof(std::int16_t));
        media::encode(law_, std::span(static_cast<const std::int16_t*>(frame.data.ptr), encoded.size()), encoded);
        codes = encoded;
    } else if (frame.codec != (law_ == media::G711Law::mu ? JF_CODEC_PCMU : JF_CODEC_PCMA)) {
        // Played as the line's coding it would be noise in the caller's ear.
        log_.warn("tts.wrong_format", {{"provider", voice.instance->name()}, {"codec", frame.codec}});
        return env_.plugins.ops().cancel(voice.op);
    }
    if (tts_standby_) {
        const bool won = &voice == tts_standby_;
        ChainMetrics::of(won ? env_.metrics.chains.hedges_won : env_.metrics.chains.hedges_lost, ChainKind::tts).add();
        if (won) std::swap(tts_, tts_standby_);
        tts_index_ = tts_->chain_index;
        lose_race(tts_standby_);
        if (won) capture_.reset(); // kept under another voice's name it would be wrong
    }
    voice_hedge_at_.reset();
    if (!std::exchange(voice.served, true)) voice.instance->health().answered(now(), now() - voice.asked);
    machine_.on_first_speech(now(), voice.reply);
    // It cannot have spoken what it was not given.
    const std::uint64_t text_end = std::min(voice.text_from + event.pos, voice.text_sent);
    speech_.spoken = std::max(speech_.spoken, text_end);
    if (overflow_.size() + codes.size() > most_overflow) {
        log_.warn("tts.flood", {{"provider", voice.instance->name()}});
        drop_stream(tts_);
        return voice_is_gone(false);
    }
    queue_speech(codes, text_end);
    if (capture_) {
        capture_->codes.insert(capture_->codes.end(), codes.begin(), codes.end());
        capture_->tags.emplace_back(capture_->codes.size(), text_end);
    }
    voice.owes_since = now();
    dry_at_ = now() + duration_of(playout_->queued() + overflow_.size());
    send_text(voice);
    update_timer();
}

void Call::queue_speech(std::span<const std::uint8_t> codes, std::uint64_t text_end) {
    const std::size_t taken = overflow_.empty() ? playout_->push(codes) : 0;
    if (taken == codes.size()) {
        playout_->tag_text(text_end);
        return;
    }
    overflow_.insert(overflow_.end(), codes.begin() + static_cast<std::ptrdiff_t>(taken), codes.end());
    overflow_tags_.emplace_back(overflow_.size(), text_end);
}

/// What had no room goes to the queue as it is played, each stretch with its place in the text.
void Call::refill_playout() {
    if (cached_) return feed_cached();
    std::size_t moved = 0;
    while (!overflow_tags_.empty()) {
        auto& [end, text_end] = overflow_tags_.front();
        const auto stretch = std::span(overflow_).subspan(moved, end - moved);
        const std::size_t taken = playout_->push(stretch);
        moved += taken;
        if (taken < stretch.size()) break;
        playout_->tag_text(text_end);
        overflow_tags_.pop_front();
    }
    if (moved == 0) return;
    overflow_.erase(overflow_.begin(), overflow_.begin() + static_cast<std::ptrdiff_t>(moved));
    for (auto& [end, text_end] : overflow_tags_) end -= moved;
    if (overflow_.empty() && speech_.ended) playout_->flush();
}

/// No audio of this reply comes any more: what is queued is played to its end, then the reply is over.
void Call::end_of_audio() {
    speech_.ended = true;
    if (!overflow_.empty()) return; // refill_playout() does it
    playout_->flush();
    // Nothing was spoken at all: the clock would never see its end.
    if (playout_->queued() == 0 && !playout_->playing() && playing_reply_ == speech_.reply && playing_reply_ != 0) finish_speaking();
}

/// The last of the reply has been played.
void Call::finish_speaking() {
    note_heard();
    const std::uint64_t reply = std::exchange(playing_reply_, 0);
    drop_voices();
    speech_ = Speech{};
    machine_.set_heard({0, true});
    run(machine_.on_spoken(now(), reply));
}

void Call::stop_speech() {
    drop_voices();
    speech_ = Speech{};
    cached_.reset();
    overflow_.clear();
    overflow_tags_.clear();
    if (playout_) playout_->clear();
    playing_reply_ = 0;
}

// ---- a standby beside a voice that gives nothing

void Call::arm_voice_hedge() {
    voice_hedge_at_.reset();
    const base::Milliseconds floor = setup_.agent.turn.hedge_floor;
    if (floor.count() == 0 || setup_.tts.size() < 2) return;
    voice_hedge_at_ = tts_->asked + tts_->instance->health().hedge_after(now(), floor);
}

void Call::hedge_voice() {
    voice_hedge_at_.reset();
    if (!tts_ || tts_->served || tts_standby_) return;
    const auto index = standby_of(setup_.tts, tts_index_);
    if (!index) return;
    tts_standby_ = add_voice(*index, tts_->text_from);
    if (!tts_standby_) return;
    ChainMetrics::of(env_.metrics.chains.hedges_started, ChainKind::tts).add();
    log_.info("tts.hedged", {{"provider", tts_->instance->name()}, {"standby", tts_standby_->instance->name()}});
    send_text(*tts_standby_);
}

// ---- what is the same for every caller

bool Call::is_fixed(std::string_view text) const { return !text.empty() && (text == setup_.agent.greeting || text == setup_.agent.consent.text); }

SpeechCache::Key Call::cache_key() const { return {speech_.text, setup_.agent.language, law_}; }

/// From the cache when this agent's first voice has spoken it before: without its latency, and also when it is sick.
bool Call::play_cached() {
    if (!env_.speech_cache || !is_fixed(speech_.text) || setup_.tts.empty()) return false;
    cached_ = env_.speech_cache->find(setup_.tts.front(), cache_key());
    if (!cached_) {
        env_.metrics.chains.greeting_misses.add();
        return false;
    }
    env_.metrics.chains.greeting_hits.add();
    cached_at_ = cached_tag_ = 0;
    speech_.spoken = speech_.text.size();
    machine_.on_first_speech(now(), speech_.reply);
    feed_cached();
    return true;
}

void Call::feed_cached() {
    while (cached_tag_ < cached_->tags.size()) {
        const auto& [end, text_end] = cached_->tags[cached_tag_];
        const auto stretch = std::span(cached_->codes).subspan(cached_at_, end - cached_at_);
        const std::size_t taken = playout_->push(stretch);
        cached_at_ += taken;
        if (taken < stretch.size()) return; // goes on as it is played
        playout_->tag_text(text_end);
        ++cached_tag_;
    }
    cached_.reset();
    speech_.ended = true;
    playout_->flush();
}

void Call::keep_captured() {
    if (!capture_ || !env_.speech_cache || tts_index_ % setup_.tts.size() != 0) return;
    env_.speech_cache->keep(setup_.tts.front(), cache_key(), std::move(*capture_));
}

}  // namespace jackfield::call
