#pragma once

#include <jackfield/sdk/records.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace jackfield::jobs {

/// How long a worker may keep a job without a sign of life, and how often a job is tried.
struct LeasePolicy {
    std::int64_t lease_us = 30'000'000;
    std::int64_t first_retry_us = 1'000'000;  ///< doubled with each attempt
    std::int64_t longest_retry_us = 3'600'000'000;
    std::int64_t attempts = 5;                ///< then the job is a dead letter
};

/// The rules of a durable queue on jf.records/1, without any I/O: which write each step makes, and what its answer means.
///
/// A job is one record. Its revision is the fencing token: a lease is the revision that the claim answered, each step expects it, and so whoever was
/// overtaken (by its lease's end, by another worker, by a clock that runs ahead) is refused by the store, whatever it believes of the time.
/// Effects that are records are written in one batch with the job's end: they happen once. Effects elsewhere may happen again, and need a
/// key of their own.
///
/// Clocks decide only when a job may be taken from a silent worker. One that runs ahead takes it too early: work is done twice, never written twice.
class Jobs {
  public:
    /// Fields of the collection, by which other writes may find its jobs.
    enum Field : std::uint16_t {
        queue = JF_FIELD_FIRST, ///< TEXT
        open,         ///< BOOL: neither done nor dead
        free_at,      ///< TIME: from then on it may be claimed: when it is due, or when its lease has run out
        attempts_left,///< INT
        attempts,     ///< INT: begun so far, also those that were given back
        worker,       ///< TEXT: who claimed it last
        outcome,      ///< TEXT: "done", "dead"; null while open
        error,        ///< TEXT: of the last attempt that failed
        payload,      ///< JSON
    };
    static sdk::Collection collection();

    Jobs(std::uint32_t handle, std::string tenant, LeasePolicy policy) : handle_(handle), tenant_(std::move(tenant)), policy_(policy) {}

    struct Lease {
        std::string job;
        std::uint64_t revision = 0; ///< the fencing token
        std::int64_t attempt = 0;   ///< 1 at first
        std::int64_t attempts_left = 0;
        std::string payload;
    };
    /// What an answer says about a lease.
    enum class Held : std::uint8_t {
        yes,
        no,      ///< somebody else has the job, or it has ended: nothing of the write was done
        unknown, ///< the store failed before it answered: look() tells
    };

    /// Puts a job into its queue, once for an id: INSERT_OR_GET.
    sdk::Write put(std::string id, std::string queue_name, std::string payload_json, std::int64_t due_us) const;

    /// Takes up to `most` jobs that are due or whose lease has run out, the longest due first. Those that have had all their attempts are left to bury().
    sdk::Write claim(const std::string& queue_name, const std::string& who, std::int64_t now_us, std::uint32_t most) const;
    std::vector<Lease> claimed(const sdk::RecordsReply& reply) const;
    /// Makes dead letters of the jobs whose last attempt's lease has run out.
    sdk::Write bury(std::int64_t now_us) const;

    /// A sign of life: the lease begins anew.
    sdk::Write renew(const Lease& lease, std::int64_t now_us) const;
    /// The job's end, first of a batch in which its effects follow: all or none.
    sdk::Write complete(const Lease& lease) const;
    /// The attempt failed: another one after a while, or a dead letter when it was the last.
    sdk::Write fail(const Lease& lease, std::string why, std::int64_t now_us) const;
    /// Given back untried, at shutdown: at once free for others, and no attempt is used up.
    sdk::Write release(const Lease& lease, std::int64_t now_us) const;

    /// Of renew, complete, fail and release. After a renew that is yes, the lease goes on with the new revision.
    static Held held(jf_status status, std::uint64_t affected);
    /// After `unknown`: reads the job, and says what became of the step.
    sdk::Query look(const Lease& lease) const;
    enum class Step : std::uint8_t { renew, complete, fail, release };
    enum class Fate : std::uint8_t {
        mine,    ///< nothing was written: the lease stands, the step may be tried again
        written, ///< the step was done
        lost,    ///< somebody else went on, or the job is gone
    };
    static Fate fate(const Lease& lease, Step step, const sdk::RecordsReply& reply);

    std::int64_t retry_after(std::int64_t attempt) const;

  private:
    sdk::Write step(const Lease& lease) const;

    std::uint32_t handle_;
    std::string tenant_;
    LeasePolicy policy_;
};

}  // namespace jackfield::jobs
