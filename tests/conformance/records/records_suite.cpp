#include "conformance/records/records_checks.hpp"
#include "conformance/suites.hpp"

namespace jackfield::conformance {
namespace {

using namespace records;

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
    if (!user.can("batch")) {
        sdk::Batch two;
        two.add(add(h, "b", 1)).add(add(h, "c", 1));
        expect("batch", "a batch of two", user(two));
    }
    if (!user.can("watch")) expect("watch", "watch", user.watch(h, "acme"));
    if (!user.can("migrate")) expect("migrate", "migrate", user.migrate());
    if (tried == 0) not_applicable("it has everything");
    require_value("the record", get(user, h, "a").field(score), 1);
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
    {"records.erases", "What is erased is not in the plugin's files any more when the op completes", "Write over what was, journals and free pages too, before you complete.", erases, 60},
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
void records_mid_op(Bench& bench) { records::mid_op(bench); }

}  // namespace jackfield::conformance
