#pragma once

#include <string>
#include <vector>

namespace jackfield::listener {

/// A trigram model with back-off in ARPA format, discounted by a half: small texts make every sequence rare, and a listener must be
/// able to hear words in an order that nobody wrote.
std::string build_arpa(const std::vector<std::vector<std::string>>& sentences);

}  // namespace jackfield::listener
