#include "store.hpp"

#include <algorithm>
#include <chrono>

#include "json_text.hpp"
#include "match.hpp"

namespace example {

using jackfield::sdk::column_of;
using jackfield::sdk::Failure;
using jackfield::sdk::Json;
using jackfield::sdk::Time;

namespace {

Value edited_value(const Value& old, const Edit& edit) {
    switch (edit.verb) {
        case JF_EDIT_UNSET: return {};
        case JF_EDIT_MAX: return old.is_null() || less(old, edit.value) ? edit.value : old;
        case JF_EDIT_APPEND: {
            if (!edit.json) return old.text() + edit.value.text();
            const auto longer = with_element(old.is_null() ? "[]" : old.text(), json_of(edit.value));
            if (!longer) throw Failure(JF_E_INVALID, "the field holds JSON that is no array: nothing can be appended");
            return Json{*longer};
        }
        case JF_EDIT_ADD_EACH: {
            const auto sum = added_up(old.is_null() ? "[]" : old.text(), edit.value.text());
            if (!sum) throw Failure(JF_E_INVALID, "the field holds JSON that is no array of numbers, or a sum is no finite number any more");
            return Json{*sum};
        }
        case JF_EDIT_INC: {
            if (edit.value.type() == JF_VALUE_REAL) return old.real() + edit.value.real();
            std::int64_t sum = 0;
            if (__builtin_add_overflow(old.integer(), edit.value.integer(), &sum)) throw Failure(JF_E_INVALID, "integer overflow");
            return edit.value.type() == JF_VALUE_TIME || old.type() == JF_VALUE_TIME ? Value(Time{sum}) : Value(sum);
        }
        default: return edit.value;
    }
}

Value now() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return Time{std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

std::string pack(const Declaration& declared) {
    Packer out;
    out.number('D').text(declared.name).number(declared.scope).number(declared.fields.size());
    for (const Field& field : declared.fields) out.text(field.name).text(field.references).number(field.type).number(field.flags);
    out.number(declared.indexes.size());
    for (const Index& index : declared.indexes) {
        out.number(index.unique).number(index.fields.size());
        for (const std::uint16_t field : index.fields) out.number(field);
    }
    return out.bytes();
}

Declaration unpack(Unpacker& in) {
    Declaration out;
    out.name = in.text();
    out.scope = static_cast<std::uint32_t>(in.number());
    for (std::uint64_t n = in.number(); n > 0; --n) {
        Field& field = out.fields.emplace_back();
        field.name = in.text();
        field.references = in.text();
        field.type = static_cast<std::uint16_t>(in.number());
        field.flags = static_cast<std::uint16_t>(in.number());
    }
    for (std::uint64_t n = in.number(); n > 0; --n) {
        Index& index = out.indexes.emplace_back();
        index.unique = in.number() != 0;
        for (std::uint64_t m = in.number(); m > 0; --m) index.fields.push_back(static_cast<std::uint16_t>(in.number()));
    }
    return out;
}

/// How the one begins is how the other is.
template <typename T>
bool begins_alike(const std::vector<T>& a, const std::vector<T>& b) {
    return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
}

}  // namespace

Store::Store(const std::string& path) {
    journal_ = std::make_unique<Journal>(path, [this](std::string_view entry) { replay(entry); });
}

void Store::replay(std::string_view entry) {
    Unpacker in(entry);
    while (!in.at_end()) {
        const std::uint64_t kind = in.number();
        if (kind == 'D') {
            Declaration declared = unpack(in);
            const auto known = std::find_if(collections_.begin(), collections_.end(), [&](const Collection& c) { return c.declared.name == declared.name; });
            if (known != collections_.end()) known->declared = std::move(declared);
            else collections_.push_back({std::move(declared), {}});
            continue;
        }
        const auto number = static_cast<std::uint32_t>(in.number());
        const std::string tenant = in.text();
        const std::string id = in.text();
        Record record;
        for (std::uint64_t n = in.number(); n > 0; --n) record.push_back(in.value());
        put(number, tenant, id, std::move(record));
    }
}

void Store::put(std::uint32_t number, const std::string& tenant, const std::string& id, Record record) {
    Records& records = collections_.at(number - 1).tenants[tenant];
    if (record.empty()) records.erase(id);
    else records[id] = std::move(record);
}

std::uint32_t Store::declare(Declaration wanted) {
    for (std::size_t i = 0; i < collections_.size(); ++i) {
        Declaration stands = collections_[i].declared;
        if (stands.name != wanted.name) continue;
        if (stands.scope != wanted.scope || !begins_alike(stands.fields, wanted.fields) || !begins_alike(stands.indexes, wanted.indexes))
            throw Failure(JF_E_CONFLICT, "collection '" + wanted.name + "' stands with other fields or indexes");
        const bool has_records = std::any_of(collections_[i].tenants.begin(), collections_[i].tenants.end(), [](const auto& t) { return !t.second.empty(); });
        for (std::size_t f = stands.fields.size(); f < wanted.fields.size(); ++f)
            if (has_records && (wanted.fields[f].flags & JF_FIELD_NOT_NULL))
                throw Failure(JF_E_CONFLICT, "collection '" + wanted.name + "' holds records, which lack the new field '" + wanted.fields[f].name + "'");
        for (std::size_t x = stands.indexes.size(); x < wanted.indexes.size(); ++x)
            if (has_records && wanted.indexes[x].unique)
                throw Failure(JF_E_CONFLICT, "collection '" + wanted.name + "' holds records: a unique index comes before them");
        if (stands.fields.size() < wanted.fields.size()) stands.fields = wanted.fields;
        if (stands.indexes.size() < wanted.indexes.size()) stands.indexes = wanted.indexes;
        if (stands.fields != collections_[i].declared.fields || stands.indexes != collections_[i].declared.indexes) {
            journal_->append(pack(stands));
            collections_[i].declared = stands;
        }
        return static_cast<std::uint32_t>(i + 1);
    }
    journal_->append(pack(wanted));
    collections_.push_back({std::move(wanted), {}});
    return static_cast<std::uint32_t>(collections_.size());
}

const Store::Collection& Store::at(std::uint32_t number) const {
    if (number == 0 || number > collections_.size()) throw Failure(JF_E_INVALID, "no collection " + std::to_string(number) + " was declared");
    return collections_[number - 1];
}

const Declaration& Store::declaration(std::uint32_t number) const { return at(number).declared; }

std::vector<std::string> Store::meant(const Write& write, const Records& records) const {
    const std::vector<Order> order = total(write.order);
    const Follow follow = this->follow(at(write.collection).declared, write.caller);
    std::vector<std::pair<std::vector<Value>, std::string>> found;
    const auto look_at = [&](const auto& entry) {
        if (matches(write.where, entry.second, follow)) found.emplace_back(key_of(order, entry.second), entry.first);
    };
    if (write.id.empty()) std::for_each(records.begin(), records.end(), look_at);
    else if (const auto one = records.find(write.id); one != records.end()) look_at(*one);
    std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) { return before(order, a.first, b.first); });
    if (write.verb != JF_WRITE_CLAIM && write.limit != 0 && found.size() > write.limit) found.resize(write.limit);
    std::vector<std::string> ids;
    for (auto& [key, id] : found) ids.push_back(std::move(id));
    return ids;
}

