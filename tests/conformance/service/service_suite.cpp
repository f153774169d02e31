#include "conformance/kit/bench.hpp"
#include "conformance/suites.hpp"

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::ServicePort;

/// What the kernel says of a call that is over.
constexpr std::string_view call_ended = R"({"event":"call.ended","call":"01VERIFY","tenant":"verify","agent":"reception","direction":"inbound",)"
    R"("from":"+15550100","to":"+15550199","cause":"normal","ended_by":"caller","reason":"","turns":2,"started_us":1000000,)"
    R"("answered_us":2000000,"ended_us":77500000,"transcript":[{"role":"assistant","text":"Good morning."},{"role":"user","text":"A table for two."}]})";

class Delivery {
  public:
    Delivery(Bench& bench, std::shared_ptr<Bench::Instance> instance, std::string id, std::string name, std::string json, unsigned shard = 0)
        : bench_(bench), instance_(std::move(instance)), port_(*instance_), id_(std::move(id)), name_(std::move(name)), json_(std::move(json)),
          record_(bench.open(*instance_, shard)) {
        require(static_cast<bool>(port_), "it has no jf.service/1");
    }
    jf_service_event event(std::uint32_t attempt = 1) const {
        jf_service_event out = make<jf_service_event>();
        out.attempt = attempt;
        out.id = str(id_);
        out.name = str(name_);
        out.json = str(json_);
        return out;
    }
    jf_status start(const jf_service_event& what) {
        return bench_.begin(record_, *instance_, "on_event", [&] {
            jf_error error = make<jf_error>();
            const jf_status status = port_.on_event(record_.op, what, &error);
            if (status != JF_OK) record_.error = said(error);
            return status;
        });
    }
    /// The status that the event ended with, refused or completed.
    jf_status deliver(std::uint32_t attempt = 1) {
        const jf_status status = start(event(attempt));
        if (status != JF_OK) return status;
        bench_.expect_done(record_, fmt::format("the event {}", name_), patience * 3 / 2);
        return record_.status;
    }
    OpRecord& record() { return record_; }
    const ServicePort& port() const { return port_; }

  private:
    Bench& bench_;
    std::shared_ptr<Bench::Instance> instance_;
    ServicePort port_;
    std::string id_, name_, json_;
    OpRecord& record_;
};

std::vector<std::string> events_of(const Target& target) {
    std::vector<std::string> out;
    const base::JsonView declared = target.capability("service", "events");
    for (std::size_t i = 0; i < declared.size(); ++i) out.push_back(declared.at(i).text_or(""));
    return out;
}

std::string json_of(const std::string& event) {
    return event == "call.ended" ? std::string(call_ended) : fmt::format(R"({{"event":"{}","call":"01VERIFY","tenant":"verify"}})", event);
}

void takes_its_events(Bench& bench) {
    auto instance = bench.start();
    if (events_of(bench.target()).empty()) not_applicable("its capabilities name no event");
    for (const std::string& name : events_of(bench.target())) {
        Delivery delivery(bench, instance, "01VERIFY-" + name, name, json_of(name));
        const jf_status status = delivery.deliver();
        if (status != JF_OK) fail(fmt::format("{} was answered with {}: {}", name, status_name(status), delivery.record().error));
    }
}

void takes_an_event_again(Bench& bench) {
    auto instance = bench.start();
    if (events_of(bench.target()).empty()) not_applicable("its capabilities name no event");
    const std::string name = events_of(bench.target()).front();
    for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
        Delivery delivery(bench, instance, "01VERIFY-again", name, json_of(name));
        require_status(fmt::format("{}, delivered for the {}. time,", name, attempt), delivery.deliver(attempt), {JF_OK});
    }
    Delivery one(bench, instance, "01VERIFY-both", name, json_of(name), 0), other(bench, instance, "01VERIFY-both", name, json_of(name), 1);
    const jf_status first = one.start(one.event()), second = other.start(other.event(2));
    require_status("an event", first, {JF_OK});
    require_status("the same event on another thread", second, {JF_OK, JF_E_CONFLICT, JF_E_AGAIN});
    bench.expect_done(one.record(), "an event that is delivered twice at once");
    if (second == JF_OK) bench.expect_done(other.record(), "an event that is delivered twice at once");
}

