#pragma once

#include <jackfield/vectors.h>

#include "vectors.hpp"

namespace example {

// The C structs of jf.vectors/1 as values, checked as those of records are.

Space read_space(const jf_vector_space* given);

struct UpsertRequest {
    std::uint32_t space = 0;
    std::string tenant;
    std::map<std::string, Vector> vectors;  ///< of an id given twice the later one
};
UpsertRequest read_upsert(const jf_vector_upsert* given, const Vectors& vectors);

struct SearchRequest {
    std::uint32_t space = 0;
    std::string tenant;
    VectorSearch search;
    std::vector<std::uint16_t> fields;
};
SearchRequest read_search(const jf_vector_query* given, const Vectors& vectors);

struct RemoveRequest {
    std::uint32_t space = 0;
    std::string tenant;
    std::set<std::string> ids;
    std::vector<Term> where;
};
RemoveRequest read_remove(const jf_vector_remove* given, const Vectors& vectors);

/// Throws INVALID when the space's scope wants another.
std::string read_tenant(const Space& space, jf_str given);

}  // namespace example
