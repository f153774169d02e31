#include "conformance/records/records_user.hpp"
#include "conformance/suites.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <thread>

extern char** environ;

namespace jackfield::conformance {
namespace {

using sdk::Query;
using sdk::Row;
using sdk::Value;
using sdk::Write;

// The collection that most checks use, and its fields' numbers.
constexpr std::uint16_t name = 8, score = 9, rating = 10, due = 11, open = 12, notes = 13, photo = 14;
sdk::Collection people(const std::string& check) {
    sdk::Collection made("verify." + check, JF_SCOPE_TENANT);
    made.field("name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("score", JF_VALUE_INT)
        .field("rating", JF_VALUE_REAL)
        .field("due", JF_VALUE_TIME)
        .field("open", JF_VALUE_BOOL)
        .field("notes", JF_VALUE_JSON)
        .field("photo", JF_VALUE_BYTES);
    return made.index({"score"});
}
Write add(std::uint32_t h, const std::string& id, Value points = {}) {
    return Write::insert(h, "acme", id).set(name, "n " + id).set(score, std::move(points));
}
std::string text(const Value& value) {
    switch (value.type()) {
        case JF_VALUE_NULL: return "null";
        case JF_VALUE_REAL: return fmt::format("{}", value.real());
        case JF_VALUE_TEXT:
        case JF_VALUE_JSON:
        case JF_VALUE_BYTES: return "'" + value.text() + "'";
        default: return std::to_string(value.integer());
    }
}
void require_value(std::string_view what, const Value& got, const Value& wanted) {
    if (!(got == wanted)) fail(fmt::format("{} is {} of type {}; wanted: {} of type {}", what, text(got), got.type(), text(wanted), wanted.type()));
}
void require_ids(std::string_view what, const sdk::RecordsReply& reply, std::string_view wanted) {
    RecordsUser::require_reply(what, reply, {JF_OK});
    if (ids(reply) != wanted) fail(fmt::format("{} answered the records '{}'; wanted: '{}'", what, ids(reply), wanted));
}
void require_affected(std::string_view what, const sdk::RecordsReply& reply, std::uint64_t wanted) {
    RecordsUser::require_reply(what, reply, {JF_OK});
    if (reply.affected != wanted) fail(fmt::format("{} affected {} records; wanted: {}", what, reply.affected, wanted));
}
Row get(RecordsUser& user, std::uint32_t h, const std::string& id) {
    const auto reply = user.done(Query(h, "acme").id(id), "a query by id");
    require(reply.rows.size() == 1, fmt::format("a query for the id '{}' answered {} rows", id, reply.rows.size()));
    return reply.rows[0];
}

void declares(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("declares"));
    require(user.declared(people("declares")) == h, "the same declaration got another handle");
    user.done(add(h, "a", 1), "an insert");
    require(user.declared(people("declares").field("later", JF_VALUE_TEXT).index({"later"})) == h, "an extended collection got another handle");
    require_value("a field that came later, in an older record", get(user, h, "a").field(15), {});
    user.done(Write::update(h, "acme", "a").set(15, "x"), "a write of a field that came later");
    require(user.declared(people("declares")) == h, "an older declaration does not fit any more");
    sdk::Collection other("verify.declares", JF_SCOPE_TENANT);
    RecordsUser::require_reply("declaring a field with another type", user.declare(other.field("name", JF_VALUE_INT, JF_FIELD_NOT_NULL)), {JF_E_CONFLICT});
    for (const char* bad : {"", "Upper.case", "with space", "1digit", "quote\"", "semi;colon"})
        RecordsUser::require_reply(fmt::format("declaring a collection named '{}'", bad), user.declare(sdk::Collection(bad, JF_SCOPE_HOST)), {JF_E_INVALID});
    sdk::Collection twice("verify.twice", JF_SCOPE_HOST);
    RecordsUser::require_reply("declaring a field twice", user.declare(twice.field("a", JF_VALUE_INT).field("a", JF_VALUE_INT)), {JF_E_INVALID});
}

void keeps_values(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("keeps_values"));
    const std::string four = "\xf0\x9f\x98\x80 é \xe2\x82\xac '\"\\%_\n";
    const std::string zeros("\0\1\xff\0", 4);
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
    user.done(Write::insert(h, "acme", "id ' \"é").set(name, four).set(score, most).set(rating, -1.5e-300).set(due, sdk::Time{least}).set(open, true)
                  .set(notes, sdk::Json{R"({"a":[1,2,{"b":null}]})"}).set(photo, sdk::Bytes{zeros}), "an insert of every type");
    const Row row = get(user, h, "id ' \"é");
    require_value("the text", row.field(name), four);
    require_value("the number", row.field(score), most);
    require_value("the real number", row.field(rating), -1.5e-300);
    require_value("the time", row.field(due), sdk::Time{least});
    require_value("the truth value", row.field(open), true);
    require_value("the JSON", row.field(notes), sdk::Json{R"({"a":[1,2,{"b":null}]})"});
    require_value("the bytes", row.field(photo), sdk::Bytes{zeros});
    require_value("the tenant", row.field(JF_FIELD_TENANT), "acme");
    require_value("the first revision", row.field(JF_FIELD_REV), 1);
    require(row.created().us > 0 && row.created() == row.updated(), "CREATED and UPDATED of a new record are not one time");
    require(row.size() == sdk::column_of(15), fmt::format("a full row has {} columns; wanted: 5 of its own and 7 declared", row.size()));
    user.done(Write::insert(h, "acme", "empty").set(name, "").set(photo, sdk::Bytes{}), "an insert of empty texts");
    require_value("an empty text", get(user, h, "empty").field(name), "");
    require_value("empty bytes", get(user, h, "empty").field(photo), sdk::Bytes{});
    require_value("what was not given", get(user, h, "empty").field(score), {});
}

void insert_conflicts(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("insert_conflicts").unique({"due", "score"}));
    user.done(add(h, "a", 1).set(due, sdk::Time{5}), "an insert");
    RecordsUser::require_reply("an insert with an id that stands", user(add(h, "a", 2)), {JF_E_CONFLICT});
    RecordsUser::require_reply("an insert with values of a unique index that stand", user(add(h, "b", 1).set(due, sdk::Time{5})), {JF_E_CONFLICT});
    user.done(Write::insert(h, "other", "a").set(name, "x").set(score, 1).set(due, sdk::Time{5}), "the same id and values in another tenant");
    user.done(add(h, "n1").set(due, sdk::Time{9}), "a null in a unique index");
    user.done(add(h, "n2").set(due, sdk::Time{9}), "another null in a unique index");
    RecordsUser::require_reply("an update into values that stand", user(Write::update(h, "acme", "n1").set(score, 1).set(due, sdk::Time{5})), {JF_E_CONFLICT});
    require_value("a record whose update conflicted", get(user, h, "n1").field(due), sdk::Time{9});
    require_ids("a query afterwards", user(Query(h, "acme")), "a n1 n2");
}

