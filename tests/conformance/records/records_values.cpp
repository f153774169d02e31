#include "conformance/records/records_checks.hpp"

#include <limits>

/// What is declared and how values are kept.
namespace jackfield::conformance::records {

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
    RecordsUser::require_reply("an upsert by values that nobody has, under an id that stands",
                               user(Write::upsert(h, "acme", "a").set(name, "other").set(due, sdk::Time{2}).by_index(1)), {JF_E_CONFLICT});
    require_value("the record that has that id", get(user, h, "a").field(name), "x");
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

}  // namespace jackfield::conformance::records
