// A call's streams with its recogniser, model and voice.

#include <algorithm>

#include "base/json.hpp"
#include "call/call.hpp"
#include "call/local_time.hpp"

namespace jackfield::call {
namespace {

/// Synthesised ahead of the ear at most: enough for a slow voice, little enough to throw away.
constexpr std::uint64_t voice_credit = 5 * media::narrowband_hz;

std::uint32_t role_of(Role role) {
    switch (role) {
        case Role::user: return JF_ROLE_USER;
        case Role::assistant: return JF_ROLE_ASSISTANT;
        case Role::tool: return JF_ROLE_TOOL;
    }
    return JF_ROLE_USER;
}

bool wants_all_audio(plugin_host::Instance& stt) {
    const auto caps = base::JsonDocument::parse(stt.plugin().file.descriptor.capabilities);
    return caps && caps->root()["stt"]["audio"].text_or("all") == "all";
}

}  // namespace

void Call::Stream::on_event(jf_op, const jf_event& event) { owner.on_stream_event(*this, event); }

void Call::Stream::on_done(jf_op, jf_status status, const jf_event*, const jf_error* error) {
    owner.on_stream_done(*this, status, error);
}

Call::Stream* Call::open_stream(StreamKind kind, const std::shared_ptr<plugin_host::Instance>& instance, std::uint64_t reply) {
    auto stream = std::make_unique<Stream>(*this, kind, reply);
    stream->instance = instance.get();
    stream->keep = instance;
    stream->op = env_.plugins.ops().open(shard_, stream.get(), instance.get());
    if (stream->op == JF_NO_OP) return nullptr;
    streams_.push_back(std::move(stream));
    return streams_.back().get();
}

/// The call no longer cares for the stream; it goes away when the plugin has completed it.
void Call::drop_stream(Stream*& stream) {
    if (!stream) return;
    const jf_op op = stream->op;
    stream = nullptr;
    env_.plugins.ops().cancel(op);
}

void Call::next_provider(act::NextProvider::Kind kind) {
    env_.metrics.failovers.add();
    const auto fail = [this](const Chain& chain, std::size_t& index) {
        if (!chain.empty()) chain[index % chain.size()]->breaker().failed(now());
        ++index;
    };
    switch (kind) {
        case act::NextProvider::stt: return fail(setup_.stt, stt_index_);
        case act::NextProvider::llm: return fail(setup_.llm, llm_index_);
        case act::NextProvider::tts: return fail(setup_.tts, tts_index_);
    }
}

/// The provider whose turn it is, or the next one that no open breaker keeps us from. When all are sick, the one whose turn it is: a chance
/// is better than silence.
const std::shared_ptr<plugin_host::Instance>& Call::choose(const Chain& chain, std::size_t& index) const {
    for (std::size_t i = 0; i < chain.size(); ++i) {
        const std::size_t candidate = (index + i) % chain.size();
        if (!chain[candidate]->breaker().allow(now())) continue;
        index = candidate;
        break;
    }
    return chain[index % chain.size()];
}

// ---- recogniser

void Call::open_stt() {
    drop_stream(stt_);
    listening_ = false;
    if (setup_.stt.empty()) return;
    const auto& instance = choose(setup_.stt, stt_index_);
    plugin_host::SttPort port(*instance);
    Stream* stream = open_stream(StreamKind::stt, instance, 0);
    if (!port || !stream) return log_.error("stt.unusable", {{"provider", instance->name()}});
    stt_ = stream;
    stt_table_ = port.table();
    stt_wants_all_ = wants_all_audio(*instance);
    std::vector<jf_str> phrases;
    std::vector<jf_str> keywords;
    const jf_hints hints = hints_.abi(phrases, keywords);
    jf_stt_open options{};
    options.struct_size = sizeof options;
    options.flags = JF_STT_PARTIALS;
    options.format.struct_size = sizeof options.format;
    options.format.codec = law_ == media::G711Law::mu ? JF_CODEC_PCMU : JF_CODEC_PCMA;
    options.format.channels = 1;
    options.format.rate_hz = media::narrowband_hz;
    options.language = sdk::str(setup_.agent.language);
    options.hints = &hints;
    jf_error error{};
    error.struct_size = sizeof error;
    const jf_status status = port.open(stream->op, options, &error);
    if (status != JF_OK) env_.plugins.ops().complete(*instance, stream->op, status, nullptr, &error);
}

jf_hints Call::OwnedHints::abi(std::vector<jf_str>& phrase_array, std::vector<jf_str>& keyword_array) const {
    for (const std::string& phrase : phrases) phrase_array.push_back(sdk::str(phrase));
    for (const std::string& keyword : keywords) keyword_array.push_back(sdk::str(keyword));
    jf_hints out{};
    out.struct_size = sizeof out;
    out.slot = slot;
    out.grammar = sdk::str(grammar);
    out.phrases = sdk::array(phrase_array);
    out.keywords = sdk::array(keyword_array);
    return out;
}

void Call::OwnedHints::take(const jf_hints& hints) {
    slot = hints.slot;
    grammar = sdk::view(hints.grammar);
    phrases.clear();
    keywords.clear();
    for (std::uint32_t i = 0; i < hints.phrases.n; ++i) phrases.emplace_back(sdk::view(*JF_AT(jf_str, hints.phrases, i)));
    for (std::uint32_t i = 0; i < hints.keywords.n; ++i) keywords.emplace_back(sdk::view(*JF_AT(jf_str, hints.keywords, i)));
}

void Call::send_hints() {
    machine_.on_slot(hints_.slot);
    if (!stt_) return;
    std::vector<jf_str> phrases;
    std::vector<jf_str> keywords;
    const jf_hints hints = hints_.abi(phrases, keywords);
    jf_stt_control control{};
    control.struct_size = sizeof control;
    control.verb = JF_STT_HINTS;
    control.hints = &hints;
    plugin_host::SttPort(*stt_->instance, stt_table_).control(stt_->op, control);
}

void Call::finalize_stt(std::uint64_t ticket) {
    listening_ = false;
    if (!stt_) return run(machine_.on_no_match(now(), ticket, {}));
    jf_stt_control control{};
    control.struct_size = sizeof control;
    control.verb = JF_STT_FINALIZE;
    control.value = ticket;
    plugin_host::SttPort(*stt_->instance, stt_table_).control(stt_->op, control);
}

// ---- model

void Call::generate(std::uint64_t reply, bool prewarm) {
    if (!prewarm) drop_stream(llm_);
    if (setup_.llm.empty()) {
        if (!prewarm) run(machine_.on_generation_failed(now(), reply));
        return;
    }
    const auto& instance = choose(setup_.llm, llm_index_);
    plugin_host::LlmPort port(*instance);
    Stream* stream = port ? open_stream(prewarm ? StreamKind::prewarm : StreamKind::llm, instance, reply) : nullptr;
    if (!stream) {
        log_.error("llm.unusable", {{"provider", instance->name()}});
        if (!prewarm) run(machine_.on_generation_failed(now(), reply));
        return;
    }
    if (!prewarm) llm_ = stream;

    std::vector<jf_message> messages;
    std::vector<jf_tool_call> calls;
    const auto& history = machine_.messages();
    messages.reserve(history.size() + 1);
    calls.reserve(history.size());
    const auto add = [&](std::uint32_t role, std::uint32_t flags, std::string_view content) -> jf_message& {
        jf_message& message = messages.emplace_back();
        message.struct_size = sizeof message;
        message.role = role;
        message.flags = flags;
        message.content = sdk::str(content);
        return message;
    };
    if (!setup_.agent.prompt.empty()) add(JF_ROLE_SYSTEM, 0, setup_.agent.prompt);
    for (const ChatMessage& said : history) {
        jf_message& message = add(role_of(said.role), said.flags, said.content);
        if (said.role == Role::tool) message.tool_call_id = sdk::str(said.tool_call_id);
        if (said.tool_name.empty()) continue;
        jf_tool_call& call = calls.emplace_back();
        call.struct_size = sizeof call;
        call.id = sdk::str(said.tool_call_id);
        call.name = sdk::str(said.tool_name);
        call.arguments = sdk::str(said.tool_arguments);
        message.tool_calls = {&call, 1, sizeof call};
    }
    std::vector<jf_tool> tools;
    for (const std::string& name : setup_.agent.tools) {
        jf_tool& tool = tools.emplace_back();
        tool.struct_size = sizeof tool;
        tool.name = sdk::str(name);
        tool.description = sdk::str(name == "hang_up" ? "Ends the call after what was said." : "Hands the caller to a person.");
        tool.parameters = sdk::str(name == "hang_up" ? R"({"type":"object","properties":{}})"
                                                     : R"({"type":"object","properties":{"to":{"type":"string"}},"required":["to"]})");
    }
    const std::string local = format_local(utc_now(), setup_.time_zone);
    jf_llm_request request{};
    request.struct_size = sizeof request;
    request.deadline_ms = static_cast<std::uint32_t>(setup_.agent.turn.llm_timeout.count());
    request.messages = sdk::array(messages);
    request.tools = sdk::array(tools);
    request.session = sdk::str(row_.id);
    request.language = sdk::str(setup_.agent.language);
    request.now_local = sdk::str(local);
    jf_error error{};
    error.struct_size = sizeof error;
    const jf_status status = prewarm ? port.prewarm(stream->op, request, &error) : port.start(stream->op, request, &error);
    if (status != JF_OK) env_.plugins.ops().complete(*instance, stream->op, status, nullptr, &error);
}

// ---- voice

bool Call::open_voice(std::uint64_t reply) {
    if (tts_ && tts_->reply == reply) return true;
    drop_stream(tts_);
    if (setup_.tts.empty()) return false;
    const auto& instance = choose(setup_.tts, tts_index_);
    plugin_host::TtsPort port(*instance);
    Stream* stream = port ? open_stream(StreamKind::tts, instance, reply) : nullptr;
    if (!stream) return false;
    tts_ = stream;
    playing_reply_ = reply;
    first_sent_reported_ = false;
    credit_owed_ = 0;
    playout_->start_turn(reply);
    voice_has_all_text_ = voice_broke_ = false;
    voice_deadline_ = now() + setup_.agent.turn.tts_timeout;
    jf_tts_open options{};
    options.struct_size = sizeof options;
    options.format.struct_size = sizeof options.format;
    options.format.codec = law_ == media::G711Law::mu ? JF_CODEC_PCMU : JF_CODEC_PCMA;
    options.format.channels = 1;
    options.format.rate_hz = media::narrowband_hz;
    options.language = sdk::str(setup_.agent.language);
    options.credit = voice_credit;
    jf_error error{};
    error.struct_size = sizeof error;
    const jf_status status = port.open(stream->op, options, &error);
    if (status != JF_OK) env_.plugins.ops().complete(*instance, stream->op, status, nullptr, &error);
    return true;
}

void Call::speak(const act::Speak& action) {
    if (!open_voice(action.reply)) {
        log_.error("tts.unusable");
        return run(machine_.on_voice_failed(now(), action.reply));
    }
    pending_text_.emplace_back(action.text, false);
    send_pending_text();
}

void Call::end_speech(std::uint64_t reply) {
    if (!tts_ || tts_->reply != reply) return;
    pending_text_.emplace_back(std::string(), true);
    send_pending_text();
    if (!voice_deadline_) arm_voice_deadline();
}

void Call::send_pending_text() {
    while (tts_ && !pending_text_.empty()) {
        const auto& [text, last] = pending_text_.front();
        jf_tts_text part{};
        part.struct_size = sizeof part;
        part.flush = last ? JF_TTS_END : JF_TTS_FLUSH;
        part.text = sdk::str(text);
        const jf_status status = plugin_host::TtsPort(*tts_->instance).text(tts_->op, part);
        if (status == JF_E_AGAIN) return; // tried again with the next audio
        voice_has_all_text_ = last;
        pending_text_.pop_front();
        if (status != JF_OK && status != JF_E_INVALID) {
            env_.plugins.ops().cancel(tts_->op);
            return;
        }
    }
}

/// After the first audio only a voice that has all its text owes more: by the time that what is queued has been played, and its patience.
void Call::arm_voice_deadline() {
    voice_deadline_.reset();
    if (!tts_ || !voice_has_all_text_) return;
    const auto queued = static_cast<std::int64_t>(playout_->queued() + overflow_.size());
    voice_deadline_ = now() + setup_.agent.turn.tts_timeout + base::Milliseconds(queued * 1000 / media::narrowband_hz);
}

/// The last of the reply has been played.
void Call::finish_speaking() {
    note_heard();
    const std::uint64_t reply = std::exchange(playing_reply_, 0);
    if (std::exchange(voice_broke_, false)) return run(machine_.on_voice_failed(now(), reply));
    machine_.set_heard({0, true});
    run(machine_.on_spoken(now(), reply));
}

void Call::stop_speech() {
    pending_text_.clear();
    overflow_.clear();
    voice_deadline_.reset();
    drop_stream(tts_);
    if (playout_) playout_->clear();
    playing_reply_ = 0;
    voice_broke_ = false;
}

// ---- events

void Call::on_stream_event(Stream& stream, const jf_event& event) {
    if (leg_gone_) return;
    const bool current = &stream == stt_ || &stream == llm_ || &stream == tts_ || stream.kind == StreamKind::prewarm;
    if (!current) return;
    switch (event.type) {
        case JF_EV_PARTIAL:
            if (const auto* text = sdk::data_of<jf_text>(event)) {
                note_heard();
                run(machine_.on_partial(now(), sdk::view(text->text)));
            }
            return;
        case JF_EV_FINAL:
            if (!std::exchange(stream.served, true)) stream.instance->breaker().succeeded(now());
            if (const auto* text = sdk::data_of<jf_text>(event)) {
                note_heard();
                run(machine_.on_final(now(), event.pos, sdk::view(text->text), text->confidence));
            }
            return;
        case JF_EV_NO_MATCH: {
            const auto* text = sdk::data_of<jf_text>(event);
            run(machine_.on_no_match(now(), event.pos, text ? sdk::view(text->text) : std::string_view()));
            return;
        }
        case JF_EV_TOKEN:
            if (!std::exchange(stream.served, true)) stream.instance->breaker().succeeded(now());
            if (const auto* text = sdk::data_of<jf_str>(event)) run(machine_.on_token(now(), stream.reply, sdk::view(*text)));
            return;
        case JF_EV_TOOL_CALL:
            if (const auto* call = sdk::data_of<jf_tool_call>(event))
                run(machine_.on_tool_call(now(), stream.reply, sdk::view(call->id), sdk::view(call->name), sdk::view(call->arguments)));
            return;
        case JF_EV_HINTS:
            if (const auto* hints = sdk::data_of<jf_hints>(event)) {
                hints_.take(*hints);
                send_hints();
            }
            return;
        case JF_EV_AUDIO: {
            const auto* frame = sdk::data_of<jf_frame>(event);
            if (!frame || stream.reply != playing_reply_) return;
            if (!std::exchange(stream.served, true)) stream.instance->breaker().succeeded(now());
            machine_.on_first_speech(now(), stream.reply);
            std::span<const std::uint8_t> codes(static_cast<const std::uint8_t*>(frame->data.ptr), frame->data.len);
            const std::size_t taken = overflow_.empty() ? playout_->push(codes) : 0;
            if (taken < codes.size()) overflow_.insert(overflow_.end(), codes.begin() + static_cast<std::ptrdiff_t>(taken), codes.end());
            playout_->tag_text(event.pos);
            send_pending_text();
            arm_voice_deadline();
            update_timer();
            return;
        }
        default: return;
    }
}

void Call::on_stream_done(Stream& stream, jf_status status, const jf_error* error) {
    const StreamKind kind = stream.kind;
    const std::uint64_t reply = stream.reply;
    const bool was_stt = &stream == stt_;
    const bool was_llm = &stream == llm_;
    const bool was_tts = &stream == tts_;
    const std::string provider = stream.instance->name();
    if (was_stt) stt_ = nullptr;
    if (was_llm) llm_ = nullptr;
    if (was_tts) tts_ = nullptr;
    std::erase_if(streams_, [&](const auto& s) { return s.get() == &stream; });
    if (leg_gone_) return finish_when_quiet();
    if (status != JF_OK && (was_stt || was_llm || was_tts))
        log_.warn("provider.failed", {{"provider", provider}, {"status", status}, {"error", error ? error->text : ""}});
    if (was_stt) {
        // A recogniser that ended by itself, well or not, is replaced: the call still needs ears. Not in a tight loop.
        if (++stt_restarts_ <= 5) run(machine_.on_stt_failed(now()));
        else hang_up(JF_CAUSE_FAILED, "stt_failed");
    } else if (was_llm) {
        if (status == JF_OK) run(machine_.on_generated(now(), reply));
        else run(machine_.on_generation_failed(now(), reply));
    } else if (was_tts && kind == StreamKind::tts) {
        voice_deadline_.reset();
        if (status != JF_OK && !first_sent_reported_) return run(machine_.on_voice_failed(now(), reply));
        // What the caller has begun to hear is played to its end, also when the voice broke off in the middle.
        voice_broke_ = status != JF_OK;
        playout_->flush();
        // Nothing was spoken at all: the clock would never see its end.
        if (playout_->queued() == 0 && !playout_->playing() && playing_reply_ == reply) {
            finish_speaking();
        }
        update_timer();
    }
}

}  // namespace jackfield::call
