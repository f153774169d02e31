#include "models/lease_model.hpp"

#include <algorithm>

namespace jackfield::models {

LeaseModel::State LeaseModel::initial() const {
    State state;
    state.jobs.resize(static_cast<std::size_t>(bounds_.jobs));
    for (LeaseJob& job : state.jobs) job.left = bounds_.attempts;
    state.workers.resize(static_cast<std::size_t>(bounds_.workers));
    state.believed_done.resize(state.jobs.size());
    state.given_back.resize(state.jobs.size());
    return state;
}

std::vector<LeaseAction> LeaseModel::actions(const State& state) const {
    std::vector<LeaseAction> out;
    for (int w = 0; w < bounds_.workers; ++w) {
        const LeaseWorker& worker = state.workers[static_cast<std::size_t>(w)];
        if (worker.phase == LeaseWorker::idle) {
            for (const auto kind : {LeaseAction::claim, LeaseAction::claim_early, LeaseAction::claim_unheard}) out.push_back({kind, w, {}});
            continue;
        }
        out.push_back({LeaseAction::crash, w, {}});
        if (worker.phase == LeaseWorker::unsure) {
            out.push_back({LeaseAction::look, w, {}});
            continue;
        }
        for (const LeaseStep step : {LeaseStep::renew, LeaseStep::complete, LeaseStep::fail, LeaseStep::release}) {
            if (step == LeaseStep::release && state.given_back[static_cast<std::size_t>(worker.job)] > 0) continue;  // once, so that it ends
            for (const auto kind : {LeaseAction::step, LeaseAction::step_unheard, LeaseAction::step_failed}) out.push_back({kind, w, step});
        }
    }
    out.push_back({LeaseAction::bury, 0, {}});
    const bool waits = std::any_of(state.jobs.begin(), state.jobs.end(), [&](const LeaseJob& job) { return job.open && job.free_at > state.now; });
    if (waits) out.push_back({LeaseAction::time, 0, {}});
    return out;
}

void LeaseModel::claim(State& state, LeaseWorker& worker, int clock, bool heard) const {
    LeaseJob* first = nullptr;
    for (LeaseJob& job : state.jobs)
        if (job.open && job.left > 0 && job.free_at <= clock && (!first || job.free_at < first->free_at)) first = &job;
    if (!first) return;
    first->free_at = fault_ == LeaseFault::lease_without_end ? 1000 : clock + 1;
    ++first->attempts;
    if (fault_ != LeaseFault::attempts_uncounted) --first->left;
    ++first->revision;
    if (!heard) return;
    worker = {LeaseWorker::holds, static_cast<int>(first - state.jobs.data()), first->revision, first->attempts, first->left, LeaseStep::renew};
}

/// Whether the store does it.
bool LeaseModel::write(State& state, const LeaseWorker& worker, LeaseStep step) const {
    LeaseJob& job = state.jobs[static_cast<std::size_t>(worker.job)];
    if (step == LeaseStep::complete && fault_ == LeaseFault::effect_apart) ++job.effects;
    if (job.revision != worker.revision && fault_ != LeaseFault::no_fence) return false;
    ++job.revision;
    switch (step) {
        case LeaseStep::renew: job.free_at = state.now + 1; break;
        case LeaseStep::complete:
            job.open = false;
            job.outcome = 1;
            if (fault_ != LeaseFault::effect_apart) ++job.effects;
            break;
        case LeaseStep::fail:
            if (worker.left <= 0) {
                job.open = false;
                job.outcome = 2;
            } else {
                job.free_at = state.now + 1;
            }
            break;
        case LeaseStep::release:
            job.free_at = state.now;
            ++job.left;
            ++state.given_back[static_cast<std::size_t>(worker.job)];
            break;
    }
    return true;
}

void LeaseModel::answered(State& state, LeaseWorker& worker, LeaseStep step, bool yes) const {
    if (yes && step == LeaseStep::complete) ++state.believed_done[static_cast<std::size_t>(worker.job)];
    if (!yes || step != LeaseStep::renew) {
        worker = {};
        return;
    }
    worker.phase = LeaseWorker::holds;
    ++worker.revision;
    worker.doing = LeaseStep::renew;
}

void LeaseModel::look(State& state, LeaseWorker& worker) const {
    const LeaseJob& job = state.jobs[static_cast<std::size_t>(worker.job)];
    if (fault_ == LeaseFault::look_forgets_who && worker.doing == LeaseStep::complete && job.outcome == 1)
        return answered(state, worker, worker.doing, true);
    if (job.revision == worker.revision) {
        worker.phase = LeaseWorker::holds;
        worker.doing = LeaseStep::renew;
        return;
    }
    bool mine = job.revision == worker.revision + 1 && job.attempts == worker.attempt;
    switch (worker.doing) {
        case LeaseStep::renew: mine = mine && job.outcome == 0; break;
        case LeaseStep::complete: mine = mine && job.outcome == 1; break;
        case LeaseStep::fail: mine = mine && job.outcome != 1; break;
        case LeaseStep::release: mine = mine && job.left > worker.left; break;
    }
    answered(state, worker, worker.doing, mine);
}

void LeaseModel::bury(State& state) const {
    for (LeaseJob& job : state.jobs)
        if (job.open && job.free_at <= state.now && job.left <= 0) {
            job.open = false;
            job.outcome = 2;
            ++job.revision;
        }
}

void LeaseModel::apply(State& state, const Action& action) const {
    LeaseWorker& worker = state.workers[static_cast<std::size_t>(action.worker)];
    switch (action.kind) {
        case LeaseAction::claim: claim(state, worker, state.now, true); break;
        case LeaseAction::claim_early: claim(state, worker, state.now + 1, true); break;
        case LeaseAction::claim_unheard: claim(state, worker, state.now, false); break;
        case LeaseAction::step: answered(state, worker, action.what, write(state, worker, action.what)); break;
        case LeaseAction::step_unheard: write(state, worker, action.what); [[fallthrough]];
        case LeaseAction::step_failed:
            worker.phase = LeaseWorker::unsure;
            worker.doing = action.what;
            break;
        case LeaseAction::look: look(state, worker); break;
        case LeaseAction::crash: worker = {}; break;
        case LeaseAction::bury: bury(state); break;
        case LeaseAction::time: ++state.now; break;
    }
}

/// From here on nobody is in the way: the jobs must end, either since one worker does its work, or since all die over them.
std::string LeaseModel::ends(State state, bool workers_die) const {
    const int most = (bounds_.attempts + 2) * bounds_.jobs;
    for (int round = 0; round < most; ++round) {
        for (LeaseWorker& worker : state.workers) worker = {};
        state.now += 2;
        bury(state);
        LeaseWorker& worker = state.workers.front();
        claim(state, worker, state.now, true);
        if (worker.phase == LeaseWorker::holds && !workers_die) answered(state, worker, LeaseStep::complete, write(state, worker, LeaseStep::complete));
    }
    for (std::size_t i = 0; i < state.jobs.size(); ++i)
        if (state.jobs[i].open) return "job " + std::to_string(i) + " never ends, though " + (workers_die ? "all its attempts are used up" : "a worker is there");
    return {};
}

std::string LeaseModel::broken(const State& state) const {
    for (std::size_t i = 0; i < state.jobs.size(); ++i) {
        const LeaseJob& job = state.jobs[i];
        const std::string which = "job " + std::to_string(i);
        if (job.effects > 1) return which + " has its effect twice";
        if ((job.effects == 1) != (job.outcome == 1)) return which + (job.effects ? " has its effect and is not done" : " is done without its effect");
        if (state.believed_done[i] > 1) return which + " was done by two workers, as they believe";
        if (state.believed_done[i] == 1 && job.outcome != 1) return which + " is not done, as a worker believes";
        if (job.outcome == 2 && job.attempts < bounds_.attempts) return which + " is dead before its last attempt";
        if (job.attempts > bounds_.attempts + state.given_back[i]) return which + " is tried too often";
    }
    if (std::string why = ends(state, false); !why.empty()) return why;
    return ends(state, true);
}

std::string LeaseModel::key(const State& state) const {
    std::string out;
    const auto put = [&](int value) { out += static_cast<char>(value + 8); };
    for (std::size_t i = 0; i < state.jobs.size(); ++i) {
        const LeaseJob& job = state.jobs[i];
        put(job.open), put(job.outcome), put(std::clamp(job.free_at - state.now, -2, 3)), put(job.left), put(job.attempts), put(job.effects);
        put(state.believed_done[i]), put(state.given_back[i]);
        // Which comes first is all that matters of times long past.
        for (const LeaseJob& other : state.jobs) put(job.free_at < other.free_at ? 0 : job.free_at == other.free_at ? 1 : 2);
    }
    for (const LeaseWorker& worker : state.workers) {
        put(worker.phase), put(worker.job), put(static_cast<int>(worker.doing)), put(worker.left);
        if (worker.phase == LeaseWorker::idle) continue;
        // How far the job has gone on since: a write more or less is all that anybody can tell apart.
        const LeaseJob& job = state.jobs[static_cast<std::size_t>(worker.job)];
        put(std::min(job.revision - worker.revision, 2)), put(std::min(job.attempts - worker.attempt, 1));
    }
    return out;
}

std::string LeaseModel::name(const Action& action) const {
    static constexpr const char* steps[] = {"renews its lease", "completes its job", "fails at its job", "gives its job back"};
    const std::string who = "worker " + std::to_string(action.worker) + " ";
    const std::string what = steps[static_cast<int>(action.what)];
    switch (action.kind) {
        case LeaseAction::claim: return who + "claims";
        case LeaseAction::claim_early: return who + "claims, by a clock that is ahead";
        case LeaseAction::claim_unheard: return who + "claims and does not hear the answer";
        case LeaseAction::step: return who + what;
        case LeaseAction::step_unheard: return who + what + " and does not hear the answer";
        case LeaseAction::step_failed: return who + what + ", and the store fails before";
        case LeaseAction::look: return who + "looks what became of it";
        case LeaseAction::crash: return who + "dies";
        case LeaseAction::bury: return "jobs without attempts are buried";
        default: return "a lease's length passes";
    }
}

}  // namespace jackfield::models
