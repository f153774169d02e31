#include "call/call.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "call/causes.hpp"
#include "call/ended_event.hpp"
#include "call/stages.hpp"

namespace jackfield::call {
namespace {

std::int64_t ms_between(base::MonoTime from, base::MonoTime to) {
    if (from == base::MonoTime{} || to == base::MonoTime{}) return -1;
    return std::chrono::duration_cast<base::Milliseconds>(to - from).count();
}

}  // namespace

/// From the end of speech to the final text at the latest, when the recogniser never answers.
base::Milliseconds Call::final_wait_of(const CallSetup& setup) {
    std::int64_t p99_ms = 0;
    if (!setup.stt.empty()) {
        if (const auto caps = base::JsonDocument::parse(setup.stt.front()->plugin().file.descriptor.capabilities))
            p99_ms = caps->root()["stt"]["final_p99_ms"].integer_or(0);
    }
    return std::max(base::Milliseconds(p99_ms), setup.agent.turn.stt_timeout);
}

Call::Call(CallEnvironment& environment, runtime::Shard& shard, CallSetup setup, std::function<void(Call&)> on_gone)
    : env_(environment),
      shard_(shard),
      on_gone_(std::move(on_gone)),
      row_(setup.row),
      setup_(std::move(setup)),
      log_(env_.log.with({{"tenant", row_.tenant}, {"call_id", row_.id}})),
      telephony_(*setup_.telephony),
      machine_(setup_.agent, final_wait_of(setup_)),
      tool_runner_(env_.plugins, env_.store.tool_calls(), shard_, log_, env_.metrics.tools, tool_context()) {
    env_.metrics.active.add(1);
    env_.metrics.started.add();
    offer_tools();
}

Call::~Call() { env_.metrics.active.add(-1); }

base::UtcTime Call::utc_now() const { return env_.plugins.runtime().clock().utc_now(); }

void Call::publish(const char* name, const std::function<void(base::JsonWriter&)>& more) {
    if (!env_.publish) return;
    base::JsonWriter json;
    json.begin_object();
    json.member("event", name)
        .member("call", row_.id)
        .member("tenant", row_.tenant)
        .member("agent", setup_.agent.name)
        .member("direction", row_.direction)
        .member("from", row_.from)
        .member("to", row_.to)
        .member("at_us", utc_now().us);
    if (more) more(json);
    json.end_object();
    env_.publish({name, row_.tenant, row_.id, json.take()});
}

void Call::accept(jf_op leg, std::string leg_state) {
    leg_ = leg;
    row_.leg_state = std::move(leg_state);
    row_.started = utc_now();
    trace_.begin(now(), row_.started);
    begin_telemetry();
    trace_leg(TraceEntry::Kind::op_opened);
    row_.state = "open";
    env_.plugins.ops().set_sink(leg, this);
    env_.plugins.ops().set_owner(leg, plugin_host::OpOwner::of(row_.tenant, row_.id));
    log_.info("call.incoming", {{"agent", row_.agent}, {"provider", row_.provider}});
    jf_telephony_control ring{};
    ring.struct_size = sizeof ring;
    ring.verb = JF_TEL_RING;
    telephony_.control(leg_, ring);
    ++pending_writes_;
    // The leg is on record before it is answered, so that a restart can hang up what a crash left behind.
    env_.store.insert(shard_, row_, [this](base::Result<> stored) {
        --pending_writes_;
        // Also of a call that is over by now: its end is told as well.
        if (stored) publish("call.started");
        if (leg_gone_) return finish_when_quiet();
        if (!stored) {
            log_.error("call.not_stored", {{"error", stored.error().text()}});
            end_reason_ = "not_stored";
            hang_up(JF_CAUSE_UNAVAILABLE, "not_stored");
            return;
        }
        if (setup_.agent.turn.answer_after.count() == 0) return answer();
        ring_timer_ = shard_.start_timer(now() + setup_.agent.turn.answer_after, [this] {
            ring_timer_ = 0;
            if (!leg_gone_ && !ending_) answer();
        });
    });
}

void Call::place(std::string to, std::string from, base::Milliseconds ring_timeout) {
    row_.started = utc_now();
    trace_.begin(now(), row_.started);
    begin_telemetry();
    row_.state = "open";
    ++pending_writes_;
    env_.store.insert(shard_, row_, [this, to = std::move(to), from = std::move(from), ring_timeout](base::Result<> stored) {
        --pending_writes_;
        if (!stored) {
            log_.error("call.not_stored", {{"error", stored.error().text()}});
            end_reason_ = "not_stored";
            leg_gone_ = closed_ = true;
            return finish_when_quiet();
        }
        publish("call.started");
        if (ending_) {
            // Hung up before there was a leg: nothing is dialled any more.
            leg_gone_ = true;
            row_.cause = "cancelled";
            row_.ended_by = "host";
            row_.reason = end_reason_;
            return finish_when_quiet();
        }
        leg_ = env_.plugins.ops().open(shard_, this, setup_.telephony.get());
        env_.plugins.ops().set_owner(leg_, plugin_host::OpOwner::of(row_.tenant, row_.id));
        trace_leg(TraceEntry::Kind::op_opened);
        jf_dial dial{};
        dial.struct_size = sizeof dial;
        dial.ring_timeout_ms = static_cast<std::uint32_t>(ring_timeout.count());
        dial.to = sdk::str(to);
        dial.from = sdk::str(from);
        dial.idempotency_key = sdk::str(row_.id);
        jf_answer media{};
        media.struct_size = sizeof media;
        media.no_media_timeout_ms = static_cast<std::uint32_t>(setup_.agent.turn.no_media_timeout.count());
        media.media_timeout_ms = static_cast<std::uint32_t>(setup_.agent.turn.media_timeout.count());
        jf_error error{};
        error.struct_size = sizeof error;
        const jf_status status = telephony_.dial(leg_, dial, media, &error);
        if (status != JF_OK) env_.plugins.ops().complete(*setup_.telephony, leg_, status, nullptr, &error);
    });
}

void Call::answer() {
    jf_answer options{};
    options.struct_size = sizeof options;
    options.no_media_timeout_ms = static_cast<std::uint32_t>(setup_.agent.turn.no_media_timeout.count());
    options.media_timeout_ms = static_cast<std::uint32_t>(setup_.agent.turn.media_timeout.count());
    const jf_status status = telephony_.answer(leg_, options);
    if (status != JF_OK && status != JF_E_INVALID) {
        log_.warn("call.answer_failed", {{"status", status}});
        hang_up(JF_CAUSE_CARRIER_ERROR, "answer_failed");
    }
}

void Call::hang_up(std::uint32_t cause, std::string reason) {
    if (ending_ || leg_gone_) return;
    ending_ = true;
    if (end_reason_.empty()) end_reason_ = std::move(reason);
    machine_.decisions().note(now(), Decision::hang_up, cause, 0, end_reason_);
    if (leg_ == JF_NO_OP) return;
    telephony_.hangup(leg_, cause);
    await_end();
}

/// A carrier's plugin that never completes the leg must not keep the call, its record and its tenant's line for ever.
void Call::await_end() {
    end_timer_ = shard_.start_timer(now() + longest_hang_up, [this] {
        end_timer_ = 0;
        log_.error("call.hang_up_ignored", {{"provider", row_.provider}});
        env_.plugins.ops().cancel(leg_);
    });
}

void Call::on_event(jf_op, const jf_event& event) {
    switch (event.type) {
        case JF_EV_MEDIA:
            if (const auto* frame = sdk::data_of<jf_frame>(event)) on_caller_frame(*frame);
            return;
        case JF_EV_ANSWERED:
            if (const auto* format = sdk::data_of<jf_format>(event)) {
                key_events_ = (event.flags & JF_ANSWERED_NO_KEY_EVENTS) == 0;
                choose_key_sources();
                on_answered(*format);
            }
            return;
        case JF_EV_MACHINE:
            if (event.flags == JF_MACHINE_HUMAN || event.flags == JF_MACHINE_MACHINE)
                run(machine_.on_carrier_detection(now(), event.flags == JF_MACHINE_HUMAN ? AnsweredBy::human : AnsweredBy::machine));
            else if (event.flags == JF_MACHINE_BEEP) run(machine_.on_beep(now()));
            return;
        case JF_EV_FORMAT:
            // Both laws are 8 kHz: what is queued is recoded on its way out; the recording keeps its own.
            if (const auto* format = sdk::data_of<jf_format>(event); format && playout_) {
                if (format->codec == JF_CODEC_PCMU || format->codec == JF_CODEC_PCMA)
                    wire_law_ = format->codec == JF_CODEC_PCMU ? media::G711Law::mu : media::G711Law::a;
                log_.info("call.format", {{"codec", static_cast<std::uint32_t>(format->codec)}});
            }
            return;
        case JF_EV_DTMF:
            if (const auto* dtmf = sdk::data_of<jf_dtmf>(event); dtmf && is_key(dtmf->digit)) {
                trace_event("dtmf"); // which key may be part of a card's number
                on_key(static_cast<char>(dtmf->digit), false);
            }
            return;
        case JF_EV_LEG_STATE:
            if (const auto* state = sdk::data_of<jf_bytes>(event)) {
                row_.leg_state = sdk::view(*state);
                ++pending_writes_;
                env_.store.set_leg_state(shard_, row_, [this](base::Result<>) {
                    --pending_writes_;
                    finish_when_quiet();
                });
            }
            return;
        case JF_EV_SIGNALLING:
            if (const auto* message = sdk::data_of<jf_signalling>(event)) trace_message(*message);
            return;
        case JF_EV_QUALITY:
            if (const auto* quality = sdk::data_of<jf_quality>(event)) quality_ = *quality;
            return;
        case JF_EV_RINGING: return trace_event("ringing", event.flags);
        case JF_EV_HOLD:
            machine_.decisions().note(now(), Decision::hold, event.flags);
            trace_event("hold", event.flags);
            on_hold(event.flags == 1);
            return;
        case JF_EV_TRANSFERRED: return on_transferred(event);
        case JF_EV_REFER_RECEIVED:
            if (const auto* to = sdk::data_of<jf_str>(event)) on_refer_received(std::string(sdk::view(*to)));
            return;
        default: return;
    }
}

void Call::on_answered(const jf_format& format) {
    if (answered_) return;
    if (format.codec != JF_CODEC_PCMU && format.codec != JF_CODEC_PCMA) {
        log_.error("call.codec", {{"codec", static_cast<std::uint32_t>(format.codec)}});
        return hang_up(JF_CAUSE_UNACCEPTABLE, "codec");
    }
    answered_ = true;
    answered_at_ = now();
    row_.answered = utc_now();
    trace_event("answered", format.codec);
    law_ = wire_law_ = format.codec == JF_CODEC_PCMU ? media::G711Law::mu : media::G711Law::a;
    media::ReorderOptions reorder;
    reorder.law = law_;
    reorder_ = media::ReorderWindow(reorder);
    cutter_ = media::FrameCutter(law_);
    history_ = std::make_unique<media::AudioHistory>(law_);
    media::PlayoutOptions playout;
    playout.law = law_;
    playout.capacity = std::chrono::milliseconds(8000);
    playout.cushion = setup_.agent.turn.play_cushion;
    playout_ = std::make_unique<media::PlayoutQueue>(playout);
    prepare_ears();
    if (!setup_.agent.recording.after_consent) start_recording();
    ++pending_writes_;
    env_.store.set_answered(shard_, row_, [this](base::Result<>) {
        --pending_writes_;
        finish_when_quiet();
    });
    log_.info("call.answered");
    publish("call.answered");
    env_.media_clock(shard_.index()).add(*this);
    if (row_.direction == "outbound" && setup_.agent.amd.enabled) machine_.detect_answer();
    run(machine_.on_answered(now()));
}

void Call::on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) {
    on_leg_gone(status, last, error);
}

