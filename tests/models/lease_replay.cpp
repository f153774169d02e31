#include "models/lease_replay.hpp"

#include <stdexcept>

namespace jackfield::models {

using jobs::Jobs;

namespace {

constexpr std::int64_t unit_us = 1'000'000;  // a lease's length
constexpr std::uint16_t effect_of = 8;

Jobs::Step step_of(LeaseStep step) { return static_cast<Jobs::Step>(step); }

void must(const sdk::RecordsReply& reply) {
    if (reply.status != JF_OK) throw std::runtime_error(reply.error);
}

}  // namespace

RealLeases::RealLeases(const LeaseModel::Bounds& bounds) : bounds_(bounds) {
    handle_ = db_.declare(Jobs::collection()).collection;
    sdk::Collection effects("test.effects", JF_SCOPE_TENANT);
    effects.field("job", JF_VALUE_TEXT).index({"job"});
    effects_ = db_.declare(effects).collection;
}

void RealLeases::begin() {
    tenant_ = "path" + std::to_string(path_++);
    now_ = 0;
    workers_.assign(static_cast<std::size_t>(bounds_.workers), {});
    jobs::LeasePolicy policy;
    policy.lease_us = policy.first_retry_us = policy.longest_retry_us = unit_us;
    policy.attempts = bounds_.attempts;
    rules_ = std::make_unique<Jobs>(handle_, tenant_, policy);
    for (int i = 0; i < bounds_.jobs; ++i) must(db_(rules_->put(std::to_string(i), "q", "{}", 0)));
}

Jobs::Lease RealLeases::lease_of(const LeaseWorker& worker) const {
    return {std::to_string(worker.job), static_cast<std::uint64_t>(worker.revision), worker.attempt, worker.left, {}};
}

void RealLeases::claim(LeaseWorker& worker, std::int64_t clock, bool heard) {
    const sdk::RecordsReply reply = db_(rules_->claim("q", "somebody", clock, 1));
    must(reply);
    if (!heard) return;
    for (const Jobs::Lease& lease : rules_->claimed(reply))
        worker = {LeaseWorker::holds, std::stoi(lease.job), static_cast<int>(lease.revision), static_cast<int>(lease.attempt),
                  static_cast<int>(lease.attempts_left), LeaseStep::renew};
}

sdk::RecordsReply RealLeases::write(const LeaseWorker& worker, LeaseStep step) {
    const Jobs::Lease lease = lease_of(worker);
    switch (step) {
        case LeaseStep::renew: return db_(rules_->renew(lease, now_));
        case LeaseStep::fail: return db_(rules_->fail(lease, "because", now_));
        case LeaseStep::release: return db_(rules_->release(lease, now_));
        case LeaseStep::complete: break;
    }
    sdk::Batch batch;
    batch.add(rules_->complete(lease));
    batch.add(sdk::Write::insert(effects_, tenant_, lease.job + ":" + std::to_string(lease.revision)).set(effect_of, lease.job));
    return db_(batch);
}

void RealLeases::answered(LeaseWorker& worker, LeaseStep step, bool yes) {
    if (!yes || step != LeaseStep::renew) {
        worker = {};
        return;
    }
    worker.phase = LeaseWorker::holds;
    ++worker.revision;
    worker.doing = LeaseStep::renew;
}

void RealLeases::look(LeaseWorker& worker) {
    const sdk::RecordsReply reply = db_(rules_->look(lease_of(worker)));
    must(reply);
    switch (Jobs::fate(lease_of(worker), step_of(worker.doing), reply)) {
        case Jobs::Fate::mine:
            worker.phase = LeaseWorker::holds;
            worker.doing = LeaseStep::renew;
            return;
        case Jobs::Fate::written: return answered(worker, worker.doing, true);
        case Jobs::Fate::lost: return answered(worker, worker.doing, false);
    }
}

void RealLeases::step(const LeaseAction& action) {
    LeaseWorker& worker = workers_[static_cast<std::size_t>(action.worker)];
    switch (action.kind) {
        case LeaseAction::claim: return claim(worker, now_, true);
        case LeaseAction::claim_early: return claim(worker, now_ + unit_us, true);
        case LeaseAction::claim_unheard: return claim(worker, now_, false);
        case LeaseAction::step: {
            const sdk::RecordsReply reply = write(worker, action.what);
            const Jobs::Held held = Jobs::held(reply.status, reply.affected);
            if (held == Jobs::Held::unknown) throw std::runtime_error(reply.error);
            return answered(worker, action.what, held == Jobs::Held::yes);
        }
        case LeaseAction::step_unheard: write(worker, action.what); [[fallthrough]];
        case LeaseAction::step_failed:
            worker.phase = LeaseWorker::unsure;
            worker.doing = action.what;
            return;
        case LeaseAction::look: return look(worker);
        case LeaseAction::crash: worker = {}; return;
        case LeaseAction::bury: return must(db_(rules_->bury(now_)));
        case LeaseAction::time: now_ += unit_us;
    }
}

std::vector<LeaseJob> RealLeases::jobs() {
    const sdk::RecordsReply rows = db_(sdk::Query(handle_, tenant_));
    const sdk::RecordsReply effects = db_(sdk::Query(effects_, tenant_));
    must(rows);
    must(effects);
    std::vector<LeaseJob> out;
    for (const sdk::Row& row : rows.rows) {
        LeaseJob& job = out.emplace_back();
        const std::string& outcome = row.field(Jobs::outcome).text();
        job.open = row.field(Jobs::open).boolean();
        job.outcome = outcome == "done" ? 1 : outcome == "dead" ? 2 : 0;
        job.free_at = static_cast<int>(row.field(Jobs::free_at).integer() / unit_us);
        job.left = static_cast<int>(row.field(Jobs::attempts_left).integer());
        job.attempts = static_cast<int>(row.field(Jobs::attempts).integer());
        job.revision = static_cast<int>(row.rev());
        for (const sdk::Row& effect : effects.rows) job.effects += effect.field(effect_of).text() == row.id();
    }
    return out;
}

std::string difference(const LeaseModel& model, RealLeases& real, const std::vector<LeaseAction>& path) {
    LeaseModel::State state = model.initial();
    real.begin();
    std::string steps;
    for (const LeaseAction& action : path) {
        model.apply(state, action);
        real.step(action);
        steps += "  " + model.name(action) + "\n";
    }
    // What the store holds at the end says whether a step before went another way, at least at the step where it did: each path's beginnings are
    // paths too.
    if (real.workers() != state.workers) return "the workers believe otherwise than the model's after\n" + steps;
    const std::vector<LeaseJob> jobs = real.jobs();
    for (std::size_t i = 0; i < jobs.size(); ++i)
        if (!(jobs[i] == state.jobs[i])) return "job " + std::to_string(i) + " stands otherwise than the model's after\n" + steps;
    return {};
}

}  // namespace jackfield::models
