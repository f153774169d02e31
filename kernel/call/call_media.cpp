// The audio path of a call: what the caller says, packet by packet, and the clock of what the agent says.

#include <cmath>
#include <tuple>

#include "call/call.hpp"
#include "media/level.hpp"

namespace jackfield::call {
namespace {

/// Later than this no jitter explains that nothing arrives.
constexpr base::Milliseconds nothing_arrives{100};
constexpr int resting_packets = 3; ///< after one that a plugin's own thread refused
constexpr std::int64_t ns_per_sample = 1'000'000'000 / media::narrowband_hz;

media::SpeechDetectorOptions detector_options(const config::TurnOptions& turn) {
    media::SpeechDetectorOptions options;
    options.start = turn.speech_start;
    options.stop = turn.speech_stop;
    return options;
}

}  // namespace

/// What hears the caller, as the agent in hand wants it: at the answer, and when another agent takes over.
void Call::prepare_ears() {
    const config::TurnOptions& turn = setup_.agent.turn;
    detector_ = media::SpeechDetector(detector_options(turn));
    media::VadOptions vad;
    vad.mode = turn.vad == config::VadKind::denoised ? media::VadMode::denoised
               : turn.vad == config::VadKind::plain  ? media::VadMode::plain
                                                     : media::VadMode::energy;
    vad.aggressiveness = turn.vad_mode;
    if (auto made = media::Vad::create(vad)) vad_ = std::move(*made);
    if (turn.barge_in_echo.count() == 0) echo_.reset();
    else if (!echo_) echo_ = std::make_unique<media::EchoDetector>();
}

void Call::on_caller_frame(const jf_frame& frame) {
    if (!answered_ || leg_gone_) return;
    const media::G711Law frame_law = frame.codec == JF_CODEC_PCMA ? media::G711Law::a : media::G711Law::mu;
    if ((frame.codec != JF_CODEC_PCMU && frame.codec != JF_CODEC_PCMA) || frame.data.len == 0 || frame.data.len > 4096) return;
    std::span<const std::uint8_t> codes(static_cast<const std::uint8_t*>(frame.data.ptr), frame.data.len);
    if (frame_law != law_) {
        static thread_local std::array<std::uint8_t, 4096> recoded;
        media::transcode(frame_law, law_, codes, recoded);
        codes = std::span<const std::uint8_t>(recoded.data(), codes.size());
    }
    if (transfer_) transfer_->from_caller(static_cast<media::SamplePos>(frame.pts), law_, codes);
    reorder_.push(static_cast<media::SamplePos>(frame.pts), codes, now());
    drain_caller();
}

void Call::drain_caller() {
    const base::MonoTime time = now();
    while (const auto piece = reorder_.pop(time)) {
        if (piece->kind == media::PieceKind::audio) {
            caller_end_ = piece->position + static_cast<media::SamplePos>(piece->codes.size());
            caller_end_at_ = time;
        }
        hear(piece->position, piece->codes);
    }
}

base::MonoTime Call::time_of(media::SamplePos position) const {
    return caller_end_at_ - base::Nanoseconds((caller_end_ - position) * ns_per_sample);
}

void Call::hear(media::SamplePos position, std::span<const std::uint8_t> codes) {
    if (!caller_offset_) caller_offset_ = agent_position_ - position;
    history_->append(position, codes);
    record(media::RecordingSide::caller, position + *caller_offset_, codes);
    if (!taps_.empty()) tap(media::RecordingSide::caller, position + *caller_offset_, codes);
    cutter_.push(position, codes, [this](media::SamplePos at, std::span<const std::uint8_t, media::packet_samples> packet) {
        hear_frame(at, packet);
    });
}

void Call::hear_frame(media::SamplePos position, std::span<const std::uint8_t> codes) {
    heard_to_ = position + media::packet_samples;
    // On hold it is the far end's music, and in a transfer it is meant for somebody else.
    if (machine_.away() && !detector_.speaking()) return;
    std::array<std::int16_t, media::packet_samples> pcm;
    media::decode(law_, codes, pcm);
    const bool key = tones_ && hear_keys(pcm);
    if (machine_.listens_for_beep()) hear_beep(pcm);
    if (echo_) echo_->heard(pcm);
    const bool sounds = vad_ && vad_->process(pcm) && !key;
    const bool own_voice = sounds && is_own_voice();
    const bool voiced = sounds && !own_voice;
    const auto edge = detector_.feed(position, media::packet_samples, voiced);
    if (listening_ || stt_wants_all_) {
        std::array<std::uint8_t, media::packet_samples> silence;
        const bool hush = key || own_voice;
        if (hush) media::fill_silence(law_, silence);
        push_stt(position, hush ? std::span<const std::uint8_t>(silence) : codes);
    }
    if (edge && edge->edge == media::SpeechEdge::start) {
        machine_.decisions().note(now(), Decision::speech_start, edge->at, std::lround(media::measure(pcm).rms_dbov));
        if (!listening_) begin_listening(edge->at);
        note_heard();
        run(machine_.on_speech_start(now(), time_of(edge->at)));
    }
    if (voiced && detector_.speaking()) {
        note_heard();
        run(machine_.on_voice(now(), detector_.voiced()));
    }
    if (edge && edge->edge == media::SpeechEdge::stop) on_speech_stop(*edge);
    heard_to_ = position + media::packet_samples;
}

/// The agent, back from the caller's loudspeaker or from a poor line: nobody's turn, and nothing for a recogniser.
bool Call::is_own_voice() {
    if (!echo_) return false;
    // With less voice than makes a caller there is nothing to decide yet, and the detector compares a whole window of it.
    if (!detector_.speaking() && !stt_wants_all_ && detector_.voiced() + std::chrono::milliseconds(media::packet_ms) < setup_.agent.turn.speech_start) return false;
    if (!echo_->is_echo()) return false;
    if (echo_->seen() && !std::exchange(echo_told_, true)) {
        machine_.on_echo();
        machine_.decisions().note(now(), Decision::note, echo_->delay()->count(), 0, "the line has an echo");
        log_.info("call.echo", {{"delay_ms", echo_->delay()->count()}});
    }
    return true;
}

void Call::on_speech_stop(const media::SpeechEvent& edge) {
    note_heard();
    machine_.decisions().note(now(), Decision::speech_stop, edge.at, edge.voiced_samples * 1000 / media::narrowband_hz);
    run(machine_.on_speech_stop(now(), time_of(edge.at)));
}

/// Telephones that suppress silence send nothing when the caller stops; so do those that are gone. Either way the turn is over.
void Call::hear_nothing() {
    const auto edge = detector_.feed(heard_to_, media::packet_samples, false);
    heard_to_ += media::packet_samples;
    if (edge && edge->edge == media::SpeechEdge::stop) on_speech_stop(*edge);
}

/// From here on the recogniser hears the caller, beginning with what was said before anybody was sure that it was speech.
void Call::begin_listening(media::SamplePos from) {
    listening_ = true;
    const auto pre_roll = static_cast<media::SamplePos>(setup_.agent.turn.pre_roll.count()) * media::narrowband_hz / 1000;
    // The caller may go on in a turn that seemed to be over: then it begins where it began.
    if (!turn_from_ || !machine_.user_turn_open()) turn_from_ = from - pre_roll;
    if (stt_wants_all_ || !stt_ || feed_at_) return;
    media::SamplePos at = std::max({from - pre_roll, history_->begin(), stt_pushed_to_});
    std::array<std::uint8_t, media::packet_samples> chunk;
    while (at < history_->end()) {
        const std::size_t n = history_->read(at, chunk);
        if (n == 0) break;
        push_stt(at, std::span(chunk.data(), n));
        at += static_cast<media::SamplePos>(n);
    }
}

void Call::push_stt(media::SamplePos position, std::span<const std::uint8_t> codes) {
    // While the turn is given again, what comes now waits in the history; what it brought up to here is not given twice.
    if (!stt_ || feed_at_ || position + static_cast<media::SamplePos>(codes.size()) <= stt_pushed_to_) return;
    if (!give_stt(position, codes)) env_.metrics.stt_dropped.add();
    stt_pushed_to_ = position + static_cast<media::SamplePos>(codes.size());
}

/// False: the recogniser has no room for it.
bool Call::give_stt(media::SamplePos position, std::span<const std::uint8_t> codes) {
    jf_frame frame{};
    frame.struct_size = sizeof frame;
    frame.codec = law_ == media::G711Law::mu ? JF_CODEC_PCMU : JF_CODEC_PCMA;
    frame.channels = 1;
    frame.rate_hz = media::narrowband_hz;
    frame.samples = static_cast<std::uint32_t>(codes.size());
    frame.pts = static_cast<std::uint64_t>(position);
    frame.data = {codes.data(), codes.size()};
    if (stt_linear_) {
        static thread_local std::array<std::int16_t, 4096> linear;
        if (codes.size() > linear.size()) return false;
        media::decode(law_, codes, linear);
        frame.codec = JF_CODEC_L16;
        frame.data = {linear.data(), codes.size() * sizeof(std::int16_t)};
    }
    if (plugin_host::SttPort(*stt_->instance, stt_table_).push(stt_->op, frame) == JF_E_AGAIN) return false;
    stt_pushed_to_ = position + static_cast<media::SamplePos>(codes.size());
    return true;
}

/// A plugin on a thread of its own says afterwards that it had no room. Silence goes out until it has had time to say so again, and didn't.
bool Call::line_rests() {
    if (const std::uint32_t refused = env_.plugins.ops().take_refused(leg_)) {
        env_.metrics.packets_dropped.add(refused);
        line_rests_ = resting_packets;
    }
    if (line_rests_ == 0) return false;
    --line_rests_;
    return true;
}

void Call::on_media_tick(base::MonoTime time, std::uint64_t skipped) {
    if (leg_gone_ || ending_) return;
    agent_position_ += static_cast<media::SamplePos>(skipped) * media::packet_samples;
    if (const auto deadline = reorder_.next_deadline(); deadline && *deadline <= time) drain_caller();
    if (feed_at_) feed_stt();
    else if (const auto ticket = std::exchange(finalize_after_feed_, std::nullopt); ticket && stt_) send_finalize(*ticket);
    if (detector_.speaking() && time - caller_end_at_ >= nothing_arrives) hear_nothing();

    std::array<std::uint8_t, media::packet_samples> codes;
    const auto keys_before = std::tuple(keys_out_, tone_out_, tone_pause_);
    const bool rests = line_rests();
    media::PlayoutPacket packet;
    bool tone = false;
    if (rests) {
        play_transfer(codes); // the other side hears the caller all the same
        media::fill_silence(law_, codes);
    } else {
        packet = playout_->pop(codes);
        tone = packet.speech_samples == 0 && (next_tones(codes) || play_transfer(codes) || waiting_tone_.fill(law_, codes));
    }
    jf_frame frame{};
    frame.struct_size = sizeof frame;
    frame.codec = wire_law_ == media::G711Law::mu ? JF_CODEC_PCMU : JF_CODEC_PCMA;
    frame.channels = 1;
    frame.flags = packet.speech_samples == 0 && !tone ? JF_FRAME_SILENCE : 0;
    frame.rate_hz = media::narrowband_hz;
    frame.samples = media::packet_samples;
    frame.pts = static_cast<std::uint64_t>(agent_position_);
    frame.data = {codes.data(), codes.size()};
    std::array<std::uint8_t, media::packet_samples> recoded;
    if (wire_law_ != law_) {
        media::transcode(law_, wire_law_, codes, recoded);
        frame.data = {recoded.data(), recoded.size()};
    }
    const bool taken = telephony_.media_out(leg_, frame) == JF_OK;
    if (!taken && !rests) {
        // Who takes no packets plays none: what the agent has to say waits, so that what is on record as heard was heard.
        env_.metrics.packets_dropped.add();
        playout_->give_back();
        std::tie(keys_out_, tone_out_, tone_pause_) = keys_before;
        media::fill_silence(law_, codes);
    }
    record(media::RecordingSide::agent, agent_position_, codes);
    if (!taps_.empty()) tap(media::RecordingSide::agent, agent_position_, codes);
    agent_position_ += media::packet_samples;
    if (echo_ && taken && (packet.speech_samples > 0 || tone)) {
        std::array<std::int16_t, media::packet_samples> pcm;
        media::decode(law_, codes, pcm);
        echo_->played(pcm);
    } else if (echo_) {
        echo_->played_nothing();
    }
    if (!taken || rests) return;

    if (packet.speech_samples > 0) {
        if (!first_sent_reported_) {
            first_sent_reported_ = true;
            run(machine_.on_first_sent(now())); // it has left: the tick began earlier
        }
        refill_playout();
        credit_owed_ += static_cast<std::uint64_t>(packet.speech_samples);
        // In steps of 100 ms, since a credit is a call.
        if (tts_ && credit_owed_ >= media::narrowband_hz / 10) {
            plugin_host::TtsPort(*tts_->instance).credit(tts_->op, credit_owed_);
            credit_owed_ = 0;
        }
    }
    // Also when the last packet was full, and this one has nothing at all.
    if (packet.underrun) {
        first_sent_reported_ = false;
        run(machine_.on_dry(time));
    }
    while (playout_->next_mark()) {}
    if (packet.finished && playing_reply_ != 0) finish_speaking();
}

}  // namespace jackfield::call