void Call::on_leg_gone(jf_status status, const jf_event* last, const jf_error* error) {
    trace_leg(TraceEntry::Kind::op_done, status, error);
    leg_gone_ = true;
    leg_ = JF_NO_OP;
    if (answered_) env_.media_clock(shard_.index()).remove(*this);
    if (ring_timer_) shard_.cancel_timer(ring_timer_);
    if (timer_) shard_.cancel_timer(timer_);
    if (end_timer_) shard_.cancel_timer(end_timer_);
    ring_timer_ = timer_ = end_timer_ = 0;
    const jf_call_end* end = last && last->type == JF_EV_CALL_ENDED ? sdk::data_of<jf_call_end>(*last) : nullptr;
    row_.cause = end ? cause_name(end->cause) : status == JF_OK ? "normal" : status == JF_E_PEER_LOST ? "provider_lost" : "failed";
    row_.ended_by = end ? ended_by_name(end->by, row_.direction) : "host";
    row_.sip_status = end ? end->status : 0;
    row_.reason = end_reason_;
    if (error && row_.reason.empty()) row_.reason = error->text;
    if (row_.reason.empty()) row_.reason = reason_of(end);
    if (answered_) {
        note_heard();
        run(machine_.on_ended(now()));
    }
    close_streams();
    stop_referring();
    // Who was asked to call the person directly may have done so, whether we were told or not.
    if (transfer_ && releasing_ != Releasing::no) transfer_->give_over();
    else if (transfer_) transfer_->hang_up(JF_CAUSE_NORMAL);
    for (const auto& tap : taps_) tap->end();
    taps_.clear();
    if (recording_) recording_->finish();
    recording_.reset();
    finish_when_quiet();
}

