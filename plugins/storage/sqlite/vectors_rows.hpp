#pragma once

#include <functional>
#include <string>
#include <vector>

#include "vectors_request.hpp"

namespace jackfield::sqlite {

/// How often a tenant's vectors in a space were changed, and how many there are.
struct VectorCount {
    std::uint64_t version = 0;
    std::uint64_t vectors = 0;
};

/// What one transaction did.
struct VectorsWritten {
    std::uint64_t version = 0;           ///< after it
    std::vector<std::int64_t> rows;      ///< written, in the request's order, or removed
};

/// Within a transaction of the caller's.
VectorsWritten upsert_rows(Connection& writer, const VectorUpsert& upsert, std::int64_t now_us);
VectorsWritten remove_rows(Connection& writer, const VectorRemove& remove);

VectorCount count_vectors(Connection& reader, const VectorSpace& space, std::string_view tenant);

/// A tenant and a space that have vectors.
struct VectorPlace {
    std::uint32_t space = 0;
    std::string tenant;
    std::uint64_t vectors = 0;
};
/// The largest first; none when no space was ever made.
std::vector<VectorPlace> places_of_vectors(Connection& reader);

/// One vector as it is read; borrowed until the next.
struct StoredVector {
    std::int64_t row = 0;
    const float* values = nullptr;
    const std::vector<jf_value>& attributes;  ///< empty unless asked for
};
void read_vectors(Connection& reader, const VectorSpace& space, std::string_view tenant, const std::vector<Term>& where, bool with_attributes,
                  const std::function<void(const StoredVector&)>& each);
/// The rows that match, ascending.
std::vector<std::int64_t> matching_rows(Connection& reader, const VectorSpace& space, std::string_view tenant, const std::vector<Term>& where);

/// A row's id, and the fields wanted into `out`, which borrow from `texts`. False: it does not stand any more.
struct VectorAnswer {
    std::string id;
    std::vector<jf_value> values;  ///< a text's ptr is an offset in `text` until settle()
    std::string text;
    void settle();
};
bool read_answer(Connection& reader, const VectorQuery& query, std::int64_t row, VectorAnswer& out);

}  // namespace jackfield::sqlite
