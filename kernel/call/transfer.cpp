#include "call/transfer.hpp"

#include <algorithm>

#include "call/causes.hpp"
#include "call/keypad.hpp"

namespace jackfield::call {
namespace {

// The carrier counts the ringing itself; when it doesn't, this does.
constexpr base::Milliseconds ring_grace{2000};
constexpr base::Milliseconds longest_announcement{30000};
// Who takes a call over ends the leg that was taken over at once; four seconds are three repetitions of a lost BYE.
constexpr base::Milliseconds give_over_grace{4000};

}  // namespace

Transfer::Transfer(plugin_host::PluginHost& plugins, store::CallStore& store, runtime::Shard& shard, observe::Logger log, TransferPlan plan,
                   TransferEvents events)
    : plugins_(plugins),
      store_(store),
      shard_(shard),
      log_(std::move(log)),
      plan_(std::move(plan)),
      events_(std::move(events)),
      telephony_(*plan_.telephony),
      row_(plan_.row),
      sound_(plan_.music) {}

Transfer::~Transfer() { clear_timer(); }

void Transfer::set_timer(base::Milliseconds time, std::function<void()> then) {
    clear_timer();
    timer_ = shard_.start_timer(shard_.now() + time, [this, then = std::move(then)] {
        timer_ = 0;
        then();
    });
}

void Transfer::clear_timer() {
    if (timer_) shard_.cancel_timer(std::exchange(timer_, 0));
}

void Transfer::write_row(void (store::CallStore::*what)(runtime::Shard&, const store::CallRow&, store::CallStore::Done)) {
    ++pending_writes_;
    (store_.*what)(shard_, row_, [this](base::Result<>) {
        --pending_writes_;
        finish_when_quiet();
    });
}

// ---- the leg

void Transfer::begin() {
    row_.started = plugins_.runtime().clock().utc_now();
    row_.state = "open";
    ++pending_writes_;
    // On record before it exists, so that a restart can hang up what a crash left behind.
    store_.insert(shard_, row_, [this](base::Result<> stored) {
        --pending_writes_;
        if (state_ != State::storing) {
            leg_gone_ = true;
            row_.cause = "cancelled";
            return finish_when_quiet();
        }
        if (!stored) {
            log_.error("transfer.not_stored", {{"error", stored.error().text()}});
            leg_gone_ = closed_ = true;
            fail("failed", JF_CAUSE_FAILED);
            return finish_when_quiet();
        }
        dial();
    });
}

void Transfer::dial() {
    state_ = State::dialing;
    leg_ = plugins_.ops().open(shard_, this, plan_.telephony.get());
    if (leg_ == JF_NO_OP) {
        leg_gone_ = true;
        row_.cause = "failed";
        fail("failed", JF_CAUSE_FAILED);
        return finish_when_quiet();
    }
    plugins_.ops().set_owner(leg_, plugin_host::OpOwner::of(row_.tenant, row_.parent));
    set_timer(plan_.target.ring_timeout + ring_grace, [this] { fail("no_answer", JF_CAUSE_NO_ANSWER); });
    jf_dial dial{};
    dial.struct_size = sizeof dial;
    dial.ring_timeout_ms = static_cast<std::uint32_t>(plan_.target.ring_timeout.count());
    dial.to = sdk::str(plan_.target.to);
    dial.from = sdk::str(plan_.target.from);
    dial.idempotency_key = sdk::str(row_.id);
    jf_answer media{};
    media.struct_size = sizeof media;
    media.no_media_timeout_ms = static_cast<std::uint32_t>(plan_.no_media_timeout.count());
    media.media_timeout_ms = static_cast<std::uint32_t>(plan_.media_timeout.count());
    jf_error error{};
    error.struct_size = sizeof error;
    const jf_status status = telephony_.dial(leg_, dial, media, &error);
    if (status != JF_OK) plugins_.ops().complete(*plan_.telephony, leg_, status, nullptr, &error);
}

void Transfer::end_leg(std::uint32_t cause) {
    clear_timer();
    if (voice_) plugins_.ops().cancel(std::exchange(voice_, nullptr)->op);
    if (leg_ == JF_NO_OP || leg_gone_) return;
    telephony_.hangup(leg_, cause);
    set_timer(longest_hang_up, [this] {
        log_.error("transfer.hang_up_ignored", {{"provider", row_.provider}});
        plugins_.ops().cancel(leg_);
    });
}

void Transfer::hang_up(std::uint32_t cause) {
    if (state_ == State::over) return;
    row_.reason = state_ == State::joined ? "caller_left" : "cancelled";
    state_ = State::over;
    end_leg(answered_ ? cause : JF_CAUSE_CANCELLED);
}

void Transfer::give_over() {
    if (state_ != State::joined) return hang_up(JF_CAUSE_NORMAL);
    row_.reason = "released";
    state_ = State::over;
    set_timer(give_over_grace, [this] { end_leg(JF_CAUSE_NORMAL); });
}

void Transfer::fail(const std::string& why, std::uint32_t cause) {
    if (state_ == State::over) return;
    state_ = State::over;
    row_.reason = why;
    end_leg(cause);
    events_.failed(why);
}

void Transfer::on_event(jf_op, const jf_event& event) {
    switch (event.type) {
        case JF_EV_RINGING:
            early_media_ = (event.flags & JF_RINGING_EARLY_MEDIA) != 0;
            return;
        case JF_EV_ANSWERED:
            if (const auto* format = sdk::data_of<jf_format>(event)) answered(*format);
            return;
        case JF_EV_FORMAT:
            if (const auto* format = sdk::data_of<jf_format>(event))
                law_ = format->codec == JF_CODEC_PCMA ? media::G711Law::a : media::G711Law::mu;
            return;
        case JF_EV_MEDIA:
            if (const auto* frame = sdk::data_of<jf_frame>(event); frame && state_ != State::over) {
                if (frame->codec != JF_CODEC_PCMU && frame->codec != JF_CODEC_PCMA) return;
                // Before they are joined the caller hears of it what the carrier says (it rings, the number has changed), and nothing else.
                if (state_ != State::joined && !(state_ == State::dialing && early_media_)) return;
                bridge_.push(Bridge::Side::other, static_cast<media::SamplePos>(frame->pts),
                             frame->codec == JF_CODEC_PCMA ? media::G711Law::a : media::G711Law::mu,
                             {static_cast<const std::uint8_t*>(frame->data.ptr), frame->data.len}, shard_.now());
            }
            return;
        case JF_EV_DTMF:
            if (const auto* dtmf = sdk::data_of<jf_dtmf>(event); dtmf && is_key(dtmf->digit)) {
                const auto key = static_cast<char>(dtmf->digit);
                if (state_ == State::joined) events_.key(key);
                else if ((state_ == State::announcing || state_ == State::asking) && plan_.target.accept_key == std::string(1, key)) join();
            }
            return;
        case JF_EV_LEG_STATE:
            if (const auto* state = sdk::data_of<jf_bytes>(event)) {
                row_.leg_state = sdk::view(*state);
                write_row(&store::CallStore::set_leg_state);
            }
            return;
        default: return;
    }
}

void Transfer::answered(const jf_format& format) {
    if (answered_ || state_ != State::dialing) return;
    if (format.codec != JF_CODEC_PCMU && format.codec != JF_CODEC_PCMA) return fail("failed", JF_CAUSE_UNACCEPTABLE);
    clear_timer();
    answered_ = true;
    law_ = format.codec == JF_CODEC_PCMA ? media::G711Law::a : media::G711Law::mu;
    row_.answered = plugins_.runtime().clock().utc_now();
    write_row(&store::CallStore::set_answered);
    bridge_ = Bridge();
    if (plan_.announcement.empty()) join();
    else announce();
}

void Transfer::on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) {
    leg_gone_ = true;
    leg_ = JF_NO_OP;
    const jf_call_end* end = last && last->type == JF_EV_CALL_ENDED ? sdk::data_of<jf_call_end>(*last) : nullptr;
    row_.cause = end ? cause_name(end->cause) : status == JF_OK ? "normal" : status == JF_E_PEER_LOST ? "provider_lost" : "failed";
    row_.ended_by = end ? ended_by_name(end->by, row_.direction) : "host";
    row_.sip_status = end ? end->status : 0;
    if (error && row_.reason.empty()) row_.reason = error->text;
    if (row_.reason.empty()) row_.reason = reason_of(end);
    const State before = std::exchange(state_, State::over);
    end_leg(JF_CAUSE_NORMAL);
    if (before == State::joined) events_.left();
    else if (before != State::over) events_.failed(answered_ ? "declined" : row_.cause == "normal" ? "no_answer" : row_.cause);
    finish_when_quiet();
}

