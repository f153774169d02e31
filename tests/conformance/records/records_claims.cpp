#include "conformance/records/records_checks.hpp"

#include <map>

/// Writers beside each other.
namespace jackfield::conformance::records {

void claims(Bench& bench) {
    RecordsUser user(bench);
    user.needs("claim");
    const std::uint32_t h = user.declared(people("claims"));
    for (int i = 0; i < 6; ++i) user.done(add(h, fmt::format("j{}", i), 10 - i), "an insert");
    const auto claim = [&] { return Write::claim(h, "acme").is_null(open).order_by(score).set(open, true); };
    const auto one = user.done(claim(), "CLAIM without a limit");
    require_ids("CLAIM without a limit", one, "j5");
    require(one.affected == 1 && one.revision == 2, "CLAIM of one answers its new revision");
    require_value("what was claimed, as it is now", one.rows[0].field(open), true);
    require_ids("CLAIM of three", user(claim().limit(3)), "j4 j3 j2");
    require_ids("CLAIM of more than there are", user(claim().limit(10)), "j1 j0");
    require_affected("CLAIM of nothing", user(claim()), 0);
    const std::uint32_t shared = user.declared(people("claims_fairly").index({"score", "name"}));
    for (int i = 0; i < 9; ++i) user.done(Write::insert(shared, "acme", fmt::format("a{}", i)).set(name, "a").set(score, 0).set(rating, i / 8.0), "an insert");
    user.done(Write::insert(shared, "acme", "b0").set(name, "b").set(score, 0).set(rating, 9.0), "an insert");
    const auto fair = [&] { return Write::claim(shared, "acme").eq(score, 0).order_by(rating).fair_by(name).busy(score, JF_TERM_EQ, 1).set(score, 1); };
    require_ids("a fair CLAIM of three", user(fair().limit(3)), "a0 b0 a1");
    require_ids("a fair CLAIM when the others have none left", user(fair()), "a2");
    require_affected("a fair CLAIM beyond the share", user(fair().fair_by(name, 3).limit(5)), 0);
}

void claims_once(Bench& bench) {
    RecordsUser user(bench);
    user.needs("claim");
    const std::uint32_t h = user.declared(people("claims_once"));
    constexpr int jobs = 120;
    for (int i = 0; i < jobs; ++i) user.done(add(h, std::to_string(i)), "an insert");
    std::vector<std::vector<RecordsUser::Request>> requests(4);
    for (std::size_t t = 0; t < requests.size(); ++t)
        for (int i = 0; i < 20; ++i)
            requests[t].push_back(RecordsUser::request(std::make_shared<Write>(Write::claim(h, "acme").is_null(score).limit(2).set(score, static_cast<int>(t)))));
    std::map<std::string, int> claimed;
    for (const auto& replies : user.parallel(requests))
        for (const auto& reply : replies) {
            RecordsUser::require_reply("CLAIM beside others", reply, {JF_OK});
            for (const Row& row : reply.rows) ++claimed[row.id()];
        }
    for (const auto& [id, times] : claimed) require(times == 1, fmt::format("{} claimers got the record {}", times, id));
    require(claimed.size() == jobs, fmt::format("{} of {} records were claimed", claimed.size(), jobs));
}

void parallel_writers(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("parallel_writers"));
    user.done(add(h, "counter", 0), "an insert");
    std::vector<std::vector<RecordsUser::Request>> requests(4);
    for (std::size_t t = 0; t < requests.size(); ++t)
        for (int i = 0; i < 25; ++i) {
            requests[t].push_back(RecordsUser::request(std::make_shared<Write>(Write::update(h, "acme", "counter").inc(score, 1))));
            requests[t].push_back(RecordsUser::request(std::make_shared<Write>(Write::insert_or_get(h, "acme", fmt::format("hook{}", i)).set(name, std::to_string(t)))));
        }
    std::map<std::string, std::uint64_t> made;
    for (const auto& replies : user.parallel(requests))
        for (std::size_t i = 0; i < replies.size(); ++i) {
            RecordsUser::require_reply("a write beside others", replies[i], {JF_OK});
            if (i % 2 == 1) made[replies[i].rows.at(0).id()] += replies[i].affected;
        }
    require_value("a counter that four threads raised 25 times", get(user, h, "counter").field(score), 100);
    for (const auto& [id, times] : made) require(times == 1, fmt::format("{} inserters of one id were each told that theirs was new", times));
}

}  // namespace jackfield::conformance::records
