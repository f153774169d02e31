#include "conformance/records/records_checks.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

/// What changes a record, and what it leaves alone.
namespace jackfield::conformance::records {

void edits(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("edits"));
    user.done(add(h, "a"), "an insert");
    const auto change = [&](Write write, std::uint64_t revision) {
        const auto reply = user.done(write, "an update");
        require(reply.affected == 1 && reply.revision == revision, fmt::format("an update answered revision {}; wanted: {}", reply.revision, revision));
    };
    const auto a = [&] { return Write::update(h, "acme", "a"); };
    change(a().inc(score, 5), 2);
    change(a().inc(score, -7).inc(rating, 0.5), 3);
    require_value("INC from null", get(user, h, "a").field(score), -2);
    require_value("INC of a real number", get(user, h, "a").field(rating), 0.5);
    change(a().max(score, -9).max(rating, 2.5), 4);
    require_value("MAX by less", get(user, h, "a").field(score), -2);
    require_value("MAX by more", get(user, h, "a").field(rating), 2.5);
    change(a().append(name, " and more").unset(rating).max(due, sdk::Time{7}), 5);
    require_value("APPEND to text", get(user, h, "a").field(name), "n a and more");
    require_value("UNSET", get(user, h, "a").field(rating), {});
    require_value("MAX from null", get(user, h, "a").field(due), sdk::Time{7});
    require(get(user, h, "a").updated() >= get(user, h, "a").created(), "UPDATED lies before CREATED");
    RecordsUser::require_reply("UNSET of a NOT_NULL field", user(a().unset(name)), {JF_E_INVALID});
    RecordsUser::require_reply("INC of a text", user(a().inc(name, 1)), {JF_E_INVALID});
    RecordsUser::require_reply("INC beyond 64 bits", user(a().inc(score, std::numeric_limits<std::int64_t>::min())), {JF_E_INVALID});
    require_value("a record whose update was refused", get(user, h, "a").field(score), -2);
    // What not every store has it may say.
    const auto json = user(a().append(notes, sdk::Json{R"({"x":1})"}));
    RecordsUser::require_reply("APPEND to JSON", json, {JF_OK, JF_E_UNSUPPORTED});
    if (json.status == JF_OK) {
        user.done(a().append(notes, "two"), "APPEND of a text to a JSON array");
        require_value("a JSON array", get(user, h, "a").field(notes), sdk::Json{R"([{"x":1},"two"])"});
    }
    const auto each = user(a().set(notes, sdk::Json{"[1,2]"}));
    RecordsUser::require_reply("SET of JSON", each, {JF_OK});
    const auto added = user(a().add_each(notes, sdk::Json{"[10,20,30]"}));
    RecordsUser::require_reply("ADD_EACH", added, {JF_OK, JF_E_UNSUPPORTED});
    if (added.status == JF_OK) require_value("two histograms", get(user, h, "a").field(notes), sdk::Json{"[11,22,30]"});
}

void compares_and_sets(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("compares_and_sets"));
    user.done(add(h, "a", 1), "an insert");
    user.done(Write::update(h, "acme", "a").set(score, 2).expect_rev(1), "an update of the revision that was read");
    RecordsUser::require_reply("an update of an older revision", user(Write::update(h, "acme", "a").set(score, 3).expect_rev(1)), {JF_E_CONFLICT});
    RecordsUser::require_reply("a delete of an older revision", user(Write::remove(h, "acme", "a").expect_rev(1)), {JF_E_CONFLICT});
    RecordsUser::require_reply("an update of a record that is gone", user(Write::update(h, "acme", "gone").set(score, 3).expect_rev(1)), {JF_E_CONFLICT});
    require_value("the record", get(user, h, "a").field(score), 2);
    require_affected("a delete of the right revision", user(Write::remove(h, "acme", "a").expect_rev(2)), 1);
}

void changes_many(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("changes_many"));
    for (int i = 0; i < 20; ++i) user.done(add(h, fmt::format("{:02}", i), i), "an insert");
    require_affected("UPDATE_WHERE", user(Write::update(h, "acme").ge(score, 15).set(open, true)), 5);
    require_affected("UPDATE_WHERE with a limit and an order", user(Write::update(h, "acme").is_null(open).order_by(score, true).limit(2).set(open, false)), 2);
    require_ids("what it meant", user(Query(h, "acme").eq(open, false)), "13 14");
    require_affected("UPDATE_WHERE without a match", user(Write::update(h, "acme").eq(score, 999).set(open, true)), 0);
    RecordsUser::require_reply("UPDATE_WHERE that requires a record", user(Write::update(h, "acme").eq(score, 999).set(open, true).require()), {JF_E_CONFLICT});
    require_affected("DELETE_WHERE with a limit", user(Write::remove(h, "acme").order_by(score).limit(3)), 3);
    require_affected("DELETE_WHERE", user(Write::remove(h, "acme").lt(score, 10)), 7);
    require_affected("DELETE_WHERE of everything", user(Write::remove(h, "acme")), 10);
}