void unknown_events(Bench& bench) {
    auto instance = bench.start();
    for (const auto& [name, json] : {std::pair<std::string, std::string>{"no.such.event", "{}"}, {"", "{}"}, {"\xff\xfe", "{}"}, {std::string(100'000, 'x'), "{}"}}) {
        Delivery delivery(bench, instance, "01VERIFY-unknown", name, json);
        require_status("an event that it does not know", delivery.deliver(), {JF_OK, JF_E_UNSUPPORTED, JF_E_INVALID});
    }
}

void odd_events(Bench& bench) {
    auto instance = bench.start();
    if (events_of(bench.target()).empty()) not_applicable("its capabilities name no event");
    const std::string huge = R"({"call":")" + std::string(500'000, 'x') + "\"}", deep = std::string(5000, '[') + std::string(5000, ']');
    for (const std::string& json : {std::string(), std::string("null"), std::string("}{"), std::string("{\"call\":7,\"transcript\":{}}"), std::string("{\"call\":\"\xff\"}"), huge, deep})
        for (const std::string& id : {std::string("01VERIFY-odd"), std::string()}) {
            Delivery delivery(bench, instance, id, events_of(bench.target()).front(), json);
            const jf_status status = delivery.start(delivery.event());
            if (status == JF_OK) bench.expect_done(delivery.record(), "an event that makes no sense");
        }
}

void ticks(Bench& bench) {
    auto instance = bench.start();
    const ServicePort port(*instance);
    if (bench.target().capability("service", "tick_ms").absent()) not_applicable("its capabilities name no tick_ms");
    for (int i = 0; i < 2; ++i) {
        OpRecord& record = bench.open(*instance);
        jf_error error = make<jf_error>();
        const jf_status status = bench.begin(record, *instance, "on_tick", [&] { return port.on_tick(record.op, &error); });
        require_status("on_tick", status, {JF_OK});
        bench.expect_done(record, "the tick", patience * 3 / 2);
    }
}

void cancels(Bench& bench) {
    auto instance = bench.start();
    if (events_of(bench.target()).empty()) not_applicable("its capabilities name no event");
    const std::string name = events_of(bench.target()).front();
    for (int i = 0; i < 3; ++i) {
        Delivery delivery(bench, instance, fmt::format("01VERIFY-cancel-{}", i), name, json_of(name));
        require_status("on_event", delivery.start(delivery.event()), {JF_OK});
        bench.cancel(delivery.record());
        bench.cancel(delivery.record());
        bench.expect_done(delivery.record(), "the cancelled event", milliseconds(1500));
        require(bench.spy().completions_of(delivery.record().op) == 1, "the plugin did not complete the cancelled event itself");
        require_status("cancel after the completion", bench.plugin_cancel(*instance, delivery.record().op), {JF_E_INVALID});
    }
}

void struct_sizes(Bench& bench) {
    auto instance = bench.start();
    const std::string name = events_of(bench.target()).empty() ? "no.such.event" : events_of(bench.target()).front();
    Delivery shorter(bench, instance, "01VERIFY-short", name, json_of(name));
    jf_service_event event = shorter.event();
    event.struct_size = offsetof(jf_service_event, json);
    event.json = {reinterpret_cast<const char*>(std::uintptr_t{0xdead}), 4};
    const jf_status status = shorter.start(event);
    if (status == JF_OK) bench.expect_done(shorter.record(), "an event without its last member");

    Delivery longer(bench, instance, "01VERIFY-long", name, json_of(name));
    struct {
        jf_service_event known;
        std::uint64_t appended[4];
    } later{longer.event(), {0, 0, 0, 0}};
    later.known.struct_size = sizeof later;
    require_status("on_event with a longer jf_service_event that ends in zeros", longer.start(later.known), {JF_OK});
    bench.expect_done(longer.record(), "a longer event");
}

void functions_are_there(Bench& bench) {
    auto instance = bench.start();
    const ServicePort port(*instance);
    const jf_service_v1& table = *port.table();
    const base::JsonView capabilities = bench.target().descriptor->root()["capabilities"]["service"];
    require(capabilities["events"].size() == 0 || (JF_HAS(&table, jf_service_v1, on_event) && table.on_event), "its capabilities name events, and on_event is null");
    require(capabilities["tick_ms"].absent() || (JF_HAS(&table, jf_service_v1, on_tick) && table.on_tick), "its capabilities name tick_ms, and on_tick is null");
    require(capabilities["jobs"].size() == 0 || (JF_HAS(&table, jf_service_v1, on_job) && table.on_job), "its capabilities name jobs, and on_job is null");
    require(capabilities["routes"].size() == 0 || (JF_HAS(&table, jf_service_v1, on_request) && table.on_request), "its capabilities name routes, and on_request is null");
}

void mid_op(Bench& bench) {
    auto instance = bench.start();
    const std::string name = events_of(bench.target()).empty() ? "no.such.event" : events_of(bench.target()).front();
    auto* const delivery = new Delivery(bench, instance, "01VERIFY-killed", name, json_of(name));
    (void)delivery->start(delivery->event());
}

constexpr Check checks[] = {
    {"service.functions_are_there", "What its capabilities name has its function", "Fill on_event, on_tick, on_job, on_request as the capabilities say.", functions_are_there},
    {"service.takes_its_events", "Every declared event is taken", "Complete with OK when the event needs no second delivery.", takes_its_events, 60},
    {"service.takes_an_event_again", "An event that comes again, also at the same time, does no harm", "Use the event's id as the key of what it writes.", takes_an_event_again, 60},
    {"service.unknown_events", "Unknown events are passed over", "Complete with OK: nothing gets better by a second delivery.", unknown_events, 60},
    {"service.odd_events", "Events that make no sense end all the same", "Read JSON with a bounded parser, and complete.", odd_events, 60},
    {"service.ticks", "on_tick completes", "Bound what one tick does; the next one comes.", ticks, 60},
    {"service.cancels", "cancel completes an event within the second, and only once", "Open your ops below the event's: they end with it.", cancels},
    {"service.struct_sizes", "Events are read as far as they reach, and longer ones are understood", "Ask JF_HAS before each member.", struct_sizes},
};

}  // namespace

std::span<const Check> service_checks() { return checks; }
void service_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
