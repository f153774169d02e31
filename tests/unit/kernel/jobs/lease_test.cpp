#include "jobs/lease.hpp"

#include <gtest/gtest.h>

// Which writes the rules make, and what they read in answers. That they keep their promises together is tests/models' part.

namespace jackfield::jobs {
namespace {

using sdk::Row;
using sdk::Value;

constexpr std::int64_t now = 1'000'000'000;

LeasePolicy policy() {
    LeasePolicy out;
    out.lease_us = 30;
    out.first_retry_us = 10;
    out.longest_retry_us = 45;
    out.attempts = 3;
    return out;
}

const Jobs& jobs() {
    static const Jobs made(7, "t", policy());
    return made;
}

const Jobs::Lease lease{"job", 5, 2, 1, "{}"};

const jf_edit* edit_of(const jf_array& edits, std::uint16_t field) {
    for (std::uint32_t i = 0; i < edits.n; ++i)
        if (JF_AT(jf_edit, edits, i)->field == field) return JF_AT(jf_edit, edits, i);
    return nullptr;
}

const jf_term* term_of(const jf_write& write, std::uint16_t field) {
    for (std::uint32_t i = 0; i < write.where.n; ++i)
        if (JF_AT(jf_term, write.where, i)->field == field) return JF_AT(jf_term, write.where, i);
    return nullptr;
}

/// A job's record as a query answers it.
sdk::RecordsReply standing(std::uint64_t revision, std::int64_t attempts, std::int64_t attempts_left, Value outcome) {
    sdk::RecordsReply reply;
    reply.status = JF_OK;
    const std::int64_t rev = static_cast<std::int64_t>(revision);
    reply.rows.push_back(Row({"job", "t", rev, sdk::Time{0}, sdk::Time{0}, "q", outcome.is_null(), sdk::Time{now}, attempts_left, attempts, "w", outcome, Value(), sdk::Json{"{}"}}));
    return reply;
}

TEST(Jobs, AreClaimedWhenTheyAreFreeAndHaveAttemptsLeft) {
    const sdk::Write write = jobs().claim("q", "w", now, 4);
    const jf_write& abi = *write.abi();

    EXPECT_EQ(abi.verb, JF_WRITE_CLAIM);
    EXPECT_EQ(abi.limit, 4u);
    EXPECT_EQ(term_of(abi, Jobs::free_at)->verb, JF_TERM_LE);
    EXPECT_EQ(term_of(abi, Jobs::free_at)->value.i, now);
    EXPECT_EQ(term_of(abi, Jobs::attempts_left)->verb, JF_TERM_GT);
    EXPECT_EQ(edit_of(abi.edits, Jobs::free_at)->value.i, now + 30);
    EXPECT_EQ(edit_of(abi.edits, Jobs::attempts)->verb, JF_EDIT_INC);
    EXPECT_EQ(edit_of(abi.edits, Jobs::attempts_left)->value.i, -1);
}

TEST(Jobs, LetOnlyTheHolderThrough) {
    for (const sdk::Write& write : {jobs().renew(lease, now), jobs().complete(lease), jobs().fail(lease, "why", now), jobs().release(lease, now)}) {
        const jf_write& abi = *write.abi();
        EXPECT_EQ(abi.verb, JF_WRITE_UPDATE_WHERE);
        EXPECT_EQ(abi.expect_rev, 5u);
        EXPECT_EQ(abi.flags & JF_WRITE_REQUIRE, JF_WRITE_REQUIRE);
        EXPECT_EQ(sdk::view(abi.id), "job");
        EXPECT_EQ(sdk::view(abi.tenant), "t");
    }
}

TEST(Jobs, AreTriedAgainLaterAndLaterAndThenGivenUp) {
    EXPECT_EQ(jobs().retry_after(1), 10);
    EXPECT_EQ(jobs().retry_after(2), 20);
    EXPECT_EQ(jobs().retry_after(3), 40);
    EXPECT_EQ(jobs().retry_after(4), 45);
    EXPECT_EQ(jobs().retry_after(1000), 45);

    const sdk::Write again = jobs().fail(lease, "why", now);
    EXPECT_EQ(edit_of(again.abi()->edits, Jobs::free_at)->value.i, now + 20);
    const sdk::Write last = jobs().fail({"job", 5, 3, 0, "{}"}, "why", now);
    EXPECT_EQ(sdk::view(edit_of(last.abi()->edits, Jobs::outcome)->value.s), "dead");
    EXPECT_EQ(edit_of(last.abi()->edits, Jobs::free_at), nullptr);
}

TEST(Jobs, KnowWhatAnAnswerMeans) {
    EXPECT_EQ(Jobs::held(JF_OK, 1), Jobs::Held::yes);
    EXPECT_EQ(Jobs::held(JF_OK, 0), Jobs::Held::no);
    EXPECT_EQ(Jobs::held(JF_E_CONFLICT, 0), Jobs::Held::no);
    for (const jf_status failed : {JF_E_TIMEOUT, JF_E_PEER_LOST, JF_E_INTERNAL, JF_E_CANCELLED, JF_E_QUOTA})
        EXPECT_EQ(Jobs::held(failed, 0), Jobs::Held::unknown) << failed;
}

TEST(Jobs, TellTheirOwnWriteFromAnothers) {
    using Fate = Jobs::Fate;
    using Step = Jobs::Step;
    EXPECT_EQ(Jobs::fate(lease, Step::complete, standing(5, 2, 1, {})), Fate::mine);
    EXPECT_EQ(Jobs::fate(lease, Step::complete, standing(6, 2, 1, "done")), Fate::written);
    EXPECT_EQ(Jobs::fate(lease, Step::complete, standing(6, 2, 1, "dead")), Fate::lost) << "buried";
    EXPECT_EQ(Jobs::fate(lease, Step::complete, standing(6, 3, 0, {})), Fate::lost) << "claimed by another";
    EXPECT_EQ(Jobs::fate(lease, Step::complete, standing(8, 3, 0, "done")), Fate::lost) << "done by another";
    EXPECT_EQ(Jobs::fate(lease, Step::renew, standing(6, 2, 1, {})), Fate::written);
    EXPECT_EQ(Jobs::fate(lease, Step::fail, standing(6, 2, 1, "dead")), Fate::written);
    EXPECT_EQ(Jobs::fate(lease, Step::release, standing(6, 2, 2, {})), Fate::written);
    EXPECT_EQ(Jobs::fate(lease, Step::release, standing(6, 2, 1, "dead")), Fate::lost);
    EXPECT_EQ(Jobs::fate(lease, Step::complete, sdk::RecordsReply{}), Fate::lost) << "gone";
}

TEST(Jobs, ReadTheirLeasesFromAClaim) {
    const std::vector<Jobs::Lease> leases = jobs().claimed(standing(9, 2, 1, {}));

    ASSERT_EQ(leases.size(), 1u);
    EXPECT_EQ(leases[0].job, "job");
    EXPECT_EQ(leases[0].revision, 9u);
    EXPECT_EQ(leases[0].attempt, 2);
    EXPECT_EQ(leases[0].attempts_left, 1);
    EXPECT_EQ(leases[0].payload, "{}");
}

}  // namespace
}  // namespace jackfield::jobs
