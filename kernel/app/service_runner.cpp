#include "app/service_runner.hpp"

#include <algorithm>

namespace jackfield::app {
namespace {

constexpr std::uint32_t most_attempts = 5;
constexpr base::Milliseconds first_retry{500};

}  // namespace

struct ServiceRunner::Delivery final : public plugin_host::OpSink {
    ServiceRunner* runner = nullptr;
    std::shared_ptr<plugin_host::Instance> instance;
    std::string id;
    std::string name;
    std::string json;
    std::uint32_t attempt = 0;
    std::shared_ptr<bool> running;
    std::shared_ptr<Delivery> self; ///< while an op is out

    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error* error) override {
        const std::shared_ptr<Delivery> keep = std::move(self);
        if (status == JF_OK || !*running) return;
        runner->log_.warn("service.event_failed", {{"service", instance->name()}, {"event", name}, {"attempt", attempt},
                                                   {"status", status}, {"error", error ? error->text : ""}});
        if (attempt >= most_attempts) return runner->log_.error("service.event_lost", {{"service", instance->name()}, {"event", name}});
        runner->shard_.start_timer(runner->shard_.now() + first_retry * (1u << (attempt - 1)), [keep] {
            if (*keep->running) keep->runner->deliver(keep);
        });
    }
};

class ServiceRunner::TickSink final : public plugin_host::OpSink {
  public:
    TickSink(ServiceRunner& runner, const tenant::Service& service) : runner_(runner), service_(service), running_(runner.running_) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error* error) override {
        const std::unique_ptr<TickSink> self(this);
        if (!*running_) return;
        if (status != JF_OK)
            runner_.log_.warn("service.tick_failed", {{"service", service_.instance->name()}, {"error", error ? error->text : ""}});
        runner_.arm_tick(service_);
    }

  private:
    ServiceRunner& runner_;
    const tenant::Service& service_;
    std::shared_ptr<bool> running_;
};

ServiceRunner::ServiceRunner(plugin_host::PluginHost& plugins, const tenant::Directory& directory, runtime::Shard& shard,
                             observe::Logger log)
    : plugins_(plugins), directory_(directory), shard_(shard), log_(std::move(log)) {}

void ServiceRunner::start() {
    shard_.post([this] {
        *running_ = true;
        for (const tenant::Service& service : directory_.services())
            if (service.tick.count() > 0) arm_tick(service);
    });
}

void ServiceRunner::stop() {
    shard_.post([running = running_] { *running = false; });
}

void ServiceRunner::publish(const call::CallEvent& event) {
    for (const tenant::Service& service : directory_.services()) {
        if (service.instance->tenant() != event.tenant) continue;
        if (std::find(service.events.begin(), service.events.end(), event.name) == service.events.end()) continue;
        auto delivery = std::make_shared<Delivery>();
        delivery->runner = this;
        delivery->instance = service.instance;
        delivery->id = event.name + ":" + event.call;
        delivery->name = event.name;
        delivery->json = event.json;
        delivery->running = running_;
        shard_.post([this, delivery] {
            if (*running_) deliver(delivery);
        });
    }
}

void ServiceRunner::deliver(std::shared_ptr<Delivery> delivery) {
    ++delivery->attempt;
    delivery->self = delivery;
    const plugin_host::ServicePort port(*delivery->instance);
    const jf_op op = plugins_.ops().open(shard_, delivery.get(), delivery->instance.get());
    jf_service_event event = sdk::make<jf_service_event>();
    event.attempt = delivery->attempt;
    event.id = sdk::str(delivery->id);
    event.name = sdk::str(delivery->name);
    event.json = sdk::str(delivery->json);
    jf_error error = sdk::make<jf_error>();
    const jf_status status = port ? port.on_event(op, event, &error) : JF_E_UNSUPPORTED;
    if (status != JF_OK) plugins_.ops().complete(*delivery->instance, op, status, nullptr, &error);
}

void ServiceRunner::arm_tick(const tenant::Service& service) {
    shard_.start_timer(shard_.now() + service.tick, [this, &service, running = running_] {
        if (*running) tick(service);
    });
}

void ServiceRunner::tick(const tenant::Service& service) {
    const plugin_host::ServicePort port(*service.instance);
    const jf_op op = plugins_.ops().open(shard_, new TickSink(*this, service), service.instance.get());
    jf_error error = sdk::make<jf_error>();
    const jf_status status = port ? port.on_tick(op, &error) : JF_E_UNSUPPORTED;
    if (status != JF_OK) plugins_.ops().complete(*service.instance, op, status, nullptr, &error);
}

}  // namespace jackfield::app
