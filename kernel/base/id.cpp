#include "base/id.hpp"

namespace jackfield::base {
namespace {

constexpr char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

}  // namespace

std::string make_ulid(UtcTime now, Random& random) {
    std::string id(26, '0');
    auto ms = static_cast<std::uint64_t>(now.us / 1000);
    for (int i = 9; i >= 0; --i, ms >>= 5) id[i] = alphabet[ms & 31];
    std::uint64_t high = random.next();
    std::uint64_t low = random.next();
    for (int i = 17; i >= 10; --i, high >>= 5) id[i] = alphabet[high & 31];
    for (int i = 25; i >= 18; --i, low >>= 5) id[i] = alphabet[low & 31];
    return id;
}

bool is_ulid(std::string_view text) {
    return text.size() == 26 && text[0] <= '7' &&
           text.find_first_not_of(alphabet) == std::string_view::npos;
}

}  // namespace jackfield::base
