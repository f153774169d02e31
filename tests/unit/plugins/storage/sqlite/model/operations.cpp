#include "operations.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace jackfield::test::model {
namespace {

class Drawer {
  public:
    explicit Drawer(Random& random) : random_(random) {}

    Operation operation() {
        Operation out;
        switch (pick(15)) {
            case 0:
            case 1: out.changes.push_back(insert(JF_WRITE_INSERT)); break;
            case 2: out.changes.push_back(upsert()); break;
            case 3: out.changes.push_back(insert_or_get()); break;
            case 4:
            case 5: out.changes.push_back(update_one()); break;
            case 6: out.changes.push_back(update_where()); break;
            case 7: out.changes.push_back(remove()); break;
            case 8: out.changes.push_back(claim()); break;
            case 9:
            case 10: out.changes = batch(); break;
            case 11: out.question = aggregate(); break;
            case 12:
                out.shared = pick(2) ? Operation::Shared::add : Operation::Shared::take;
                out.most = 1 + pick(4);
                break;
            default: out.question = question();
        }
        return out;
    }

  private:
    std::uint32_t pick(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
    std::string id() { return "id" + std::to_string(pick(25)); }
    std::string word() {
        // The same five words, written in several ways.
        static constexpr std::array words{"ann", "Ann", "bób", "BOB", "cy", "dörte", "Dörte", "DORTE", "eve", "Ève"};
        return words[pick(words.size())];
    }
    std::string plain_word() {
        static constexpr std::array words{"ann", "bob", "cy", "dorte", "eve", "nobody"};
        return words[pick(words.size())];
    }
    /// As people search: a word, its beginning, words that follow each other.
    std::string search() {
        const std::string word = plain_word();
        switch (pick(4)) {
            case 0: return word.substr(0, 1 + pick(3)) + "*";
            case 1: return '"' + word + ' ' + plain_word() + '"';
            case 2: return word + ' ' + plain_word();
            default: return word;
        }
    }
    Value some_mate() { return pick(4) == 0 ? Value() : Value(id()); }
    Value some_name() {
        std::string out = word();
        for (std::uint32_t n = pick(3); n > 0; --n) out += " " + word();
        return out;
    }
    Value number() { return static_cast<std::int64_t>(pick(9)) - 2; }
    Value real() { return static_cast<double>(pick(9)) / 4; }
    Value slot_value() { return pick(3) == 0 ? Value() : Value(static_cast<std::int64_t>(pick(40))); }
    Value some_owner() { return pick(4) == 0 ? Value() : Value(std::string(1, static_cast<char>('p' + pick(3)))); }
    Value histogram() {
        std::string out = "[";
        for (std::uint32_t i = 0, n = pick(4); i < n; ++i) out += (i ? "," : "") + std::to_string(pick(10));
        return sdk::Json{out + "]"};
    }

    std::vector<Edit> values() {
        std::vector<Edit> out{{name, JF_EDIT_SET, some_name()}};
        if (pick(3)) out.push_back({score, JF_EDIT_SET, number()});
        if (pick(2)) out.push_back({slot, JF_EDIT_SET, slot_value()});
        if (pick(2)) out.push_back({rating, JF_EDIT_SET, real()});
        if (pick(2)) out.push_back({owner, JF_EDIT_SET, some_owner()});
        if (pick(3) == 0) out.push_back({counts, JF_EDIT_SET, histogram()});
        if (pick(2)) out.push_back({mate, JF_EDIT_SET, some_mate()});
        return out;
    }
    std::vector<Edit> edits(bool with_slot) {
        std::vector<Edit> out;
        switch (pick(3)) {
            case 0: out.push_back({score, JF_EDIT_INC, number()}); break;
            case 1: out.push_back({score, JF_EDIT_MAX, number()}); break;
            default: out.push_back({score, JF_EDIT_UNSET, {}});
        }
        if (pick(3) == 0) out.push_back({name, JF_EDIT_SET, some_name()});
        else if (pick(6) == 0) out.push_back({name, JF_EDIT_APPEND, " " + word()});
        if (pick(3) == 0) out.push_back({rating, JF_EDIT_INC, real()});
        if (pick(4) == 0) out.push_back({counts, JF_EDIT_ADD_EACH, histogram()});
        if (pick(6) == 0) out.push_back({mate, JF_EDIT_SET, some_mate()});
        if (with_slot && pick(3) == 0) out.push_back({slot, JF_EDIT_SET, slot_value()});
        return out;
    }
    std::vector<Term> terms() {
        std::vector<Term> out;
        for (std::uint32_t n = pick(3); n > 0; --n) switch (pick(15)) {
                case 0: out.push_back({score, JF_TERM_EQ, number(), {}}); break;
                case 1: out.push_back({score, JF_TERM_GE, number(), {}}); break;
                case 2: out.push_back({rating, JF_TERM_LT, real(), {}}); break;
                case 3: out.push_back({slot, JF_TERM_IS_NULL, {}, {}}); break;
                case 4: out.push_back({name, JF_TERM_PREFIX, word(), {}}); break;
                case 5: out.push_back({name, JF_TERM_CONTAINS, word(), {}}); break;
                case 6: out.push_back({name, JF_TERM_TEXT, search(), {}}); break;
                case 7: out.push_back({score, JF_TERM_IN, {}, {number(), number(), number()}}); break;
                case 8: out.push_back({owner, JF_TERM_NOT_NULL, {}, {}}); break;
                case 9: out.push_back({rating, JF_TERM_GT, real(), {}}); break;
                case 10: out.push_back({rating, JF_TERM_LE, real(), {}}); break;
                case 11: out.push_back({score, JF_TERM_GE, number(), {}, true}); break;
                case 12: out.push_back({name, JF_TERM_PREFIX, word(), {}, true}); break;
                case 13: out.push_back({slot, JF_TERM_IS_NULL, {}, {}, true}); break;
                default: out.push_back({score, JF_TERM_NE, number(), {}});
            }
        return out;
    }
    std::vector<Order> order() {
        std::vector<Order> out;
        for (const std::uint16_t field : {score, rating, name})
            if (pick(3) == 0) out.push_back({field, pick(2) == 0});
        return out;
    }

    Change insert(std::uint32_t verb) {
        Change out;
        out.verb = verb;
        out.id = id();
        out.values = values();
        return out;
    }
    Change upsert() {
        Change out = insert(JF_WRITE_UPSERT);
        if (pick(3) == 0) out = by_slot(std::move(out));
        if (pick(2)) out.edits = edits(true);
        return out;
    }
    Change insert_or_get() {
        Change out = insert(JF_WRITE_INSERT_OR_GET);
        return pick(2) ? out : by_slot(std::move(out));
    }
    /// By the slot instead of the id: it may not be null then.
    Change by_slot(Change out) {
        std::erase_if(out.values, [](const Edit& edit) { return edit.field == slot; });
        out.values.push_back({slot, JF_EDIT_SET, static_cast<std::int64_t>(pick(40))});
        out.unique_index = 1;
        return out;
    }
    Change update_one() {
        Change out;
        out.verb = JF_WRITE_UPDATE_WHERE;
        out.id = id();
        out.edits = edits(true);
        out.where = terms();
        out.expect_rev = pick(3) == 0 ? 1 + pick(4) : 0;
        out.flags = (pick(4) == 0 ? JF_WRITE_REQUIRE : 0) | (pick(40) == 0 ? JF_WRITE_ERASE : 0);
        return out;
    }
    Change update_where() {
        Change out;
        out.verb = JF_WRITE_UPDATE_WHERE;
        out.edits = edits(false);
        out.where = terms();
        out.order = order();
        out.limit = pick(2) ? 0 : 1 + pick(5);
        return out;
    }
    Change remove() {
        Change out;
        out.verb = JF_WRITE_DELETE_WHERE;
        if (pick(3)) {
            out.id = id();
        } else {
            out.where = terms();
            out.where.push_back({score, JF_TERM_EQ, number(), {}});
        }
        if (pick(40) == 0) out.flags = JF_WRITE_ERASE;
        return out;
    }
    Change claim() {
        Change out;
        out.verb = JF_WRITE_CLAIM;
        out.edits = edits(false);
        out.where = terms();
        out.order = order();
        out.limit = pick(6);
        if (pick(2)) return out;
        out.fair = true;
        out.fair_most = pick(3) == 0 ? 1 + pick(4) : 0;
        if (pick(2)) out.busy = terms();
        std::erase_if(out.busy, [](const Term& term) { return term.via; });
        return out;
    }
    std::vector<Change> batch() {
        std::vector<Change> out;
        for (std::uint32_t n = 2 + pick(4); n > 0; --n) switch (pick(5)) {
                case 0:
                case 1: out.push_back(insert(JF_WRITE_INSERT)); break;
                case 2: out.push_back(upsert()); break;
                case 3: out.push_back(update_one()); break;
                default: out.push_back(remove());
            }
        return out;
    }
    Question question() {
        Question out;
        out.where = terms();
        out.order = order();
        out.page = 1 + pick(12);
        if (pick(4) == 0) out.words = search();
        out.ranked = !out.words.empty() && pick(2);
        out.with_mate = pick(4) == 0;
        return out;
    }
    Question aggregate() {
        Question out;
        out.aggregate = true;
        out.where = terms();
        if (pick(2)) out.edges = {0, 10, 25};
        return out;
    }

    Random& random_;
};

void append(std::string& out, const Value& value) {
    char digits[40];
    switch (value.type()) {
        case JF_VALUE_NULL: out += "null"; break;
        case JF_VALUE_REAL: out.append(digits, std::to_chars(digits, digits + sizeof digits, value.real()).ptr); break;
        case JF_VALUE_TEXT:
        case JF_VALUE_JSON:
        case JF_VALUE_BYTES: (out += '\'') += value.text(); out += '\''; break;
        default: out += std::to_string(value.integer());
    }
}

template <typename Target>
void put_terms(Target& target, const std::vector<Term>& terms) {
    for (const Term& term : terms) {
        if (term.via) target.via(mate, term.field, term.verb, term.value);
        else if (term.verb == JF_TERM_IN) target.in(term.field, term.more);
        else target.term(term.field, term.verb, term.value);
    }
}

sdk::Write write_of(std::uint32_t handle, const std::string& tenant, const Change& change) {
    sdk::Write write = change.verb == JF_WRITE_INSERT          ? sdk::Write::insert(handle, tenant, change.id)
                       : change.verb == JF_WRITE_UPSERT        ? sdk::Write::upsert(handle, tenant, change.id)
                       : change.verb == JF_WRITE_INSERT_OR_GET ? sdk::Write::insert_or_get(handle, tenant, change.id)
                       : change.verb == JF_WRITE_UPDATE_WHERE  ? sdk::Write::update(handle, tenant, change.id)
                       : change.verb == JF_WRITE_DELETE_WHERE  ? sdk::Write::remove(handle, tenant, change.id)
                                                               : sdk::Write::claim(handle, tenant);
    for (const Edit& edit : change.values) write.edit(edit.field, edit.verb, edit.value);
    if (change.verb == JF_WRITE_UPSERT) write.if_stands();
    for (const Edit& edit : change.edits) write.edit(edit.field, edit.verb, edit.value);
    put_terms(write, change.where);
    for (const Order& by : change.order) write.order_by(by.field, by.down);
    write.expect_rev(change.expect_rev).limit(change.limit);
    if (change.unique_index) write.by_index(change.unique_index - 1);
    if (change.flags & JF_WRITE_REQUIRE) write.require();
    if (change.flags & JF_WRITE_ERASE) write.erase();
    if (change.fair) write.fair_by(owner, change.fair_most);
    for (const Term& term : change.busy) {
        if (term.verb == JF_TERM_IN) write.busy(score, JF_TERM_GE, term.more.front());
        else write.busy(term.field, term.verb, term.value);
    }
    return write;
}

std::string answer(const sdk::RecordsReply& reply) {
    std::string out = std::to_string(reply.status) + " " + std::to_string(reply.affected) + " " + std::to_string(reply.revision);
    for (const sdk::Row& row : reply.rows) {
        // Times are the clock's.
        std::vector<Value> values{row[JF_FIELD_ID], row[JF_FIELD_REV]};
        // In version 2 there is one more behind.
        for (std::size_t i = JF_FIELD_UPDATED + 1u; i < row.size() && i <= JF_FIELD_UPDATED + 1u + mate - JF_FIELD_FIRST; ++i) values.push_back(row[i]);
        out += row_text(values);
    }
    return out;
}

std::string ask(Database& db, std::uint32_t handle, const std::string& tenant, const Question& question) {
    std::vector<std::string> rows;
    std::string cursor;
    double rank = std::numeric_limits<double>::infinity();
    do {
        sdk::Query query(handle, tenant);
        put_terms(query, question.where);
        if (question.ranked) query.order_by(JF_FIELD_RANK, true);
        for (const Order& by : question.order) query.order_by(by.field, by.down);
        query.text(question.words).limit(question.ranked ? 1000 : question.page).after(cursor);
        for (const std::uint16_t field : {std::uint16_t{JF_FIELD_ID}, std::uint16_t{JF_FIELD_REV}, name, score, slot, rating, owner, counts, mate}) query.column(field);
        if (question.with_mate) query.column(name, mate).column(score, mate);
        if (question.ranked) query.column(JF_FIELD_RANK);
        const sdk::RecordsReply reply = db(query);
        if (reply.status != JF_OK) return std::to_string(reply.status) + " " + reply.error;
        for (const sdk::Row& row : reply.rows) {
            std::vector<Value> values;
            for (std::size_t i = 0; i < row.size(); ++i) values.push_back(row[i]);
            if (question.ranked) {
                if (!(values.back().real() <= rank)) return "a better one came later";
                rank = values.back().real();
                values.pop_back();
            }
            rows.push_back(row_text(values));
        }
        cursor = reply.cursor;
    } while (!cursor.empty());
    if (question.ranked) std::sort(rows.begin(), rows.end());
    std::string out = "0";
    for (const std::string& row : rows) out += row;
    return out;
}

std::string sum_up(Database& db, std::uint32_t handle, const std::string& tenant, const Question& question) {
    sdk::Query query(handle, tenant);
    put_terms(query, question.where);
    query.group_by(owner);
    if (!question.edges.empty()) query.bucket_by(slot, question.edges);
    query.count().sum(score).min(rating).max(score).avg(rating).sum_each(counts);
    const sdk::RecordsReply reply = db(query);
    std::string out = std::to_string(reply.status);
    if (reply.status != JF_OK) return out + " " + reply.error;
    for (const sdk::Row& row : reply.rows) {
        std::vector<Value> values;
        for (std::size_t i = 0; i < row.size(); ++i) values.push_back(row[i]);
        out += row_text(values);
    }
    return out;
}

}  // namespace

sdk::Collection collection(std::uint32_t version) {
    sdk::Collection made("test.model", JF_SCOPE_TENANT);
    made.field("name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL | JF_FIELD_TEXT_SEARCH).field("score", JF_VALUE_INT).field("slot", JF_VALUE_INT);
    made.field(version == 1 ? "rating" : "stars", JF_VALUE_REAL).field("owner", JF_VALUE_TEXT).field("counts", JF_VALUE_JSON);
    made.field("mate", JF_VALUE_TEXT, 0, "test.model");
    if (version == 1) made.unique({"slot"}).index({"score"}).index({"owner", "score"});
    else made.field("later", JF_VALUE_TEXT).unique({"slot"}).index({"owner", "stars"});
    return made.version(version);
}

Random random_of(std::uint64_t seed, std::uint64_t round, std::uint64_t thread) {
    std::seed_seq mixed{seed, seed >> 32, round, thread};
    return Random(mixed);
}

Operation draw(Random& random) { return Drawer(random).operation(); }

std::string row_text(const std::vector<Value>& values) {
    std::string out = " [";
    for (const Value& value : values) {
        if (out.size() > 2) out += ' ';
        append(out, value);
    }
    return out + "]";
}

std::string run(Database& db, std::uint32_t handle, const std::string& tenant, const Operation& operation) {
    if (operation.question) return operation.question->aggregate ? sum_up(db, handle, tenant, *operation.question) : ask(db, handle, tenant, *operation.question);
    if (operation.changes.size() == 1) return answer(db(write_of(handle, tenant, operation.changes[0])));
    sdk::Batch batch;
    for (const Change& change : operation.changes) batch.add(write_of(handle, tenant, change));
    return answer(db(batch));
}

std::string run_shared(Database& db, std::uint32_t handle, const Operation& operation, const std::string& token) {
    sdk::RecordsReply reply;
    if (operation.shared == Operation::Shared::add) {
        sdk::Batch batch;
        for (std::uint32_t i = 0; i < 3; ++i) {
            const std::string id = token + "-" + std::to_string(i);
            batch.add(sdk::Write::insert(handle, shared_tenant, id).set(name, "waits").set(score, 0).set(owner, std::string(1, static_cast<char>('p' + i))));
        }
        reply = db(batch);
    } else {
        sdk::Write claim = sdk::Write::claim(handle, shared_tenant).eq(score, 0).limit(operation.most).set(score, 1).set(name, token);
        if (operation.most % 2 == 0) claim.fair_by(owner).busy(score, JF_TERM_EQ, 1);
        reply = db(claim);
    }
    std::string out = std::to_string(reply.status);
    for (const sdk::Row& row : reply.rows) out += " " + row.id();
    return out;
}

std::string state_of(Database& db, std::uint32_t handle, const std::string& tenant) {
    Question all;
    all.page = 7;
    return ask(db, handle, tenant, all);
}

std::string text_of(const Operation& operation) {
    std::string out;
    const auto put = [&](const char* what, std::uint32_t field, std::uint32_t verb, const Value& value) {
        out += std::string(" ") + what + "(" + std::to_string(field) + " " + std::to_string(verb) + " ";
        append(out, value);
        out += ")";
    };
    const auto put_rest = [&](const std::vector<Term>& where, const std::vector<Order>& order) {
        for (const Term& term : where) put(term.via ? "via mate" : "term", term.field, term.verb, term.verb == JF_TERM_IN ? term.more.front() : term.value);
        for (const Order& by : order) out += " order(" + std::to_string(by.field) + (by.down ? " down)" : ")");
    };
    if (operation.question) {
        if (operation.question->ranked) out = "ranked ";
        if (operation.question->with_mate) out += "with mate ";
        out += operation.question->aggregate ? "aggregate" : "query page " + std::to_string(operation.question->page) + " words '" + operation.question->words + "'";
        put_rest(operation.question->where, operation.question->order);
    }
    for (const Change& change : operation.changes) {
        out += (out.empty() ? "" : "; ") + std::string("write ") + std::to_string(change.verb) + " '" + change.id + "' rev " + std::to_string(change.expect_rev) +
               " flags " + std::to_string(change.flags) + " limit " + std::to_string(change.limit) + " index " + std::to_string(change.unique_index);
        for (const Edit& edit : change.values) put("value", edit.field, edit.verb, edit.value);
        for (const Edit& edit : change.edits) put("edit", edit.field, edit.verb, edit.value);
        put_rest(change.where, change.order);
        if (change.fair) out += " fair most " + std::to_string(change.fair_most);
        for (const Term& term : change.busy) put("busy", term.field, term.verb, term.value);
    }
    return out;
}

}  // namespace jackfield::test::model
