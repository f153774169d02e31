#pragma once

#include "database.hpp"

// What the migrations' crash test migrates, for the test and for the helper that it kills.
namespace jackfield::test::migration {

constexpr std::uint16_t name = 8, age = 9, note = 10, born = 11;

inline sdk::Collection first() {
    sdk::Collection made("test.people", JF_SCOPE_TENANT);
    made.field("name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL).field("age", JF_VALUE_TEXT).field("note", JF_VALUE_TEXT, JF_FIELD_NOT_NULL);
    return made.index({"age"}).version(1);
}
/// Renamed, retyped, dropped, added, with other indexes and a search index.
inline sdk::Collection second() {
    sdk::Collection made("test.people", JF_SCOPE_TENANT);
    made.field("full_name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL | JF_FIELD_TEXT_SEARCH).field("age", JF_VALUE_INT).field("note", JF_VALUE_TEXT, JF_FIELD_DROPPED);
    made.field("born", JF_VALUE_TIME);
    return made.unique({"full_name"}).version(2);
}

/// To the second version, or back to the first.
inline sdk::RecordsReply migrate(Database& db, bool forward) {
    if (forward) {
        const sdk::RecordsReply declared = db.declare(second());
        if (declared.status != JF_OK && declared.status != JF_E_CONFLICT) return declared;
    }
    return db.migrate(forward ? JF_MIGRATE_APPLY : JF_MIGRATE_ROLLBACK, {}, true);
}

}  // namespace jackfield::test::migration