void batches(Bench& bench) {
    RecordsUser user(bench);
    user.needs("batch");
    const std::uint32_t h = user.declared(people("batches"));
    const std::uint32_t other = user.declared(sdk::Collection("verify.batches_other", JF_SCOPE_HOST).field("n", JF_VALUE_INT));
    sdk::Batch good;
    good.add(add(h, "a", 1)).add(Write::insert(other, "", "x").set(8, 1)).add(Write::update(h, "acme", "a").inc(score, 1)).add(Write::insert_or_get(h, "acme", "a").set(name, ""));
    const auto reply = user.done(good, "a batch over two collections");
    require(reply.affected == 3 && reply.rows.size() == 1, "a batch answers the sum of what was affected, and the rows of those that answer some");
    require_value("what a later write of the batch sees", reply.rows[0].field(score), 2);
    sdk::Batch bad;
    bad.add(add(h, "b", 1)).add(Write::update(other, "", "x").set(8, 2)).add(add(h, "a", 1));
    RecordsUser::require_reply("a batch whose last write conflicts", user(bad), {JF_E_CONFLICT});
    sdk::Batch lease;
    lease.add(add(h, "c", 1)).add(Write::update(h, "acme", "a").eq(score, 77).set(score, 0).require());
    RecordsUser::require_reply("a batch whose lease is gone", user(lease), {JF_E_CONFLICT});
    require_ids("a query after batches that failed", user(Query(h, "acme")), "a");
    require_value("another collection after a batch that failed", user(Query(other)).rows.at(0).field(8), 1);
}

void tenants(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("tenants"));
    user.done(add(h, "a", 1), "an insert");
    user.done(Write::insert(h, "other", "b").set(name, "b").set(score, 1), "an insert for another tenant");
    require_ids("a query of one tenant", user(Query(h, "acme").eq(score, 1)), "a");
    require_affected("an update of everything in one tenant", user(Write::update(h, "acme").set(score, 2)), 1);
    require_affected("a delete by another tenant's id", user(Write::remove(h, "acme", "b")), 0);
    require_ids("a tenant whose name only begins alike", user(Query(h, "oth")), "");
    RecordsUser::require_reply("a query without a tenant", user(Query(h)), {JF_E_INVALID});
    RecordsUser::require_reply("an insert without a tenant", user(Write::insert(h, "", "c").set(name, "c")), {JF_E_INVALID});
    RecordsUser::require_reply("a delete without a tenant", user(Write::remove(h, "")), {JF_E_INVALID});
    require_ids("the other tenant's records afterwards", user(Query(h, "other").eq(score, 1)), "b");
}

namespace {

/// Whether some file of the plugin's holds these bytes. Its options put its files into the kit's scratch folder.
bool in_some_file(std::string_view bytes) {
    namespace fs = std::filesystem;
    std::error_code error;
    for (fs::recursive_directory_iterator it(fs::current_path(), error), end; !error && it != end; it.increment(error)) {
        if (!it->is_regular_file(error)) continue;
        std::ifstream file(it->path(), std::ios::binary);
        const std::string content(std::istreambuf_iterator<char>(file), {});
        if (content.find(bytes) != std::string::npos) return true;
    }
    return false;
}

}  // namespace

void erases(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("erases"));
    const std::string removed = "born-in-1961-in-Tromso", replaced = "lives-in-Storgata-12";
    user.done(add(h, "a").set(photo, sdk::Bytes{removed}), "an insert");
    user.done(add(h, "b").set(photo, sdk::Bytes{replaced}), "an insert");
    user.done(add(h, "c").set(photo, sdk::Bytes{"stays"}), "an insert");
    const bool seen = in_some_file(removed) && in_some_file(replaced);
    const auto gone = user(Write::remove(h, "acme", "a").erase());
    if (gone.status == JF_E_UNSUPPORTED) not_applicable("it says that it can't erase: " + gone.error);
    // TIMEOUT: done, but a reader stands in the way of the last of it.
    RecordsUser::require_reply("DELETE_WHERE with ERASE", gone, {JF_OK, JF_E_TIMEOUT});
    const auto changed = user(Write::update(h, "acme", "b").set(photo, sdk::Bytes{"nothing"}).erase());
    RecordsUser::require_reply("UPDATE_WHERE with ERASE", changed, {JF_OK, JF_E_TIMEOUT});
    require_ids("a query afterwards", user(Query(h, "acme")), "b c");
    require_value("what was written over", get(user, h, "b").field(photo), sdk::Bytes{"nothing"});
    require_value("what was not erased", get(user, h, "c").field(photo), sdk::Bytes{"stays"});
    RecordsUser::require_reply("an insert with ERASE", user(add(h, "d").erase()), {JF_E_INVALID});
    if (!seen) not_applicable("what was written does not stand in its files as it is: nothing can be said of what is left there");
    if (gone.status == JF_OK) require(!in_some_file(removed), "what was removed with ERASE is still in a file");
    if (changed.status == JF_OK) require(!in_some_file(replaced), "what was replaced with ERASE is still in a file");
}

}  // namespace jackfield::conformance::records
