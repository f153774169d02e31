#pragma once

#include <jackfield/sdk/records.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "journal.hpp"
#include "words.hpp"

namespace example {

using jackfield::sdk::Row;
using jackfield::sdk::Value;

struct Field {
    std::string name, references;
    std::uint16_t type = 0, flags = 0;
    friend bool operator==(const Field&, const Field&) = default;
};
struct Index {
    bool unique = false;
    std::vector<std::uint16_t> fields;
    friend bool operator==(const Index&, const Index&) = default;
};
struct Declaration {
    std::string name;
    std::uint32_t scope = 0;
    std::vector<Field> fields;
    std::vector<Index> indexes;
};

/// A record's columns in the order of a full row: id, tenant, rev, created, updated, then the declared fields.
using Record = std::vector<Value>;

struct Term {
    std::uint16_t field, verb;
    std::vector<Value> values;
    std::uint16_t via = 0;  ///< a reference, whose record has the field
    std::vector<Phrase> phrases{};
};
struct Edit {
    std::uint16_t field, verb;
    Value value;
    bool json = false;  ///< the field holds JSON: APPEND means an element
};
struct Order {
    std::uint16_t field;
    bool descending;
};
struct Column {
    std::uint16_t via, field;
};
struct Aggregate {
    std::uint16_t field, verb;
};
struct Query {
    std::uint32_t collection = 0;
    std::string tenant, cursor;
    std::string caller;  ///< the tenant that was named, also where the collection has none
    std::vector<Term> where;
    std::vector<Phrase> text;
    std::vector<Order> order;
    std::vector<Column> columns;
    std::vector<std::uint16_t> group;
    std::vector<Aggregate> aggregates;
    std::vector<std::int64_t> bucket_edges;
    std::uint32_t limit = 0;
};
struct Write {
    std::uint32_t verb = 0, collection = 0, limit = 0;
    std::string tenant, id, caller;
    std::uint64_t expect_rev = 0;
    std::vector<Edit> values, edits;
    std::vector<Term> where;
    std::vector<Order> order;
    const Index* unique = nullptr;
    bool required = false, erase = false;
    std::uint16_t fair_by = 0;
    std::uint32_t fair_most = 0;
    std::vector<Term> fair_busy;
};
struct Answer {
    std::vector<Row> rows;
    std::uint64_t affected = 0, revision = 0;
    std::string cursor;
};

/// Collections in maps. One thread at a time. Throws Failure; then nothing has changed.
class Store {
  public:
    explicit Store(const std::string& path);

    std::uint32_t declare(Declaration wanted);
    const Declaration& declaration(std::uint32_t number) const;
    /// Of what the reference refers to.
    const Declaration& referenced(const Declaration& from, std::uint16_t via) const;
    Answer query(const Query& query) const;
    Answer write(const std::vector<Write>& writes);

  private:
    using Records = std::map<std::string, Record>;  // of one tenant, by id
    struct Collection {
        Declaration declared;
        std::map<std::string, Records> tenants;
    };
    /// What a batch has changed so far, with the record as it was before; an empty one was not there.
    using Changes = std::map<std::tuple<std::uint32_t, std::string, std::string>, Record>;

    const Collection& at(std::uint32_t number) const;
    /// The record that a reference names, null when there is none.
    std::function<const Record*(const Record&, std::uint16_t via)> follow(const Declaration& from, const std::string& caller) const;
    Answer rows(const Query& query) const;
    Answer groups(const Query& query) const;
    std::vector<std::string> meant(const Write& write, const Records& records) const;
    std::vector<std::string> claimed(const Write& write, const Records& records) const;
    void check_unique(const Write& write, const Records& records, const Record& record) const;
    Record made(const Write& write) const;
    Record edited(const Write& write, const Record& old, const std::vector<Edit>& edits) const;
    void apply(const Write& write, Changes& changes, Answer& answer);
    std::string entry_of(const Changes& changes) const;
    /// All there is, as entries of a new journal.
    std::vector<std::string> entries() const;
    void replay(std::string_view entry);
    void put(std::uint32_t number, const std::string& tenant, const std::string& id, Record record);

    std::vector<Collection> collections_;  // by number - 1
    std::unique_ptr<Journal> journal_;     // null while it is read
};


}  // namespace example
