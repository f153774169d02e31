#include "jobs/lease.hpp"

#include <algorithm>

namespace jackfield::jobs {

using sdk::Time;

sdk::Collection Jobs::collection() {
    sdk::Collection made("jf.jobs", JF_SCOPE_TENANT);
    made.field("queue", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("open", JF_VALUE_BOOL, JF_FIELD_NOT_NULL)
        .field("free_at", JF_VALUE_TIME, JF_FIELD_NOT_NULL)
        .field("attempts_left", JF_VALUE_INT, JF_FIELD_NOT_NULL)
        .field("attempts", JF_VALUE_INT, JF_FIELD_NOT_NULL)
        .field("worker", JF_VALUE_TEXT)
        .field("outcome", JF_VALUE_TEXT)
        .field("error", JF_VALUE_TEXT)
        .field("payload", JF_VALUE_JSON);
    made.index({"queue", "open", "free_at"});
    return made;
}

sdk::Write Jobs::put(std::string id, std::string queue_name, std::string payload_json, std::int64_t due_us) const {
    return sdk::Write::insert_or_get(handle_, tenant_, std::move(id))
        .set(queue, std::move(queue_name))
        .set(open, true)
        .set(free_at, Time{due_us})
        .set(attempts_left, policy_.attempts)
        .set(attempts, 0)
        .set(payload, sdk::Json{std::move(payload_json)});
}

sdk::Write Jobs::claim(const std::string& queue_name, const std::string& who, std::int64_t now_us, std::uint32_t most) const {
    return sdk::Write::claim(handle_, tenant_)
        .eq(queue, queue_name)
        .eq(open, true)
        .le(free_at, Time{now_us})
        .gt(attempts_left, 0)
        .order_by(free_at)
        .limit(most)
        .set(worker, who)
        .set(free_at, Time{now_us + policy_.lease_us})
        .inc(attempts, 1)
        .inc(attempts_left, -1);
}

std::vector<Jobs::Lease> Jobs::claimed(const sdk::RecordsReply& reply) const {
    std::vector<Lease> leases;
    if (reply.status != JF_OK) return leases;
    for (const sdk::Row& row : reply.rows)
        leases.push_back({row.id(), row.rev(), row.field(attempts).integer(), row.field(attempts_left).integer(), row.field(payload).text()});
    return leases;
}

sdk::Write Jobs::bury(std::int64_t now_us) const {
    return sdk::Write::update(handle_, tenant_)
        .eq(open, true)
        .le(free_at, Time{now_us})
        .le(attempts_left, 0)
        .set(open, false)
        .set(outcome, "dead");
}

/// A write that only the holder of the lease gets through.
sdk::Write Jobs::step(const Lease& lease) const {
    return sdk::Write::update(handle_, tenant_, lease.job).expect_rev(lease.revision).require();
}

sdk::Write Jobs::renew(const Lease& lease, std::int64_t now_us) const { return step(lease).set(free_at, Time{now_us + policy_.lease_us}); }

sdk::Write Jobs::complete(const Lease& lease) const { return step(lease).set(open, false).set(outcome, "done"); }

sdk::Write Jobs::fail(const Lease& lease, std::string why, std::int64_t now_us) const {
    sdk::Write write = step(lease).set(error, std::move(why));
    if (lease.attempts_left <= 0) return write.set(open, false).set(outcome, "dead");
    return write.set(free_at, Time{now_us + retry_after(lease.attempt)});
}

sdk::Write Jobs::release(const Lease& lease, std::int64_t now_us) const { return step(lease).set(free_at, Time{now_us}).inc(attempts_left, 1); }

std::int64_t Jobs::retry_after(std::int64_t attempt) const {
    std::int64_t after = policy_.first_retry_us;
    for (std::int64_t i = 1; i < attempt && after < policy_.longest_retry_us; ++i) after *= 2;
    return std::min(after, policy_.longest_retry_us);
}

Jobs::Held Jobs::held(jf_status status, std::uint64_t affected) {
    if (status == JF_OK) return affected > 0 ? Held::yes : Held::no;
    switch (status) {
        // Refused: the store says that it has changed nothing.
        case JF_E_CONFLICT:
        case JF_E_NOT_FOUND:
        case JF_E_INVALID:
        case JF_E_UNSUPPORTED:
        case JF_E_TOO_NEW:
        case JF_E_STATE: return Held::no;
        default: return Held::unknown;
    }
}

sdk::Query Jobs::look(const Lease& lease) const { return sdk::Query(handle_, tenant_).id(lease.job).limit(1); }

Jobs::Fate Jobs::fate(const Lease& lease, Step step, const sdk::RecordsReply& reply) {
    if (reply.rows.empty()) return Fate::lost;
    const sdk::Row& row = reply.rows.front();
    if (row.rev() == lease.revision) return Fate::mine;
    // Exactly one write made the next revision. A claim counts an attempt; bury() and the last fail() leave the same behind.
    if (row.rev() != lease.revision + 1 || row.field(attempts).integer() != lease.attempt) return Fate::lost;
    const std::string& ended = row.field(outcome).text();
    const bool given_back = row.field(attempts_left).integer() > lease.attempts_left;
    switch (step) {
        case Step::complete: return ended == "done" ? Fate::written : Fate::lost;
        case Step::renew: return ended.empty() ? Fate::written : Fate::lost;
        case Step::fail: return ended != "done" ? Fate::written : Fate::lost;
        case Step::release: return given_back ? Fate::written : Fate::lost;
    }
    return Fate::lost;
}

}  // namespace jackfield::jobs
