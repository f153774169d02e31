#pragma once

// kernel/jobs/lease over storage/sqlite, made to do what a path of the model says.

#include <memory>
#include <string>
#include <vector>

#include "jobs/lease.hpp"
#include "models/lease_model.hpp"
#include "unit/plugins/storage/sqlite/database.hpp"

namespace jackfield::models {

class RealLeases {
  public:
    explicit RealLeases(const LeaseModel::Bounds& bounds);

    /// New jobs for a new path: each has a tenant of its own.
    void begin();
    void step(const LeaseAction& action);
    std::vector<LeaseJob> jobs();
    const std::vector<LeaseWorker>& workers() const { return workers_; }

  private:
    sdk::RecordsReply write(const LeaseWorker& worker, LeaseStep step);
    jobs::Jobs::Lease lease_of(const LeaseWorker& worker) const;
    void claim(LeaseWorker& worker, std::int64_t clock, bool heard);
    void answered(LeaseWorker& worker, LeaseStep step, bool yes);
    void look(LeaseWorker& worker);

    LeaseModel::Bounds bounds_;
    test::Database db_{":memory:"};
    std::uint32_t handle_ = 0, effects_ = 0;
    int path_ = 0;
    std::string tenant_;
    std::unique_ptr<jobs::Jobs> rules_;
    std::int64_t now_ = 0;
    std::vector<LeaseWorker> workers_;
};

/// The first difference along the path, empty when there is none.
std::string difference(const LeaseModel& model, RealLeases& real, const std::vector<LeaseAction>& path);

}  // namespace jackfield::models
