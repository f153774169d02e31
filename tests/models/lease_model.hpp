#pragma once

// Workers that take jobs from a durable queue as kernel/jobs/lease says, abstract. Whatever can come between two steps of a worker does: other
// workers, the end of its lease, its death, a clock that runs ahead, a store that fails before or after it has written.

#include <cstdint>
#include <string>
#include <vector>

namespace jackfield::models {

enum class LeaseStep : std::uint8_t { renew, complete, fail, release };

struct LeaseAction {
    enum Kind : std::uint8_t {
        claim,
        claim_early,   ///< by a worker whose clock is a lease's length ahead
        claim_unheard, ///< the store claims, and the worker never hears of it
        step,          ///< answered
        step_unheard,  ///< done, but the answer is lost
        step_failed,   ///< not done, and the worker can't tell
        look,          ///< what became of it?
        crash,         ///< the worker forgets all; another one takes its place
        bury,
        time,          ///< the length of a lease passes
    };
    Kind kind = time;
    int worker = 0;
    LeaseStep what = LeaseStep::renew;
};

struct LeaseJob {
    bool open = true;
    int outcome = 0;  ///< 1 done, 2 dead
    int free_at = 0, left = 0, attempts = 0, revision = 1;
    int effects = 0;  ///< records that the job's work has left
    friend bool operator==(const LeaseJob&, const LeaseJob&) = default;
};

struct LeaseWorker {
    enum Phase : std::uint8_t { idle, holds, unsure } phase = idle;
    int job = -1, revision = 0, attempt = 0, left = 0;
    LeaseStep doing = LeaseStep::renew;
    friend bool operator==(const LeaseWorker&, const LeaseWorker&) = default;
};

enum class LeaseFault : std::uint8_t {
    none,
    no_fence,            ///< steps go by the job alone, not by the revision
    effect_apart,        ///< the effect is written before the end of the job, not with it
    look_forgets_who,    ///< a job that is done is taken for one's own work
    attempts_uncounted,  ///< a claim uses up no attempt
    lease_without_end,   ///< a claimed job stays with its worker for ever
};

class LeaseModel {
  public:
    using Action = LeaseAction;
    struct State {
        std::vector<LeaseJob> jobs;
        std::vector<LeaseWorker> workers;
        std::vector<int> believed_done;  ///< by job: how many workers think that it was they
        std::vector<int> given_back;
        int now = 0;
    };
    struct Bounds {
        int workers = 2, jobs = 2, attempts = 2;
    };

    explicit LeaseModel(Bounds bounds, LeaseFault fault = LeaseFault::none) : bounds_(bounds), fault_(fault) {}

    State initial() const;
    std::vector<Action> actions(const State& state) const;
    void apply(State& state, const Action& action) const;
    std::string key(const State& state) const;
    std::string broken(const State& state) const;
    std::string name(const Action& action) const;
    const Bounds& bounds() const { return bounds_; }

  private:
    void claim(State& state, LeaseWorker& worker, int clock, bool heard) const;
    bool write(State& state, const LeaseWorker& worker, LeaseStep step) const;
    void answered(State& state, LeaseWorker& worker, LeaseStep step, bool yes) const;
    void look(State& state, LeaseWorker& worker) const;
    void bury(State& state) const;
    std::string ends(State state, bool workers_die) const;

    Bounds bounds_;
    LeaseFault fault_;
};

}  // namespace jackfield::models
