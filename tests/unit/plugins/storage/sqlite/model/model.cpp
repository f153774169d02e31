#include "model.hpp"

#include <algorithm>

namespace jackfield::test::model {
namespace {

/// Null first, as the contract orders.
bool less(const Value& a, const Value& b) {
    if (a.is_null() || b.is_null()) return a.is_null() && !b.is_null();
    if (a.type() == JF_VALUE_TEXT) return a.text() < b.text();
    if (a.type() == JF_VALUE_REAL) return a.real() < b.real();
    return a.integer() < b.integer();
}
struct Less {
    bool operator()(const Value& a, const Value& b) const { return less(a, b); }
};

/// The words that operations are made of, without case and diacritics.
std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> out{""};
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == ' ') out.emplace_back();
        else if (c < 0x80) out.back() += static_cast<char>(std::tolower(c));
        else if (c == 0xc3) {
            const auto next = static_cast<unsigned char>(text[++i]);
            out.back() += next == 0xb3 || next == 0xb6 ? 'o' : 'e';  // ó ö | È
        }
    }
    return out;
}
/// `wanted` is words, "words that follow each other" or beginnings with a star.
bool has_words(const std::string& text, const std::string& wanted) {
    const std::vector<std::string> have = words_of(text);
    if (wanted.starts_with('"')) {
        const std::vector<std::string> want = words_of(wanted.substr(1, wanted.size() - 2));
        return std::search(have.begin(), have.end(), want.begin(), want.end()) != have.end();
    }
    const std::vector<std::string> want = words_of(wanted);
    return std::all_of(want.begin(), want.end(), [&](const std::string& word) {
        return std::any_of(have.begin(), have.end(), [&](const std::string& one) {
            return word.ends_with('*') ? one.starts_with(word.substr(0, word.size() - 1)) : one == word;
        });
    });
}

std::vector<std::int64_t> numbers_of(const Value& histogram) {
    std::vector<std::int64_t> out;
    std::int64_t number = -1;
    for (const char c : histogram.text()) {
        if (c >= '0' && c <= '9') {
            number = (number < 0 ? 0 : number * 10) + (c - '0');
        } else if (number >= 0) {
            out.push_back(number);
            number = -1;
        }
    }
    return out;
}
Value added(const Value& a, const Value& b) {
    std::vector<std::int64_t> sum = numbers_of(a);
    const std::vector<std::int64_t> more = numbers_of(b);
    sum.resize(std::max(sum.size(), more.size()));
    std::string out = "[";
    for (std::size_t i = 0; i < sum.size(); ++i) out += (i ? "," : "") + std::to_string(sum[i] + (i < more.size() ? more[i] : 0));
    return sdk::Json{out + "]"};
}

}  // namespace

Value Model::Record::get(std::uint16_t field) const {
    const auto found = fields.find(field);
    return found == fields.end() ? Value() : found->second;
}

bool Model::matches(const Records& records, const Term& term, const Record& record) {
    if (term.via) {
        const auto found = records.find(record.get(mate).text());
        if (record.get(mate).is_null() || found == records.end()) return false;
        return matches(records, {term.field, term.verb, term.value, term.more}, found->second);
    }
    const Value value = record.get(term.field);
    if (term.verb == JF_TERM_IS_NULL) return value.is_null();
    if (value.is_null()) return false;
    switch (term.verb) {
        case JF_TERM_NOT_NULL: return true;
        case JF_TERM_EQ: return value == term.value;
        case JF_TERM_NE: return !(value == term.value);
        case JF_TERM_LT: return less(value, term.value);
        case JF_TERM_LE: return !less(term.value, value);
        case JF_TERM_GT: return less(term.value, value);
        case JF_TERM_GE: return !less(value, term.value);
        case JF_TERM_IN: return std::find(term.more.begin(), term.more.end(), value) != term.more.end();
        case JF_TERM_PREFIX: return value.text().starts_with(term.value.text());
        case JF_TERM_TEXT: return has_words(value.text(), term.value.text());
        default: return value.text().find(term.value.text()) != std::string::npos;
    }
}

bool Model::matches(const Records& records, const std::vector<Term>& where, const Record& record) {
    return std::all_of(where.begin(), where.end(), [&](const Term& term) { return matches(records, term, record); });
}

Value Model::edited(const Value& old, const Edit& edit) {
    switch (edit.verb) {
        case JF_EDIT_SET: return edit.value;
        case JF_EDIT_UNSET: return {};
        case JF_EDIT_INC:
            if (edit.value.type() == JF_VALUE_REAL) return old.real() + edit.value.real();
            return old.integer() + edit.value.integer();
        case JF_EDIT_MAX: return old.is_null() || less(old, edit.value) ? edit.value : old;
        case JF_EDIT_ADD_EACH: return added(old, edit.value);
        default: return old.text() + edit.value.text();
    }
}

