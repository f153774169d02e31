#pragma once

#include <jackfield/records.h>

#include "store.hpp"

namespace example {

// The C structs as values, checked. Each throws Failure: INVALID for what is wrong, UNSUPPORTED for what this store has not, TOO_NEW for what it
// does not know.

Declaration read_declaration(const jf_collection* given);
Query read_query(const jf_query* given, const Store& store);
Write read_write(const jf_write* given, const Store& store);
/// Each element of an array of structs that begin with their struct_size.
std::vector<Write> read_writes(const jf_array& given, const Store& store);

/// For vectors, whose attributes are fields: terms without references, values by the id, and fields that are wanted back.
std::vector<Term> read_attribute_terms(const Declaration& declared, const jf_array& given);
Record read_attributes(const Declaration& declared, const std::string& id, const jf_array& given);
std::vector<std::uint16_t> read_fields(const Declaration& declared, const jf_array& given);

}  // namespace example
