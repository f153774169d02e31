#include "app/telemetry_exporter.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <algorithm>

#include "base/json.hpp"
#include "plugin_host/adapters/telemetry.hpp"

namespace jackfield::app {
namespace {

constexpr base::Milliseconds patience{30'000}; // telemetry.h publishes it
constexpr base::Milliseconds first_pause{500};
constexpr std::size_t largest_batch = 512;

/// SplitMix64's mixing step.
std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t h = 14695981039346656037u; // FNV-1a
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return mix(h);
}
template <std::size_t N>
void put(std::array<std::uint8_t, N>& out, std::size_t at, std::uint64_t value) {
    for (std::size_t i = 0; i < 8; ++i) out[at + i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
}
/// W3C Trace Context forbids an id of zeros.
std::uint64_t nonzero(std::uint64_t value) { return value ? value : 1; }

OwnSpan span_of(const call::CallTelemetry& call, std::uint64_t number) {
    OwnSpan out;
    const std::uint64_t id = hash_of(call.call);
    put(out.trace, 0, nonzero(id));
    put(out.trace, 8, mix(id));
    put(out.span, 0, nonzero(mix(id + number + 1)));
    if (number != 0) put(out.parent, 0, nonzero(mix(id + 1)));
    return out;
}

std::uint32_t status_of(jf_status status) {
    return status == JF_OK ? JF_SPAN_OK : status == JF_E_CANCELLED ? JF_SPAN_CANCELLED : JF_SPAN_ERROR;
}

std::string text_json(std::string_view role, std::string_view text) {
    if (text.empty()) return {};
    base::JsonWriter json;
    json.begin_object().member("role", role).member("content", base::to_valid_utf8(std::string(text))).end_object();
    return json.take();
}

TelemetryItem item_of(const call::CallTelemetry& call, const call::TelemetryOp& op, std::uint64_t number) {
    TelemetryItem item;
    item.span = span_of(call, number);
    item.span.name = op.name;
    item.span.start = call.utc_of(op.began);
    const bool ended = op.ended != base::MonoTime{};
    item.span.end = ended ? call.utc_of(op.ended) : call.ended;
    item.span.end.us = std::max(item.span.end.us, item.span.start.us);
    item.span.status = ended ? status_of(op.status) : JF_SPAN_CANCELLED;
    item.span.attributes = {{"provider", op.provider}};
    if (op.reply) item.span.attributes.emplace_back("reply", std::to_string(op.reply));
    if (op.status != JF_OK) item.span.attributes.emplace_back("status", std::to_string(op.status));
    if (std::string_view(op.name) != "llm") return item;
    item.generation = true;
    item.session = call.call;
    item.provider = op.provider;
    item.input = text_json("user", op.input);
    item.output = text_json("assistant", op.output);
    item.tokens_in = op.usage.tokens_in;
    item.tokens_out = op.usage.tokens_out;
    item.tokens_cached = op.usage.tokens_cached;
    if (op.first_output != base::MonoTime{}) item.first_token = call.utc_of(op.first_output);
    return item;
}

}  // namespace

std::vector<TelemetryItem> items_of(const call::CallTelemetry& call) {
    std::vector<TelemetryItem> out(1);
    OwnSpan& root = out.front().span;
    root = span_of(call, 0);
    root.name = "call";
    root.start = call.started;
    root.end = {std::max(call.ended.us, call.started.us)};
    root.attributes = {{"call", call.call},   {"agent", call.agent},       {"direction", call.direction}, {"provider", call.provider},
                       {"cause", call.cause}, {"ended_by", call.ended_by}, {"reason", call.reason},       {"turns", std::to_string(call.turns)}};
    if (call.answered.us) root.attributes.emplace_back("answered_us", std::to_string(call.answered.us));
    if (call.left_out) root.attributes.emplace_back("left_out", std::to_string(call.left_out));
    for (std::size_t i = 0; i < call.ops.size(); ++i) out.push_back(item_of(call, call.ops[i], i + 1));
    return out;
}

/// One provider of one tenant.
class TelemetryExporter::Outlet : public std::enable_shared_from_this<Outlet> {
  public:
    Outlet(TelemetryExporter& owner, std::shared_ptr<plugin_host::Instance> instance, const std::string& tenant, std::string environment)
        : owner_(owner), running_(owner.running_), instance_(std::move(instance)), environment_(std::move(environment)) {
        const observe::Labels labels{{"provider", instance_->name()}, {"tenant", tenant}};
        accepted_ = owner.metrics_.counter("jackfield_telemetry_accepted_total", "Spans and generations that a telemetry provider has", labels);
        rejected_ = owner.metrics_.counter("jackfield_telemetry_rejected_total", "Spans and generations that it would not have", labels);
        dropped_ = owner.metrics_.counter("jackfield_telemetry_dropped_total", "Spans and generations that were given up", labels);
        const auto document = base::JsonDocument::parse(instance_->plugin().file.descriptor.capabilities);
        if (!document) return;
        const base::JsonView declared = document->root()["telemetry"];
        spans_ = declared["spans"].boolean_or(false);
        generations_ = declared["generations"].boolean_or(false);
        const auto most = declared["max_batch"].integer_or(static_cast<std::int64_t>(largest_batch));
        batch_ = static_cast<std::size_t>(std::clamp<std::int64_t>(most, 1, static_cast<std::int64_t>(largest_batch)));
    }

