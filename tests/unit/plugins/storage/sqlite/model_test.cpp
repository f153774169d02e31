#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include "database.hpp"

// Random operations on the database and on a few maps, which must agree on every answer.

namespace jackfield::test {
namespace {

using sdk::Query;
using sdk::Row;
using sdk::Value;
using sdk::Write;

constexpr std::uint16_t name = 8, score = 9, slot = 10, rating = 11;

sdk::Collection declaration() {
    sdk::Collection made("test.model", JF_SCOPE_TENANT);
    made.field("name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL).field("score", JF_VALUE_INT).field("slot", JF_VALUE_INT).field("rating", JF_VALUE_REAL);
    made.unique({"slot"}).index({"score"});
    return made;
}

struct Record {
    std::uint64_t rev = 1;
    std::map<std::uint16_t, Value> fields;
    Value get(std::uint16_t field) const {
        const auto found = fields.find(field);
        return found == fields.end() ? Value() : found->second;
    }
};
using Records = std::map<std::string, Record>;

/// Null first, as the storage orders.
bool less(const Value& a, const Value& b) {
    if (a.is_null() || b.is_null()) return a.is_null() && !b.is_null();
    if (a.type() == JF_VALUE_TEXT) return a.text() < b.text();
    if (a.type() == JF_VALUE_REAL) return a.real() < b.real();
    return a.integer() < b.integer();
}

struct Edit {
    std::uint16_t field, verb;
    Value value;
};
struct Filter {
    std::uint16_t field, verb;
    Value value;
    bool matches(const Record& record) const {
        const Value v = record.get(field);
        if (verb == JF_TERM_IS_NULL) return v.is_null();
        if (v.is_null()) return false;
        switch (verb) {
            case JF_TERM_EQ: return v == value;
            case JF_TERM_NE: return !(v == value);
            case JF_TERM_LT: return less(v, value);
            case JF_TERM_GE: return !less(v, value);
            case JF_TERM_PREFIX: return v.text().starts_with(value.text());
            default: return v.text().find(value.text()) != std::string::npos;
        }
    }
};

struct Model {
    std::map<std::string, Records> tenants;

    static bool all(const std::vector<Filter>& where, const Record& record) {
        return std::all_of(where.begin(), where.end(), [&](const Filter& f) { return f.matches(record); });
    }
    static bool slot_taken(const Records& records, const Value& value, const std::string& except) {
        return !value.is_null() && std::any_of(records.begin(), records.end(), [&](const auto& r) {
            return r.first != except && r.second.get(slot) == value;
        });
    }
    static Value edited(const Value& old, const Edit& edit) {
        switch (edit.verb) {
            case JF_EDIT_SET: return edit.value;
            case JF_EDIT_UNSET: return {};
            case JF_EDIT_INC:
                if (edit.value.type() == JF_VALUE_REAL) return old.real() + edit.value.real();
                return old.integer() + edit.value.integer();
            case JF_EDIT_MAX: return old.is_null() || less(old, edit.value) ? edit.value : old;
            default: return old.text() + edit.value.text();
        }
    }
    /// False: a unique slot is in the way.
    static bool apply(Records& records, const std::string& id, const std::vector<Edit>& edits) {
        Record changed = records.at(id);
        for (const Edit& edit : edits) changed.fields[edit.field] = edited(changed.get(edit.field), edit);
        if (slot_taken(records, changed.get(slot), id)) return false;
        ++changed.rev;
        records[id] = changed;
        return true;
    }
};

class ModelRun {
  public:
    ModelRun(Database& db, std::uint32_t seed) : db_(db), random_(seed), h_(db.declare(declaration()).collection) {}

    void step() {
        switch (pick(12)) {
            case 0:
            case 1: return insert();
            case 2: return upsert();
            case 3: return insert_or_get();
            case 4:
            case 5: return update_one();
            case 6: return update_where();
            case 7: return pick(3) == 0 ? remove_where() : remove_one();
            case 8: return claim();
            case 9: return batch();
            case 10: return aggregate();
            default: return query();
        }
    }
    void compare_all() {
        for (const char* tenant : {"a", "b"}) {
            const auto reply = db_(Query(h_, tenant).limit(UINT32_MAX));
            ASSERT_EQ(reply.status, JF_OK) << reply.error;
            const Records& records = model_.tenants[tenant];
            ASSERT_EQ(reply.rows.size(), records.size());
            auto expected = records.begin();
            for (const Row& row : reply.rows) {
                same(row, expected->first, expected->second);
                ++expected;
            }
        }
    }

  private:
    std::uint32_t pick(std::uint32_t n) { return random_() % n; }
    std::string tenant() { return pick(2) ? "a" : "b"; }
    std::string id() { return "id" + std::to_string(pick(25)); }
    Value text() { return std::string(1 + pick(3), static_cast<char>('a' + pick(3))); }
    Value number() { return static_cast<std::int64_t>(pick(9)) - 2; }
    Value real() { return static_cast<double>(pick(9)) / 4; }
    Value slot_value() { return pick(3) == 0 ? Value() : Value(static_cast<std::int64_t>(pick(40))); }

    void same(const Row& row, const std::string& id, const Record& record) {
        ASSERT_EQ(row.id(), id);
        ASSERT_EQ(row.rev(), record.rev) << id;
        for (const std::uint16_t field : {name, score, slot, rating}) ASSERT_EQ(row.field(field), record.get(field)) << id << ' ' << field;
    }
    std::vector<Edit> values() {
        std::vector<Edit> out{{name, JF_EDIT_SET, text()}};
        if (pick(3)) out.push_back({score, JF_EDIT_SET, number()});
        if (pick(2)) out.push_back({slot, JF_EDIT_SET, slot_value()});
        if (pick(2)) out.push_back({rating, JF_EDIT_SET, real()});
        return out;
    }
    std::vector<Edit> edits(bool with_slot) {
        std::vector<Edit> out;
        switch (pick(3)) {
            case 0: out.push_back({score, JF_EDIT_INC, number()}); break;
            case 1: out.push_back({score, JF_EDIT_MAX, number()}); break;
            default: out.push_back({score, JF_EDIT_UNSET, {}});
        }
        if (pick(3) == 0) out.push_back({name, JF_EDIT_SET, text()});
        else if (pick(6) == 0) out.push_back({name, JF_EDIT_APPEND, text()});
        if (pick(3) == 0) out.push_back({rating, JF_EDIT_INC, real()});
        if (with_slot && pick(3) == 0) out.push_back({slot, JF_EDIT_SET, slot_value()});
        return out;
    }
    std::vector<Filter> filters() {
        std::vector<Filter> out;
        for (std::uint32_t n = pick(3); n > 0; --n) switch (pick(7)) {
                case 0: out.push_back({score, JF_TERM_EQ, number()}); break;
                case 1: out.push_back({score, JF_TERM_GE, number()}); break;
                case 2: out.push_back({rating, JF_TERM_LT, real()}); break;
                case 3: out.push_back({slot, JF_TERM_IS_NULL, {}}); break;
                case 4: out.push_back({name, JF_TERM_PREFIX, text()}); break;
                case 5: out.push_back({name, JF_TERM_CONTAINS, text()}); break;
                default: out.push_back({score, JF_TERM_NE, number()});
            }
        return out;
    }
    template <typename T>
    static T with(T target, const std::vector<Filter>& where) {
        for (const Filter& f : where) target.term(f.field, f.verb, f.value);
        return target;
    }
    static Write with_edits(Write write, const std::vector<Edit>& edits) {
        for (const Edit& e : edits) write.edit(e.field, e.verb, e.value);
        return write;
    }
    void expect(const sdk::RecordsReply& reply, jf_status status, std::uint64_t affected) {
        ASSERT_EQ(reply.status, status) << reply.error;
        ASSERT_EQ(reply.affected, affected);
    }
    /// CONFLICT or made; the model's part of an insert.
    static bool model_insert(Records& records, const std::string& id, const std::vector<Edit>& values) {
        Record made;
        for (const Edit& e : values) made.fields[e.field] = e.value;
        if (records.contains(id) || Model::slot_taken(records, made.get(slot), id)) return false;
        records[id] = made;
        return true;
    }

    void insert() {
        const std::string t = tenant(), i = id();
        const auto given = values();
        const bool made = model_insert(model_.tenants[t], i, given);
        expect(db_(with_edits(Write::insert(h_, t, i), given)), made ? JF_OK : JF_E_CONFLICT, made ? 1 : 0);
    }
    void upsert() {
        const std::string t = tenant(), i = id();
        Records& records = model_.tenants[t];
        const auto given = values();
        const bool done = records.contains(i) ? Model::apply(records, i, given) : model_insert(records, i, given);
        const auto reply = db_(with_edits(Write::upsert(h_, t, i), given));
        expect(reply, done ? JF_OK : JF_E_CONFLICT, done ? 1 : 0);
        if (done) { ASSERT_EQ(reply.revision, records[i].rev); }
    }
    void insert_or_get() {
        const std::string t = tenant(), i = id();
        Records& records = model_.tenants[t];
        const auto given = values();
        const bool stood = records.contains(i);
        const bool conflict = !stood && !model_insert(records, i, given);
        const auto reply = db_(with_edits(Write::insert_or_get(h_, t, i), given));
        expect(reply, conflict ? JF_E_CONFLICT : JF_OK, stood || conflict ? 0 : 1);
        if (conflict) return;
        ASSERT_EQ(reply.rows.size(), 1u);
        same(reply.rows[0], i, records[i]);
    }
    void update_one() {
        const std::string t = tenant(), i = id();
        Records& records = model_.tenants[t];
        const auto given = edits(true);
        const auto where = filters();
        const std::uint64_t expected = pick(3) == 0 ? 1 + pick(4) : 0;
        Write write = with(with_edits(Write::update(h_, t, i), given), where);
        write.expect_rev(expected);
        const auto reply = db_(write);
        const bool stands = records.contains(i);
        if (expected != 0 && (!stands || records[i].rev != expected)) return expect(reply, JF_E_CONFLICT, 0);
        if (!stands || !Model::all(where, records[i])) return expect(reply, JF_OK, 0);
        const bool done = Model::apply(records, i, given);
        expect(reply, done ? JF_OK : JF_E_CONFLICT, done ? 1 : 0);
        if (done) { ASSERT_EQ(reply.revision, records[i].rev); }
    }
    void update_where() {
        const std::string t = tenant();
        const auto given = edits(false);
        const auto where = filters();
        std::uint64_t affected = 0;
        for (auto& [i, record] : model_.tenants[t])
            if (Model::all(where, record)) affected += Model::apply(model_.tenants[t], i, given);
        expect(db_(with(with_edits(Write::update(h_, t), given), where)), JF_OK, affected);
    }
    void remove_one() {
        const std::string t = tenant(), i = id();
        expect(db_(Write::remove(h_, t, i)), JF_OK, model_.tenants[t].erase(i));
    }
    void remove_where() {
        const std::string t = tenant();
        auto where = filters();
        where.push_back({score, JF_TERM_EQ, number()});
        const auto n = std::erase_if(model_.tenants[t], [&](const auto& r) { return Model::all(where, r.second); });
        expect(db_(with(Write::remove(h_, t), where)), JF_OK, n);
    }
    /// Ids in the order asked for; ties go by id, in the direction of the last field.
    std::vector<std::string> ordered(const Records& records, const std::vector<Filter>& where, const std::vector<std::pair<std::uint16_t, bool>>& by) {
        std::vector<std::string> out;
        for (const auto& [i, record] : records)
            if (Model::all(where, record)) out.push_back(i);
        std::sort(out.begin(), out.end(), [&](const std::string& a, const std::string& b) {
            for (const auto& [field, down] : by) {
                const Value x = records.at(a).get(field), y = records.at(b).get(field);
                if (less(x, y)) return !down;
                if (less(y, x)) return down;
            }
            return !by.empty() && by.back().second ? b < a : a < b;
        });
        return out;
    }
    std::vector<std::pair<std::uint16_t, bool>> some_order() {
        std::vector<std::pair<std::uint16_t, bool>> by;
        for (const std::uint16_t field : {score, rating, name})
            if (pick(3) == 0) by.emplace_back(field, pick(2) == 0);
        return by;
    }
    void claim() {
        const std::string t = tenant();
        Records& records = model_.tenants[t];
        const auto where = filters();
        const auto by = some_order();
        const auto given = edits(false);
        const std::uint32_t limit = pick(4);
        std::vector<std::string> expected = ordered(records, where, by);
        if (expected.size() > std::max(limit, 1u)) expected.resize(std::max(limit, 1u));
        Write write = with(with_edits(Write::claim(h_, t), given), where).limit(limit);
        for (const auto& [field, down] : by) write.order_by(field, down);
        const auto reply = db_(write);
        for (const std::string& i : expected) Model::apply(records, i, given);
        expect(reply, JF_OK, expected.size());
        ASSERT_EQ(ids(reply), expected);
        for (const Row& row : reply.rows) same(row, row.id(), records[row.id()]);
    }
    void batch() {
        const std::string t = tenant();
        Records copy = model_.tenants[t];
        sdk::Batch both;
        std::uint64_t affected = 0;
        bool done = true;
        for (int n = 0; n < 3 && done; ++n) {
            const std::string i = id();
            if (pick(2)) {
                const auto given = values();
                both.add(with_edits(Write::insert(h_, t, i), given));
                done = model_insert(copy, i, given);
                affected += 1;
            } else {
                both.add(Write::remove(h_, t, i));
                affected += copy.erase(i);
            }
        }
        expect(db_(both), done ? JF_OK : JF_E_CONFLICT, done ? affected : 0);
        if (done) model_.tenants[t] = copy;
    }
    void query() {
        const std::string t = tenant();
        const Records& records = model_.tenants[t];
        const auto where = filters();
        const auto by = some_order();
        const std::vector<std::string> expected = ordered(records, where, by);
        const std::uint32_t page = 1 + pick(12);
        std::vector<std::string> found;
        std::string cursor;
        do {
            Query q = with(Query(h_, t), where).limit(page).after(cursor);
            for (const auto& [field, down] : by) q.order_by(field, down);
            const auto reply = db_(q);
            ASSERT_EQ(reply.status, JF_OK) << reply.error;
            ASSERT_LE(reply.rows.size(), page);
            for (const Row& row : reply.rows) {
                same(row, row.id(), records.at(row.id()));
                found.push_back(row.id());
            }
            cursor = reply.cursor;
        } while (!cursor.empty());
        ASSERT_EQ(found, expected);
    }
    void aggregate() {
        const std::string t = tenant();
        const auto where = filters();
        struct Less {
            bool operator()(const Value& a, const Value& b) const { return less(a, b); }
        };
        std::map<Value, std::pair<std::int64_t, std::optional<std::int64_t>>, Less> groups;
        for (const auto& [i, record] : model_.tenants[t]) {
            if (!Model::all(where, record)) continue;
            auto& [count, sum] = groups[record.get(name)];
            ++count;
            if (!record.get(score).is_null()) sum = sum.value_or(0) + record.get(score).integer();
        }
        std::vector<Row> expected;
        for (const auto& [key, group] : groups) expected.push_back(Row({key, group.first, group.second}));
        const auto reply = db_(with(Query(h_, t), where).group_by(name).count().sum(score));
        ASSERT_EQ(reply.status, JF_OK) << reply.error;
        ASSERT_EQ(reply.rows, expected);
    }

    Database& db_;
    std::mt19937 random_;
    std::uint32_t h_;
    Model model_;
};

TEST(SqliteModel, AgreesWithMapsOverRandomOperations) {
    Database db(":memory:");
    ModelRun run(db, 20240607);
    for (int i = 0; i < 20000; ++i) {
        run.step();
        if (i % 500 == 499) run.compare_all();
        if (testing::Test::HasFatalFailure()) FAIL() << "at step " << i;
    }
}

TEST(SqliteModel, AgreesWithMapsInAFile) {
    TempFolder folder;
    Database db(folder.file("a.db"));
    ModelRun run(db, 42);
    for (int i = 0; i < 600; ++i) {
        run.step();
        if (testing::Test::HasFatalFailure()) FAIL() << "at step " << i;
    }
    run.compare_all();
}

}  // namespace
}  // namespace jackfield::test