void upserts(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("upserts").unique({"due"}));
    const auto first = user.done(Write::upsert(h, "acme", "a").set(name, "x").set(score, 1), "an upsert of a new record");
    require(first.affected == 1 && first.revision == 1, "an upsert of a new record affects one and makes revision 1");
    const auto second = user.done(Write::upsert(h, "acme", "a").set(score, 2), "an upsert without a NOT_NULL field that stands");
    require(second.revision == 2, "an upsert of a record that stands makes the next revision");
    require_value("what the upsert did not name", get(user, h, "a").field(name), "x");
    user.done(Write::upsert(h, "acme", "a").set(name, "new").set(score, 100).if_stands().inc(score, 5), "an upsert with edits for the record that stands");
    require_value("a counter that was raised", get(user, h, "a").field(score), 7);
    require_value("what only a new record would get", get(user, h, "a").field(name), "x");
    RecordsUser::require_reply("an upsert of a new record without a NOT_NULL field", user(Write::upsert(h, "acme", "b").set(score, 1)), {JF_E_INVALID});
    user.done(Write::upsert(h, "acme", "c").set(name, "c").set(due, sdk::Time{1}).by_index(1), "an upsert by a unique index");
    user.done(Write::upsert(h, "acme", "d").set(name, "d").set(due, sdk::Time{1}).by_index(1), "an upsert by values that stand");
    require_ids("a query afterwards", user(Query(h, "acme")), "a c");
    require_value("the record that has the values", get(user, h, "c").field(name), "d");
}

