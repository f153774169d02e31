#pragma once

#include <string>
#include <string_view>

namespace jackfield::llm_example {

/// An answer by rules, after Weizenbaum's ELIZA: the first rule whose words stand in `said` turns what follows them around.
std::string answer_to(std::string_view said);
/// The caller takes leave.
bool is_farewell(std::string_view said);

}  // namespace jackfield::llm_example