void Transfer::finish_when_quiet() {
    if (!leg_gone_ || pending_writes_ > 0) return;
    if (!closing_ && !closed_) {
        closing_ = true;
        row_.ended = plugins_.runtime().clock().utc_now();
        row_.state = "ended";
        store_.close(shard_, row_, [this](base::Result<> closed) {
            closed_ = true;
            if (!closed) log_.error("transfer.not_closed", {{"error", closed.error().text()}});
            finish_when_quiet();
        });
        return;
    }
    if (!closed_ || !voices_.empty()) return;
    if (auto gone = std::exchange(gone_, nullptr)) gone();
}

// ---- what the person hears first

void Transfer::announce() {
    state_ = State::announcing;
    media::PlayoutOptions options;
    options.law = law_;
    options.capacity = longest_announcement;
    playout_ = std::make_unique<media::PlayoutQueue>(options);
    next_voice();
}

/// The chain's next voice says it. When none can, the person is joined without: they know that somebody calls.
void Transfer::next_voice() {
    voice_ = nullptr;
    while (next_voice_ < plan_.tts.size()) {
        const auto& instance = plan_.tts[next_voice_++];
        plugin_host::TtsPort port(*instance);
        if (!port) continue;
        auto voice = std::make_unique<Voice>(*this);
        voice->keep = instance;
        voice->op = plugins_.ops().open(shard_, voice.get(), instance.get());
        if (voice->op == JF_NO_OP) continue;
        voice_ = voice.get();
        voices_.push_back(std::move(voice));
        jf_tts_open options{};
        options.struct_size = sizeof options;
        options.format.struct_size = sizeof options.format;
        options.format.codec = law_ == media::G711Law::mu ? JF_CODEC_PCMU : JF_CODEC_PCMA;
        options.format.channels = 1;
        options.format.rate_hz = media::narrowband_hz;
        options.language = sdk::str(plan_.language);
        jf_error error{};
        error.struct_size = sizeof error;
        jf_status status = port.open(voice_->op, options, &error);
        if (status == JF_OK) {
            jf_tts_text text{};
            text.struct_size = sizeof text;
            text.flush = JF_TTS_END;
            text.text = sdk::str(plan_.announcement);
            status = port.text(voice_->op, text);
        }
        if (status == JF_OK) return set_timer(plan_.tts_timeout, [this] {
            plugins_.ops().cancel(voice_->op);
            next_voice();
        });
        log_.warn("transfer.voice_failed", {{"provider", instance->name()}, {"status", status}});
        plugins_.ops().complete(*instance, voice_->op, status, nullptr, &error);
        voice_ = nullptr;
    }
    log_.warn("transfer.not_announced");
    announced();
}