    void add(const std::vector<TelemetryItem>& items) {
        for (const TelemetryItem& item : items) {
            // A provider without generations gets their spans.
            TelemetryItem own = item;
            if (own.generation && !generations_) own.generation = false;
            if (!own.generation && !spans_) continue;
            if (queue_.size() == most_queued) dropped_.add();
            else queue_.push_back(std::move(own));
        }
        send();
    }

    void answered(std::size_t sent, jf_status status, const jf_telemetry_done* done, const jf_error* error) {
        if (!*running_) return;
        if (status == JF_OK && done) {
            accepted_.add(done->accepted);
            rejected_.add(done->rejected);
            return forget(sent);
        }
        const bool again = status == JF_E_AGAIN || status == JF_E_RATE || status == JF_E_PEER_LOST || status == JF_E_TIMEOUT;
        ++attempts_;
        owner_.log_.warn("telemetry.failed", {{"provider", instance_->name()}, {"status", status}, {"attempt", attempts_}, {"error", error ? error->text : ""}});
        if (!again || attempts_ >= most_attempts) {
            dropped_.add(sent);
            return forget(sent);
        }
        auto pause = first_pause * (1u << (attempts_ - 1));
        if (error && error->retry_class == JF_RETRY_AFTER) pause = std::clamp(base::Milliseconds(error->retry_after_ms), first_pause, base::Milliseconds(60'000));
        owner_.shard_.start_timer(owner_.shard_.now() + pause, [self = shared_from_this(), running = running_] {
            self->busy_ = false;
            if (*running) self->send();
        });
    }

    bool idle() const { return queue_.empty(); }

  private:
    void forget(std::size_t sent) {
        queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(sent));
        attempts_ = 0;
        busy_ = false;
        send();
    }
    void send();

    TelemetryExporter& owner_;
    const std::shared_ptr<bool> running_;
    const std::shared_ptr<plugin_host::Instance> instance_;
    const std::string environment_;
    observe::Counter accepted_, rejected_, dropped_;
    bool spans_ = false;
    bool generations_ = false;
    std::size_t batch_ = largest_batch;
    std::deque<TelemetryItem> queue_;
    bool busy_ = false;
    unsigned attempts_ = 0;
};

/// A batch under way. Deletes itself with the completion.
struct TelemetryExporter::Sending final : public plugin_host::OpSink {
    Sending(std::shared_ptr<Outlet> to, std::size_t n, runtime::Shard& on) : outlet(std::move(to)), sent(n), shard(on) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) override {
        const std::unique_ptr<Sending> self(this);
        if (timer) shard.cancel_timer(timer);
        outlet->answered(sent, status, last ? sdk::data_of<jf_telemetry_done>(*last) : nullptr, error);
    }
    std::shared_ptr<Outlet> outlet;
    std::size_t sent;
    runtime::Shard& shard;
    runtime::TimerId timer = 0;
};

void TelemetryExporter::Outlet::send() {
    const plugin_host::TelemetryPort port(*instance_);
    if (busy_ || queue_.empty() || !port) return;
    const std::size_t n = std::min(queue_.size(), batch_);
    std::vector<std::vector<jf_pair>> attributes(n);
    std::vector<jf_span> inner(n), spans;
    std::vector<jf_generation> generations;
    for (std::size_t i = 0; i < n; ++i) {
        const TelemetryItem& item = queue_[i];
        for (const auto& [key, value] : item.span.attributes) attributes[i].push_back({sdk::str(key), sdk::str(value)});
        jf_span& span = inner[i] = sdk::make<jf_span>();
        std::copy(item.span.trace.begin(), item.span.trace.end(), span.trace_id);
        std::copy(item.span.span.begin(), item.span.span.end(), span.span_id);
        std::copy(item.span.parent.begin(), item.span.parent.end(), span.parent_id);
        span.status = item.span.status;
        span.name = sdk::str(item.span.name);
        span.start_us = item.span.start.us;
        span.end_us = item.span.end.us;
        span.attributes = sdk::array(attributes[i]);
        if (!item.generation) {
            spans.push_back(span);
            continue;
        }
        jf_generation& generation = generations.emplace_back(sdk::make<jf_generation>());
        generation.span = &span;
        generation.session = sdk::str(item.session);
        generation.provider = sdk::str(item.provider);
        generation.input = sdk::str(item.input);
        generation.output = sdk::str(item.output);
        generation.tokens_in = item.tokens_in;
        generation.tokens_out = item.tokens_out;
        generation.tokens_cached = item.tokens_cached;
        generation.first_token_us = item.first_token.us;
        generation.cost = -1;
    }
    jf_telemetry_batch batch = sdk::make<jf_telemetry_batch>();
    batch.environment = sdk::str(environment_);
    batch.spans = sdk::array(spans);
    batch.generations = sdk::array(generations);

    plugin_host::OpTable& ops = owner_.plugins_.ops();
    auto* sending = new Sending(shared_from_this(), n, owner_.shard_);
    busy_ = true;
    const jf_op op = ops.open(owner_.shard_, sending, instance_.get(), plugin_host::check_telemetry(batch));
    if (op == JF_NO_OP) return sending->on_done(op, JF_E_AGAIN, nullptr, nullptr);
    sending->timer = owner_.shard_.start_timer(owner_.shard_.now() + patience, [sending, op, &ops] {
        sending->timer = 0;
        ops.expire(op);
    });
    jf_error error = sdk::make<jf_error>();
    const jf_status status = port.send(op, batch, &error);
    if (status != JF_OK) ops.complete(*instance_, op, status, nullptr, &error);
}

TelemetryExporter::TelemetryExporter(plugin_host::PluginHost& plugins, Targets targets, runtime::Shard& shard, observe::Logger log,
                                     observe::Metrics& metrics)
    : plugins_(plugins), targets_(std::move(targets)), shard_(shard), log_(std::move(log)), metrics_(metrics) {}

TelemetryExporter::~TelemetryExporter() { *running_ = false; }

void TelemetryExporter::add(call::CallTelemetry call) {
    shard_.post([this, running = running_, call = std::make_shared<call::CallTelemetry>(std::move(call))] {
        if (*running) take(*call);
    });
}

bool TelemetryExporter::idle() const {
    return std::all_of(outlets_.begin(), outlets_.end(), [](const auto& outlet) { return outlet.second->idle(); });
}

void TelemetryExporter::stop(base::Milliseconds budget, std::function<void()> done) {
    static constexpr base::Milliseconds look{10};
    if (!*running_ || idle() || budget <= base::Milliseconds(0)) {
        *running_ = false;
        return done();
    }
    shard_.start_timer(shard_.now() + look, [this, budget, done = std::move(done)]() mutable { stop(budget - look, std::move(done)); });
}

void TelemetryExporter::take(const call::CallTelemetry& call) {
    const std::vector<TelemetryItem> items = items_of(call);
    for (Target& target : targets_(call.tenant)) {
        std::shared_ptr<Outlet>& outlet = outlets_[{call.tenant, target.instance.get()}];
        if (!outlet) outlet = std::make_shared<Outlet>(*this, std::move(target.instance), call.tenant, std::move(target.environment));
        outlet->add(items);
    }
}

}  // namespace jackfield::app
