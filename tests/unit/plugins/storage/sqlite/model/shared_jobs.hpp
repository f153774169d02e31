#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "operations.hpp"

namespace jackfield::test::model {

/// What is known of the records that all threads add and claim at the same time. Nobody can say what a claim gets; but nobody gets what another one
/// has, what was answered stands, and of what was under way all stands or nothing.
class SharedJobs {
  public:
    /// What a child was answered. Empty, or what is wrong with it.
    std::string answered(const Operation& operation, const std::string& token, const std::string& answer);
    /// The file after the child's end; `under_way` are the operations that it had no answer of yet, by token. What stands is removed.
    std::string look_at(Database& db, std::uint32_t handle, const std::map<std::string, Operation>& under_way);

    std::uint64_t claims() const { return claims_; }
    /// Of the last look: those of `under_way` that were found.
    const std::set<std::string>& found_under_way() const { return found_; }

  private:
    std::string check(const sdk::Row& row, const std::map<std::string, Operation>& under_way);
    std::set<std::string> added_;                // tokens
    std::map<std::string, std::string> takers_;  // of ids
    std::map<std::string, std::set<std::string>> standing_;  // ids by the token that added them
    std::set<std::string> found_;
    std::uint64_t claims_ = 0;
};

}  // namespace jackfield::test::model
