#include "conformance/kit/bench.hpp"
#include "conformance/kit/lent.hpp"
#include "conformance/suites.hpp"
#include "plugin_host/adapters/telemetry.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::TelemetryPort;

/// One batch; what it lends is the object's own.
class Batch {
  public:
    Batch(Bench& bench, std::shared_ptr<Bench::Instance> instance, unsigned shard = 0)
        : bench_(bench), instance_(std::move(instance)), port_(*instance_), record_(bench.open(*instance_, shard)) {
        require(static_cast<bool>(port_), "it has no jf.telemetry/1");
    }

    jf_span span(std::string_view name, std::uint8_t number) {
        jf_span out = make<jf_span>();
        out.trace_id[0] = 0x4b;
        out.trace_id[15] = 1;
        out.span_id[0] = 0x53;
        out.span_id[7] = number;
        if (number > 1) out.parent_id[0] = 0x53, out.parent_id[7] = 1;
        out.name = str(name);
        out.start_us = 1'790'000'000'000'000;
        out.end_us = out.start_us + 1'500'000;
        out.attributes = sdk::array(attributes_);
        return out;
    }
    /// A call with so many spans, one generation and one score, as far as the capabilities go.
    Batch& usual(std::uint32_t spans = 2) {
        const auto takes = [&](const char* what) { return bench_.target().capability("telemetry", what).boolean_or(false); };
        if (takes("spans"))
            for (std::uint32_t i = 0; i < spans; ++i) spans_.push_back(span(i == 0 ? "call" : "turn", static_cast<std::uint8_t>(i % 250 + 1)));
        if (takes("generations")) {
            inner_ = span("generate", 251);
            jf_generation& generation = generations_.emplace_back(make<jf_generation>());
            generation.span = &inner_;
            generation.session = str("01VERIFY");
            generation.provider = str("brain");
            generation.input = str(R"({"messages":[{"role":"user","content":"hello"}]})");
            generation.output = str(R"({"text":"hi"})");
            generation.tokens_out = 7;
            generation.cost = -1;
        }
        if (takes("scores")) {
            jf_score& score = scores_.emplace_back(make<jf_score>());
            score.id = str("score-1");
            score.trace_id[0] = 0x4b;
            score.trace_id[15] = 1;
            score.name = str("friendly");
            score.value = 0.75;
        }
        return *this;
    }
    jf_telemetry_batch batch() const {
        jf_telemetry_batch out = make<jf_telemetry_batch>();
        out.environment = str("verify");
        out.spans = sdk::array(spans_);
        out.generations = sdk::array(generations_);
        out.scores = sdk::array(scores_);
        return out;
    }
    /// The same in memory that can be taken back: items, names, attributes and contents.
    const jf_telemetry_batch* lent(Lent& lent) {
        std::vector<jf_pair> attributes;
        for (const jf_pair& pair : attributes_) attributes.push_back({lent.text(pair.key), lent.text(pair.value)});
        const jf_array pairs = lent.array(attributes);
        for (jf_span& span : spans_) {
            span.name = lent.text(span.name);
            span.attributes = pairs;
        }
        for (jf_generation& generation : generations_) {
            jf_span inner = *generation.span;
            inner.name = lent.text(inner.name);
            inner.attributes = pairs;
            generation.span = lent.copy(inner);
            for (jf_str* text : {&generation.session, &generation.provider, &generation.input, &generation.output}) *text = lent.text(*text);
        }
        for (jf_score& score : scores_)
            for (jf_str* text : {&score.id, &score.name}) *text = lent.text(*text);
        jf_telemetry_batch out = batch();
        out.environment = lent.text(out.environment);
        out.spans = lent.array(spans_);
        out.generations = lent.array(generations_);
        out.scores = lent.array(scores_);
        return lent.copy(out);
    }
    jf_status send(const jf_telemetry_batch& wanted) {
        return bench_.begin(record_, *instance_, "send", [&] {
            jf_error error = make<jf_error>();
            const jf_status status = port_.send(record_.op, wanted, &error);
            if (status != JF_OK) record_.error = said(error);
            return status;
        });
    }
    Batch& sent() {
        const jf_status status = send(batch());
        if (status != JF_OK) fail(fmt::format("send answered {}: {}", status_name(status), record_.error));
        return *this;
    }
    std::size_t items() const { return spans_.size() + generations_.size() + scores_.size(); }
    /// All of it counted; how many were accepted.
    std::uint32_t accepted() {
        bench_.expect_done(record_, "the batch", patience * 3);
        if (record_.status != JF_OK) fail(fmt::format("the batch completed with {}: {}", status_name(record_.status), record_.error));
        const auto* done = record_.last && record_.last->type() == JF_EV_TELEMETRY_DONE ? record_.last->as<jf_telemetry_done>() : nullptr;
        require(done != nullptr, "the batch completed without TELEMETRY_DONE");
        require(std::uint64_t{done->accepted} + done->rejected == items(), fmt::format("{} accepted and {} rejected of {} items", done->accepted, done->rejected, items()));
        return done->accepted;
    }
    OpRecord& record() { return record_; }
    const TelemetryPort& port() const { return port_; }
    std::vector<jf_span>& spans() { return spans_; }

