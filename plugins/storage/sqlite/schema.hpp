#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <jackfield/records.h>

namespace jackfield::sqlite {

struct Field {
    std::string name;
    std::uint16_t type = JF_VALUE_NULL;
    std::uint16_t flags = 0;
    std::string references;
    std::string column;  // quoted

    bool not_null() const { return (flags & JF_FIELD_NOT_NULL) != 0; }
    bool searchable() const { return (flags & (JF_FIELD_TEXT_SEARCH | JF_FIELD_DROPPED)) == JF_FIELD_TEXT_SEARCH; }
    /// Only its number is left; it has no column.
    bool dropped() const { return (flags & JF_FIELD_DROPPED) != 0; }
    friend bool operator==(const Field&, const Field&) = default;
};

struct Index {
    bool unique = false;
    std::vector<std::uint16_t> fields;
    friend bool operator==(const Index&, const Index&) = default;
};

/// A declared collection. Immutable once it is in the catalogue.
struct Collection {
    std::uint32_t number = 0;
    std::uint32_t scope = JF_SCOPE_HOST;
    std::uint32_t version = 0;  // as declared
    bool has_row_column = true; // tables of storage format 1 have SQLite's implicit row numbers, which VACUUM may change
    std::string name;
    std::vector<Field> fields;
    std::vector<Index> indexes;

    std::string table() const { return '"' + name + '"'; }
    /// Also the plugin's own fields; null when there is none of that number.
    const Field* find(std::uint16_t field) const;
    /// As find(), INVALID when there is none.
    const Field& at(std::uint16_t field) const;
    bool has_search() const;
    std::size_t column_count() const;
    /// Types of the columns of a full row.
    std::vector<std::uint16_t> column_types() const;
    /// The tenant that an operation works for: empty for a host-scoped collection; INVALID when it is missing.
    std::string_view tenant_of(std::string_view given) const;
};

/// JF_FIELD_RANK: no field of a record, but a column that a query with words can be asked for.
const Field& rank_field();

/// id, tenant, rev, created, updated: their columns begin with an underscore, which no declared field does.
const std::array<Field, 5>& own_fields();

/// `name` as a quoted column. Only validated names come here.
std::string quoted(std::string_view name);

std::string_view type_name(std::uint32_t type);

/// The collections by number and name. Readers and the declarer may meet.
class Catalogue {
  public:
    using Entry = std::shared_ptr<const Collection>;  // shared: a running query keeps the one it began with

    /// INVALID when nothing of that number was declared.
    Entry at(std::uint32_t number) const;
    /// Null when nothing of that name was declared.
    Entry find(std::string_view name) const;
    void put(Collection collection);
    void clear();

  private:
    mutable std::shared_mutex mutex_;
    std::unordered_map<std::uint32_t, Entry> by_number_;
};

}  // namespace jackfield::sqlite
