#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vectors_space.hpp"
#include "request.hpp"

// What a caller asks of jf.vectors/1, read from the C structs and checked against the space. Text stays borrowed: these live within one call.

namespace jackfield::sqlite {

constexpr std::uint32_t most_vectors = 100000;  // of one upsert or remove
constexpr std::uint32_t most_matches = 10000;

struct VectorRow {
    std::string_view id;
    std::vector<float> values;          ///< of length 1 in a cosine space
    std::vector<jf_value> attributes;   ///< by attribute; null for those that were not given
};

struct VectorUpsert {
    VectorSpaces::Entry space;
    std::string_view tenant;
    std::vector<VectorRow> rows;  ///< no id twice
};

struct VectorQuery {
    VectorSpaces::Entry space;
    std::string_view tenant;
    std::vector<float> values;
    std::vector<Term> where;
    std::vector<std::uint16_t> fields;
    std::uint32_t limit = 0;
    float least_score = 0;
};

struct VectorRemove {
    VectorSpaces::Entry space;
    std::string_view tenant;
    std::vector<std::string_view> ids;
    std::vector<Term> where;
};

/// Each throws StoreFailure.
VectorUpsert read_upsert(const jf_vector_upsert* given, const VectorSpaces& spaces);
VectorQuery read_vector_query(const jf_vector_query* given, const VectorSpaces& spaces);
VectorRemove read_remove(const jf_vector_remove* given, const VectorSpaces& spaces);

}  // namespace jackfield::sqlite