void Call::close_streams() {
    stt_ = llm_ = tts_ = llm_standby_ = tts_standby_ = nullptr;
    for (const auto& stream : streams_)
        if (stream->op != JF_NO_OP) env_.plugins.ops().cancel(stream->op);
}

void Call::finish_when_quiet() {
    if (!leg_gone_ || performing_ > 0) return;
    if (!closing_ && !closed_ && pending_writes_ == 0) {
        closing_ = true;
        row_.ended = utc_now();
        row_.state = "ended";
        row_.turns = turn_number_;
        row_.quality_json = quality_json(quality_);
        env_.metrics.ended.add();
        env_.store.close(shard_, row_, [this](base::Result<> closed) {
            closed_ = true;
            if (!closed) log_.error("call.not_closed", {{"error", closed.error().text()}});
            log_.info("call.ended", {{"cause", row_.cause}, {"by", row_.ended_by}, {"reason", row_.reason}, {"turns", turn_number_}});
            if (env_.publish) env_.publish({"call.ended", row_.tenant, row_.id, ended_event(row_, setup_.agent.name, transcript(), utc_now().us)});
            finish_when_quiet();
        });
        return;
    }
    if (!closed_ || !streams_.empty() || !transfer_legs_.empty() || !tool_runner_.idle()) return;
    if (trace_stored_ == TraceStored::no) store_trace();
    if (trace_stored_ != TraceStored::yes) return;
    // Not from inside a callback of its own.
    if (auto gone = std::exchange(on_gone_, nullptr))
        shard_.post([this, gone = std::move(gone)] { gone(*this); });
}