void insert_or_gets(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("insert_or_gets").unique({"due"}));
    const auto made = user.done(Write::insert_or_get(h, "acme", "hook-1").set(name, "first"), "INSERT_OR_GET of a new id");
    require(made.affected == 1 && made.rows.size() == 1 && made.rows[0].id() == "hook-1", "INSERT_OR_GET of a new id affects 1 and answers the record");
    const auto found = user.done(Write::insert_or_get(h, "acme", "hook-1").set(name, "second"), "INSERT_OR_GET of an id that stands");
    require(found.affected == 0 && found.rows.size() == 1 && found.revision == 1, "INSERT_OR_GET of an id that stands affects 0 and answers the record");
    require_value("the record that stood", found.rows[0].field(name), "first");
    user.done(Write::insert_or_get(h, "acme", "x").set(name, "x").set(due, sdk::Time{1}).by_index(1), "INSERT_OR_GET by a unique index");
    require_ids("INSERT_OR_GET by values that stand", user(Write::insert_or_get(h, "acme", "y").set(name, "y").set(due, sdk::Time{1}).by_index(1)), "x");
}

void terms(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("terms"));
    user.done(add(h, "a", 1).set(open, true), "an insert");
    user.done(add(h, "b", 2).set(open, false), "an insert");
    user.done(add(h, "c", 3).set(rating, 0.5), "an insert");
    user.done(add(h, "d"), "an insert");
    const auto q = [&] { return Query(h, "acme"); };
    require_ids("EQ", user(q().eq(score, 2)), "b");
    require_ids("NE, which no null matches", user(q().ne(score, 2)), "a c");
    require_ids("LT", user(q().lt(score, 2)), "a");
    require_ids("LE", user(q().le(score, 2)), "a b");
    require_ids("GT", user(q().gt(score, 2)), "c");
    require_ids("GE", user(q().ge(score, 2)), "b c");
    require_ids("IN", user(q().in(score, {1, 3, 77})), "a c");
    require_ids("IN of nothing", user(q().in(score, {})), "");
    require_ids("IS_NULL", user(q().is_null(score)), "d");
    require_ids("NOT_NULL", user(q().not_null(open)), "a b");
    require_ids("PREFIX", user(q().prefix(name, "n c")), "c");
    require_ids("an empty PREFIX", user(q().prefix(name, "")), "a b c d");
    require_ids("CONTAINS", user(q().contains(name, " b")), "b");
    require_ids("CONTAINS of what other stores take for patterns", user(q().contains(name, "%")), "");
    require_ids("several terms", user(q().ge(score, 1).eq(open, false)), "b");
    require_ids("a term on the record's own fields", user(q().eq(JF_FIELD_REV, 1).gt(JF_FIELD_ID, "b")), "c d");
    require_ids("text order, which is binary", user(q().lt(name, "n b")), "a");
}

std::vector<std::string> walk(RecordsUser& user, const Query& query, std::uint32_t page, const std::function<void(int)>& between = {}) {
    std::vector<std::string> found;
    std::string cursor;
    int pages = 0;
    do {
        Query next = query;
        const auto reply = user.done(next.limit(page).after(cursor), "a page");
        require(reply.rows.size() <= page, "a page has more rows than its limit");
        for (const Row& row : reply.rows) found.push_back(row.id());
        cursor = reply.cursor;
        if (between) between(pages);
        require(++pages < 1000, "the pages never end");
    } while (!cursor.empty());
    return found;
}

void pages_exactly(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("pages_exactly"));
    // Even ids stay; odd ones come and go. Many have the same score or none.
    const auto id_of = [](int i) { return fmt::format("{:03}", i); };
    std::set<std::string> staying;
    for (int i = 0; i < 60; ++i) {
        user.done(add(h, id_of(i), i % 7 == 0 ? Value() : Value(i % 4)), "an insert");
        if (i % 2 == 0) staying.insert(id_of(i));
    }
    for (const bool down : {false, true}) {
        std::vector<std::string> found = walk(user, Query(h, "acme").order_by(score, down), 7, [&](int page) {
            if (page > 20) return;
            user(Write::remove(h, "acme", id_of(page * 6 % 60 + 1)));
            user(add(h, id_of(page * 4 % 60 + 1), page % 4));
        });
        std::set<std::string> once(found.begin(), found.end());
        require(once.size() == found.size(), "a record was answered on two pages");
        for (const std::string& id : staying) require(once.contains(id), "a record that stood all the time was on no page: " + id);
    }
    std::vector<Row> rows = user.done(Query(h, "acme").order_by(score).order_by(name, true).limit(1000), "a query").rows;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const Value a = rows[i - 1].field(score), b = rows[i].field(score);
        require(a.is_null() || (!b.is_null() && a.integer() <= b.integer()), "an order does not begin with nulls and go up");
        if (a == b) require(rows[i - 1].field(name).text() > rows[i].field(name).text(), "the second field of an order does not go down");
    }
    const auto page = user.done(Query(h, "acme").limit(3), "a page");
    RecordsUser::require_reply("a cursor of another query", user(Query(h, "acme").order_by(score).after(page.cursor)), {JF_E_INVALID});
    RecordsUser::require_reply("a cursor of another tenant", user(Query(h, "other").after(page.cursor)), {JF_E_INVALID});
    for (const char* bad : {"x", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "0123456789abcdef0123456789abcdef"})
        RecordsUser::require_reply("a cursor that is none", user(Query(h, "acme").after(bad)), {JF_E_INVALID});
    RecordsUser::require_reply("half a cursor", user(Query(h, "acme").after(page.cursor.substr(0, page.cursor.size() / 2))), {JF_E_INVALID});
}

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