bool Model::slot_taken(const Records& records, const Value& value, const std::string& except) {
    return !value.is_null() &&
           std::any_of(records.begin(), records.end(), [&](const auto& r) { return r.first != except && r.second.get(slot) == value; });
}

/// False: its id or slot is in the way.
bool Model::insert(Records& records, const Change& change) {
    Record made;
    for (const Edit& edit : change.values) made.fields[edit.field] = edit.value;
    if (records.contains(change.id) || slot_taken(records, made.get(slot), change.id)) return false;
    records[change.id] = made;
    return true;
}

bool Model::edit(Records& records, const std::string& id, const std::vector<Edit>& edits) {
    Record changed = records.at(id);
    for (const Edit& edit : edits) changed.fields[edit.field] = edited(changed.get(edit.field), edit);
    if (slot_taken(records, changed.get(slot), id)) return false;
    ++changed.rev;
    records[id] = changed;
    return true;
}

std::string Model::row(const std::string& id, const Record& record) {
    std::vector<Value> values{id, static_cast<std::int64_t>(record.rev)};
    for (const std::uint16_t field : {name, score, slot, rating, owner, counts, mate}) values.push_back(record.get(field));
    return row_text(values);
}

bool Model::before(const Records& records, const std::vector<Order>& order, const std::string& a, const std::string& b) {
    for (const Order& by : order) {
        const Value x = records.at(a).get(by.field), y = records.at(b).get(by.field);
        if (less(x, y)) return !by.down;
        if (less(y, x)) return by.down;
    }
    return !order.empty() && order.back().down ? b < a : a < b;
}

std::vector<std::string> Model::meant(const Records& records, const Change& change) {
    std::vector<std::string> out;
    for (const auto& [id, record] : records)
        if ((change.id.empty() || change.id == id) && matches(records, change.where, record)) out.push_back(id);
    std::sort(out.begin(), out.end(), [&](const std::string& a, const std::string& b) { return before(records, change.order, a, b); });
    if (change.limit != 0 && out.size() > change.limit) out.resize(change.limit);
    return out;
}

