#include "cursor.hpp"

#include <cmath>
#include <cstring>

#include "sql.hpp"

// Layout: version (1 byte), shape (8), then for each field of the total order its type (1) and payload: 8 bytes, or length (4) and bytes;
// nothing for null. For groups, their count (8) instead. Little-endian, as every target is.

namespace jackfield::sqlite {
namespace {

constexpr char version = 1;

template <typename T>
void put(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class Reader {
  public:
    explicit Reader(std::string_view bytes) : left_(bytes) {}
    std::string_view take(std::size_t n) {
        if (n > left_.size()) invalid("cursor is cut short");
        const std::string_view out = left_.substr(0, n);
        left_.remove_prefix(n);
        return out;
    }
    template <typename T>
    T take() {
        T value;
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }
    bool at_end() const { return left_.empty(); }

  private:
    std::string_view left_;
};

/// FNV-1a: tells shapes apart; no defence is needed, since a cursor only says where to go on.
class Hash {
  public:
    Hash& add(std::string_view bytes) {
        for (const char c : bytes) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
        return *this;
    }
    Hash& add(std::uint64_t number) { return add({reinterpret_cast<const char*>(&number), sizeof number}); }
    std::uint64_t value() const { return value_; }

  private:
    std::uint64_t value_ = 0xcbf29ce484222325u;
};

bool has_bytes(std::uint16_t type) { return type == JF_VALUE_TEXT || type == JF_VALUE_BYTES; }

jf_value read_value(Reader& reader, const Field& field) {
    jf_value value{};
    const auto type = reader.take<std::uint8_t>();
    if (type == JF_VALUE_NULL && !field.not_null()) return value;
    if (type != field.type) invalid("cursor does not belong to this query");
    value.type = type;
    if (has_bytes(field.type)) {
        value.s = sdk::str(reader.take(reader.take<std::uint32_t>()));
    } else if (type == JF_VALUE_REAL) {
        value.f = reader.take<double>();
        if (!std::isfinite(value.f)) invalid("cursor does not belong to this query");
    } else {
        value.i = reader.take<std::int64_t>();
    }
    return value;
}

}  // namespace

std::uint64_t shape_of(const QueryRequest& query) {
    Hash hash;
    hash.add(query.collection->number).add(query.tenant.size()).add(query.tenant);
    hash.add(query.where.size());
    for (const Term& term : query.where) hash.add(term.field | std::uint64_t{term.via.reference} << 16).add(term.verb);
    hash.add(query.order.size());
    for (const jf_order& by : query.order) hash.add(by.field).add(by.descending);
    hash.add(query.aggregates.size());
    for (const std::uint16_t field : query.group) hash.add(field);
    hash.add(query.edges.size());
    for (const std::int64_t edge : query.edges) hash.add(static_cast<std::uint64_t>(edge));
    return hash.value();
}

std::string write_cursor(const QueryRequest& query, const Cursor& cursor) {
    std::string out;
    out += version;
    put(out, shape_of(query));
    if (!query.aggregates.empty()) {
        put(out, cursor.groups);
        return out;
    }
    for (const jf_value& value : cursor.last) {
        out += static_cast<char>(value.type);
        if (value.type == JF_VALUE_NULL) continue;
        if (value.type == JF_VALUE_REAL) {
            put(out, value.f);
        } else if (has_bytes(static_cast<std::uint16_t>(value.type))) {
            put(out, static_cast<std::uint32_t>(value.s.len));
            out += sdk::view(value.s);
        } else {
            put(out, value.i);
        }
    }
    return out;
}

Cursor read_cursor(const QueryRequest& query, std::string_view bytes) {
    Reader reader(bytes);
    if (reader.take(1)[0] != version || reader.take<std::uint64_t>() != shape_of(query))
        invalid("cursor does not belong to this query");
    Cursor cursor;
    if (!query.aggregates.empty()) {
        cursor.groups = reader.take<std::uint64_t>();
        if (cursor.groups > INT64_MAX) invalid("cursor does not belong to this query");
    } else {
        for (const jf_order& by : total_order(query.order))
            cursor.last.push_back(read_value(reader, order_field(*query.collection, by.field)));
    }
    if (!reader.at_end()) invalid("cursor does not belong to this query");
    return cursor;
}

}  // namespace jackfield::sqlite
