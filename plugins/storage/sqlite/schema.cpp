#include "schema.hpp"

#include <algorithm>

#include "failure.hpp"

namespace jackfield::sqlite {

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

const std::array<Field, 5>& own_fields() {
    static const std::array<Field, 5> fields{{
        {"id", JF_VALUE_TEXT, JF_FIELD_NOT_NULL, {}, "_id"},
        {"tenant", JF_VALUE_TEXT, JF_FIELD_NOT_NULL, {}, "_tenant"},
        {"rev", JF_VALUE_INT, JF_FIELD_NOT_NULL, {}, "_rev"},
        {"created", JF_VALUE_TIME, JF_FIELD_NOT_NULL, {}, "_created"},
        {"updated", JF_VALUE_TIME, JF_FIELD_NOT_NULL, {}, "_updated"},
    }};
    return fields;
}

const Field& rank_field() {
    static const Field field{"rank", JF_VALUE_REAL, JF_FIELD_NOT_NULL, {}, "_rank"};
    return field;
}

std::string_view type_name(std::uint32_t type) {
    static constexpr std::array<std::string_view, 8> names{
        "null", "int", "real", "text", "bytes", "time", "bool", "json"};
    return type < names.size() ? names[type] : "unknown";
}

const Field* Collection::find(std::uint16_t field) const {
    if (field < own_fields().size()) return &own_fields()[field];
    if (field < JF_FIELD_FIRST) return nullptr;
    const std::size_t position = field - JF_FIELD_FIRST;
    return position < fields.size() ? &fields[position] : nullptr;
}

const Field& Collection::at(std::uint16_t field) const {
    const Field* found = find(field);
    if (!found) invalid("collection '" + name + "' has no field " + std::to_string(field));
    return *found;
}

bool Collection::has_search() const {
    return std::any_of(fields.begin(), fields.end(), [](const Field& field) { return field.searchable(); });
}

std::size_t Collection::column_count() const { return own_fields().size() + fields.size(); }

std::vector<std::uint16_t> Collection::column_types() const {
    std::vector<std::uint16_t> types;
    for (const Field& field : own_fields()) types.push_back(field.type);
    for (const Field& field : fields) types.push_back(field.type);
    return types;
}

std::string_view Collection::tenant_of(std::string_view given) const {
    if (scope == JF_SCOPE_HOST) return {};
    if (given.empty()) invalid("tenant is missing: collection '" + name + "' is tenant-scoped");
    return given;
}

Catalogue::Entry Catalogue::at(std::uint32_t number) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_number_.find(number);
    if (found == by_number_.end())
        invalid("no collection " + std::to_string(number) + ": declare it first and use the number that this answers");
    return found->second;
}

Catalogue::Entry Catalogue::find(std::string_view name) const {
    const std::shared_lock lock(mutex_);
    for (const auto& [number, entry] : by_number_)
        if (entry->name == name) return entry;
    return nullptr;
}

void Catalogue::clear() {
    const std::unique_lock lock(mutex_);
    by_number_.clear();
}

void Catalogue::put(Collection collection) {
    const std::uint32_t number = collection.number;
    auto entry = std::make_shared<const Collection>(std::move(collection));
    const std::unique_lock lock(mutex_);
    by_number_[number] = std::move(entry);
}

}  // namespace jackfield::sqlite
