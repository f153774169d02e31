// A call's streams with its recogniser and its model, and the events of all three kinds.

#include <algorithm>

#include "base/json.hpp"
#include "call/call.hpp"
#include "call/line_format.hpp"
#include "call/local_time.hpp"

namespace jackfield::call {
namespace {

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

/// What the caller said last, as the transcript may have it.
std::string last_words(std::span<const ChatMessage> history) {
    for (auto said = history.rbegin(); said != history.rend(); ++said)
        if (said->role == Role::user) return said->masked ? std::string(said->content.size(), '*') : said->content;
    return {};
}

bool detects_turns(plugin_host::Instance& stt) {
    const auto caps = base::JsonDocument::parse(stt.plugin().file.descriptor.capabilities);
    return caps && caps->root()["stt"]["turn_detection"].boolean_or(false);
}

}  // namespace

void Call::Stream::on_event(jf_op, const jf_event& event) { owner.on_stream_event(*this, event); }

void Call::Stream::on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) {
    if (const auto* usage = last && last->type == JF_EV_LLM_USAGE ? sdk::data_of<jf_llm_usage>(*last) : nullptr) owner.telemetry_.used(op, *usage);
    owner.on_stream_done(*this, status, error);
}

Call::Stream* Call::open_stream(StreamKind kind, const std::shared_ptr<plugin_host::Instance>& instance, std::uint64_t reply) {
    auto stream = std::make_unique<Stream>(*this, kind, reply);
    stream->instance = instance.get();
    stream->keep = instance;
    stream->op = env_.plugins.ops().open(shard_, stream.get(), instance.get());
    if (stream->op == JF_NO_OP) return nullptr;
    env_.plugins.ops().set_owner(stream->op, plugin_host::OpOwner::of(row_.tenant, row_.id));
    note_provider(kind, *instance);
    trace_op(TraceEntry::Kind::op_opened, *stream);
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

// ---- recogniser

void Call::open_stt(bool feed_turn) {
    drop_stream(stt_);
    listening_ = false;
    feed_at_.reset();
    finalize_after_feed_.reset();
    stt_pushed_to_ = 0;
    if (setup_.stt.empty()) return;
    const auto& instance = choose(setup_.stt, stt_index_);
    plugin_host::SttPort port(*instance);
    Stream* stream = open_stream(StreamKind::stt, instance, 0);
    if (!port || !stream) return log_.error("stt.unusable", {{"provider", instance->name()}});
    stt_ = stream;
    stt_table_ = port.table();
    stt_wants_all_ = wants_all_audio(*instance);
    const std::uint16_t codec = codec_for(*instance, "stt", law_);
    stt_linear_ = codec == JF_CODEC_L16;
    machine_.set_provider_detects_turns(detects_turns(*instance));
    std::vector<jf_str> phrases;
    std::vector<jf_str> keywords;
    const jf_hints hints = hints_.abi(phrases, keywords);
    jf_stt_open options{};
    options.struct_size = sizeof options;
    options.flags = JF_STT_PARTIALS;
    options.format.struct_size = sizeof options.format;
    options.format.codec = codec;
    options.format.channels = 1;
    options.format.rate_hz = media::narrowband_hz;
    options.language = sdk::str(setup_.agent.language);
    options.hints = &hints;
    jf_error error{};
    error.struct_size = sizeof error;
    const jf_status status = port.open(stream->op, options, &error);
    if (status != JF_OK) return static_cast<void>(env_.plugins.ops().complete(*instance, stream->op, status, nullptr, &error));
    if (!feed_turn || !turn_from_) return;
    env_.metrics.chains.fed_again.add();
    listening_ = true;
    feed_at_ = std::max(*turn_from_, history_->begin());
    feed_stt();
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
    out.min_digits = min_digits;
    out.max_digits = max_digits;
    return out;
}

void Call::OwnedHints::take(const jf_hints& hints) {
    slot = hints.slot;
    min_digits = hints.min_digits;
    max_digits = hints.max_digits;
    grammar = sdk::view(hints.grammar);
    phrases.clear();
    keywords.clear();
    for (std::uint32_t i = 0; i < hints.phrases.n; ++i) phrases.emplace_back(sdk::view(*JF_AT(jf_str, hints.phrases, i)));
    for (std::uint32_t i = 0; i < hints.keywords.n; ++i) keywords.emplace_back(sdk::view(*JF_AT(jf_str, hints.keywords, i)));
}

void Call::send_hints() {
    machine_.on_slot(hints_.slot, hints_.max_digits);
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
    if (feed_at_) finalize_after_feed_ = ticket;
    else send_finalize(ticket);
}

void Call::send_finalize(std::uint64_t ticket) {
    stt_->asked = now();
    stt_->ticket = ticket;
    jf_stt_control control{};
    control.struct_size = sizeof control;
    control.verb = JF_STT_FINALIZE;
    control.value = ticket;
    // Its queue is full: again with the next tick. Forgotten here, the caller would wait for a final that nobody owes them.
    if (plugin_host::SttPort(*stt_->instance, stt_table_).control(stt_->op, control) == JF_E_AGAIN) finalize_after_feed_ = ticket;
}

// ---- model

/// The reply that was begun on provisional words is the one: what its model expects next counts now.
void Call::adopt(std::uint64_t) {
    if (!draft_hints_) return;
    hints_ = std::move(*draft_hints_);
    draft_hints_.reset();
    send_hints();
}

/// What the model of this reply expects the caller to say next.
void Call::use_hints(std::uint64_t reply, const OwnedHints& hints) {
    if (machine_.is_draft(reply)) {
        draft_hints_ = hints;
        return;
    }
    hints_ = hints;
    send_hints();
}

void Call::generate(std::uint64_t reply, bool prewarm, std::optional<std::string> provisional, std::string said) {
    if (!prewarm) drop_models();
    if (!prewarm) draft_hints_.reset();
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
    stream->chain_index = llm_index_ % setup_.llm.size();
    if (prewarm) {
        ask_model(*stream, true);
        // Who may have to take over shall not begin cold either; what it expects to hear is nobody's business.
        const auto next = standby_of(setup_.llm, llm_index_);
        if (!next || !plugin_host::LlmPort(*setup_.llm[*next])) return;
        if (Stream* standby = open_stream(StreamKind::prewarm, setup_.llm[*next], 1)) ask_model(*standby, true);
        return;
    }
    llm_ = stream;
    model_provisional_ = std::move(provisional);
    model_said_ = std::move(said);
    ask_model(*stream, false);
    arm_model_hedge();
}

/// Sends the conversation so far.
void Call::ask_model(Stream& stream, bool prewarm) {
    const plugin_host::LlmPort port(*stream.instance);
    stream.asked = now();
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
    if (!prewarm && model_provisional_) add(JF_ROLE_USER, 0, *model_provisional_);
    if (telemetry_.wants_contents()) telemetry_.asked(stream.op, !prewarm && model_provisional_ ? *model_provisional_ : last_words(history));
    if (!prewarm && !model_said_.empty()) add(JF_ROLE_ASSISTANT, JF_MESSAGE_INTERRUPTED, model_said_);
    const std::vector<BuiltInTool> built_in = built_in_tools(setup_.agent);
    const std::vector<jf_tool> tools = tools_for_model(built_in);
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
    const jf_status status = prewarm ? port.prewarm(stream.op, request, &error) : port.start(stream.op, request, &error);
    if (status != JF_OK) env_.plugins.ops().complete(*stream.instance, stream.op, status, nullptr, &error);
}

// ---- events

void Call::on_stream_event(Stream& stream, const jf_event& event) {
    if (leg_gone_) return;
    const bool of_model = &stream == llm_ || &stream == llm_standby_;
    const bool of_voice = &stream == tts_ || &stream == tts_standby_;
    const bool of_prewarm = stream.kind == StreamKind::prewarm && stream.reply == 0;
    // Each says what is its to say: a voice that reports words of the caller's is not believed.
    const bool expected = (event.type >> 8) == (JF_EV_PARTIAL >> 8)  ? &stream == stt_
                          : event.type == JF_EV_HINTS                ? of_model || of_prewarm
                          : (event.type >> 8) == (JF_EV_AUDIO >> 8)  ? of_voice
                          : (event.type >> 8) == (JF_EV_TOKEN >> 8)  ? of_model
                                                                     : false;
    if (event.type == JF_EV_CREDIT && of_voice) {
        send_text(stream); // it had no room for text, and has some now
        return update_timer();
    }
    if (!expected) return;
    switch (event.type) {
        case JF_EV_PARTIAL:
            if (const auto* text = sdk::data_of<jf_text>(event)) {
                note_heard();
                run(machine_.on_partial(now(), sdk::view(text->text)));
            }
            return;
        case JF_EV_FINAL:
            on_stt_answer(stream, event.pos);
            if (const auto* text = sdk::data_of<jf_text>(event)) {
                note_heard();
                run(machine_.on_final(now(), event.pos, sdk::view(text->text), text->confidence));
            }
            return;
        case JF_EV_NO_MATCH: {
            const auto* text = sdk::data_of<jf_text>(event);
            on_stt_answer(stream, event.pos);
            run(machine_.on_no_match(now(), event.pos, text ? sdk::view(text->text) : std::string_view()));
            return;
        }
        case JF_EV_TURN_END:
            stt_restarts_ = 0;
            if (!std::exchange(stream.served, true)) stream.instance->breaker().succeeded(now());
            if (const auto* text = sdk::data_of<jf_text>(event)) {
                note_heard();
                run(machine_.on_turn_end(now(), sdk::view(text->text), text->confidence));
            }
            return;
        case JF_EV_EAGER_TURN_END:
            if (const auto* text = sdk::data_of<jf_text>(event)) {
                note_heard();
                run(machine_.on_eager_turn_end(now(), sdk::view(text->text)));
            }
            return;
        case JF_EV_TURN_RESUMED: return run(machine_.on_turn_resumed(now()));
        case JF_EV_TOKEN:
            on_model_output(stream);
            if (const auto* text = sdk::data_of<jf_str>(event)) {
                telemetry_.said(stream.op, sdk::view(*text), now());
                run(machine_.on_token(now(), stream.reply, sdk::view(*text)));
            }
            return;
        case JF_EV_TOOL_CALL:
            on_model_output(stream);
            if (const auto* call = sdk::data_of<jf_tool_call>(event))
                run(machine_.on_tool_call(now(), stream.reply, sdk::view(call->id), sdk::view(call->name), sdk::view(call->arguments)));
            return;
        case JF_EV_HINTS:
            if (const auto* hints = sdk::data_of<jf_hints>(event)) {
                OwnedHints taken;
                taken.take(*hints);
                // While it is open who answers, nobody's count.
                if (of_model && llm_standby_) stream.hints = std::move(taken);
                else use_hints(stream.reply, taken);
            }
            return;
        case JF_EV_AUDIO: {
            const auto* frame = sdk::data_of<jf_frame>(event);
            if (frame) on_voice_audio(stream, event, *frame);
            return;
        }
        default: return;
    }
}

/// An answer to the FINALIZE that is out says how long it took.
void Call::on_stt_answer(Stream& stream, std::uint64_t ticket) {
    stt_restarts_ = 0;
    if (ticket == 0 || ticket != std::exchange(stream.ticket, 0)) return;
    stream.instance->health().answered(now(), now() - stream.asked);
}

void Call::on_stream_done(Stream& stream, jf_status status, const jf_error* error) {
    trace_op(TraceEntry::Kind::op_done, stream, status, error);
    const std::uint64_t reply = stream.reply;
    const bool served = stream.served;
    const bool was_stt = &stream == stt_;
    const bool was_llm = &stream == llm_;
    const bool was_tts = &stream == tts_;
    const bool was_standby = &stream == llm_standby_ || &stream == tts_standby_;
    if (was_standby && status != JF_OK) stream.instance->breaker().failed(now());
    if (&stream == llm_standby_) {
        llm_standby_ = nullptr;
        model_abandon_at_.reset();
    }
    if (&stream == tts_standby_) tts_standby_ = nullptr;
    const std::string provider = stream.instance->name();
    if (was_stt) stt_ = nullptr;
    if (was_llm) llm_ = nullptr;
    if (was_tts) tts_ = nullptr;
    std::erase_if(streams_, [&](const auto& s) { return s.get() == &stream; });
    if (leg_gone_) return finish_when_quiet();
    if (status != JF_OK && (was_stt || was_llm || was_tts))
        log_.warn("provider.failed", {{"provider", provider}, {"status", status}, {"error", error ? error->text : ""}});
    if (status != JF_OK && (was_stt || was_llm || was_tts))
        machine_.decisions().note(now(), Decision::provider_failed, was_stt ? 0 : was_llm ? 1 : 2, status, provider);
    if (was_stt) {
        // A recogniser that ended by itself, well or not, is replaced: the call still needs ears. Not in a tight loop.
        if (++stt_restarts_ <= 5) run(machine_.on_stt_failed(now()));
        else hang_up(JF_CAUSE_FAILED, "stt_failed");
    } else if (was_llm) {
        // It broke, or had nothing to say, and another is being asked already.
        if (llm_standby_) return promote_model();
        model_hedge_at_.reset();
        model_abandon_at_.reset();
        if (status == JF_OK) run(machine_.on_generated(now(), reply));
        else run(machine_.on_generation_failed(now(), reply));
    } else if (was_tts) {
        voice_is_gone(status == JF_OK && (served || !tts_standby_));
    }
}

}  // namespace jackfield::call