/// What was said on both sides, but for what was not to be kept.
std::vector<TranscriptLine> Call::transcript() const {
    std::vector<TranscriptLine> out;
    for (const ChatMessage& message : machine_.messages()) {
        if (message.role == Role::tool) continue;
        const bool caller = message.role == Role::user;
        out.push_back({caller, message.masked ? std::string(message.content.size(), '*')
                               : caller       ? message.content
                                              : masking_.masked(message.content, setup_.agent.language)});
    }
    return out;
}

void Call::run(Actions actions) {
    ++performing_;
    for (Action& action : actions) perform(action);
    --performing_;
    update_timer();
}

void Call::perform(Action& action) {
    std::visit([this](auto& a) {
        using T = std::decay_t<decltype(a)>;
        if constexpr (std::is_same_v<T, act::Commit>) commit(a.turn);
        else if constexpr (std::is_same_v<T, act::AnsweredBy>) on_answered_by(a.by, a.rule);
        else if constexpr (std::is_same_v<T, act::SendDigits>) send_digits(a.digits);
        else if constexpr (std::is_same_v<T, act::RunTool>) run_tool(a); // whose call it was may be gone: it asked for it
        else if (leg_gone_) return; // only the record matters now
        else if constexpr (std::is_same_v<T, act::OpenStt>) open_stt(a.feed_turn);
        else if constexpr (std::is_same_v<T, act::FinalizeStt>) finalize_stt(a.ticket);
        else if constexpr (std::is_same_v<T, act::DiscardStt>) {
            listening_ = false;
            turn_from_.reset();
            feed_at_.reset();
            finalize_after_feed_.reset();
            if (!stt_) return;
            jf_stt_control control{};
            control.struct_size = sizeof control;
            control.verb = JF_STT_DISCARD;
            plugin_host::SttPort(*stt_->instance).control(stt_->op, control);
        } else if constexpr (std::is_same_v<T, act::Listen>) begin_listening(caller_end_);
        else if constexpr (std::is_same_v<T, act::Generate>) generate(a.reply, false, std::move(a.provisional), std::move(a.said));
        else if constexpr (std::is_same_v<T, act::Prewarm>) generate(0, true);
        else if constexpr (std::is_same_v<T, act::CancelGeneration>) drop_models();
        else if constexpr (std::is_same_v<T, act::Speak>) {
            machine_.on_text_spoken(now(), a.reply);
            speak(a);
        }
        else if constexpr (std::is_same_v<T, act::EndSpeech>) end_speech(a.reply);
        else if constexpr (std::is_same_v<T, act::SpeakOn>) speak_on(a.reply, a.from);
        else if constexpr (std::is_same_v<T, act::StopSpeech>) stop_speech();
        else if constexpr (std::is_same_v<T, act::Duck>) {
            if (setup_.agent.turn.while_deciding == config::WhileDeciding::pause) playout_->pause();
            else playout_->duck();
        } else if constexpr (std::is_same_v<T, act::Unduck>) {
            playout_->resume();
            playout_->unduck();
        } else if constexpr (std::is_same_v<T, act::WaitingTone>) waiting_tone_.set(a.on);
        else if constexpr (std::is_same_v<T, act::Adopt>) adopt(a.reply);
        else if constexpr (std::is_same_v<T, act::HangUp>) hang_up(a.cause, a.reason);
        else if constexpr (std::is_same_v<T, act::Transfer>) transfer(a);
        else if constexpr (std::is_same_v<T, act::HandOff>) hand_off(a.to);
        else if constexpr (std::is_same_v<T, act::Consent>) on_consent(a.granted);
        else if constexpr (std::is_same_v<T, act::NextProvider>) next_provider(a.kind);
    }, action);
}

