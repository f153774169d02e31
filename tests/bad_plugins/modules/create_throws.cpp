// create throws a C++ exception through the C boundary.
#define BAD_CREATE create_badly
#include "../bad.h"

#include <stdexcept>

static jf_status create_badly(const jf_host_v1*, jf_str, jf_str, jf_array, jf_instance**, const jf_instance_v1**, jf_error*) {
    throw std::runtime_error("no");
}
