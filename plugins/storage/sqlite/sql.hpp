#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <jackfield/records.h>
#include <sqlite3.h>

#include "request.hpp"
#include "schema.hpp"

namespace jackfield::sqlite {

/// SQL text and the values for its question marks, grown together from left to right. Names are quoted by Collection; values are never spliced.
class Sql {
  public:
    Sql() = default;
    explicit Sql(std::string_view text) : text_(text) {}
    Sql(const Sql&) = delete;

    Sql& operator<<(std::string_view text) {
        text_ += text;
        return *this;
    }
    /// Appends a question mark and borrows the value.
    Sql& operator<<(const jf_value& value);
    Sql& integer(std::int64_t value);
    Sql& text(std::string_view borrowed);
    Sql& blob(std::string_view borrowed);
    /// As text(), keeping a copy.
    Sql& owned_text(std::string value);

    const std::string& sql() const { return text_; }
    const std::vector<jf_value>& values() const { return values_; }

  private:
    std::string text_;
    std::vector<jf_value> values_;
    std::deque<std::string> owned_;  // a deque: its elements stay where they are
};

/// "t.<column>", NULL for a dropped field
std::string qualified(const Collection& collection, std::uint16_t field, std::string_view table = "t");

/// " WHERE t._tenant = ? AND ..." : the tenant first, always.
void append_where(Sql& sql,
                  const Collection& collection,
                  std::string_view tenant,
                  std::string_view id,
                  const std::vector<Term>& where);

/// A field of an order: of the collection, or RANK.
const Field& order_field(const Collection& collection, std::uint16_t field);
/// The order with the id at its end, unless it is in it: what makes it total.
std::vector<jf_order> total_order(const std::vector<jf_order>& order);
/// " ORDER BY t.a DESC, t._id DESC"
void append_order(Sql& sql, const Collection& collection, const std::vector<jf_order>& total);
/// " AND (...)": the rows after the one whose values of `total` are `last`.
void append_after(Sql& sql,
                  const Collection& collection,
                  const std::vector<jf_order>& total,
                  const std::vector<jf_value>& last);

/// `"f" = ...` for each edit, without the revision and time.
void append_edits(Sql& sql, const Collection& collection, const std::vector<Edit>& edits);

/// `_id, _tenant, ..., "last"`: every column in the order that a full row has, each with `prefix` before it.
std::string all_columns(const Collection& collection, std::string_view prefix);

/// Registers jf_append(json, element) and jf_bucket(edges, value).
int register_functions(sqlite3* connection);

}  // namespace jackfield::sqlite