void Transfer::Voice::on_event(jf_op, const jf_event& event) {
    if (owner.voice_ != this || event.type != JF_EV_AUDIO) return;
    const auto* frame = sdk::data_of<jf_frame>(event);
    if (!frame) return;
    if (!std::exchange(spoke, true)) owner.clear_timer();
    owner.playout_->push({static_cast<const std::uint8_t*>(frame->data.ptr), frame->data.len});
}

void Transfer::Voice::on_done(jf_op, jf_status status, const jf_event*, const jf_error*) {
    Transfer& transfer = owner;
    const bool current = transfer.voice_ == this;
    const bool heard = spoke;
    std::erase_if(transfer.voices_, [this](const auto& voice) { return voice.get() == this; });
    if (!current) return transfer.finish_when_quiet();
    transfer.voice_ = nullptr;
    transfer.clear_timer();
    if (status != JF_OK && !heard) return transfer.next_voice();
    // tick() sees its end; of nothing there is none.
    transfer.playout_->flush();
    if (transfer.playout_->queued() == 0) transfer.announced();
}

void Transfer::announced() {
    if (state_ != State::announcing) return;
    if (plan_.target.accept_key.empty()) return join();
    state_ = State::asking;
    set_timer(plan_.target.accept_within, [this] { fail("not_accepted", JF_CAUSE_NORMAL); });
}

void Transfer::join() {
    clear_timer();
    if (voice_) plugins_.ops().cancel(std::exchange(voice_, nullptr)->op);
    playout_.reset();
    state_ = State::joined;
    set_timer(plan_.target.longest, [this] {
        row_.reason = "longest";
        state_ = State::over;
        end_leg(JF_CAUSE_NORMAL);
        events_.left();
    });
    events_.joined();
}

// ---- sound

void Transfer::from_caller(media::SamplePos pts, media::G711Law law, std::span<const std::uint8_t> codes) {
    if (state_ == State::joined) bridge_.push(Bridge::Side::caller, pts, law, codes, shard_.now());
}

void Transfer::press(char key) {
    if (state_ != State::joined) return;
    const std::string text(1, key);
    jf_telephony_control control{};
    control.struct_size = sizeof control;
    control.verb = JF_TEL_DTMF;
    control.text = sdk::str(text);
    telephony_.control(leg_, control);
}

void Transfer::tick(media::G711Law caller_law, std::span<std::uint8_t, media::packet_samples> to_caller) {
    if (state_ == State::over) return;
    const bool carrier_sounds = state_ == State::dialing && early_media_ && !plan_.music;
    if (state_ == State::joined) bridge_.pop(Bridge::Side::caller, caller_law, to_caller);
    else if (!carrier_sounds || !bridge_.pop(Bridge::Side::caller, caller_law, to_caller)) sound_.fill(caller_law, to_caller);
    if (answered_) send();
}

void Transfer::send() {
    std::array<std::uint8_t, media::packet_samples> codes;
    media::fill_silence(law_, codes);
    bool silent = false;
    bool over = false;
    if (state_ == State::joined) {
        silent = !bridge_.pop(Bridge::Side::other, law_, codes);
    } else if (playout_) {
        const media::PlayoutPacket packet = playout_->pop(codes);
        silent = packet.speech_samples == 0;
        over = packet.finished;
    }
    jf_frame frame{};
    frame.struct_size = sizeof frame;
    frame.codec = law_ == media::G711Law::mu ? JF_CODEC_PCMU : JF_CODEC_PCMA;
    frame.channels = 1;
    frame.flags = silent ? JF_FRAME_SILENCE : 0;
    frame.rate_hz = media::narrowband_hz;
    frame.samples = media::packet_samples;
    frame.pts = static_cast<std::uint64_t>(position_);
    frame.data = {codes.data(), codes.size()};
    position_ += media::packet_samples;
    telephony_.media_out(leg_, frame);
    if (over) announced();
}

}  // namespace jackfield::call
