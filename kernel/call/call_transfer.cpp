// A call that is held, handed on or joined to somebody; who has it; and what of it is recorded.

#include <algorithm>

#include "base/id.hpp"
#include "base/json.hpp"
#include "call/call.hpp"
#include "call/causes.hpp"

namespace jackfield::call {
namespace {

/// The person's side has taken the caller over, or has hung up: the caller's tells which within a round trip or two.
constexpr base::Milliseconds release_patience{5000};

/// How a SIP answer to the one who was to be called reads in a tool's result.
std::string why_of_status(std::uint64_t status) {
    switch (status) {
        case 486:
        case 600: return "busy";
        case 408:
        case 480:
        case 487: return "no_answer";
        case 403:
        case 603: return "rejected";
        case 404:
        case 484:
        case 604: return "not_found";
        default: return "failed";
    }
}

/// Whether its carrier hands a caller on by itself. What a plugin doesn't say of itself it is not asked for.
bool can_refer(const plugin_host::Instance& telephony) {
    const auto caps = base::JsonDocument::parse(telephony.plugin().file.descriptor.capabilities);
    return caps && caps->root()["telephony"]["refer"].boolean_or(false);
}

std::string_view mode_name(config::TransferMode mode) {
    return mode == config::TransferMode::refer ? "refer" : mode == config::TransferMode::bridge ? "bridge" : "attended";
}

}  // namespace

// ---- hold

void Call::on_hold(bool held) {
    log_.info("call.hold", {{"held", held}});
    publish("call.hold", [&](base::JsonWriter& json) { json.member("held", held); });
    const bool was_away = machine_.away();
    note_heard();
    // First the ears: what the machine says next may need them, and a recogniser that hears nothing for minutes ends by itself.
    if (!held && was_away && !transfer_ && !referring_) open_ears();
    run(machine_.on_hold(now(), held));
    if (machine_.away() && !was_away) close_ears();
}

void Call::hold_caller(bool held) {
    if (caller_held_ == held || leg_ == JF_NO_OP) return;
    jf_telephony_control control{};
    control.struct_size = sizeof control;
    control.verb = JF_TEL_HOLD;
    control.value = held;
    if (const jf_status status = telephony_.control(leg_, control); status == JF_OK) caller_held_ = held;
    else log_.warn("call.hold_refused", {{"status", status}});
}

void Call::close_ears() {
    listening_ = false;
    drop_stream(stt_);
}

void Call::open_ears() {
    if (!stt_ && !leg_gone_) open_stt(false);
}

// ---- transfer

void Call::publish_transfer(std::string_view state, std::string_view why) {
    log_.info("call.transfer", {{"state", state}, {"why", why}});
    publish("call.transfer", [&](base::JsonWriter& json) {
        json.member("name", transfer_name_).member("mode", transfer_mode_).member("state", state);
        if (!why.empty()) json.member("why", why);
        if (transfer_) json.member("leg", transfer_->row().id);
    });
}

void Call::transfer(const act::Transfer& action) {
    config::TransferConfig target = setup_.agent.transfer.at(action.name);
    if (target.mode == config::TransferMode::automatic)
        target.mode = can_refer(*setup_.telephony) ? config::TransferMode::refer : config::TransferMode::bridge;
    machine_.decisions().note(now(), Decision::transfer, 0, 0, action.name);
    transfer_name_ = action.name;
    transfer_mode_ = mode_name(target.mode);
    close_ears();
    publish_transfer("begun", {});
    if (target.hold_caller) hold_caller(true);
    if (target.mode == config::TransferMode::refer) return refer(target);
    auto telephony = target.provider.empty() ? setup_.telephony : setup_.find_provider ? setup_.find_provider(target.provider) : nullptr;
    const auto fail = [this](const char* why) {
        // Not from within what the machine has just decided.
        refer_timer_ = shard_.start_timer(now(), [this, why] {
            refer_timer_ = 0;
            transfer_failed(why);
        });
    };
    if (!telephony || !plugin_host::TelephonyPort(*telephony)) return fail("unavailable");
    TransferPlan plan;
    if (setup_.take_line) {
        plan.line = setup_.take_line();
        if (!plan.line) return fail("no_line");
    }
    plan.target = target;
    plan.telephony = std::move(telephony);
    plan.row.id = base::make_ulid(utc_now(), env_.plugins.runtime().random());
    plan.row.tenant = row_.tenant;
    plan.row.agent = setup_.agent.name;
    plan.row.direction = "outbound";
    plan.row.provider = target.provider.empty() ? row_.provider : target.provider;
    plan.row.from = target.from;
    plan.row.to = target.to;
    plan.row.parent = row_.id;
    plan.tts = setup_.tts;
    plan.language = setup_.agent.language;
    plan.tts_timeout = setup_.agent.turn.tts_timeout;
    plan.no_media_timeout = setup_.agent.turn.no_media_timeout;
    plan.media_timeout = setup_.agent.turn.media_timeout;
    if (setup_.find_music) plan.music = setup_.find_music(target.hold_music);
    if (target.mode == config::TransferMode::attended)
        plan.announcement = fill_announcement(target.announce, {row_.from, row_.to, action.summary});

    TransferEvents events;
    events.joined = [this] { transfer_joined(); };
    events.failed = [this](std::string why) { transfer_failed(why); };
    events.left = [this] { transfer_left(); };
    events.key = [this](char key) {
        const std::string text(1, key);
        jf_telephony_control control{};
        control.struct_size = sizeof control;
        control.verb = JF_TEL_DTMF;
        control.text = sdk::str(text);
        if (leg_ != JF_NO_OP) telephony_.control(leg_, control);
    };
    auto leg = std::make_unique<Transfer>(env_.plugins, env_.store, shard_, log_, std::move(plan), std::move(events));
    Transfer* const raw = leg.get();
    transfer_legs_.push_back(std::move(leg));
    raw->on_gone([this, raw] {
        // Not from inside a callback of its own.
        shard_.post([this, raw] {
            std::erase_if(transfer_legs_, [raw](const auto& made) { return made.get() == raw; });
            if (transfer_ == raw) transfer_ = nullptr;
            finish_when_quiet();
        });
    });
    transfer_ = raw;
    raw->begin();
}

/// The carrier does it; our leg ends when it is done.
void Call::refer(const config::TransferConfig& target) {
    jf_telephony_control control{};
    control.struct_size = sizeof control;
    control.verb = JF_TEL_TRANSFER;
    control.text = sdk::str(target.to);
    referring_ = true;
    if (const jf_status status = telephony_.control(leg_, control); status != JF_OK)
        return transfer_failed(status == JF_E_UNSUPPORTED ? "unsupported" : "failed");
    end_reason_ = "transfer";
    if (setup_.find_music && !target.hold_music.empty()) refer_sound_.emplace(setup_.find_music(target.hold_music));
    refer_timer_ = shard_.start_timer(now() + target.ring_timeout, [this] {
        refer_timer_ = 0;
        transfer_failed("no_answer");
    });
}

void Call::on_transferred(const jf_event& event) {
    if (releasing_ != Releasing::no) return on_released(event);
    if (!referring_) return;
    if (event.flags != JF_TRANSFER_DONE) return transfer_failed(why_of_status(event.pos));
    stop_referring();
    publish_transfer("done", {});
    hang_up(JF_CAUSE_NORMAL, "transfer");
}

/// The far end wants somebody else to talk to us in its place. Whether that may be is its provider's to say, and so is the calling: the leg goes
/// on with them. Here it is put on record.
void Call::on_refer_received(const std::string& to) {
    machine_.decisions().note(now(), Decision::transfer, 1, 0, to);
    trace_event("refer_received", 0, to);
    log_.info("call.refer_received");
    publish("call.refer_received", [&](base::JsonWriter& json) { json.member("to", to); });
}

void Call::stop_referring() {
    referring_ = false;
    refer_sound_.reset();
    if (refer_timer_) shard_.cancel_timer(std::exchange(refer_timer_, 0));
}

void Call::transfer_joined() {
    hold_caller(false);
    machine_.on_joined();
    update_timer();
    end_reason_ = "transfer";
    publish_transfer("joined", {});
    if (setup_.agent.transfer.at(transfer_name_).release) ask_release();
}

// ---- out of a call that needs us no more

/// They talk through us until the carrier has connected them, and for good where it can't: nobody hears anything of it.
void Call::ask_release() {
    jf_telephony_control control{};
    control.struct_size = sizeof control;
    control.verb = JF_TEL_TRANSFER;
    control.value = transfer_->leg();
    // The ops of another carrier mean nothing to this one.
    const bool same = &transfer_->telephony() == setup_.telephony.get();
    const jf_status status = same ? telephony_.control(leg_, control) : JF_E_UNSUPPORTED;
    if (status != JF_OK) return publish_transfer("kept", status == JF_E_UNSUPPORTED ? "unsupported" : "failed");
    releasing_ = Releasing::asked;
    publish_transfer("releasing", {});
}

void Call::on_released(const jf_event& event) {
    const bool person_gone = releasing_ == Releasing::person_gone;
    if (event.flags != JF_TRANSFER_DONE) {
        stop_releasing();
        if (person_gone) return transfer_left();
        return publish_transfer("kept", why_of_status(event.pos));
    }
    if (refer_timer_) shard_.cancel_timer(std::exchange(refer_timer_, 0));
    publish_transfer("released", {});
    hang_up(JF_CAUSE_NORMAL, "transfer");
}

void Call::stop_releasing() {
    releasing_ = Releasing::no;
    if (refer_timer_) shard_.cancel_timer(std::exchange(refer_timer_, 0));
}

/// The conversation goes on: the model is told, and the caller hears what it makes of it.
void Call::transfer_failed(const std::string& why) {
    stop_referring();
    if (leg_gone_ || ending_) return;
    end_reason_.clear();
    hold_caller(false);
    publish_transfer("failed", why);
    transfer_ = nullptr;
    open_ears();
    run(machine_.on_transfer_failed(now(), why));
}

void Call::transfer_left() {
    if (releasing_ == Releasing::asked) {
        // The caller's new call to the person ends the one that we have with them, often before we are told how it went.
        releasing_ = Releasing::person_gone;
        refer_timer_ = shard_.start_timer(now() + release_patience, [this] {
            refer_timer_ = 0;
            stop_releasing();
            transfer_left();
        });
        return;
    }
    publish_transfer("ended", {});
    hang_up(JF_CAUSE_NORMAL, "transfer");
}

/// What the caller hears instead of the agent. False: the agent.
bool Call::play_transfer(std::span<std::uint8_t, media::packet_samples> codes) {
    if (transfer_) transfer_->tick(law_, codes);
    else if (refer_sound_) refer_sound_->fill(law_, codes);
    return transfer_ || refer_sound_;
}

// ---- another agent

void Call::hand_off(const std::string& to) {
    auto next = setup_.find_agent ? setup_.find_agent(to) : std::nullopt;
    if (!next) {
        log_.error("call.hand_off_failed", {{"to", to}});
        return run(machine_.on_hand_off_failed(now()));
    }
    log_.info("call.hand_off", {{"from", setup_.agent.name}, {"to", to}});
    machine_.decisions().note(now(), Decision::transfer, 0, 0, to);
    publish("call.hand_off", [&](base::JsonWriter& json) { json.member("from_agent", setup_.agent.name).member("to_agent", to); });
    close_ears();
    drop_models();
    stop_speech();
    setup_.agent = std::move(next->agent);
    setup_.stt = std::move(next->stt);
    setup_.llm = std::move(next->llm);
    setup_.tts = std::move(next->tts);
    setup_.tools = std::move(next->tools);
    stt_index_ = llm_index_ = tts_index_ = 0;
    hints_ = {};
    draft_hints_.reset();
    last_provider_ = {};
    prepare_ears();
    choose_key_sources();
    offer_tools();
    run(machine_.take_over(now(), setup_.agent, final_wait_of(setup_)));
}

// ---- recording

void Call::start_recording() {
    if (setup_.recording_path.empty() || recording_ || leg_gone_) return;
    row_.recording = setup_.recording_path;
    media::RecordingOptions options;
    options.law = law_;
    recording_ = env_.recordings.open(setup_.recording_path, options, [log = log_](const media::RecordingReport& report) {
        if (!report.outcome) log.error("recording.failed", {{"error", report.outcome.error().text()}});
        else if (report.dropped_samples + report.lost_frames > 0)
            log.warn("recording.gaps", {{"dropped_samples", report.dropped_samples}, {"lost_frames", report.lost_frames}});
    });
}

void Call::on_consent(bool granted) {
    log_.info("call.consent", {{"granted", granted}});
    publish("call.consent", [&](base::JsonWriter& json) { json.member("granted", granted); });
    consent_refused_ = !granted;
    if (granted && setup_.agent.recording.after_consent) start_recording();
}

/// Keeps the time line when nothing may be kept: silence takes the sound's place.
void Call::record(media::RecordingSide side, media::SamplePos at, std::span<const std::uint8_t> codes) {
    if (!recording_) return;
    const bool paused = consent_refused_ || machine_.recording_paused();
    if (paused != std::exchange(recording_paused_, paused))
        publish("call.recording", [&](base::JsonWriter& json) { json.member("paused", paused); });
    if (!paused) {
        recording_->write(side, at, codes);
        return;
    }
    std::array<std::uint8_t, media::packet_samples> silence;
    media::fill_silence(law_, silence);
    while (!codes.empty()) {
        const std::size_t n = std::min(codes.size(), silence.size());
        recording_->write(side, at, std::span(silence).first(n));
        at += static_cast<media::SamplePos>(n);
        codes = codes.subspan(n);
    }
}

}  // namespace jackfield::call