void refuses_nonsense(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("refuses_nonsense"));
    const auto refused = [&](const char* what, const sdk::RecordsReply& reply) { RecordsUser::require_reply(what, reply, {JF_E_INVALID, JF_E_UNSUPPORTED}); };
    refused("a handle that nobody got", user(Query(h + 1000, "acme")));
    refused("a field that there is not", user(Query(h, "acme").eq(77, 1)));
    refused("a value of another type", user(add(h, "a", "text")));
    refused("an INT for a REAL", user(add(h, "a").set(rating, 1)));
    refused("a real number that is none", user(add(h, "a").set(rating, std::numeric_limits<double>::quiet_NaN())));
    refused("text that is no UTF-8", user(Write::insert(h, "acme", "a").set(name, "\xff\xfe")));
    refused("text with a zero byte", user(Write::insert(h, "acme", "a").set(name, std::string("a\0b", 3))));
    refused("an id that is no UTF-8", user(Write::insert(h, "acme", "\xc0\x80").set(name, "x")));
    refused("an insert without an id", user(Write::insert(h, "acme", "").set(name, "x")));
    refused("an insert without a NOT_NULL field", user(Write::insert(h, "acme", "a")));
    refused("a write of the id", user(add(h, "a").set(JF_FIELD_ID, "b")));
    refused("an order by JSON", user(Query(h, "acme").order_by(notes)));
    refused("an unknown verb", user(Query(h, "acme").term(name, 999, "x")));
    refused("an update without edits", user(Write::update(h, "acme", "a")));
    jf_write unknown = *add(h, "a").abi();
    unknown.verb = 999;
    RecordsUser::require_reply("an unknown write", user.raw(unknown), {JF_E_UNSUPPORTED, JF_E_INVALID});
    jf_query flags = make<jf_query>();
    flags.collection = h;
    flags.tenant = str("acme");
    flags.flags = 0x80000000u;
    RecordsUser::require_reply("unknown flags", user.raw(flags), {JF_E_TOO_NEW, JF_E_INVALID, JF_E_UNSUPPORTED});
    jf_query null_array = make<jf_query>();
    null_array.collection = h;
    null_array.tenant = str("acme");
    null_array.where = {nullptr, 3, sizeof(jf_term)};
    refused("an array without memory", user.raw(null_array));
    user.done(Write::remove(h, "acme"), "a delete afterwards");
}

void struct_sizes(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("struct_sizes"));
    user.done(add(h, "a", 1), "an insert");
    struct Longer {
        jf_query known;
        std::uint64_t appended[2];
    };
    const Query query(h, "acme");
    Longer longer{*query.abi(), {0, 0}};
    longer.known.struct_size = sizeof longer;
    require_ids("a longer query with a tail of zeros", user.raw(longer.known), "a");
    longer.appended[1] = 1;
    RecordsUser::require_reply("a longer query with something in its tail", user.raw(longer.known), {JF_E_TOO_NEW});
    jf_query shorter = *query.abi();
    shorter.struct_size = offsetof(jf_query, columns);
    require_ids("a query as an older host has it", user.raw(shorter), "a");
    struct LongTerm {
        jf_term known;
        std::uint64_t appended;
    };
    LongTerm terms_of[2]{};
    for (LongTerm& term : terms_of) {
        term.known = make<jf_term>();
        term.known.struct_size = sizeof(LongTerm);
        term.known.field = score;
        term.known.verb = JF_TERM_EQ;
        term.known.value.type = JF_VALUE_INT;
        term.known.value.i = 1;
    }
    jf_query wide = *query.abi();
    wide.where = {terms_of, 2, sizeof(LongTerm)};
    require_ids("terms that are longer and lie a stride apart", user.raw(wide), "a");
}