/// Whose turn it is: a record's is the number of records of its value that are under way or stand before it.
std::vector<std::string> Store::claimed(const Write& write, const Records& records) const {
    const std::vector<std::string> waiting = meant(write, records);
    const std::size_t most = write.limit == 0 ? 1 : write.limit;
    if (write.fair_by == 0) return {waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(std::min(most, waiting.size()))};
    const auto by_value = [](const Value& a, const Value& b) { return less(a, b); };
    std::map<Value, std::uint64_t, decltype(by_value)> under_way(by_value);
    const Follow follow = this->follow(at(write.collection).declared, write.caller);
    if (!write.fair_busy.empty())
        for (const auto& [id, record] : records)
            if (matches(write.fair_busy, record, follow)) ++under_way[field_of(record, write.fair_by)];
    std::vector<std::pair<std::uint64_t, std::string>> turns;
    for (const std::string& id : waiting) {
        const std::uint64_t turn = ++under_way[field_of(records.at(id), write.fair_by)];
        if (write.fair_most == 0 || turn <= write.fair_most) turns.emplace_back(turn, id);
    }
    // What waits came in the order asked for, which decides among equals.
    std::stable_sort(turns.begin(), turns.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    if (turns.size() > most) turns.resize(most);
    std::vector<std::string> out;
    for (auto& [turn, id] : turns) out.push_back(std::move(id));
    return out;
}

void Store::check_unique(const Write& write, const Records& records, const Record& record) const {
    const Declaration& declared = at(write.collection).declared;
    for (std::size_t i = 0; i < declared.indexes.size(); ++i) {
        if (!declared.indexes[i].unique) continue;
        const auto same = [&](const Record& other) {
            return std::all_of(declared.indexes[i].fields.begin(), declared.indexes[i].fields.end(), [&](std::uint16_t field) {
                const Value& value = field_of(record, field);
                return !value.is_null() && value == field_of(other, field);
            });
        };
        for (const auto& [id, other] : records)
            if (id != record[JF_FIELD_ID].text() && same(other))
                throw Failure(JF_E_CONFLICT, "collection '" + declared.name + "' has a record with these values of unique index " + std::to_string(i) + " already");
    }
}

Record Store::made(const Write& write) const {
    Record record{write.id, write.tenant, 1, now(), Value()};
    record[JF_FIELD_UPDATED] = record[JF_FIELD_CREATED];
    const Declaration& declared = at(write.collection).declared;
    record.resize(column_of(static_cast<std::uint16_t>(JF_FIELD_FIRST + declared.fields.size())));
    for (const Edit& edit : write.values) record[column_of(edit.field)] = edit.value;
    for (std::size_t i = 0; i < declared.fields.size(); ++i)
        if ((declared.fields[i].flags & JF_FIELD_NOT_NULL) && field_of(record, static_cast<std::uint16_t>(JF_FIELD_FIRST + i)).is_null())
            throw Failure(JF_E_INVALID, "field '" + declared.fields[i].name + "' is missing");
    return record;
}

Record Store::edited(const Write& write, const Record& old, const std::vector<Edit>& edits) const {
    Record record = old;
    record.resize(column_of(static_cast<std::uint16_t>(JF_FIELD_FIRST + at(write.collection).declared.fields.size())));
    for (const Edit& edit : edits) record[column_of(edit.field)] = edited_value(record[column_of(edit.field)], edit);
    record[JF_FIELD_REV] = record[JF_FIELD_REV].integer() + 1;
    record[JF_FIELD_UPDATED] = now();
    return record;
}

void Store::apply(const Write& write, Changes& changes, Answer& answer) {
    Records& records = collections_[write.collection - 1].tenants[write.tenant];
    const auto change = [&](const std::string& id, Record record) {
        if (!record.empty()) check_unique(write, records, record);
        answer.revision = record.empty() ? 0 : static_cast<std::uint64_t>(record[JF_FIELD_REV].integer());
        ++answer.affected;
        const auto old = records.find(id);
        changes.try_emplace({write.collection, write.tenant, id}, old == records.end() ? Record() : old->second);
        put(write.collection, write.tenant, id, std::move(record));
    };
    // By the unique index it names, a write means the record that has those values.
    std::string target = write.id;
    if (write.unique) {
        target.clear();
        const Record wanted = made(write);
        for (const auto& [id, record] : records)
            if (std::all_of(write.unique->fields.begin(), write.unique->fields.end(),
                            [&](std::uint16_t field) { return field_of(record, field) == field_of(wanted, field); }))
                target = id;
    }
    const auto standing = records.find(target);
    if (write.expect_rev != 0 &&
        (standing == records.end() || standing->second[JF_FIELD_REV].integer() != static_cast<std::int64_t>(write.expect_rev)))
        throw Failure(JF_E_CONFLICT, "the record has another revision, or does not stand any more");

    const std::uint64_t affected_before = answer.affected;
    switch (write.verb) {
        case JF_WRITE_INSERT:
            if (standing != records.end()) throw Failure(JF_E_CONFLICT, "a record with this id stands already");
            change(write.id, made(write));
            break;
        case JF_WRITE_UPSERT:
            if (standing == records.end()) {
                // By the unique index nobody is meant: the one that has the id is another.
                if (records.contains(write.id)) throw Failure(JF_E_CONFLICT, "a record with this id stands already");
                change(write.id, made(write));
            } else change(target, edited(write, Record(standing->second), write.edits.empty() ? write.values : write.edits));
            break;
        case JF_WRITE_INSERT_OR_GET:
            if (standing == records.end()) {
                if (records.contains(write.id)) throw Failure(JF_E_CONFLICT, "a record with this id stands already");
                change(target = write.id, made(write));
            }
            answer.revision = static_cast<std::uint64_t>(records[target][JF_FIELD_REV].integer());
            answer.rows.emplace_back(records[target]);
            break;
        case JF_WRITE_CLAIM:
            for (const std::string& id : claimed(write, records)) {
                change(id, edited(write, Record(records[id]), write.edits));
                answer.rows.emplace_back(records[id]);
            }
            if (answer.affected != affected_before + 1) answer.revision = 0;
            break;
        default:
            for (const std::string& id : meant(write, records))
                change(id, write.verb == JF_WRITE_DELETE_WHERE ? Record() : edited(write, Record(records[id]), write.edits));
            if (answer.affected != affected_before + 1) answer.revision = 0;
    }
    if (write.required && answer.affected == affected_before) throw Failure(JF_E_CONFLICT, "no record was affected, and the write requires one");
}

std::string Store::entry_of(const Changes& changes) const {
    Packer entry;
    for (const auto& [key, before] : changes) {
        const auto& [number, tenant, id] = key;
        const Records& records = at(number).tenants.at(tenant);
        const auto record = records.find(id);
        entry.number('R').number(number).text(tenant).text(id).number(record == records.end() ? 0 : record->second.size());
        if (record != records.end())
            for (const Value& value : record->second) entry.value(value);
    }
    return entry.bytes();
}

std::vector<std::string> Store::entries() const {
    std::vector<std::string> out;
    for (const Collection& collection : collections_) out.push_back(pack(collection.declared));
    for (std::size_t i = 0; i < collections_.size(); ++i)
        for (const auto& [tenant, records] : collections_[i].tenants)
            for (const auto& [id, record] : records) {
                Packer entry;
                entry.number('R').number(i + 1).text(tenant).text(id).number(record.size());
                for (const Value& value : record) entry.value(value);
                out.push_back(entry.bytes());
            }
    return out;
}

Answer Store::write(const std::vector<Write>& writes) {
    Answer answer;
    Changes changes;
    try {
        for (const Write& write : writes) apply(write, changes, answer);
        // Erased is what no file holds: the journal is written anew, without what was.
        if (std::any_of(writes.begin(), writes.end(), [](const Write& write) { return write.erase; })) journal_->replace(entries());
        else if (!changes.empty()) journal_->append(entry_of(changes));
    } catch (...) {
        // Nobody else looks meanwhile: what was done is taken back before the lock is given up.
        for (auto& [key, before] : changes) put(std::get<0>(key), std::get<1>(key), std::get<2>(key), std::move(before));
        throw;
    }
    if (writes.size() != 1) answer.revision = 0;
    return answer;
}

}  // namespace example