  private:
    Bench& bench_;
    std::shared_ptr<Bench::Instance> instance_;
    TelemetryPort port_;
    std::vector<jf_pair> attributes_{{str("cause"), str("normal")}, {str("odd \"key\"\n"), str("\xff\x01 value")}};
    std::vector<jf_span> spans_;
    jf_span inner_{};
    std::vector<jf_generation> generations_;
    std::vector<jf_score> scores_;
    OpRecord& record_;
};

void takes_a_batch(Bench& bench) {
    Batch batch(bench, bench.start());
    batch.usual();
    require(batch.items() > 0, "its capabilities name nothing that it takes");
    require(batch.sent().accepted() == batch.items(), "it rejected items of a plain batch");
}

void takes_it_again(Bench& bench) {
    auto instance = bench.start();
    for (int i = 0; i < 2; ++i) Batch(bench, instance).usual().sent().accepted();
}

void takes_max_batch(Bench& bench) {
    const auto most = std::clamp<std::int64_t>(bench.target().capability("telemetry", "max_batch").integer_or(1), 1, 4096);
    if (most < 4) not_applicable("its batches are smaller than a call");
    Batch(bench, bench.start()).usual(static_cast<std::uint32_t>(most) - 2).sent().accepted();
}

void refuses_nothing(Bench& bench) {
    Batch empty(bench, bench.start());
    const jf_status status = empty.send(empty.batch());
    if (status == JF_OK) bench.expect_done(empty.record(), "an empty batch");
    require_status("send of an empty batch", status == JF_OK ? empty.record().status : status, {JF_E_INVALID, JF_OK});
}

void odd_items(Bench& bench) {
    auto instance = bench.start();
    Batch odd(bench, instance);
    odd.usual(4);
    if (odd.spans().size() < 4) not_applicable("it takes no spans");
    odd.spans()[0].name = {};
    odd.spans()[1].status = 77;
    odd.spans()[2].end_us = odd.spans()[2].start_us - 1;
    odd.spans()[3].attributes = {};
    const jf_status status = odd.send(odd.batch());
    require_status("send of odd spans", status, {JF_OK, JF_E_INVALID});
    if (status == JF_OK) {
        bench.expect_done(odd.record(), "odd spans", patience * 3);
        if (odd.record().status == JF_OK) odd.accepted();
    }
    Batch(bench, instance).usual().sent().accepted();
}

void cancels(Bench& bench) {
    auto instance = bench.start();
    Batch batch(bench, instance);
    batch.usual().sent();
    bench.cancel(batch.record());
    bench.cancel(batch.record());
    bench.expect_done(batch.record(), "the cancelled batch", milliseconds(1500));
    require_status("the cancelled batch", batch.record().status, {JF_E_CANCELLED, JF_OK});
    require(bench.spy().completions_of(batch.record().op) == 1, "the plugin did not complete the cancelled batch itself");
    require_status("cancel after the completion", bench.plugin_cancel(*instance, batch.record().op), {JF_E_INVALID});
}

void several_at_once(Bench& bench) {
    auto instance = bench.start();
    std::vector<std::unique_ptr<Batch>> all;
    for (unsigned i = 0; i < 4; ++i) all.push_back(std::make_unique<Batch>(bench, instance, i % 2));
    for (const auto& one : all) one->usual().sent();
    for (const auto& one : all) one->accepted();
}

