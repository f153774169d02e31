#include "conformance/records/records_checks.hpp"

namespace jackfield::conformance::records {

sdk::Collection people(const std::string& check) {
    sdk::Collection made("verify." + check, JF_SCOPE_TENANT);
    made.field("name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("score", JF_VALUE_INT)
        .field("rating", JF_VALUE_REAL)
        .field("due", JF_VALUE_TIME)
        .field("open", JF_VALUE_BOOL)
        .field("notes", JF_VALUE_JSON)
        .field("photo", JF_VALUE_BYTES);
    return made.index({"score"});
}

Write add(std::uint32_t h, const std::string& id, Value points) {
    return Write::insert(h, "acme", id).set(name, "n " + id).set(score, std::move(points));
}

std::string text(const Value& value) {
    switch (value.type()) {
        case JF_VALUE_NULL: return "null";
        case JF_VALUE_REAL: return fmt::format("{}", value.real());
        case JF_VALUE_TEXT:
        case JF_VALUE_JSON:
        case JF_VALUE_BYTES: return "'" + value.text() + "'";
        default: return std::to_string(value.integer());
    }
}

void require_value(std::string_view what, const Value& got, const Value& wanted) {
    if (!(got == wanted)) fail(fmt::format("{} is {} of type {}; wanted: {} of type {}", what, text(got), got.type(), text(wanted), wanted.type()));
}

void require_ids(std::string_view what, const sdk::RecordsReply& reply, std::string_view wanted) {
    RecordsUser::require_reply(what, reply, {JF_OK});
    if (ids(reply) != wanted) fail(fmt::format("{} answered the records '{}'; wanted: '{}'", what, ids(reply), wanted));
}

void require_affected(std::string_view what, const sdk::RecordsReply& reply, std::uint64_t wanted) {
    RecordsUser::require_reply(what, reply, {JF_OK});
    if (reply.affected != wanted) fail(fmt::format("{} affected {} records; wanted: {}", what, reply.affected, wanted));
}

Row get(RecordsUser& user, std::uint32_t h, const std::string& id) {
    const auto reply = user.done(Query(h, "acme").id(id), "a query by id");
    require(reply.rows.size() == 1, fmt::format("a query for the id '{}' answered {} rows", id, reply.rows.size()));
    return reply.rows[0];
}

}  // namespace jackfield::conformance::records