void large_answers(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("large_answers"));
    constexpr int many = 3000;
    const std::string filling(300, 'x');
    if (user.can("batch")) {
        sdk::Batch batch;
        for (int i = 0; i < many; ++i) batch.add(add(h, fmt::format("{:05}", i), i).set(photo, sdk::Bytes{filling}));
        user.done(batch, "a large batch");
    } else {
        for (int i = 0; i < many; ++i) user.done(add(h, fmt::format("{:05}", i), i), "an insert");
    }
    bench.spy().refuse_emits(5);
    const auto reply = user.done(Query(h, "acme").limit(many + 1), "a large answer to a host that is slow");
    require(reply.rows.size() == many, fmt::format("{} rows came; wanted: {}", reply.rows.size(), many));
    for (int i = 0; i < many; ++i) require(reply.rows[static_cast<std::size_t>(i)].field(score) == Value(i), "rows are lost, doubled or out of order");
    require(reply.cursor.empty(), "a cursor although there are no more rows");
}

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

void aggregates(Bench& bench) {
    RecordsUser user(bench);
    user.needs("aggregates");
    const std::uint32_t h = user.declared(people("aggregates"));
    int n = 0;
    const auto put = [&](const char* who, Value points, Value when, const char* histogram) {
        user.done(Write::insert(h, "acme", std::to_string(n++)).set(name, who).set(score, points).set(due, when).set(notes, sdk::Json{histogram}), "an insert");
    };
    put("a", 5, sdk::Time{10}, "[1,2]");
    put("a", {}, sdk::Time{19}, "[1]");
    put("a", 7, sdk::Time{25}, "[0,0,9]");
    put("b", 1, sdk::Time{5}, "[3]");
    put("b", 2, {}, "[]");
    const auto all = user.done(Query(h, "acme").group_by(name).count().count(score).sum(score).min(score).max(score).avg(score).sum_each(notes), "aggregates by group");
    require(all.rows.size() == 2, "two groups are two rows");
    const std::vector<Value> first{"a", 3, 2, 12, 5, 7, 6.0, sdk::Json{"[2,2,9]"}};
    for (std::size_t i = 0; i < first.size(); ++i) require_value(fmt::format("column {} of the first group", i), all.rows[0][i], first[i]);
    const auto buckets = user.done(Query(h, "acme").group_by(name).bucket_by(due, {10, 20}).count(), "aggregates by bucket");
    std::string found;
    for (const Row& row : buckets.rows) found += row[0].text() + (row[1].is_null() ? "-" : std::to_string(row[1].integer())) + ":" + std::to_string(row[2].integer()) + " ";
    require(found == "a0:2 a1:1 b-:2 ", "buckets came to '" + found + "'; wanted: 'a0:2 a1:1 b-:2 '");
    const auto none = user.done(Query(h, "acme").eq(score, 999).count().sum(score), "aggregates of nothing");
    require(none.rows.size() == 1 && none.rows[0][0] == Value(0) && none.rows[0][1].is_null(), "without group, nothing is one row: count 0, sum null");
    require_ids("orders and groups", user(Query(h, "acme").group_by(name).count().order_by(name, true)), "b a");
}