void borrows_only(Bench& bench) {
    auto instance = bench.start();
    Batch batch(bench, instance);
    Lent lent;
    const jf_telemetry_batch* const wanted = batch.usual().lent(lent);
    require_status("send", bench.begin(batch.record(), *instance, "send", [&] {
        jf_error error = make<jf_error>();
        const jf_status status = batch.port().send(batch.record().op, *wanted, &error);
        lent.take_back();
        return status;
    }), {JF_OK});
    batch.accepted();
}

void struct_sizes(Bench& bench) {
    auto instance = bench.start();
    if (bench.target().capability("telemetry", "spans").boolean_or(false)) {
        Batch shorter(bench, instance);
        shorter.usual();
        jf_telemetry_batch known = shorter.batch();
        known.struct_size = offsetof(jf_telemetry_batch, scores);
        known.scores = {reinterpret_cast<const void*>(std::uintptr_t{0xdead}), 4, sizeof(jf_score)};
        require_status("send of a jf_telemetry_batch without its last member", shorter.send(known), {JF_OK});
        bench.expect_done(shorter.record(), "a batch without its last member", patience * 3);
        if (shorter.record().status != JF_OK) fail("a batch without its last member completed with " + status_name(shorter.record().status));
    }

    Batch longer(bench, instance);
    longer.usual();
    struct {
        jf_telemetry_batch known;
        std::uint64_t appended[4];
    } later{longer.batch(), {0, 0, 0, 0}};
    later.known.struct_size = sizeof later;
    require_status("send of a longer jf_telemetry_batch that ends in zeros", longer.send(later.known), {JF_OK});
    longer.accepted();

    // Spans are stepped by their stride: a newer host's are longer.
    struct Longer {
        jf_span known;
        std::uint64_t appended[2];
    };
    Batch strides(bench, instance);
    strides.usual();
    std::vector<Longer> spans;
    for (const jf_span& span : strides.spans()) {
        spans.push_back({span, {0, 0}});
        spans.back().known.struct_size = sizeof(Longer);
    }
    jf_telemetry_batch wide = strides.batch();
    wide.spans = sdk::array(spans);
    require_status("send of longer spans", strides.send(wide), {JF_OK});
    strides.accepted();
}

void refuses_while_quiescing(Bench& bench) {
    auto instance = bench.start();
    OpRecord& quiet = bench.open(*instance);
    require_status("quiesce", bench.begin_blocking(quiet, *instance, "quiesce", [&] {
        return bench.spy().functions_of(*instance)->quiesce(bench.spy().self_of(*instance), quiet.op, 2000);
    }), {JF_OK});
    bench.expect_done(quiet, "quiesce", milliseconds(3000));
    Batch late(bench, instance);
    late.usual();
    require_status("send after quiesce", late.send(late.batch()), {JF_E_STATE});
}

void mid_op(Bench& bench) {
    auto* const batch = new Batch(bench, bench.start());
    batch->usual().sent();
}

constexpr Check checks[] = {
    {"telemetry.takes_a_batch", "A batch of what the capabilities name is accepted, item by item", "Complete with TELEMETRY_DONE: accepted + rejected is the number of items.", takes_a_batch, 60},
    {"telemetry.takes_it_again", "A batch that comes again does no harm", "Know spans and scores by their ids.", takes_it_again, 60},
    {"telemetry.takes_max_batch", "As many items as the capabilities say fit one batch", "Lower max_batch, or send in parts.", takes_max_batch, 60},
    {"telemetry.refuses_nothing", "A batch without items is refused or nothing", "Answer INVALID.", refuses_nothing},
    {"telemetry.odd_items", "Odd items are rejected one by one, and harm nothing else", "Count them as rejected: they do not come again.", odd_items, 60},
    {"telemetry.cancels", "cancel completes a batch within the second, and only once", "Complete from cancel(), or when what is under way has ended.", cancels, 60},
    {"telemetry.several_at_once", "Several batches on two threads don't mix", "Keep state per op; lock what is shared.", several_at_once, 60},
    {"telemetry.borrows_only", "What send was lent is copied before it returns", "Copy names, attributes and contents: they are gone when send returns.", borrows_only, 60},
    {"telemetry.struct_sizes", "Batches are read as far as they reach, and arrays by their stride", "Ask JF_HAS before each member; step with JF_AT.", struct_sizes, 60},
    {"telemetry.refuses_while_quiescing", "After quiesce nothing new begins", "Answer STATE from send().", refuses_while_quiescing},
};

}  // namespace

std::span<const Check> telemetry_checks() { return checks; }
void telemetry_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
