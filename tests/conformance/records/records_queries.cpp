#include "conformance/records/records_checks.hpp"

#include <functional>
#include <set>

/// Questions and their answers.
namespace jackfield::conformance::records {

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

namespace {

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
        require(++pages < 200, "the pages never end");
    } while (!cursor.empty());
    return found;
}

}  // namespace

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
    require(bench.spy().completions_of(record.op) == 1, "the plugin did not complete the cancelled watch itself");
}

}  // namespace jackfield::conformance::records