void follows_references(Bench& bench) {
    RecordsUser user(bench);
    user.needs("include");
    const std::uint32_t customers = user.declared(sdk::Collection("verify.customers", JF_SCOPE_TENANT).field("city", JF_VALUE_TEXT));
    sdk::Collection declared("verify.calls_of", JF_SCOPE_TENANT);
    const std::uint32_t calls = user.declared(declared.field("customer", JF_VALUE_TEXT, 0, "verify.customers").field("cost", JF_VALUE_INT));
    user.done(Write::insert(customers, "acme", "kim").set(8, "Oslo"), "an insert");
    user.done(Write::insert(customers, "other", "lee").set(8, "Rome"), "an insert");
    user.done(Write::insert(calls, "acme", "c1").set(8, "kim").set(9, 5), "an insert");
    user.done(Write::insert(calls, "acme", "c2").set(8, "lee").set(9, 6), "an insert");
    const auto whole = user.done(Query(calls, "acme").include(8), "a query with include");
    require(whole.rows.size() == 2 && whole.rows[0].size() == 7 + 6, "an included record's fields stand behind the row");
    require_value("the included record's city", whole.rows[0][7 + 5], "Oslo");
    require_value("the city behind a reference into another tenant", whole.rows[1][7 + 5], {});
    const auto columns = user.done(Query(calls, "acme").column(8, 8).column(9).column(JF_FIELD_ID, 8), "a query by columns");
    require(columns.rows.size() == 2 && columns.rows[0].size() == 3, "a query by columns answers exactly these");
    require_value("the first column", columns.rows[0][0], "Oslo");
    require_value("the second column", columns.rows[0][1], 5);
    require_ids("a term on the referenced record", user(Query(calls, "acme").via(8, 8, JF_TERM_EQ, "Oslo")), "c1");
    require_affected("an update by the referenced record", user(Write::update(calls, "acme").via(8, 8, JF_TERM_EQ, "Oslo").set(9, 0)), 1);
}

void searches_text(Bench& bench) {
    RecordsUser user(bench);
    user.needs("text_search");
    sdk::Collection declared("verify.turns", JF_SCOPE_TENANT);
    const std::uint32_t h = user.declared(declared.field("said", JF_VALUE_TEXT, JF_FIELD_TEXT_SEARCH).field("title", JF_VALUE_TEXT, JF_FIELD_TEXT_SEARCH));
    user.done(Write::insert(h, "acme", "a").set(8, "I would like a refund, please: the crème brûlée was cold"), "an insert");
    user.done(Write::insert(h, "acme", "b").set(8, "refund refund refund").set(9, "please"), "an insert");
    user.done(Write::insert(h, "other", "c").set(8, "a refund"), "an insert");
    const auto find = [&](const char* words) { return user(Query(h, "acme").words(8, words)); };
    require_ids("a word", find("REFUND"), "a b");
    require_ids("a word without its diacritics", find("creme Brulee"), "a");
    require_ids("words of which one is missing", find("refund pizza"), "");
    require_ids("part of a word", find("refu"), "");
    require_ids("the beginning of a word", find("refu*"), "a b");
    require_ids("words that follow each other", find("\"a refund\""), "a");
    require_ids("signs that mean something elsewhere", find("refund) OR (\" -x: *"), "");
    require_ids("no word at all", find("-- ()"), "");
    require_ids("words over all fields", user(Query(h, "acme").text("refund please")), "a b");
    require_ids("the best first", user(Query(h, "acme").text("refund").order_by(JF_FIELD_RANK, true)), "b a");
    user.done(Write::update(h, "acme", "a").set(8, "nothing"), "an update");
    require_ids("a word that is gone", find("cold"), "");
    user.done(Write::remove(h, "acme", "b"), "a delete");
    require_ids("a word whose record is gone", find("refund"), "");
}

void watches(Bench& bench) {
    RecordsUser user(bench);
    user.needs("watch");
    const std::uint32_t h = user.declared(people("watches"));
    OpRecord& record = bench.open(*user.instance());
    require_status("watch", bench.begin_blocking(record, *user.instance(), "watch", [&] {
        jf_error error = make<jf_error>();
        return user.port().watch(record.op, h, str("acme"), &error);
    }), {JF_OK});
    user.done(Write::insert(h, "other", "x").set(name, "x"), "an insert for another tenant");
    user.done(add(h, "a", 1), "an insert");
    require(bench.wait([&] { return record.count(JF_EV_WAKE) > 0; }), "no WAKE came after a write");
    require(!record.done(), "a watch is over before it was cancelled");
    bench.cancel(record);
    bench.expect_done(record, "a cancelled watch");
    require(record.status == JF_E_CANCELLED, "a cancelled watch completes with CANCELLED");
}

