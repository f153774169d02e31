#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace jackfield::base {

void panic(const char* what, const char* who_guarantees, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: broken invariant: %s (%s)\n", file, line, what, who_guarantees);
    std::abort();
}

}  // namespace jackfield::base