/// Each owner's records queue up behind those that are under way; the shortest queue is served first.
std::vector<std::string> Model::claimed(const Records& records, const Change& change) {
    Change unlimited = change;
    unlimited.limit = 0;
    std::vector<std::string> waiting = meant(records, unlimited);
    const std::size_t limit = std::max(change.limit, 1u);
    if (change.fair) {
        std::map<Value, std::uint64_t, Less> turns;
        if (!change.busy.empty())
            for (const auto& [id, record] : records) {
                const auto busy = [&](const Term& term) {
                    return term.verb == JF_TERM_IN ? matches(records, Term{score, JF_TERM_GE, term.more.front(), {}}, record) : matches(records, term, record);
                };
                if (std::all_of(change.busy.begin(), change.busy.end(), busy)) ++turns[record.get(owner)];
            }
        std::vector<std::pair<std::uint64_t, std::string>> queue;
        for (const std::string& id : waiting) queue.emplace_back(++turns[records.at(id).get(owner)], id);
        if (change.fair_most) std::erase_if(queue, [&](const auto& entry) { return entry.first > change.fair_most; });
        std::stable_sort(queue.begin(), queue.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        waiting.clear();
        for (const auto& [turn, id] : queue) waiting.push_back(id);
    }
    if (waiting.size() > limit) waiting.resize(limit);
    return waiting;
}

/// The id that an upsert or an insert-or-get means: its own, or that of the slot's record, empty when there is none.
std::string Model::gone_by(const Records& records, const Change& change) {
    if (!change.unique_index) return change.id;
    for (const auto& [id, record] : records)
        if (record.get(slot) == change.values.back().value) return id;
    return {};
}

Model::Outcome Model::upsert(Records& records, const Change& change) {
    const std::string found = gone_by(records, change);
    const bool stands = records.contains(found);
    const bool done = stands ? edit(records, found, change.edits.empty() ? change.values : change.edits) : insert(records, change);
    if (!done) return {JF_E_CONFLICT, 0, 0, {}};
    return {JF_OK, 1, records[stands ? found : change.id].rev, {}};
}

Model::Outcome Model::insert_or_get(Records& records, const Change& change) {
    std::string found = gone_by(records, change);
    std::uint64_t affected = 0;
    if (!records.contains(found)) {
        if (!insert(records, change)) return {JF_E_CONFLICT, 0, 0, {}};
        found = change.id;
        affected = 1;
    }
    return {JF_OK, affected, records[found].rev, row(found, records[found])};
}

Model::Outcome Model::update(Records& records, const Change& change) {
    if (change.expect_rev != 0 && (!records.contains(change.id) || records[change.id].rev != change.expect_rev)) return {JF_E_CONFLICT, 0, 0, {}};
    const std::vector<std::string> ids = meant(records, change);
    for (const std::string& id : ids)
        if (!edit(records, id, change.edits)) return {JF_E_CONFLICT, 0, 0, {}};
    return {JF_OK, ids.size(), ids.size() == 1 ? records[ids[0]].rev : 0, {}};
}

Model::Outcome Model::remove(Records& records, const Change& change) {
    const std::vector<std::string> ids = meant(records, change);
    for (const std::string& id : ids) records.erase(id);
    return {JF_OK, ids.size(), 0, {}};
}

Model::Outcome Model::claim(Records& records, const Change& change) {
    Outcome out;
    for (const std::string& id : claimed(records, change)) {
        edit(records, id, change.edits);
        out.rows += row(id, records[id]);
        out.revision = records[id].rev;
        ++out.affected;
    }
    if (out.affected != 1) out.revision = 0;
    return out;
}

Model::Outcome Model::write(Records& records, const Change& change) {
    Outcome out;
    switch (change.verb) {
        case JF_WRITE_INSERT:
            if (!insert(records, change)) return {JF_E_CONFLICT, 0, 0, {}};
            out = {JF_OK, 1, 1, {}};
            break;
        case JF_WRITE_UPSERT: out = upsert(records, change); break;
        case JF_WRITE_INSERT_OR_GET: out = insert_or_get(records, change); break;
        case JF_WRITE_UPDATE_WHERE: out = update(records, change); break;
        case JF_WRITE_DELETE_WHERE: out = remove(records, change); break;
        default: out = claim(records, change);
    }
    if (out.status == JF_OK && (change.flags & JF_WRITE_REQUIRE) && out.affected == 0) return {JF_E_CONFLICT, 0, 0, {}};
    return out;
}

std::string Model::apply(const Operation& operation) {
    if (operation.question) return operation.question->aggregate ? sum_up(*operation.question) : ask(*operation.question);
    Records changed = records_;
    Outcome all;
    for (const Change& change : operation.changes) {
        const Outcome one = write(changed, change);
        if (one.status != JF_OK) return std::to_string(one.status) + " 0 0";
        all.affected += one.affected;
        all.revision = operation.changes.size() == 1 ? one.revision : 0;
        all.rows += one.rows;
    }
    records_ = std::move(changed);
    return "0 " + std::to_string(all.affected) + " " + std::to_string(all.revision) + all.rows;
}

std::string Model::ask(const Question& question) const {
    std::vector<std::string> ids;
    for (const auto& [id, record] : records_)
        if (matches(records_, question.where, record) && (question.words.empty() || has_words(record.get(name).text(), question.words))) ids.push_back(id);
    std::sort(ids.begin(), ids.end(), [&](const std::string& a, const std::string& b) { return before(records_, question.order, a, b); });
    std::vector<std::string> rows;
    for (const std::string& id : ids) {
        std::string text = row(id, records_.at(id));
        if (question.with_mate) {
            const auto found = records_.find(records_.at(id).get(mate).text());
            const Record other = found == records_.end() ? Record{} : found->second;
            text.pop_back();
            text += row_text({other.get(name), other.get(score)}).replace(0, 2, " ");
        }
        rows.push_back(text);
    }
    if (question.ranked) std::sort(rows.begin(), rows.end());
    std::string out = "0";
    for (const std::string& text : rows) out += text;
    return out;
}

std::string Model::state() const {
    Question all;
    return ask(all);
}

std::string Model::sum_up(const Question& question) const {
    struct Group {
        std::int64_t count = 0;
        Value sum, least, most, histogram;
        double stars = 0;
        std::int64_t rated = 0;
    };
    std::map<std::vector<Value>, Group, decltype([](const std::vector<Value>& a, const std::vector<Value>& b) {
                 return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), less);
             })>
        groups;
    for (const auto& [id, record] : records_) {
        if (!matches(records_, question.where, record)) continue;
        std::vector<Value> key{record.get(owner)};
        if (!question.edges.empty()) {
            const Value at = record.get(slot);
            Value bucket;
            for (std::size_t i = 0; i < question.edges.size() && !at.is_null(); ++i)
                if (question.edges[i] <= at.integer()) bucket = Value(static_cast<std::int64_t>(i));
            key.push_back(bucket);
        }
        Group& group = groups[key];
        ++group.count;
        const Value points = record.get(score), stars = record.get(rating), more = record.get(counts);
        if (!points.is_null()) {
            group.sum = group.sum.integer() + points.integer();
            if (group.most.is_null() || less(group.most, points)) group.most = points;
        }
        group.stars += stars.real();
        group.rated += stars.is_null() ? 0 : 1;
        if (!stars.is_null() && (group.least.is_null() || less(stars, group.least))) group.least = stars;
        if (!more.is_null()) group.histogram = added(group.histogram, more);
    }
    std::string out = "0";
    for (const auto& [key, group] : groups) {
        std::vector<Value> values = key;
        for (const Value& value : {Value(group.count), group.sum, group.least, group.most, group.rated ? Value(group.stars / static_cast<double>(group.rated)) : Value(), group.histogram}) values.push_back(value);
        out += row_text(values);
    }
    return out;
}

}  // namespace jackfield::test::model