void says_what_it_has_not(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("says_what_it_has_not"));
    user.done(add(h, "a", 1), "an insert");
    int tried = 0;
    const auto expect = [&](const char* capability, const char* what, const sdk::RecordsReply& reply) {
        ++tried;
        RecordsUser::require_reply(fmt::format("{} without records.{}", what, capability), reply, {JF_E_UNSUPPORTED});
    };
    if (!user.can("claim")) expect("claim", "CLAIM", user(Write::claim(h, "acme").set(score, 2)));
    if (!user.can("aggregates")) expect("aggregates", "an aggregate", user(Query(h, "acme").count()));
    if (!user.can("text_search")) expect("text_search", "a TEXT term", user(Query(h, "acme").words(name, "n")));
    if (!user.can("text_search")) expect("text_search", "text", user(Query(h, "acme").text("n")));
    if (!user.can("include")) expect("include", "columns", user(Query(h, "acme").column(name, 8)));
    if (tried == 0) not_applicable("it has everything");
    require_value("the record", get(user, h, "a").field(score), 1);
}

void outlives_its_instance(Bench& bench) {
    auto instance = bench.start();
    {
        RecordsUser user(bench, instance);
        const std::uint32_t h = user.declared(people("outlives_its_instance"));
        user.done(Write::upsert(h, "acme", "a").set(name, "kept").set(score, 5), "an upsert");
    }
    bench.stop(instance);
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("outlives_its_instance"));
    require_value("a record after a restart", get(user, h, "a").field(name), "kept");
}

// A process that is killed while it writes: the check starts one, which says in a file what was acknowledged.
constexpr const char* acknowledged_file = "records-acknowledged.txt";
sdk::Collection pairs() { return sdk::Collection("verify.killed", JF_SCOPE_TENANT).field("n", JF_VALUE_INT); }

