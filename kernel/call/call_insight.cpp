// What an operator sees of a call: why it did what it did, and its ladder.

#include <arpa/inet.h>

#include <algorithm>

#include "base/json.hpp"
#include "call/call.hpp"

namespace jackfield::call {
namespace {

std::string text_of(const jf_endpoint& endpoint) {
    char ip[INET6_ADDRSTRLEN] = "?";
    const bool six = endpoint.family == JF_NET_IPV6;
    inet_ntop(six ? AF_INET6 : AF_INET, endpoint.ip, ip, sizeof ip);
    return (six ? "[" + std::string(ip) + "]" : std::string(ip)) + ":" + std::to_string(endpoint.port);
}

const char* transport_name(std::uint32_t transport) {
    switch (transport) {
        case JF_SIGNALLING_UDP: return "udp";
        case JF_SIGNALLING_TCP: return "tcp";
        case JF_SIGNALLING_TLS: return "tls";
        default: return "other";
    }
}

}  // namespace

void Call::note_provider(StreamKind kind, const plugin_host::Instance& instance) {
    const int number = kind == StreamKind::stt ? 0 : kind == StreamKind::tts ? 2 : 1;
    const plugin_host::Instance*& last = last_provider_[static_cast<std::size_t>(number)];
    // Each reply opens its streams anew; only another provider is news.
    if (std::exchange(last, &instance) != &instance) machine_.decisions().note(now(), Decision::provider, number, 0, instance.name());
}

std::string Call::why_of(const TurnRecord& turn) {
    const TurnTimes& t = turn.times;
    const bool caller = turn.role == Role::user;
    // The caller's turn from its first sound to when it was closed. The agent's from when it could be answered to its end; only a greeting, and
    // a model that speaks first, answer nothing.
    const auto first_of = [](std::initializer_list<base::MonoTime> times) {
        return *std::find_if(times.begin(), times.end() - 1, [](base::MonoTime time) { return time != base::MonoTime{}; });
    };
    const base::MonoTime from = caller ? first_of({t.user_began, t.ended}) : first_of({t.final_text, t.endpoint, t.first_token, answered_at_});
    const base::MonoTime to = caller ? t.ended : now();
    told_until_ = to;
    return decisions_json(machine_.decisions(), from, to, answered_at_);
}

std::string Call::why_json() {
    base::JsonWriter json;
    json.begin_object().member("number", turn_number_);
    const base::MonoTime from = std::max(told_until_, answered_at_);
    json.key("decisions").raw(answered_ ? decisions_json(machine_.decisions(), from, now(), answered_at_) : "[]");
    json.end_object();
    return json.take();
}

void Call::trace_message(const jf_signalling& message) {
    TraceEntry entry;
    entry.at = {static_cast<std::int64_t>(message.at_ns)};
    entry.kind = TraceEntry::Kind::signalling;
    entry.out = message.direction == JF_SIGNALLING_OUT;
    entry.transport = transport_name(message.transport);
    entry.local = text_of(message.local);
    entry.remote = text_of(message.remote);
    entry.text.assign(static_cast<const char*>(message.data.ptr), std::min<std::size_t>(message.data.len, 8192));
    trace_.add(std::move(entry));
}

void Call::trace_event(const char* name, std::int64_t number, std::string text) {
    TraceEntry entry;
    entry.at = now();
    entry.name = name;
    entry.number = number;
    entry.text = std::move(text);
    trace_.add(std::move(entry));
}

void Call::trace_op(TraceEntry::Kind kind, const Stream& stream, jf_status status, const jf_error* error) {
    constexpr const char* names[] = {"stt", "llm", "prewarm", "tts"};
    TraceEntry entry;
    if (kind == TraceEntry::Kind::op_opened)
        telemetry_.opened(stream.op, names[static_cast<std::size_t>(stream.kind)], stream.instance->name(), static_cast<std::int64_t>(stream.reply), now());
    else telemetry_.done(stream.op, status, now());
    entry.at = now();
    entry.kind = kind;
    entry.name = names[static_cast<std::size_t>(stream.kind)];
    entry.remote = stream.instance->name();
    entry.number = static_cast<std::int64_t>(stream.reply);
    entry.status = status;
    if (error) entry.text = error->text;
    trace_.add(std::move(entry));
}

void Call::trace_leg(TraceEntry::Kind kind, jf_status status, const jf_error* error) {
    TraceEntry entry;
    entry.at = now();
    entry.kind = kind;
    entry.name = "leg";
    entry.remote = row_.provider;
    entry.status = status;
    if (error) entry.text = error->text;
    trace_.add(std::move(entry));
}

std::shared_ptr<AudioTap> Call::listen(const std::string& who, const char* what) {
    if (!answered_ || leg_gone_) return nullptr;
    // Not a matter of degree: who listened in must be found in every log, whatever level it keeps.
    log_.warn("audit.listen", {{"who", who}, {"what", what}, {"agent", row_.agent}});
    taps_.push_back(std::make_shared<AudioTap>(law_));
    return taps_.back();
}

void Call::tap(media::RecordingSide side, media::SamplePos at, std::span<const std::uint8_t> codes) {
    std::erase_if(taps_, [](const auto& tap) { return tap->abandoned(); });
    static thread_local std::array<std::uint8_t, 4096> silence;
    if (consent_refused_ || machine_.recording_paused()) {
        codes = codes.first(std::min(codes.size(), silence.size()));
        media::fill_silence(law_, std::span(silence).first(codes.size()));
        codes = std::span<const std::uint8_t>(silence).first(codes.size());
    }
    for (const auto& tap : taps_) tap->write(side, at, codes);
}

void Call::begin_telemetry() {
    if (setup_.telemetry) telemetry_.enable(setup_.telemetry_contents);
    telemetry_zero_ = now();
}

/// By now every op of it has completed.
void Call::send_telemetry() {
    if (!telemetry_.enabled() || !env_.telemetry) return;
    CallTelemetry out;
    out.call = row_.id;
    out.tenant = row_.tenant;
    out.agent = row_.agent;
    out.direction = row_.direction;
    out.provider = row_.provider;
    out.cause = row_.cause;
    out.ended_by = row_.ended_by;
    out.reason = row_.reason;
    out.turns = row_.turns;
    out.started = row_.started;
    out.answered = row_.answered;
    out.ended = row_.ended;
    out.zero = telemetry_zero_;
    out.left_out = telemetry_.left_out();
    out.ops = telemetry_.take();
    env_.telemetry(std::move(out));
}

/// The last thing a call does: by now every op of it has completed.
void Call::store_trace() {
    send_telemetry();
    // Of a call that could not be stored there is no record that a trace could belong to. And not every tenant wants traces to stay.
    if (end_reason_ == "not_stored" || !setup_.agent.keep_trace) {
        trace_stored_ = TraceStored::yes;
        return;
    }
    trace_stored_ = TraceStored::writing;
    env_.store.add_trace(shard_, row_.tenant, row_.id, trace_.json(), [this](base::Result<> stored) {
        if (!stored) log_.warn("trace.not_stored", {{"error", stored.error().text()}});
        trace_stored_ = TraceStored::yes;
        finish_when_quiet();
    });
}

}  // namespace jackfield::call