void Call::update_timer() {
    if (leg_gone_ || performing_ > 0) return;
    auto next = machine_.next_deadline();
    if (const auto chains = next_chain_deadline(); chains && (!next || *chains < *next)) next = chains;
    if (next == timer_at_) return;
    if (timer_) shard_.cancel_timer(timer_);
    timer_ = 0;
    timer_at_ = next;
    if (!next) return;
    timer_ = shard_.start_timer(*next, [this] {
        timer_ = 0;
        timer_at_.reset();
        serve_chain_deadlines();
        note_heard();
        run(machine_.on_time(now()));
    });
}

void Call::note_heard() {
    if (!playout_ || playing_reply_ == 0) return;
    const media::Heard heard = playout_->heard();
    HeardText text{heard.turn == playing_reply_ ? heard.text_estimated : 0, false};
    if (speech_.ended) text.left = base::Milliseconds(static_cast<std::int64_t>(playout_->queued() + overflow_.size()) * 1000 / media::narrowband_hz);
    machine_.set_heard(text);
}

void Call::commit(const TurnRecord& turn) {
    const TurnTimes& t = turn.times;
    store::TurnRow row;
    row.call = row_.id;
    row.number = turn_number_++;
    row.role = turn.role == Role::user ? "user" : "assistant";
    const bool caller = turn.role == Role::user;
    if (caller && turn.masked) masking_.keep(turn.text, setup_.agent.language);
    // Stores refuse what is no text, and a model's bytes may be none.
    const auto kept = [&](const std::string& text) { return base::to_valid_utf8(caller ? text : masking_.masked(text, setup_.agent.language)); };
    row.text = turn.masked ? std::string(turn.text.size(), '*') : kept(turn.text);
    row.agent = setup_.agent.name;
    row.unheard = kept(turn.unheard);
    row.interrupted = turn.interrupted;
    row.rule = turn.rule;
    row.confidence = turn.confidence;
    const auto since_answer = [&](base::MonoTime at) { return std::max<std::int64_t>(ms_between(answered_at_, at), 0); };
    row.began_ms = since_answer(turn.role == Role::user ? t.user_began : t.first_sent);
    row.ended_ms = since_answer(turn.role == Role::user ? t.user_ended : t.ended);
    if (turn.role == Role::assistant && turn.rule != "greeting") {
        row.reply_ms = reply_ms(t);
        if (row.reply_ms >= 0) {
            row.stages_json = stages_json(t);
            env_.metrics.reply_seconds.observe(static_cast<double>(row.reply_ms) / 1000.0);
        }
    }
    row.why_json = why_of(turn);
    ++pending_writes_;
    env_.store.add_turn(shard_, row_.tenant, row, [this](base::Result<> stored) {
        --pending_writes_;
        if (!stored) log_.error("turn.not_stored", {{"error", stored.error().text()}});
        finish_when_quiet();
    });
    publish("call.turn", [&](base::JsonWriter& json) {
        json.member("number", row.number).member("role", row.role).member("text", row.text);
        json.member("unheard", row.unheard).member("interrupted", row.interrupted).member("rule", row.rule);
        json.member("confidence", row.confidence).member("flags", turn.flags);
        json.member("began_ms", row.began_ms).member("ended_ms", row.ended_ms).member("reply_ms", row.reply_ms);
        if (!row.stages_json.empty()) json.key("stages").raw(row.stages_json);
    });
}

}  // namespace jackfield::call
