#include "service.hpp"

namespace jackfield::call_log {
namespace {

Service& service_of(jf_instance* self) { return *reinterpret_cast<Service*>(self); }

const jf_service_v1* service_table() {
    static const jf_service_v1 table = [] {
        jf_service_v1 t = sdk::make<jf_service_v1>();
        t.on_event = [](jf_instance* self, jf_op op, const jf_service_event* event, jf_error* error) {
            return sdk::guarded(error, [&] {
                if (!JF_HAS(event, jf_service_event, json)) throw sdk::Failure(JF_E_INVALID, "there is no event");
                service_of(self).on_event(op, *event);
            });
        };
        t.on_job = [](jf_instance*, jf_op, const jf_service_event*, jf_error*) -> jf_status { return JF_E_UNSUPPORTED; };
        t.on_tick = [](jf_instance* self, jf_op op, jf_error* error) {
            return sdk::guarded(error, [&] { service_of(self).on_tick(op); });
        };
        t.on_request = [](jf_instance*, jf_op, const jf_service_event*, jf_error*) -> jf_status { return JF_E_UNSUPPORTED; };
        return t;
    }();
    return &table;
}

}  // namespace

sdk::Collection summaries_collection() {
    sdk::Collection made("call_log.summaries", JF_SCOPE_TENANT);
    made.field("call", JF_VALUE_TEXT)
        .field("agent", JF_VALUE_TEXT)
        .field("caller", JF_VALUE_TEXT)
        .field("cause", JF_VALUE_TEXT)
        .field("seconds", JF_VALUE_INT)
        .field("turns", JF_VALUE_INT)
        .field("summary", JF_VALUE_TEXT)
        .field("state", JF_VALUE_TEXT)
        .field("attempts", JF_VALUE_INT)
        .field("transcript", JF_VALUE_TEXT)
        .index({"state"})
        .index({"call"});
    return made;
}

/// Declares the collection and completes the start op. Owns itself until its on_done.
class Service::Declaration final : public sdk::OpUser {
  public:
    Declaration(Service& service, jf_op start_op) : service_(service), start_op_(start_op) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) override {
        const std::unique_ptr<Declaration> self(this);
        const bool declared = status == JF_OK && last && last->type == JF_EV_DECLARED;
        {
            const std::lock_guard lock(service_.mutex_);
            if (service_.declarations_.erase(start_op_) == 0) return; // cancelled: completed already
            if (declared) {
                service_.collection_ = static_cast<std::uint32_t>(last->pos);
                service_.accepting_ = !service_.stopping_;
            }
        }
        const sdk::Host host = service_.host_;
        host.table()->complete(host.ctx(), start_op_, declared || status != JF_OK ? status : JF_E_INTERNAL, nullptr, error);
    }

  private:
    Service& service_;
    jf_op start_op_;
};

/// Ends the wait of quiesce() when its budget is over. Owns itself until its on_done.
class Service::QuiesceTimer final : public sdk::OpUser {
  public:
    QuiesceTimer(Service& service, jf_op quiesce_op) : service_(service), quiesce_op_(quiesce_op) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<QuiesceTimer> self(this);
        if (status == JF_OK) service_.end_quiesce(quiesce_op_);
    }

  private:
    Service& service_;
    jf_op quiesce_op_;
};

void Service::start(jf_op op) {
    const auto* store = host_.facility<jf_host_records_v1>(JF_FACILITY_RECORDS);
    if (!store) throw sdk::Failure(JF_E_UNSUPPORTED, "this host has no record store");
    jf_error error = sdk::make<jf_error>();
    jf_provider_ref records = sdk::make<jf_provider_ref>();
    if (const jf_status status = store->find(host_.ctx(), &records, &error); status != JF_OK)
        throw sdk::Failure(status, std::string("the record store: ") + error.text);
    jf_provider_ref llm = sdk::make<jf_provider_ref>();
    if (!config_.llm.empty()) {
        const auto* providers = host_.facility<jf_host_providers_v1>(JF_FACILITY_PROVIDERS);
        if (!providers) throw sdk::Failure(JF_E_UNSUPPORTED, "this host has no providers for plugins");
        const jf_status status = providers->find(host_.ctx(), sdk::str(config_.llm), sdk::str(JF_LLM_V1), &llm, &error);
        if (status != JF_OK) throw sdk::Failure(status, "option llm names '" + config_.llm + "': " + error.text);
    }
    auto declaration = std::make_unique<Declaration>(*this, op);
    const jf_op declare_op = host_.open(op, *declaration);
    {
        const std::lock_guard lock(mutex_);
        records_ = records;
        llm_ = llm;
        declarations_[op] = declare_op;
    }
    const sdk::Collection collection = summaries_collection();
    const jf_status status = static_cast<const jf_records_v1*>(records.table)
                                 ->declare(records.instance, declare_op, collection.abi(), &error);
    if (status == JF_OK) {
        declaration.release();
        return;
    }
    host_.cancel(declare_op);
    const std::lock_guard lock(mutex_);
    declarations_.erase(op);
    throw sdk::Failure(status, std::string("declare call_log.summaries: ") + error.text, JF_RETRY_AFTER);
}

