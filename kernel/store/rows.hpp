#pragma once

#include "store/records_client.hpp"

namespace jackfield::store {

/// What the stores of this room have in common: rows in, rows out, through RecordsClient.

using OnDone = std::function<void(base::Result<>)>;

inline RecordsClient::OnWritten just(OnDone done) {
    return [done = std::move(done)](base::Result<WriteDone> result) {
        if (!done) return;
        if (result) done(base::Result<>());
        else done(result.error());
    };
}

template <typename T>
RecordsClient::OnRows each(T (*read)(const sdk::Row&), std::function<void(base::Result<std::vector<T>>)> done) {
    return [read, done = std::move(done)](base::Result<QueryDone> result) {
        if (!result) return done(result.error());
        std::vector<T> rows;
        rows.reserve(result->rows.size());
        for (const sdk::Row& row : result->rows) rows.push_back(read(row));
        done(std::move(rows));
    };
}

inline sdk::Value time_or_null(base::UtcTime t) { return t.us ? sdk::Value(sdk::Time{t.us}) : sdk::Value(); }
inline sdk::Value json_or_null(const std::string& json) { return json.empty() ? sdk::Value() : sdk::Value(sdk::Json{json}); }

/// The fields of a row as plain values; what is NULL reads as empty, zero or false.
class FieldReader {
  public:
    explicit FieldReader(const sdk::Row& row) : row_(row) {}
    std::string text(std::uint16_t field) const { return std::string(row_.field(field).text()); }
    std::int64_t integer(std::uint16_t field, std::int64_t if_null = 0) const {
        return row_.field(field).is_null() ? if_null : row_.field(field).integer();
    }
    double real(std::uint16_t field) const { return row_.field(field).real(); }
    bool boolean(std::uint16_t field) const { return row_.field(field).boolean(); }
    base::UtcTime time(std::uint16_t field) const { return {row_.field(field).time().us}; }

  private:
    const sdk::Row& row_;
};

}  // namespace jackfield::store
