#pragma once

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/vectors.h>

#include "vectors_cache.hpp"

namespace jackfield::sqlite {

/// jf.vectors/1 of an Instance. SQL and comparisons run on the calling pool thread, and an op completes before its function returns.
const jf_vectors_v1* vectors_table();

VectorOptions read_vector_options(const sdk::Config& config);

}  // namespace jackfield::sqlite