void Service::quiesce(jf_op op, std::uint32_t budget_ms) {
    auto user = std::make_unique<QuiesceTimer>(*this, op);
    const jf_op timer_op = host_.open(op, *user);
    std::vector<jf_op> generations;
    bool idle;
    {
        const std::lock_guard lock(mutex_);
        accepting_ = false;
        stopping_ = true;
        quiesce_op_ = op;
        quiesce_timer_ = timer_op;
        // What the model is asked for is given up: the records are durable and pending, and the next start finds them.
        for (const auto& [job_op, job] : jobs_)
            if (job->asking != JF_NO_OP) generations.push_back(job->asking);
        idle = jobs_.empty();
    }
    const auto* timer = host_.facility<jf_host_timer_v1>(JF_FACILITY_TIMER);
    if (timer && timer->start(host_.ctx(), timer_op, std::uint64_t{budget_ms} * 1'000'000) == JF_OK) user.release();
    else host_.cancel(timer_op);
    for (const jf_op generation : generations) host_.cancel(generation);
    if (idle) end_quiesce(op);
}

/// Completes quiesce once, whoever comes first: the last job, or the budget's end.
void Service::end_quiesce(jf_op only) {
    jf_op timer;
    {
        const std::lock_guard lock(mutex_);
        if (quiesce_op_ != only) return;
        quiesce_op_ = JF_NO_OP;
        timer = std::exchange(quiesce_timer_, JF_NO_OP);
    }
    const sdk::Host host = host_; // the instance may go once the op is complete
    if (timer != JF_NO_OP) host.cancel(timer);
    host.complete(only);
}

const void* Service::query(std::string_view interface_id) { return interface_id == JF_SERVICE_V1 ? service_table() : nullptr; }

jf_status Service::cancel(jf_op op) {
    std::shared_ptr<Job> job;
    jf_op declare_op = JF_NO_OP;
    bool quiescing = false;
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = jobs_.find(op); found != jobs_.end()) job = found->second;
        if (const auto found = declarations_.find(op); found != declarations_.end()) {
            declare_op = found->second;
            declarations_.erase(found);
        }
        quiescing = quiesce_op_ == op && op != JF_NO_OP;
    }
    if (job) job->cancel();
    else if (declare_op != JF_NO_OP) host_.complete(op, JF_E_CANCELLED);
    else if (quiescing) end_quiesce(op);
    else return JF_E_INVALID;
    return JF_OK;
}

std::shared_ptr<Job> Service::admit(jf_op op) {
    auto job = std::make_shared<Job>(*this, op);
    const std::lock_guard lock(mutex_);
    if (!accepting_) throw sdk::Failure(JF_E_STATE, "the service has not started or is stopping", JF_RETRY_AFTER);
    jobs_[op] = job;
    return job;
}

void Service::on_event(jf_op op, const jf_service_event& event) {
    const std::string_view name = sdk::view(event.name);
    const auto facts = name == "call.ended" ? read_call_ended(sdk::view(event.json)) : std::nullopt;
    const auto job = admit(op);
    if (!facts) {
        // A second delivery would bring the same bytes.
        host_.log(JF_LOG_WARN, "call_log.event_unreadable", {{"event", std::string(name)}}, op);
        return complete(*job, JF_OK, nullptr);
    }
    job->on_call(std::string(sdk::view(event.id)), *facts);
}

void Service::on_tick(jf_op op) { admit(op)->on_tick(); }

bool Service::reserve(Job& job, const std::string& id) {
    const std::lock_guard lock(mutex_);
    for (const auto& [op, other] : jobs_)
        if (other->record == id) return false;
    job.record = id;
    return true;
}

void Service::release(Job& job) {
    const std::lock_guard lock(mutex_);
    job.record.clear();
}

bool Service::begin_generation(Job& job, jf_op generation) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    job.asking = generation;
    return true;
}

void Service::end_generation(Job& job) {
    const std::lock_guard lock(mutex_);
    job.asking = JF_NO_OP;
}

bool Service::stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

void Service::count(std::string_view name) const {
    if (const auto* metrics = host_.facility<jf_host_metrics_v1>(JF_FACILITY_METRICS)) metrics->count(host_.ctx(), sdk::str(name), 1);
}

void Service::complete(Job& job, jf_status status, const jf_error* error) {
    jf_op quiesce_op = JF_NO_OP;
    jf_op generation;
    {
        const std::lock_guard lock(mutex_);
        jobs_.erase(job.op());
        generation = job.asking;
        if (jobs_.empty()) quiesce_op = quiesce_op_;
    }
    const sdk::Host host = host_;
    if (generation != JF_NO_OP) host.cancel(generation);
    if (quiesce_op != JF_NO_OP) end_quiesce(quiesce_op);
    // Last: with its op complete nothing keeps the host from destroying the instance.
    host.table()->complete(host.ctx(), job.op(), status, nullptr, error);
}

}  // namespace jackfield::call_log