void mid_op(Bench& bench) {
    auto* const user = new RecordsUser(bench);
    const std::uint32_t h = user->declared(pairs());
    std::thread([user, h] {
        const int file = ::open(acknowledged_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        const std::string process = std::to_string(::getpid());
        try {
            for (int i = 0;; ++i) {
                const std::string id = process + "-" + std::to_string(i);
                if (user->can("batch")) {
                    sdk::Batch batch;
                    batch.add(Write::insert(h, "acme", id + "a").set(8, i)).add(Write::insert(h, "acme", id + "b").set(8, i));
                    user->done(batch, "a batch");
                } else {
                    user->done(Write::insert(h, "acme", id + "a").set(8, i), "an insert");
                }
                // One write(2), so that a line is never torn by the kill.
                const std::string line = id + "\n";
                if (::write(file, line.data(), line.size()) < 0) return;
            }
        } catch (const Failed&) {
        }
    }).detach();
}

std::vector<std::string> acknowledged() {
    std::ifstream file(acknowledged_file);
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
}

/// This program with the same target, writing until it is killed.
pid_t start_writer() {
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    std::vector<std::string> words;
    for (std::string word; std::getline(file, word, '\0') && word != "--report-fd";) words.push_back(word);
    words.insert(words.end(), {"--report-fd", "1", "--mid-op", "records"});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    require(error == 0, "the kit could not start its writer");
    return pid;
}

void survives_kills(Bench& bench) {
    ::unlink(acknowledged_file);
    for (std::size_t round = 1; round <= 3; ++round) {
        const pid_t writer = start_writer();
        for (int i = 0; i < 2000 && acknowledged().size() < round * 20; ++i) std::this_thread::sleep_for(milliseconds(10));
        ::kill(writer, SIGKILL);
        ::waitpid(writer, nullptr, 0);
    }
    const std::vector<std::string> kept = acknowledged();
    require(kept.size() >= 60, fmt::format("a writer made only {} writes in 20 s", kept.size()));
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(pairs());
    std::map<std::string, int> halves;
    for (const Row& row : user.done(Query(h, "acme").limit(1'000'000), "a query after a kill").rows) ++halves[row.id().substr(0, row.id().size() - 1)];
    for (const std::string& id : kept) require(halves.contains(id), "a write that was acknowledged before the kill is gone: " + id);
    if (user.can("batch"))
        for (const auto& [id, n] : halves) require(n == 2, "half of a batch is there after a kill: " + id);
}

void refuses_while_quiescing(Bench& bench) {
    RecordsUser user(bench);
    const std::uint32_t h = user.declared(people("refuses_while_quiescing"));
    OpRecord& quiet = bench.open(*user.instance());
    require_status("quiesce", bench.begin_blocking(quiet, *user.instance(), "quiesce", [&] {
        return bench.spy().functions_of(*user.instance())->quiesce(bench.spy().self_of(*user.instance()), quiet.op, 2000);
    }), {JF_OK});
    bench.expect_done(quiet, "quiesce", milliseconds(3000));
    RecordsUser::require_reply("a query after quiesce", user(Query(h, "acme")), {JF_E_STATE});
    RecordsUser::require_reply("an insert after quiesce", user(add(h, "a", 1)), {JF_E_STATE});
}

constexpr Check checks[] = {
    {"records.declares", "declare makes, finds and extends a collection, and refuses another", "Keep numbers of collections and fields for ever; compare type by type.", declares},
    {"records.keeps_values", "Every type comes back as it was written, to the last bit", "Look at empty and four-byte text, bytes with zeros, the ends of 64 bits.", keeps_values},
    {"records.insert_conflicts", "What an id or a unique index forbids is CONFLICT and changes nothing", "Nulls are no equals; another tenant's values are no obstacle.", insert_conflicts},
    {"records.upserts", "UPSERT makes a record or changes the one that stands", "By id or unique index; what is not named stays; `edits` are for what stands.", upserts},
    {"records.insert_or_gets", "INSERT_OR_GET answers the record, and whether it is new", "ROWS with the record, affected 1 or 0.", insert_or_gets},
    {"records.terms", "Each verb matches what the header says", "Nulls match IS_NULL only; text order is binary; no character is a pattern.", terms},
    {"records.pages_exactly", "Cursors miss and repeat nothing while others write", "Go on behind the last row's values of the order and its id, not by counting.", pages_exactly, 60},
    {"records.edits", "SET, INC, MAX, APPEND and UNSET do what they say, and each change is the next revision", "Null counts as 0 for INC; an overflow is INVALID and changes nothing.", edits},
    {"records.compares_and_sets", "expect_rev lets one of two writers through", "Compare and change in one step; a record that is gone is CONFLICT.", compares_and_sets},
    {"records.changes_many", "UPDATE_WHERE and DELETE_WHERE mean all that match, or the first `limit` of the order", "REQUIRE makes none a CONFLICT.", changes_many},
    {"records.batches", "A batch happens as a whole or not at all", "Later writes see earlier ones; the first failure takes everything back.", batches},
    {"records.tenants", "A tenant's records are its own", "Put the tenant into every look-up; INVALID without one.", tenants},
    {"records.refuses_nonsense", "What no caller may send is refused in words and harms nothing", "Check types, UTF-8, numbers and arrays before anything else.", refuses_nonsense},
    {"records.struct_sizes", "Structs are read as far as they reach, and arrays by their stride", "Zero-fill what is shorter; TOO_NEW when a longer tail says something.", struct_sizes},
    {"records.large_answers", "A large answer arrives whole and in order at a host that is slow", "Emit ROWS in parts; on AGAIN wait and emit the same part.", large_answers, 60},
    {"records.claims", "CLAIM takes the first of the order, in turns where it is asked to", "Edit and answer in one step; with fair_by, count what is under way.", claims},
    {"records.claims_once", "No record goes to two claimers", "Look up and edit under one lock or transaction.", claims_once, 60},
    {"records.parallel_writers", "Writers on several threads lose nothing", "The members are called on several threads at once.", parallel_writers, 60},
    {"records.aggregates", "Groups, buckets and sums add up", "A null is not counted; a sum of nothing is null.", aggregates},
    {"records.follows_references", "include, columns and via reach the referenced record, in the tenant", "A reference to nothing gives nulls and matches nothing.", follows_references},
    {"records.searches_text", "Words are found without case and diacritics, and no sign is syntax", "Keep the index in the same transaction as the record.", searches_text},
    {"records.watches", "A watch wakes until it is cancelled", "Complete it with CANCELLED from cancel().", watches},
    {"records.says_what_it_has_not", "What the capabilities don't declare answers UNSUPPORTED", "Refuse it before anything is changed.", says_what_it_has_not},
    {"records.outlives_its_instance", "What was written is there after a restart", "Durable means: when the op completes with OK.", outlives_its_instance},
    {"records.survives_kills", "What was acknowledged survives SIGKILL, and no half of a batch is left", "Sync before completing; recover by whole transactions.", survives_kills, 120},
    {"records.refuses_while_quiescing", "After quiesce nothing new begins", "Answer STATE.", refuses_while_quiescing},
};

}  // namespace

std::span<const Check> records_checks() { return checks; }
void records_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
