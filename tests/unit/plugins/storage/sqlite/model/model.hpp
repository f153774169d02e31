#pragma once

#include <map>
#include <string>

#include "operations.hpp"

namespace jackfield::test::model {

/// One tenant's records in a map, and what the contract in records.h says of each operation. Shares no code with any plugin.
class Model {
  public:
    /// Does what the operation says and answers as run() does.
    std::string apply(const Operation& operation);
    std::string state() const;

  private:
    struct Record {
        std::uint64_t rev = 1;
        std::map<std::uint16_t, Value> fields;
        Value get(std::uint16_t field) const;
    };
    using Records = std::map<std::string, Record>;
    struct Outcome {
        jf_status status = JF_OK;
        std::uint64_t affected = 0, revision = 0;
        std::string rows;
    };

    static bool matches(const Records& records, const Term& term, const Record& record);
    static bool matches(const Records& records, const std::vector<Term>& where, const Record& record);
    static Value edited(const Value& old, const Edit& edit);
    static bool slot_taken(const Records& records, const Value& value, const std::string& except);
    static bool insert(Records& records, const Change& change);
    static bool edit(Records& records, const std::string& id, const std::vector<Edit>& edits);
    static std::string row(const std::string& id, const Record& record);
    static bool before(const Records& records, const std::vector<Order>& order, const std::string& a, const std::string& b);
    static std::string gone_by(const Records& records, const Change& change);
    static std::vector<std::string> meant(const Records& records, const Change& change);
    static std::vector<std::string> claimed(const Records& records, const Change& change);

    static Outcome write(Records& records, const Change& change);
    static Outcome upsert(Records& records, const Change& change);
    static Outcome insert_or_get(Records& records, const Change& change);
    static Outcome update(Records& records, const Change& change);
    static Outcome remove(Records& records, const Change& change);
    static Outcome claim(Records& records, const Change& change);
    std::string ask(const Question& question) const;
    std::string sum_up(const Question& question) const;

    Records records_;
};

}  // namespace jackfield::test::model
